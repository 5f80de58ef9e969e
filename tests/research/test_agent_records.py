"""What an agent and Claude have said: killed anywhere, a dialogue goes on where it was, and is paid for once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from oversight.research.director import Budget, Director
from oversight.research.proposers.claude.dialogue import Dialogue, bills
from oversight.research.study import Study
from tests.claude_stub import Fault, Said, Stub
from tests.research.doubles import Bench, Box
from tests.research.grounds import study, world
from tests.research.researcher import call, dialogue, hired, kinds, proposing, ran, turn

SMALL = world(student=20, human=20, test=40)


class KilledError(Exception):
    """Stands for the end of the process."""


class Mortal(Dialogue):
    """A dialogue whose process ends at a write, before or after it is on disk."""

    def __init__(self, path: Path, writes: int, *, after: bool) -> None:
        super().__init__(path)
        self.left, self.after = writes, after

    def add(self, kind: str, number: int, **told: Any) -> None:
        self.left -= 1
        if self.left or self.after:
            super().add(kind, number, **told)
        if not self.left:
            raise KilledError


def reading(params: dict[str, Any]) -> Said:
    """A model that reads, writes a finding, proposes; and concludes in the second round."""
    match turn(params):
        case 0:
            return call("read_leaderboard")
        case 1:
            return call("write_finding", experiment="e0001", text="Naive is naive.")
        case 2:
            return proposing(params)
    return call("conclude", learned="Enough.")


@pytest.fixture(scope="module")
def undisturbed(account: Stub, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study of `reading` that nobody interrupted."""
    account.forget()
    account.reply = reading
    one = study(tmp_path_factory.mktemp("undisturbed") / "s", SMALL)
    ran(one, account.url, 9)
    return one


def files(one: Study) -> list[bytes]:
    return [(one.folder / name).read_bytes() for name in ("experiments.jsonl", "findings.jsonl")]


def words(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was said, whatever it cost and however often it was asked."""
    said = [record for record in records if record["kind"] != "asked"]
    return [{key: value for key, value in one.items() if key not in ("usd", "tokens")} for one in said]


@pytest.mark.parametrize("after", [False, True], ids=["before it is on disk", "after"])
def test_a_dialogue_that_was_killed_goes_on_where_it_was(
    undisturbed: Study, stub: Stub, tmp_path: Path, after: bool
) -> None:
    """Killed at any write, a run comes to the same experiments, findings and words. What was answered and is on disk
    is not asked again; the one answer that a kill kept off the disk is, and counts as paid in full.
    """
    stub.reply = reading
    study(tmp_path / "laid", SMALL)
    records = dialogue(undisturbed)
    for writes, killed in enumerate(records, 1):
        stub.forget()
        one = Study(shutil.copytree(tmp_path / "laid", tmp_path / f"s{writes}"))
        with hired(one, stub.url) as (mine,):
            mine._dialogue = Mortal(one.folder / "agents" / "noise.jsonl", writes, after=after)
            with pytest.raises(KilledError):
                Director(one, [mine], Box(), Bench()).run(Budget(9))
        ran(Study(one.folder), stub.url, 9)
        assert files(one) == files(undisturbed)
        lost = killed["kind"] == "answered" and not after
        again = (killed["kind"] == "asked" and after) or lost
        assert words(dialogue(one)) == words(records)
        assert max(stub.paid.values()) == (2 if lost else 1)
        bill, plain = bills(one.folder)[0], bills(undisturbed.folder)[0]
        assert (bill.usd > plain.usd + 0.1) == again


def test_kill_9_between_an_answer_and_its_record(undisturbed: Study, stub: Stub, tmp_path: Path) -> None:
    """A process that is killed while an answer is on its way is gone on with: that answer alone is asked for again."""
    stub.reply = reading
    one = study(tmp_path / "s", SMALL)
    process = subprocess.Popen([sys.executable, "-m", "tests.research.killed", stub.url, str(one.folder)])
    stub.faults = {2: Fault(lost=True, call=lambda: os.kill(process.pid, signal.SIGKILL))}
    assert process.wait(60) == -signal.SIGKILL
    assert kinds(dialogue(one)) == ["said", "asked", "answered", "said", "asked"]
    ran(Study(one.folder), stub.url, 9)
    assert files(one) == files(undisturbed)
    assert sorted(stub.paid.values())[-2:] == [1, 2]
