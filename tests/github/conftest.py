"""What the tests of the GitHub integration share: a GitHub of their own, and a way to it without proxies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from oversight_github.client import Client
from tests.github.double import Double


@pytest.fixture(autouse=True)
def straight_to_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of the machine stands between a test and its own server."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def github() -> Iterator[Double]:
    """A GitHub with one empty repository, octo/repo."""
    with Double() as double:
        yield double


@pytest.fixture
def api(github: Double) -> Client:
    """A client of that repository whose waits take no time: `github.slept` lists them."""
    return github.client()
