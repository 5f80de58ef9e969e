"""The review budget: what is chosen, why, and what the answers tell."""
