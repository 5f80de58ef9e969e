"""Weak supervisors: cheap, trusted reviewers, and the panel that joins what they say."""
