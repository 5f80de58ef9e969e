"""Tests of what a model sees of a change."""
