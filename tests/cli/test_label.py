"""`oversight label`: nothing leaves the machine without leave, a key and a price, and labels are found afterwards."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oversight.changes.repository import Repository
from oversight.cli import run
from oversight.cli.answered import heard, tell
from oversight.config import load
from oversight.errors import ConfigError, LabelError
from oversight.experiment.human import read_labels
from oversight.reviewers.claude import consent
from tests.claude_stub import KEY, Stub, served
from tests.experiment.histories import learnable
from tests.reviewers.claude.conversation import model


@pytest.fixture(scope="module")
def account() -> Iterator[Stub]:
    with served(model) as stub:
        yield stub


@pytest.fixture
def stub(account: Stub, monkeypatch: pytest.MonkeyPatch) -> Stub:
    account.forget()
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", account.url)
    return account


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("history") / "project"
    learnable(path, changes=12, reverts=False)
    return path


def label(clone: Path, output: Path, *options: object) -> int:
    return run(["label", "--weak", "claude", "--repo", str(clone), "--output", str(output), *map(str, options)])


def rows(output: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]


def test_labels_are_written_kept_and_found(
    stub: Stub, clone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each change that counts has a row, oldest first; the second run pays nothing; nobody takes them for people's."""
    output = tmp_path / "labels.jsonl"
    assert label(clone, output, "--send-code", "--changes", 5) == 0
    first = rows(output)
    assert {row["status"] for row in first} == {"labelled"}
    assert [row["risk"] for row in first] == pytest.approx([0.9 if row["risk"] > 0.5 else 0.1 for row in first])
    told = capsys.readouterr().err
    assert "5 requests on 5 changes to make: about $0.00" in told
    assert "5 labelled; $0.0" in told
    assert label(clone, output, "--send-code", "--wordings", 1) == 0
    whole = rows(output)
    assert [row for row in whole if row in first] == first
    assert sum(stub.paid.values()) == len(whole) > len(first)
    assert set(stub.paid.values()) == {1}
    capsys.readouterr()
    with Repository.open(clone) as repository:
        said = heard(repository, "panel")
        assert said.labels.keys() == {row["commit"] for row in whole}
        tell(said, "panel")
        assert not heard(repository, "lexical").labels
    assert f"claude has a say: {len(whole)} labels, by claude-haiku-5-5, 1 wording" in capsys.readouterr().err
    with pytest.raises(LabelError):
        read_labels(output)
    assert KEY not in output.read_text(encoding="utf-8") + told


def test_nothing_is_sent_without_leave(
    stub: Stub, clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither a key in the environment nor a file of the repository is leave; a dry run needs none."""
    output = tmp_path / "labels.jsonl"
    (clone / "oversight.toml").write_text("send_code = true\n", encoding="utf-8")
    assert label(clone, output) == 2
    assert "nobody has said that changes may be sent" in capsys.readouterr().err
    monkeypatch.setenv(consent.VARIABLE, "perhaps")
    assert label(clone, output) == 2
    monkeypatch.setenv(consent.VARIABLE, "1")
    assert label(clone, output, "--no-send-code") == 2
    monkeypatch.delenv(consent.VARIABLE)
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    capsys.readouterr()
    assert label(clone, output, "--send-code") == 2
    assert "no key of Claude in ANTHROPIC_API_KEY" in capsys.readouterr().err
    assert label(clone, output, "--dry-run", "--critique") == 0
    assert "22 requests on 11 changes to make" in capsys.readouterr().err
    assert not output.exists()
    assert not stub.asked
    with pytest.raises(ConfigError, match="may not set 'send_code'"):
        load(b"send_code = true")


def test_leave_may_come_from_the_environment(
    stub: Stub, clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs it may say so once and for all; with --now nothing waits for a batch."""
    monkeypatch.setenv(consent.VARIABLE, "yes")
    assert label(clone, tmp_path / "labels.jsonl", "--now", "--changes", 2) == 0
    assert len(stub.asked) == 2
    assert not stub.created


def test_the_panel_says_that_it_goes_on_without(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing was asked nobody waits for it, and nobody is left to guess."""
    with Repository.open(clone) as repository:
        tell(heard(repository, "panel"), "panel")
    assert "the panel goes on without claude" in capsys.readouterr().err


def test_the_cap_is_said_where_it_was_reached(
    stub: Stub, clone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was not asked has a row without a risk, and the end says how to go on."""
    output = tmp_path / "labels.jsonl"
    assert label(clone, output, "--send-code", "--max-usd", 0) == 0
    assert {(row["status"], row["risk"]) for row in rows(output)} == {("unasked", None)}
    assert "the cap did not hold all of it" in capsys.readouterr().err
    assert not stub.messages()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--model", "claude-next"], "what claude-next costs"),
        (["--since", "2090-01-01"], "between these dates"),
        (["--wordings", "4"], "wordings"),
        (["--max-usd", "inf"], "no amount"),
        (["--prices", "missing.toml"], "prices cannot be read"),
    ],
)
def test_what_cannot_be_is_one_line(
    clone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    """Wrong options end it before anything is sent."""
    assert label(clone, tmp_path / "labels.jsonl", *options) == 2
    assert said in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install(
    clone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package is needed for this command alone."""
    for name in [name for name in sys.modules if name.startswith("oversight.reviewers.claude")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "anthropic", None)
    assert label(clone, tmp_path / "labels.jsonl", "--dry-run") == 2
    assert "pip install 'oversight-review[claude]'" in capsys.readouterr().err
