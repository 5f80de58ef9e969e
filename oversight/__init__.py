"""Scalable oversight for code review: which changes deserve a human, which hunks, and why.

Importing this package stays light on purpose: no torch, no transformers, no numpy. Start at
`oversight.review` for the main job and at ARCHITECTURE.md for the map.
"""

__version__ = "0.1.0"
