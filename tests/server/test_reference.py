"""The page that describes the server."""

from __future__ import annotations

import pytest

from oversight_server.reference import PAGE, page, settings
from oversight_server.settings import Settings
from tests.server.client import SECRET


def test_the_page_is_current():
    """The table of docs/SERVER.md is what the settings say of themselves."""
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m oversight_server.reference --write"


def test_every_setting_says_what_it_is_for():
    """No setting is without a sentence, and none breaks the table."""
    for name, field in settings(Settings):
        assert field.description, name
        assert field.description.endswith("."), name
        assert not set(field.description) & {"|", "\n"}, name


def test_the_defaults_of_the_page_are_defaults(monkeypatch: pytest.MonkeyPatch):
    """Setting every variable to the default that the page names changes nothing."""
    plain = Settings.model_validate({"webhook_secret": SECRET})
    rows = [line.split(" | ") for line in page().splitlines() if line.startswith("| `OVERSIGHT_")]
    for name, default, _ in rows:
        if default.strip():
            monkeypatch.setenv(name.strip("|` "), default.strip("` "))
    assert Settings.model_validate({"webhook_secret": SECRET}) == plain
