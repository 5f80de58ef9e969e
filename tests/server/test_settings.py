"""What the operator sets: checked at the start, told apart by name, and never shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from oversight.errors import ConfigError
from oversight_server.settings import SHORTEST_SECRET, Settings, load, variable

PEM = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"
SECRET = "a secret of the tests"


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one setting that has to be there."""
    monkeypatch.setenv("OVERSIGHT_WEBHOOK_SECRET", SECRET)


def refused(**flags: object) -> ConfigError:
    """The error for settings that make no sense; it is one line."""
    with pytest.raises(ConfigError) as caught:
        load(**flags)
    assert "\n" not in str(caught.value)
    return caught.value


def test_the_webhook_secret_alone_is_enough(monkeypatch: pytest.MonkeyPatch):
    """Everything else has a default, or may be missing."""
    settings = load()
    assert settings.secrets == (SECRET.encode(),)
    assert settings.github.app_id is settings.github.private_key is settings.api_token is None
    assert settings.github.api_url == "https://api.github.com"
    assert settings.database == f"sqlite:///{os.environ['OVERSIGHT_DATA_DIR']}/audit.db"


@pytest.mark.parametrize("value", [None, ""])
def test_without_it_nothing_starts(monkeypatch: pytest.MonkeyPatch, value: str | None):
    """An empty secret is none, as an unset variable of a compose file becomes one."""
    monkeypatch.delenv("OVERSIGHT_WEBHOOK_SECRET")
    if value is not None:
        monkeypatch.setenv("OVERSIGHT_WEBHOOK_SECRET", value)
    assert refused().message == "OVERSIGHT_WEBHOOK_SECRET is not set"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WEBHOOK_SECRET", "hush12?"),
        ("WEBHOOK_SECRET", " a secret of the tests"),
        ("WEBHOOK_SECRET_PREVIOUS", "hush12?"),
        ("API_TOKEN", "hush12?"),
        ("GITHUB__APP_ID", "x!zzy123"),
        ("GITHUB__PRIVATE_KEY", "/nowhere/xyzzy123.pem"),
        ("GITHUB__API_URL", "ftp://xyzzy123"),
        ("GITHUB__API_URL", "https://user:xyzzy123@host"),
        ("GITHUB__SERVER_URL", "xyzzy123"),
        ("GITHUB__NONSENSE", "xyzzy123"),
        ("PORT", "65536"),
        ("PORT", "xyzzy123"),
        ("CONNECTIONS", "0"),
        ("MEMORY_MEGABYTES", "25"),
        ("LOG_LEVEL", "xyzzy123"),
        ("METRICS_PROTECTED", "xyzzy123"),
        ("RETENTION__DELIVERIES_DAYS", "0"),
    ],
)
def test_what_makes_no_sense_is_named_and_not_repeated(monkeypatch: pytest.MonkeyPatch, name: str, value: str):
    """The error names the variable; the value, which may be a secret in the wrong place, is in no error."""
    monkeypatch.setenv(f"OVERSIGHT_{name}", value)
    error = refused()
    assert f"OVERSIGHT_{name}" in error.message
    assert not any(word in str(error) for word in ("xyzzy", "x!zzy", "hush", "a secret"))


def test_secrets_as_short_as_allowed_are_taken(monkeypatch: pytest.MonkeyPatch):
    """The shortest secret is one of eight characters."""
    monkeypatch.setenv("OVERSIGHT_WEBHOOK_SECRET", "x" * SHORTEST_SECRET)
    assert load().secrets == (b"x" * SHORTEST_SECRET,)


GROUPS = [name for name, field in Settings.model_fields.items() if field.default_factory and name != "data_dir"]


@pytest.mark.parametrize("name", [*map(variable, GROUPS), "OVERSIGHT_API__REPOSITORIES"])
def test_what_is_no_json_is_named_and_not_repeated(monkeypatch: pytest.MonkeyPatch, name: str):
    """The settings of every group are set one by one, or as JSON."""
    monkeypatch.setenv("OVERSIGHT_GITHUB__API_URL", "https://github.example.com/api/v3")
    monkeypatch.setenv(name, "{xyzzy")
    error = refused()
    assert error.message == f"{name} is no JSON"
    assert "xyzzy" not in str(error)


def test_the_private_key_comes_inline_or_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """The key is the text itself, with line ends or with backslash and n for them, or the path of a file with it."""
    (tmp_path / "key.pem").write_text(PEM)
    for value in (PEM, PEM.replace("\n", "\\n"), str(tmp_path / "key.pem"), f"\n{PEM}\n"):
        monkeypatch.setenv("OVERSIGHT_GITHUB__PRIVATE_KEY", value)
        key = load().github.private_key
        assert key is not None
        assert key.get_secret_value() == PEM


@pytest.mark.parametrize("content", [b"no key", b"", b"\xff\xfe", PEM.replace("PRIVATE", "PUBLIC").encode()])
def test_a_file_without_a_key_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes):
    """A file with anything else is refused at the start, and none of it is shown."""
    (tmp_path / "key.pem").write_bytes(content)
    monkeypatch.setenv("OVERSIGHT_GITHUB__PRIVATE_KEY", str(tmp_path / "key.pem"))
    error = refused()
    assert error.message.startswith("OVERSIGHT_GITHUB__PRIVATE_KEY: ")
    assert "AAAA" not in str(error)


def test_a_folder_is_no_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """What cannot be read says why."""
    monkeypatch.setenv("OVERSIGHT_GITHUB__PRIVATE_KEY", str(tmp_path))
    assert "cannot be read: Is a directory" in refused().message


def test_flags_go_before_the_environment(monkeypatch: pytest.MonkeyPatch):
    """A flag that was given wins, one that was not does not."""
    monkeypatch.setenv("OVERSIGHT_PORT", "1234")
    monkeypatch.setenv("OVERSIGHT_HOST", "::1")
    settings = load(host=None, port=4321)
    assert (settings.host, settings.port) == ("::1", 4321)


def test_several_mistakes_are_counted(monkeypatch: pytest.MonkeyPatch):
    """The first one is told, and how many others there are."""
    monkeypatch.setenv("OVERSIGHT_PORT", "x")
    monkeypatch.setenv("OVERSIGHT_CONNECTIONS", "x")
    assert refused().message.endswith(", and 1 more")


def test_protected_metrics_need_a_token(monkeypatch: pytest.MonkeyPatch):
    """What asks for a token that does not exist would be closed to everybody."""
    monkeypatch.setenv("OVERSIGHT_METRICS_PROTECTED", "true")
    assert "OVERSIGHT_API_TOKEN" in refused().mend
    monkeypatch.setenv("OVERSIGHT_API_TOKEN", "a token of the tests")
    assert load().metrics_protected


def test_no_secret_shows(monkeypatch: pytest.MonkeyPatch):
    """Printing settings prints no secret, and no password of a database."""
    for name in ("WEBHOOK_SECRET_PREVIOUS", "API_TOKEN"):
        monkeypatch.setenv(f"OVERSIGHT_{name}", "xyzzy123")
    monkeypatch.setenv("OVERSIGHT_DATABASE_URL", "postgresql://user:xyzzy123@host/name")
    monkeypatch.setenv("OVERSIGHT_GITHUB__PRIVATE_KEY", PEM)
    settings = load()
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert not any(secret in shown for secret in ("xyzzy123", SECRET, "AAAA"))


def test_variables_of_reviews_are_no_mistake(monkeypatch: pytest.MonkeyPatch):
    """The environment holds settings of other commands as well."""
    monkeypatch.setenv("OVERSIGHT_BUDGET", "5")
    monkeypatch.setenv("OVERSIGHT_CACHE_DIR", "/somewhere")
    assert isinstance(load(), Settings)
