"""Tests of the weak-to-strong methods."""
