"""Tests of the reviewer that asks Claude, against a local stub of the service."""
