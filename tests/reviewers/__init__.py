"""Tests of the weak reviewers."""
