"""A clone has bounds: whoever makes a repository large or a server slow costs a report its history, not a runner."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from oversight.errors import UnscoredError
from oversight_github.code import bounded
from oversight_github.code import clone as module
from oversight_github.code.clone import Clone, LimitError, Limits
from oversight_github.code.remote import Remote
from oversight_github.code.wanted import Wanted
from tests.builders import file_diff
from tests.github.action.conftest import NAME, PLAIN, UNSAFE, Workshop
from tests.github.action.test_source import sought
from tests.github.double import TOKEN

SMALL = Limits(size=1)
DIFF = file_diff("a.py", PLAIN.splitlines(), UNSAFE.splitlines()).encode()


def clone(workshop: Workshop, path: Path, limits: Limits) -> Clone:
    return Clone(Remote(workshop.server.url, NAME, TOKEN), path, kilobytes=1, limits=limits)


def test_a_clone_that_grows_too_large_is_put_away(workshop: Workshop, tmp_path: Path) -> None:
    """The disk is free again at once, and what is large is not fetched anew on each push."""
    with pytest.raises(LimitError, match="more than 0 MB"):
        clone(workshop, tmp_path / "clone", SMALL).fetch([workshop.head])
    assert bounded.size_of(tmp_path / "clone") == 0
    asked = len(workshop.server.asked)
    with pytest.raises(LimitError, match="less than an hour ago"):
        clone(workshop, tmp_path / "clone", SMALL)
    assert len(workshop.server.asked) == asked


def test_it_is_ended_while_it_grows(workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only at the end, when the disk is full: here the server never says the last word."""
    monkeypatch.setattr(bounded, "LOOK", 0.01)
    large = clone(workshop, tmp_path / "clone", Limits(size=100_000))
    (large.path / "objects" / "pack" / "tmp_pack_x").write_bytes(bytes(200_000))
    with workshop.server.stalled(), pytest.raises(LimitError, match="more than 0 MB"):
        large.fetch([workshop.head])


def test_a_server_that_does_not_answer_is_left(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All commands of a clone have one time together."""
    monkeypatch.setattr(bounded, "LOOK", 0.01)
    slow = clone(workshop, tmp_path / "clone", Limits(seconds=0.2))
    with workshop.server.stalled(), pytest.raises(LimitError, match="git took more than 0 seconds"):
        slow.fetch([workshop.head])
    with workshop.server.stalled(), pytest.raises(LimitError):
        slow.resolve("main")


@pytest.mark.parametrize("age", [module.REST + 60, -60.0])
def test_after_a_while_it_is_tried_again(workshop: Workshop, tmp_path: Path, age: float) -> None:
    """Word that is old, or of a time to come as a cache may bring it, keeps nobody from his history."""
    path = tmp_path / "clone"
    with pytest.raises(LimitError):
        clone(workshop, path, SMALL).fetch([workshop.head])
    (word,) = path.iterdir()
    then = time.time() - age
    os.utime(word, (then, then))
    again = clone(workshop, path, Limits())
    again.fetch([workshop.head])
    assert not word.exists()
    assert list((path / "objects" / "pack").glob("*.pack"))


def test_what_a_fetch_that_was_cut_off_has_left_is_removed(workshop: Workshop, tmp_path: Path) -> None:
    """Jobs are cancelled in the middle; what another job is writing right now stays."""
    packs = clone(workshop, tmp_path / "clone", Limits()).path / "objects" / "pack"
    for name in ("tmp_pack_old", "tmp_pack_new"):
        (packs / name).write_bytes(b"x")
    os.utime(packs / "tmp_pack_old", (0, 0))
    clone(workshop, tmp_path / "clone", Limits())
    assert [path.name for path in packs.iterdir()] == ["tmp_pack_new"]


def test_the_report_says_why_there_is_no_history(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The diff then comes through the API, and the receipt counts no context."""
    monkeypatch.setattr(module, "Limits", lambda: SMALL)
    basehead = f"{workshop.base}...{workshop.head}"
    workshop.github.world.compares[basehead] = {
        "base_commit": {"sha": workshop.base}, "merge_base_commit": {"sha": "e" * 40}, "status": "ahead",
        "commits": [{"sha": workshop.head, "commit": {"message": "Fetch"}}], "files": [],
    }  # fmt: skip
    workshop.github.world.compare_diffs[basehead] = DIFF
    base = workshop.github.world.write("heads/main", {"a.py": PLAIN.encode()})
    workshop.github.world.commits[workshop.base] = workshop.github.world.commits[base]
    report = workshop.step("pull_request", workshop.pull_request(), comment="never", check_run="no").report
    assert report["status"] == "scored"
    assert report["coverage"]["context"] == "none"
    (note,) = [note for note in report["notes"] if "through" in note or "API" in note]
    assert "since git could not be used: a clone of it has more than 0 MB" in note


def test_where_the_api_cannot_help_either_both_reasons_are_told(workshop: Workshop) -> None:
    """And the mend, which is to let the checkout bring what this would not."""
    wanted = Wanted(workshop.head, (workshop.base,))
    with (
        pytest.raises(UnscoredError, match="more than 0 MB; through the API") as caught,
        sought(workshop, wanted, limits=SMALL),
    ):
        pass
    assert "fetch-depth: 0" in caught.value.mend
