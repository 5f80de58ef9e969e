"""What the tests of the server share."""

from __future__ import annotations

from tests.github.conftest import api, github, straight_to_loopback

__all__ = ["api", "github", "straight_to_loopback"]
