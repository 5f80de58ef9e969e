"""Who may come in, by the settings: what makes no sense keeps the server from starting, and is said in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from oversight.errors import ConfigError, UsageError
from oversight_server.app import create_app
from oversight_server.settings import load
from tests.server.app_double import pem
from tests.server.client import SECRET

APP = {"GITHUB__APP_ID": "12345", "GITHUB__PRIVATE_KEY": pem()}
CLIENT = {"GITHUB__CLIENT_ID": "Iv23liClientOfTests", "GITHUB__CLIENT_SECRET": "hush-hush-hush"}
PUBLIC = {"PAGES__URL": "https://oversight.example.com"}
SECRETS = ("hush-hush-hush", "a-token-of-the-tests")
TOKEN = {"PAGES__TOKEN": "a-token-of-the-tests"}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> object:
    """Make an application of variables, and return who may come in."""

    def call(*groups: dict[str, str], **flags: str) -> object:
        variables = {"WEBHOOK_SECRET": SECRET, "DATA_DIR": str(tmp_path)}
        for group in groups:
            variables |= group
        for name, value in variables.items():
            monkeypatch.setenv(f"OVERSIGHT_{name}", value)
        return getattr(create_app(load(**flags)).state, "access", None)

    return call


@pytest.mark.parametrize(
    ("groups", "names"),
    [
        ([APP, CLIENT, PUBLIC, {"GITHUB__CLIENT_SECRET": ""}], "OVERSIGHT_GITHUB__CLIENT_SECRET"),
        ([APP, CLIENT, PUBLIC, {"GITHUB__CLIENT_ID": ""}], "OVERSIGHT_GITHUB__CLIENT_ID"),
        ([APP, CLIENT, PUBLIC, {"GITHUB__CLIENT_SECRET": "/nowhere/secret"}], "OVERSIGHT_GITHUB__CLIENT_SECRET"),
        ([APP, CLIENT], "OVERSIGHT_PAGES__URL"),
        ([CLIENT, PUBLIC], "OVERSIGHT_GITHUB__APP_ID"),
        ([PUBLIC], "OVERSIGHT_GITHUB__CLIENT_ID"),
        ([APP, CLIENT, {"PAGES__URL": "http://oversight.example.com"}], "OVERSIGHT_PAGES__URL"),
        ([APP, CLIENT, {"PAGES__URL": "https://oversight.example.com/pages"}], "OVERSIGHT_PAGES__URL"),
        ([APP, CLIENT, PUBLIC, TOKEN], "OVERSIGHT_PAGES__TOKEN"),
        ([TOKEN, {"HOST": "0.0.0.0"}], "OVERSIGHT_PAGES__TOKEN"),  # noqa: S104  # refused
        ([{"PAGES__TOKEN": "short"}], "OVERSIGHT_PAGES__TOKEN"),
        ([TOKEN, {"PAGES__IDLE_HOURS": "13"}], "OVERSIGHT_PAGES__IDLE_HOURS"),
        ([TOKEN, {"PAGES__ROLE_SECONDS": "nan"}], "OVERSIGHT_PAGES__ROLE_SECONDS"),
        ([{"GITHUB__CLIENT_ID": "a b"}], "OVERSIGHT_GITHUB__CLIENT_ID"),
    ],
)
def test_what_makes_no_sense_is_named(told, groups: list[dict[str, str]], names: str):
    """In one line, with the variable and without its value."""
    with pytest.raises(ConfigError) as caught:
        told(*groups)
    assert names in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not any(value in str(caught.value) for value in (*SECRETS, "example.com/pages", "short"))


def test_addresses_of_github_in_the_clear_are_refused(told):
    """Before a secret is sent there."""
    with pytest.raises(UsageError, match="https"):
        told(APP, CLIENT, PUBLIC, {"GITHUB__SERVER_URL": "http://github.example.com"})


def test_without_a_way_to_log_in_there_are_no_pages(told):
    """As with the webhook's secret alone."""
    assert told() is None
    assert told(APP) is None


def test_both_ways_may_be_there_on_one_machine(told, tmp_path: Path):
    """The client's secret may stand in a file. What is on loopback needs no https."""
    (tmp_path / "client").write_text("hush-hush-hush\n")
    file = {"GITHUB__CLIENT_SECRET": str(tmp_path / "client")}
    access = told(APP, CLIENT, file, TOKEN, {"PAGES__URL": "http://localhost:8000", "HOST": "::1"})
    assert access.github is not None
    assert access.token.admits("a-token-of-the-tests")
    assert (access.site.url, access.site.secure) == ("http://localhost:8000", False)
    assert "hush-hush-hush" not in repr(access)
    assert TOKEN["PAGES__TOKEN"] not in repr(access)
