"""The vault as a process of its own: its pipe, its death, and what comes out of it when something is wrong."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from benchmarks.vault_world import laid, world
from oversight.errors import VaultError
from oversight.research.model import Configuration, Submission
from oversight.research.vault import Policy
from oversight.research.vault.client import Vault
from oversight.research.vault.files import FAULT, GOLD, LEDGER, SUBMISSIONS

MADE = world(6, {"first": 700, "second": 500})


def submission(name: str, away: float = 0.1) -> Submission:
    predictions = {ground: runs.astype(np.float32) for ground, runs in MADE.student(away, [30, 1]).items()}
    return Submission(name, "one", Configuration("naive", {"naive.for": name}), predictions, {"screen": 0.7})


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    return laid(tmp_path / "vault", MADE, Policy(queries=10))


def test_a_killed_vault_loses_no_answer_and_counts_no_question_twice(vault: Path) -> None:
    """Killed between two questions and with a half written entry: the next process answers as the first one did."""
    with Vault(vault) as first:
        answer = first.ask(submission("e1"))
        board = first.board()
        assert first._process is not None
        os.kill(first._process.pid, signal.SIGKILL)
        with pytest.raises(VaultError, match="ended before it answered"):
            first.ask(submission("e2", 0.5))
    with (vault / LEDGER).open("ab") as ledger:
        ledger.write(b'{"entry": 3, "kind": "as')
    with Vault(vault) as second:
        assert second.ask(submission("e1")) == answer
        assert second.board() == board
        assert second.ask(submission("e2", 0.5)).left == answer.left - 1


def test_a_question_whose_answer_was_not_in_the_ledger_yet_gets_the_answer_that_it_would_have_got(vault: Path) -> None:
    """Predictions are kept before the entry is written: where the kill came between, it is asked as if for the first
    time, on the same rows.
    """
    with Vault(vault) as asked:
        answer = asked.ask(submission("e1"))
    lines = (vault / LEDGER).read_bytes().splitlines(keepends=True)
    (vault / LEDGER).write_bytes(b"".join(lines[:-1]))
    assert (vault / SUBMISSIONS / "e1").exists()
    with Vault(vault) as again:
        assert again.ask(submission("e1")) == answer


def test_errors_come_out_without_what_caused_them(vault: Path) -> None:
    """What the caller did wrong is said; what broke inside is a file in the vault, and one sentence outside."""
    with Vault(vault) as run:
        with pytest.raises(VaultError, match="not for a run"):
            run.seal("e1")
        with pytest.raises(VaultError, match="already"), Vault(vault):
            pass
        (vault / SUBMISSIONS).write_bytes(b"in the way of a folder")
        with pytest.raises(VaultError, match="could not answer") as caught:
            run.ask(submission("e1"))
        assert str(vault) not in str(caught.value)
        (vault / SUBMISSIONS).unlink()
        assert run.ask(submission("e1")).left == 9
    assert "Traceback" in (vault / FAULT).read_text()
    assert (vault / FAULT).stat().st_mode & 0o077 == 0


def test_a_vault_that_cannot_be_opened_says_why(vault: Path, tmp_path: Path) -> None:
    """No labels, damaged ones; and one that is not in use as a context manager answers nothing."""
    with pytest.raises(VaultError, match="no labels"), Vault(tmp_path / "nowhere"):
        pass
    (vault / GOLD / "first.npz").write_bytes(b"no archive")
    with pytest.raises(VaultError, match="cannot be read"), Vault(vault):
        pass
    with pytest.raises(VaultError, match="not open"):
        Vault(vault).board()


def test_people_and_a_run_see_the_same_vault(vault: Path) -> None:
    """A run asks; people read its board meanwhile, and seal when it has ended."""
    with Vault(vault) as run, Vault(vault, people=True) as people:
        answer = run.ask(submission("e1"))
        assert answer.flags == ()
        with pytest.raises(VaultError, match="already"):
            people.seal("e1")
    with Vault(vault, people=True) as people:
        assert people.board()["figures"][0]["experiment"] == "e1"
        assert people.seal("e1")["result"]["n"] > 0
