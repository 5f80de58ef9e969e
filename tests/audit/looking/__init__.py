"""Tests of looking at a change."""
