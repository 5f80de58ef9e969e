"""A pull request on a GitHub of the test's own."""

from __future__ import annotations

import pytest

from oversight_github.client import Client
from tests.github.double import Double
from tests.github.publish.scene import Scene


@pytest.fixture
def scene(github: Double, api: Client) -> Scene:
    """Nothing is there yet: `scene.open(report)` makes the pull request."""
    return Scene(github, api)
