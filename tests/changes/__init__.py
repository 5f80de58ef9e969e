"""Tests of `oversight.changes`."""
