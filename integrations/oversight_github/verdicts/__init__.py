"""Verdicts without a server: what people say of changes on GitHub, gathered, kept and measured with."""
