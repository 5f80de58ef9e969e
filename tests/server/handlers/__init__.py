"""Tests of what deliveries ask for, and how it is done."""
