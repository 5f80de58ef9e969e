"""Tests of the benchmarks: small arrays, no repository and no network."""
