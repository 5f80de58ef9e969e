"""Tests of the webhook server."""
