"""Tests of `oversight.audit.store`."""
