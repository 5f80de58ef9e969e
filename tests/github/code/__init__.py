"""The code of a change."""
