"""Benchmarks: each measures us beside a peer or a physical limit in the same run, and writes what it saw."""
