"""Verdicts gathered from GitHub, kept there, and measured with."""
