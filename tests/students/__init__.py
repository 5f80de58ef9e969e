"""Tests of the student: network, files and runtime."""
