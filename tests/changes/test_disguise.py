"""Source files made to look binary: read as text, told as what they are, and real binaries left alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from oversight.assessment import examine
from oversight.changes import disguise
from oversight.changes.diff import change_from_diff
from oversight.changes.model import Change, FileStatus
from oversight.changes.quarantine import Quarantine
from oversight.changes.repository import Repository, change_of
from oversight.history.context import commit_of, context_of_diff
from oversight.history.log import read_log
from oversight.reviewers.principles import Principles
from tests.builders import GitRepository

CLEAN = "import requests\n\n\ndef f(u):\n    return requests.get(u)\n"
RISKY = CLEAN.replace("(u)\n", "(u, verify=False)\n", 2).replace("def f(u, verify=False)", "def f(u)")
NUL = "x = '\0'\n"


@pytest.fixture
def built(tmp_path: Path) -> GitRepository:
    repository = GitRepository.create(tmp_path / "project")
    repository.commit("Start", {"a.py": NUL + CLEAN, "b.py": CLEAN, "old name.py": NUL + CLEAN * 3})
    return repository


def both(built: GitRepository) -> tuple[Change, Change]:
    """The newest commit as a review reads it, and as a range."""
    with Repository.open(built.path) as repository:
        (patch,) = repository.patches([built.commits[-1]])
        single, span = change_of(patch, "project"), repository.change(repository.span("HEAD~1..HEAD"))
    assert single.files == span.files
    return single, span


def fired(change: Change, path: str) -> set[str]:
    opinions = examine(change, context_of_diff(change), Principles()).opinions
    return {opinion.principle or "" for opinion in opinions if any(place.path == path for place in opinion.lines)}


def test_one_nul_byte_hides_no_line(built: GitRepository) -> None:
    """The lines are read at their places and judged like any others, and the disguise itself is told."""
    built.commit("Disguised", {"a.py": NUL + RISKY, "b.py": RISKY})
    (change, _) = both(built)
    disguised, plain = change.files
    assert (disguised.binary, plain.binary) == (True, False)
    assert [line.text for line in disguised.hunks[0].added] == [line.text for line in plain.hunks[0].added]
    assert disguised.hunks[0].added[0].new_number == (plain.hunks[0].added[0].new_number or 0) + 1
    assert "tls-verification-off" in fired(change, "b.py")
    assert fired(change, "a.py") == {*fired(change, "b.py"), "nul-bytes"}
    with Repository.open(built.path) as repository:
        *_, logged = read_log(repository, "HEAD")
    assert commit_of(change).touches == logged.touches
    examined = examine(change, context_of_diff(change), Principles())
    assert examined.example.hunks == 2
    assert (examined.coverage.files_scored, examined.coverage.skipped) == (2, ())


def test_disguises_are_seen_through_wherever_they_come_on(built: GitRepository) -> None:
    """Put on by the change, in an added file, along with a renaming, and in a file that goes."""
    built.git("mv", "old name.py", "new name.py")
    built.commit(
        "All", {"b.py": NUL + RISKY, "c.py": RISKY + NUL, "new name.py": NUL + CLEAN * 3 + RISKY[-30:], "a.py": None}
    )
    files = {file.path: file for file in both(built)[0].files}
    assert files["new name.py"].status is FileStatus.RENAMED
    assert all(file.binary and file.hunks for file in files.values())
    assert [line.text for line in files["c.py"].hunks[0].added] == (RISKY + NUL).splitlines()
    assert len(files["a.py"].hunks[0].deleted) == len((NUL + CLEAN).splitlines())


def test_real_binaries_stay_binary(built: GitRepository) -> None:
    """Pictures by their names, and whatever is not mostly text by its content; both are told as before."""
    noise = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(1_000)) + b"\0"
    wide = CLEAN.encode("utf-16")
    built.commit("Binaries", {"logo.png": NUL, "noise.c": noise, "wide.cs": wide, "b.py": RISKY})
    change, _ = both(built)
    assert {file.path for file in change.files if file.binary} == {"logo.png", "noise.c", "wide.cs"}
    assert not any(file.hunks for file in change.files if file.binary)
    assert "content-unread" in fired(change, "noise.c") & fired(change, "wide.cs")


def test_what_is_too_large_stays_binary(built: GitRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the size limit nothing is read, the finding says so, and the other files are not concerned."""
    monkeypatch.setattr(disguise, "BLOB_BYTES", 1_000)
    built.commit("Large", {"a.py": NUL + RISKY * 50, "b.py": NUL + RISKY})
    change, _ = both(built)
    assert [bool(file.hunks) for file in change.files] == [False, True]
    assert "content-unread" in fired(change, "a.py")
    assert "tls-verification-off" in fired(change, "b.py")


def test_commits_without_a_disguise_cost_no_second_look(built: GitRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text, pictures and rows that say "Binary files" start no further git."""
    built.commit("Text", {"b.py": RISKY + "Binary files a/x.py and b/x.py differ\n", "logo.png": NUL})
    commands: list[str] = []
    start = Quarantine._start

    def noted(self: Quarantine, arguments: tuple[str, ...], pipe: bool) -> object:
        commands.append(arguments[0])
        return start(self, arguments, pipe)

    monkeypatch.setattr(Quarantine, "_start", noted)
    with Repository.open(built.path) as repository:
        assert len(list(repository.patches(built.commits[1:]))) == 1
    assert commands == ["log"]


def test_a_bare_diff_with_nul_bytes_is_judged(built: GitRepository) -> None:
    """`git diff --text` shows the lines: they are read, and a NUL byte on one of them is told."""
    built.commit("Disguised", {"b.py": NUL + RISKY})
    change = change_from_diff(built.git("diff", "--text", "HEAD~1", "HEAD").encode())
    assert fired(change, "b.py") >= {"nul-bytes", "tls-verification-off"}
