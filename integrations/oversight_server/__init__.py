"""The webhook server (grows with the GitHub App)."""
