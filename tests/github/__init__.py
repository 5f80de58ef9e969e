"""Tests of integrations/oversight_github, against a GitHub on loopback."""
