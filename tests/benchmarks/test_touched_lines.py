"""The history of touched lines: git's own blame is the oracle."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.touched_lines import TOUCHED, Lines, touched_lines
from oversight.changes.patches import files_of
from oversight.changes.repository import Repository
from oversight.history.log import read_log
from tests.builders import GitRepository

DAY = 86_400
START = 1_600_000_000


def blamed(repository: GitRepository, path: str) -> list[str]:
    """Who wrote each line, says git."""
    return re.findall(r"^([0-9a-f]{40}) \d+ \d+", repository.git("blame", "--porcelain", "--", path), re.MULTILINE)


@pytest.mark.parametrize("seed", range(4))
def test_lines_belong_to_whom_git_blames(tmp_path: Path, seed: int) -> None:
    """After any edits, a rename among them, every line has the owner that git's blame gives it."""
    draw, repository = np.random.default_rng(seed), GitRepository.create(tmp_path / "r")
    content = [f"line {number} of {seed}" for number in range(40)]
    repository.commit("begin", {"a.txt": "\n".join(content) + "\n"})
    path = "a.txt"
    for edit in range(12):
        for _ in range(draw.integers(1, 5)):
            place, gone, come = draw.integers(len(content)), draw.integers(3), draw.integers(4)
            content[place : place + gone] = [f"{edit} {draw.random()}" for _ in range(come)]
        files: dict[str, str | None] = {path: "\n".join(content) + "\n"}
        if edit == 6:
            files, path = {path: None, "b.txt": "\n".join(content) + "\n"}, "b.txt"
        repository.commit(f"edit {edit}", files)
    lines = Lines()
    with Repository.open(repository.path) as opened:
        for number, patch in enumerate(opened.patches(repository.commits)):
            for file in files_of(patch):
                lines.apply(file, number)
    owners = [repository.commits[owner] for owner in lines.owners(path)]
    assert owners == blamed(repository, path)


def test_what_is_told_of_the_lines_that_a_change_touches(tmp_path: Path) -> None:
    """Age, authors, repairs, and who was known as a culprit at that moment and not later."""
    repository = GitRepository.create(tmp_path / "r")
    first = repository.commit("begin", {"a.c": "one\ntwo\nthree\nfour\nfive\n"}, author="Ann <ann@x>", at=START)
    repair = repository.commit(
        "fix two", {"a.c": "one\nTWO\nthree\nfour\nfive\n"}, author="Bob <bob@x>", at=START + 100 * DAY
    )
    change = repository.commit("third", {"a.c": "one\n2\nthree\nfour\n"}, author="Ann <ann@x>", at=START + 110 * DAY)
    with Repository.open(repository.path) as opened:
        commits = list(read_log(opened, change))
        early = dict(touched_lines(opened, commits, {first: START + 105 * DAY, repair: START + 200 * DAY}))
        late = dict(touched_lines(opened, commits, {first: START + 400 * DAY}))
    told = dict(zip(TOUCHED, early[change].tolist(), strict=True))
    assert np.isnan(early[first][2:]).all()
    assert told["known share"] == 1
    assert told["youngest, days"] == 10
    assert told["oldest, days"] == 110
    assert told["commits"] == told["authors"] == 2
    # It deletes one line of the repair and one of the first commit, and adds beside others of the first.
    assert 0 < told["written by repairs"] < 1
    assert 0 < told["written by culprits"] < 1
    assert late[change][TOUCHED.index("written by culprits")] == 0
