"""Verdicts: whose counts, how they are written down, and what labels come of them."""
