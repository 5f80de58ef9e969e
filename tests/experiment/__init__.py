"""Tests of what training and measuring share."""
