"""Repositories that lack part of their history or content: read as far as they can be, never in silence."""

from __future__ import annotations

import shutil
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.changes import patches as module
from oversight.changes.model import FileChange
from oversight.changes.quarantine import Quarantine
from oversight.changes.repository import Repository, change_of
from oversight.errors import RepositoryError
from oversight.history import log
from oversight.history.context import commit_of
from tests.builders import GitRepository

SUBMODULE = "1234567890123456789012345678901234567890"


@pytest.fixture
def built(tmp_path: Path) -> GitRepository:
    """Six commits over four files, with a rename and a submodule among them."""
    repository = GitRepository.create(tmp_path / "origin")
    repository.commit("0", {"a": "a0\n", "b": "b0\n", "dir/c": "c0\n"})
    repository.commit("1", {"a": "a1\n", "b": "b1\n"})
    repository.commit("2", {"dir/c": "c2\n"})
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{SUBMODULE},sub")
    repository.commit("3")
    repository.git("mv", "b", "moved [b]*")
    (repository.path / "sub").mkdir()
    repository.commit("4", {"a": "a4\n"})
    repository.commit("5", {"a": "a5\n", "dir/c": "c5\n"})
    return repository


def lose(built: GitRepository, revision: str) -> None:
    """Remove one object."""
    sha = built.git("rev-parse", revision)
    (built.path / ".git" / "objects" / sha[:2] / sha[2:]).unlink()


def read(built: GitRepository) -> list[tuple[FileChange, ...]]:
    with Repository.open(built.path) as repository:
        found = list(repository.patches(built.commits))
    assert [patch.sha for patch in found] == built.commits
    assert [patch.message.strip() for patch in found] == [str(number) for number in range(6)]
    return [change_of(patch, "r").files for patch in found]


def test_a_missing_blob_costs_its_files_and_nothing_else(built: GitRepository) -> None:
    """The two commits on both sides of the blob name the file; all other files and commits are read."""
    whole = read(built)
    lose(built, "HEAD~4:a")
    partial = read(built)
    unread = [[file.path for file in files if file.unread] for files in partial]
    assert unread == [[], ["a"], [], [], ["a"], []]
    for before, after in zip(whole, partial, strict=True):
        assert [file for file in before if file.path != "a"] == [file for file in after if file.path != "a"] or any(
            file.path == "a" for file in before
        )
    assert "partial clone" in (partial[1][-1].unread or "")
    assert partial[1][0].path == "b"
    assert [file.path for file in partial[4]] == ["moved [b]*", "a"]


def test_many_windows_are_read_in_order(built: GitRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commits are looked over in windows after the first failure; the order and the result do not change."""
    lose(built, "HEAD~4:a")
    once = read(built)
    for window in (1, 2, 4):
        monkeypatch.setattr(module, "_WINDOW", window)
        assert read(built) == once


def test_a_blobless_clone_starts_no_process_for_a_commit(
    built: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any content every file is unread, and the number of git runs does not grow with the commits."""
    clone = built.clone(tmp_path / "blobless", "--filter=blob:none", "--bare")
    runs: list[str] = []
    start = Quarantine._start

    def counted(self: Quarantine, command: tuple[str, ...], pipe: bool) -> object:
        runs.append(command[0])
        return start(self, command, pipe)

    monkeypatch.setattr(Quarantine, "_start", counted)
    files = read(clone)
    assert all(file.unread or file.submodule for commit in files for file in commit)
    assert [len(commit) for commit in files] == [3, 2, 1, 1, 2 + 1, 2]
    assert len(runs) < 10


def test_a_missing_tree_costs_its_commits(built: GitRepository) -> None:
    """Without the list of files a commit as a whole is unread; the others are read."""
    lose(built, "HEAD~3^{tree}")
    unread = [[file.path for file in files if file.unread] for files in read(built)]
    assert unread == [[], [], ["."], ["."], [], []]


def test_a_missing_folder_costs_its_commits(built: GitRepository) -> None:
    """The same for a folder below the top."""
    lose(built, "HEAD~3:dir")
    unread = [[file.path for file in files if file.unread] for files in read(built)]
    assert unread == [[], [], ["."], [], [], ["."]]


def test_a_damaged_blob_is_unread(built: GitRepository) -> None:
    """An object that is there but cannot be read is no reason to stop either."""
    sha = built.git("rev-parse", "HEAD~4:a")
    blob = built.path / ".git" / "objects" / sha[:2] / sha[2:]
    blob.chmod(0o644)
    blob.write_bytes(b"damaged")
    unread = [{file.path for file in files if file.unread} for files in read(built)]
    assert unread[1] == {"a", "b"}
    assert "a" in unread[4]
    assert unread[0] == unread[2] == unread[3] == unread[5] == set()


def test_ranges_survive_missing_blobs(built: GitRepository) -> None:
    """A range names the files that it cannot read, too; with everything missing it still names them all."""
    lose(built, "HEAD:a")
    with Repository.open(built.path) as repository:
        files = repository.change(repository.span("HEAD~2..HEAD")).files
    assert {file.path: bool(file.unread) for file in files} == {"moved [b]*": False, "dir/c": False, "a": True}
    for name in ("HEAD:dir/c", "HEAD:moved [b]*"):
        lose(built, name)
    with Repository.open(built.path) as repository:
        files = repository.change(repository.span("HEAD~2..HEAD")).files
    assert {file.path for file in files if file.unread} == {"a", "b", "moved [b]*", "dir/c"}


def test_a_commit_too_large_for_memory_is_read_file_by_file(
    built: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fits is read, the rest is named, and the commits around it are whole."""
    built.commit("6", {"large": "x\n" * 5_000, "small": "y\n", "a": "a6\n"})
    built.commit("7", {"a": "a7\n"})
    monkeypatch.setattr(module, "PATCH_BYTES", 2_000)
    with Repository.open(built.path) as repository:
        *_, large, after = repository.patches(built.commits)
        assert repository.change(repository.span("HEAD~2..HEAD")).files[-1].path == "large"
    files = {file.path: file for file in change_of(large, "r").files}
    assert set(files) == {"a", "large", "small"}
    assert files["large"].unread
    assert [files[name].unread for name in ("a", "small")] == [None, None]
    assert [len(files[name].hunks) for name in ("a", "small")] == [1, 1]
    assert after.unread == ()


@given(
    st.lists(st.binary(max_size=40).map(lambda raw: raw.replace(b"#", b"")), min_size=1, max_size=5),
    st.integers(1, 20),
    st.integers(0, 30),
)
def test_a_stream_is_cut_alike_however_it_arrives(sections: list[bytes], step: int, limit: int) -> None:
    """Sections and what was cut from them depend on the bytes alone, not on the pieces in which they come."""
    stream = BytesIO(b"#mark#".join(sections))
    reader = module._Sections(stream, b"#mark#")
    reader._read = lambda size: stream.read(min(size, step))
    told = []
    while (section := reader.next(limit)) is not None:
        told.append(section)
    assert told == [(section[:limit], len(section) > limit) for section in sections]


def test_a_shallow_clone_tells_where_it_was_cut(built: GitRepository, tmp_path: Path) -> None:
    """The last commit before the cut is no root commit: it is unread, never taken for one that adds every file."""
    clone = built.clone(tmp_path / "shallow", "--depth=2")
    with Repository.open(clone.path) as repository:
        assert repository.shallow
        commits = repository.commits("HEAD")
        assert [(commit.sha, commit.boundary) for commit in commits] == [
            (built.commits[-2], True),
            (built.commits[-1], False),
        ]
        cut, whole = (change_of(patch, "r").files for patch in repository.patches([commit.sha for commit in commits]))
        assert [(file.path, "shallow" in (file.unread or "")) for file in cut] == [(".", True)]
        assert len(whole) == 2
        assert repository.span("HEAD").base == built.commits[-2]
        assert repository.span("HEAD~1") == (None, built.commits[-2], True)
        assert [file.path for file in repository.change(repository.span("HEAD~1")).files] == ["."]
        with pytest.raises(RepositoryError) as caught:
            repository.span("HEAD~3")
        assert "--deepen" in caught.value.mend


def test_a_shallow_clone_without_the_merge_base_asks_for_more(built: GitRepository, tmp_path: Path) -> None:
    """Two branches cut before they meet look unrelated: the mend is to deepen."""
    built.branch("topic", "HEAD~2")
    built.commit("Topic", {"t": "t\n"})
    clone = built.clone(tmp_path / "shallow", "--depth=1", "--no-single-branch")
    with Repository.open(clone.path) as repository, pytest.raises(RepositoryError, match="shallow") as caught:
        repository.span("origin/main..origin/topic")
    assert "--deepen" in caught.value.mend


def test_alternates_commit_graphs_and_packs_are_used(built: GitRepository, tmp_path: Path) -> None:
    """A clone that borrows its objects, packed refs, a commit graph and a multi-pack index change nothing."""
    whole = read(built)
    built.git("gc", "-q")
    built.git("commit-graph", "write", "--reachable")
    built.git("multi-pack-index", "write")
    assert read(built) == whole
    built.git("clone", "-q", "--shared", "--bare", str(built.path), str(tmp_path / "shared"))
    assert not list((tmp_path / "shared" / "objects").glob("??"))
    assert read(GitRepository(tmp_path / "shared", built.commits)) == whole


def test_grafts_and_replacements_show_no_other_history(built: GitRepository) -> None:
    """What was pushed is what is read, whatever the local repository pretends."""
    whole = read(built)
    with Repository.open(built.path) as repository:
        order = repository.commits("main")
    built.git("replace", built.commits[1], built.commits[5])
    (built.path / ".git" / "info").mkdir(exist_ok=True)
    (built.path / ".git" / "info" / "grafts").write_text(f"{built.commits[4]} {built.commits[0]}\n")
    assert read(built) == whole
    with Repository.open(built.path) as repository:
        assert repository.commits("main") == order


def test_a_repository_may_move_while_it_is_closed(built: GitRepository, tmp_path: Path) -> None:
    """Nothing of it is remembered but its path."""
    with Repository.open(built.path) as repository:
        head = repository.resolve("HEAD")
    shutil.move(built.path, tmp_path / "elsewhere")
    with Repository.open(tmp_path / "elsewhere") as repository:
        assert repository.resolve("HEAD") == head


@pytest.mark.parametrize("long", ["author", "committer"])
def test_a_commit_with_an_endless_name_is_the_same_to_every_reader(
    built: GitRepository, monkeypatch: pytest.MonkeyPatch, long: str
) -> None:
    """Past the limit the rest of names and message is missing, alike from patches and the log; others are whole."""
    people = {"author": b"Ada <ada@example.org> 1 +0000", "committer": b"Bob <bob@example.org> 2 +0000"}
    built.commit_raw("Long", **people | {long: b"n" * 5_000 + people[long]})
    built.commit("After", {"a": "a7\n"})
    for target in (module, log):
        monkeypatch.setattr(target, "PATCH_BYTES", 2_000)
    with Repository.open(built.path) as repository:
        patched = [commit_of(change_of(patch, "r")) for patch in repository.patches(built.commits[-2:])]
        logged = {commit.sha: commit for commit in log.read_log(repository, "HEAD")}
    told = [
        [(one.author_name, one.author_email, one.message.strip()) for one in commits]
        for commits in (patched, [logged[sha] for sha in built.commits[-2:]])
    ]
    assert told[0] == told[1]
    assert len(told[0][0][0]) < 2_000
    assert told[0][1] == ("Ada Lovelace", "ada@example.org", "After")
