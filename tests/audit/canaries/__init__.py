"""Tests of seeded defects."""
