"""A real browser: Chromium, as the system has it, steered by playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.needed import needed

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for the tests of a module; each opens a context of its own, which shares nothing with others.

    Not for the session: as long as playwright runs, its event loop runs in this thread, and no other can.
    """
    found = next((path for path in map(shutil.which, _NAMES) if path is not None), None)
    needed(found is not None, "Chromium", mend="apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield browser
        browser.close()
