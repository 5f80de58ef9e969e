"""The log: what it counts, what cannot forge it, and what is missing."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.changes.model import FileStatus
from oversight.changes.repository import Repository, change_of
from oversight.errors import RepositoryError
from oversight.history.context import commit_of
from oversight.history.log import parse_log, read_commits, read_log
from oversight.history.model import Commit, Touch
from tests.builders import GitRepository
from tests.history.commits import synthetic

MARK = "m" * 32


def log_of(built: GitRepository) -> list[Commit]:
    with Repository.open(built.path) as repository:
        return list(read_log(repository, "HEAD"))


@pytest.fixture
def built(tmp_path: Path) -> GitRepository:
    return GitRepository.create(tmp_path / "r")


def test_what_a_commit_did(built: GitRepository) -> None:
    """Every status has its paths and counts."""
    text = "".join(f"line {n}\n" for n in range(20))
    built.commit("One", {"a.py": text, "gone.py": "x\n", "b.bin": b"\0\1"})
    built.git("mv", "a.py", "moved.py")
    built.git("mv", "b.bin", "c.bin")
    built.commit("Two", {"moved.py": text + "more\n", "gone.py": None, "new.py": "1\n2\n"})
    touches = {touch.path: touch for touch in log_of(built)[-1].touches}
    assert touches == {
        "moved.py": Touch("moved.py", "a.py", FileStatus.RENAMED, 1, 0),
        "c.bin": Touch("c.bin", "b.bin", FileStatus.RENAMED, 0, 0),
        "gone.py": Touch("gone.py", "gone.py", FileStatus.DELETED, 0, 1),
        "new.py": Touch("new.py", None, FileStatus.ADDED, 2, 0),
    }


def test_counts_that_git_does_not_give(built: GitRepository) -> None:
    """Binary files and submodules have no counts, which is not zero."""
    built.commit("One", {"b.bin": b"\0\1"})
    built.git("update-index", "--add", "--cacheinfo", f"160000,{built.commits[0]},sub")
    built.commit("Two")
    first, second = log_of(built)
    assert first.touches == (Touch("b.bin", None, FileStatus.ADDED, None, None),)
    assert second.touches == (Touch("sub", None, FileStatus.ADDED, None, None),)


def test_messages_and_people(built: GitRepository) -> None:
    """Messages come whole, names and addresses as they are."""
    built.commit(
        "Subject\n\nBody: 0\n\n:100644 000000 nothing\n", {"a": "1\n"}, author="Ada Lovelace <Ada@Example.org>"
    )
    (commit,) = log_of(built)
    assert commit.message == "Subject\n\nBody: 0\n\n:100644 000000 nothing\n"
    assert (commit.author_name, commit.author_email) == ("Ada Lovelace", "Ada@Example.org")
    assert commit.parents == ()


def test_hostile_paths_and_messages(built: GitRepository) -> None:
    """Paths with newlines, tabs and colons, and messages that look like records, change nothing else."""
    path = ":100644 a\tb\n\n1\t2\tc"
    built.commit("commit " + "0" * 40 + "\n\n1\t1\tx\n", {path: "1\n"})
    built.commit("Two", {path: "1\n2\n"})
    assert [commit.touches for commit in log_of(built)] == [
        (Touch(path, None, FileStatus.ADDED, 1, 0),),
        (Touch(path, path, FileStatus.MODIFIED, 1, 0),),
    ]


def test_merges_are_left_out(built: GitRepository) -> None:
    """The log has the commits of both sides of a merge, each once, and not the merge."""
    built.commit("Base", {"a": "1\n"})
    built.branch("side")
    built.commit("Side", {"b": "1\n"})
    built.switch("main")
    built.commit("Main", {"c": "1\n"})
    built.merge("side")
    assert [commit.subject for commit in log_of(built)] == ["Base", "Side", "Main"]


def test_the_log_agrees_with_the_diff(tmp_path: Path) -> None:
    """A commit has the same files and counts from the log as from its parsed diff."""
    synthetic(tmp_path / "r", 7)
    with Repository.open(tmp_path / "r") as repository:
        commits = list(read_log(repository, "HEAD"))
        patches = repository.patches([commit.sha for commit in commits])
        for commit, patch in zip(commits, patches, strict=True):
            parsed = commit_of(change_of(patch, "r"))
            assert sorted(commit.touches, key=str) == sorted(parsed.touches, key=str)
            assert commit.message.split() == parsed.message.split()


def test_missing_blobs(tmp_path: Path) -> None:
    """In a clone without blobs every commit is there; what cannot be counted is unknown."""
    synthetic(tmp_path / "r", 3, 30)
    whole = log_of(GitRepository(tmp_path / "r"))
    clone = GitRepository(tmp_path / "r").clone(tmp_path / "partial", "--bare", "--filter=blob:none", "-b", "main")
    partial = log_of(clone)
    assert [commit.sha for commit in partial] == [commit.sha for commit in whole]
    assert all(touch.added in (None, 0) for commit in partial for touch in commit.touches)


def test_one_missing_blob(tmp_path: Path) -> None:
    """A single missing blob costs the counts of its file, and of no other commit."""
    built = GitRepository.create(tmp_path / "r")
    for number in range(9):
        built.commit(f"Change {number}", {"a.py": f"{number}\n", "b.py": "b\n" * (number + 1)})
    blob = built.git("rev-parse", f"{built.commits[4]}:a.py")
    (built.path / ".git/objects" / blob[:2] / blob[2:]).unlink()
    counts = [{touch.path: touch.added for touch in commit.touches} for commit in log_of(built)]
    expected: list[dict[str, int | None]] = [{"a.py": 1, "b.py": 1} for _ in range(9)]
    expected[4]["a.py"] = expected[5]["a.py"] = None
    assert counts == expected


@pytest.fixture
def many_gits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three gits read the log, three commits in a row each."""
    monkeypatch.setattr("oversight.history.log.cores", lambda: 3)
    monkeypatch.setattr("oversight.history.log._BLOCK", 3)


@pytest.mark.usefixtures("many_gits")
def test_many_gits_give_one_log(tmp_path: Path) -> None:
    """However many gits read it, the log is the same and in order; leaving it early leaves nothing behind."""
    synthetic(tmp_path / "r", 5, 40)
    with Repository.open(tmp_path / "r") as repository:
        commits = list(read_log(repository, "HEAD"))
        assert commits == [commit for one in commits for commit in read_commits(repository, [one.sha])]
        assert [commit.sha for commit in commits] == [commit.sha for commit in repository.commits("HEAD")]
        log = read_log(repository, "HEAD")
        assert [next(log) for _ in range(5)] == commits[:5]


@pytest.mark.usefixtures("many_gits")
@pytest.mark.parametrize("missing", [0, 3, 4, 10, 19])
def test_many_gits_around_a_missing_blob(built: GitRepository, missing: int) -> None:
    """Whichever git meets a missing blob, every commit comes once and in order, and only counts of it are lost."""
    for number in range(20):
        built.commit(f"Change {number}", {"a.py": f"{number}\n"})
    blob = built.git("rev-parse", f"{built.commits[missing]}:a.py")
    (built.path / ".git/objects" / blob[:2] / blob[2:]).unlink()
    log = log_of(built)
    assert [commit.sha for commit in log] == built.commits
    unknown = [number for number, commit in enumerate(log) if commit.touches[0].added is None]
    assert unknown == [number for number in (missing, missing + 1) if number < 20]


@given(
    st.lists(st.tuples(st.text("ab\n:", max_size=20), st.text("a/:\t\n", min_size=1, max_size=9)), max_size=4),
    st.integers(1, 9),
)
def test_parsing_whatever_the_chunks(records: list[tuple[str, str]], step: int) -> None:
    """Records are found however the stream happens to be cut."""

    class Slow(BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            return super().read(step)

    parts = [
        f"{MARK}{'0' * 40}\0\0001\0002\0c\0c@e\0n\0e\0{message}{MARK}"
        f"\0\n:100644 100644 {'1' * 40} {'2' * 40} M\0{path}\0001\t2\t{path}\0"
        for message, path in records
    ]
    found = list(parse_log(Slow("".join(parts).encode()), MARK))
    assert [commit.message for commit in found] == [message for message, _ in records]
    assert [commit.touches for commit in found] == [
        (Touch(path, path, FileStatus.MODIFIED, 1, 2),) for _, path in records
    ]


@pytest.mark.parametrize("tail", [MARK + "half a record", MARK + "a\0b" + MARK + "rest"])
def test_a_cut_off_stream_is_an_error(tail: str) -> None:
    """A stream that ends within a record is refused, not read as the end."""
    with pytest.raises(RepositoryError):
        list(parse_log(BytesIO(tail.encode()), MARK))
