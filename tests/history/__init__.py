"""Tests of `oversight.history`."""
