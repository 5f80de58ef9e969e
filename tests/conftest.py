"""What all tests share: how hypothesis searches, and comparison with golden files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# No test is timed, since machines are busy at times; in CI the same code meets the same examples.
settings.register_profile("oversight", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("oversight")

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew instead of comparing")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare text with `tests/golden/<name>`, byte by byte; with --update-golden write it there."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8"))
            return
        if not path.exists():
            pytest.fail(f"tests/golden/{name} is missing: run with --update-golden and read what it wrote")
        assert text == path.read_bytes().decode("utf-8"), f"tests/golden/{name} differs: see tests/golden/README.md"

    return compare
