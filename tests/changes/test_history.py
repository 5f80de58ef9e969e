"""Commits and patches in bulk, against git itself."""

from __future__ import annotations

import pickle
import subprocess
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from unidiff.patch import PatchSet

from oversight.changes.diff import parse_diff
from oversight.changes.repository import DIFF_OPTIONS, LOG_OPTIONS, Repository, change_of
from oversight.errors import RepositoryError
from oversight.history.order import in_order, list_commits
from tests.builders import EPOCH, HOUR, GitRepository, lines


def test_commits_come_in_one_order_whatever_the_tip_and_the_clocks(tmp_path: Path) -> None:
    """Parents precede children even where clocks went wrong, and a longer history never reorders a shorter one."""
    built = GitRepository.create(tmp_path / "r")
    root = built.commit("Root", at=EPOCH)
    late = built.commit("Clock ahead", at=EPOCH + 99 * HOUR)
    early = built.commit("Clock behind", at=EPOCH - 99 * HOUR)
    built.branch("side", root)
    side = [built.commit(f"Side {number}", at=EPOCH + 99 * HOUR) for number in range(3)]
    built.switch("main")
    built.merge("side")
    last = built.commit("Last", at=EPOCH)
    with Repository.open(built.path) as repository:
        every = [commit.sha for commit in repository.commits("main")]
        assert set(every) == {root, late, early, *side, last}
        assert every == [sha for _, sha in sorted((commit.key, commit.sha) for commit in repository.commits("main"))]
        for child, parent in ((late, root), (early, late), (last, early), (side[1], side[0]), (side[2], side[1])):
            assert every.index(parent) < every.index(child)
        for tip in (early, side[2]):
            reachable = [commit.sha for commit in repository.commits(tip)]
            assert reachable == [sha for sha in every if sha in reachable]
        merge = built.git("rev-parse", "main~1")
        assert merge not in every
        assert {commit.sha: commit.committed_at for commit in repository.commits("main")}[early] == EPOCH - 99 * HOUR


def test_headers_are_those_of_the_commits_that_are_here(tmp_path: Path) -> None:
    """What a change says of itself but for its files; objects that are no commits, or not there, are passed over."""
    built = GitRepository.create(tmp_path / "r")
    shas = [built.commit(f"Title {number}\n\nBody", {"a": str(number)}) for number in range(3)]
    tree = built.git("rev-parse", "HEAD^{tree}")
    with Repository.open(built.path) as repository:
        found = list(repository.headers([shas[2], "f" * 40, tree, shas[0]]))
        assert list(repository.headers(["f" * 40])) == list(repository.headers([])) == []
        assert [(one.id, one.title, one.body, one.files) for one in found] == [
            (shas[2], "Title 2", "Body", ()),
            (shas[0], "Title 0", "Body", ()),
        ]
        whole = change_of(next(iter(repository.patches([shas[2]]))), repository.name)
    assert (found[0].author, found[0].provenance, found[0].authored_at) == (
        whole.author, whole.provenance, whole.authored_at,
    )  # fmt: skip


def test_since_and_until_are_inclusive_and_utc(tmp_path: Path) -> None:
    """Committer dates bound the population; a date without a zone is UTC."""
    built = GitRepository.create(tmp_path / "r")
    shas = [built.commit(str(number), at=EPOCH + number) for number in range(5)]
    with Repository.open(built.path) as repository:
        first, last = datetime.fromtimestamp(EPOCH + 1, UTC), datetime.fromtimestamp(EPOCH + 3, UTC)
        assert [commit.sha for commit in repository.commits("HEAD", since=first, until=last)] == shas[1:4]
        naive = first.replace(tzinfo=None)
        assert [commit.sha for commit in repository.commits("HEAD", since=naive)] == shas[1:]


@pytest.mark.parametrize("stamp", ["-62135596800", "", "9223372036854775808", "18446744073709551615", "9" * 30])
def test_dates_that_no_clock_shows_stop_nothing(tmp_path: Path, stamp: str) -> None:
    """A commit of the year 0, of none, or of one beyond 64 bits keeps its place; its patch is read."""
    repository = GitRepository.create(tmp_path / "project")
    repository.commit("Root", {"a.py": "a\n"})
    repository.write({"a.py": "b\n"})
    who = f"Ada <ada@example.org> {stamp} +0000".encode()
    repository.commit_raw(author=who, committer=who)
    repository.commit("After", {"a.py": "c\n"})
    with Repository.open(repository.path) as opened:
        commits = opened.commits("HEAD")
        assert [commit.sha for commit in commits] == repository.commits
        ordered = in_order(list_commits(opened, [opened.resolve("HEAD")]))
        assert [listed.sha for listed in ordered] == repository.commits
        changes = [change_of(patch, "project") for patch in opened.patches(repository.commits)]
        assert [len(change.files) for change in changes] == [1, 1, 1]


def test_a_header_longer_than_a_diff_may_be_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an author's name without end the beginning is kept, and so are the dates, the parent and the diff."""
    monkeypatch.setattr("oversight.changes.patches.PATCH_BYTES", 10_000)
    repository = GitRepository.create(tmp_path / "project")
    root = repository.commit("Root", {"a.py": "a\n"})
    repository.write({"a.py": "b\n"})
    ada = b"A" * 100_000 + b" <ada@example.org> 1700000000 +0000"
    sha = repository.commit_raw(author=ada, committer=b"Bob <bob@example.org> 1700000000 +0000")
    with Repository.open(repository.path) as opened:
        (patch,) = opened.patches([sha])
    assert (patch.parent, patch.authored_at, patch.committed_at) == (root, 1700000000, 1700000000)
    assert (patch.committer, patch.message) == ("Bob <bob@example.org>", "")
    assert patch.author.startswith("AAAA")
    assert b"+b\n" in patch.data


def test_patches_come_in_the_order_they_were_asked_for(built: GitRepository) -> None:
    """Once each, whole, with the diff against the first parent."""
    root, second, *_, merge = built.commits
    with Repository.open(built.path) as repository:
        patches = list(repository.patches([merge, root, second, root]))
        assert [patch.sha for patch in patches] == [merge, root, second]
        assert [patch.parent for patch in patches] == [built.commits[-2], None, root]
        assert [len(change_of(patch, "r").files) for patch in patches] == [1, 2, 1]
        assert patches[2].message == "Change a\n\nWhy.\n"
        assert (patches[2].authored_at, patches[2].committed_at) == (EPOCH + 2 * HOUR,) * 2
        assert list(repository.patches([])) == []
        assert pickle.loads(pickle.dumps(patches)) == patches  # noqa: S301  (our own values)


def test_leaving_a_stream_early_stops_git(built: GitRepository) -> None:
    """A consumer may stop after one patch; nothing waits and nothing is left running."""
    with Repository.open(built.path) as repository:
        patches = repository.patches(built.commits)
        assert next(patches).sha == built.commits[0]
        patches.close()  # type: ignore[attr-defined]
        with repository.stream("log", "--format=%H") as out:
            out.readline()


def test_a_failing_command_raises_after_its_output(built: GitRepository) -> None:
    """Both ways to run git report its failure."""
    with Repository.open(built.path) as repository:
        with pytest.raises(RepositoryError, match="git cat-file failed"):
            repository.run("cat-file", "blob", "HEAD:nothing")
        with pytest.raises(RepositoryError), repository.stream("cat-file", "blob", "HEAD:nothing") as out:
            assert out.read() == b""


def test_messages_and_contents_cannot_forge_a_commit(tmp_path: Path) -> None:
    """Whatever looks like a frame of ours, a header or a NUL byte stays part of the commit that holds it."""
    built = GitRepository.create(tmp_path / "r")
    fake = f"\0{'0' * 32}\0{'1' * 40}\0\0Eve\0eve@example.org\0"
    built.commit("Root", {".gitattributes": "* text diff\n", "a": f"x\n{fake}\n"})
    sha = built.commit(f"commit {'1' * 40}\n\ndiff --git a/x b/x\n{'0' * 32}\n", {"a": f"{fake}\ncommit {'1' * 40}\n"})
    with Repository.open(built.path) as repository:
        root, patch = repository.patches(built.commits)
        assert [root.sha, patch.sha] == built.commits
        assert patch.message.startswith("commit 1111")
        assert [file.path for file in change_of(patch, "r").files] == ["a"]
        assert sha == patch.sha


def test_messages_in_other_encodings_are_read(tmp_path: Path) -> None:
    """A message says its encoding; bytes that are not in it survive undecoded."""
    built = GitRepository.create(tmp_path / "r")
    built.commit("Root")
    tree = built.git("rev-parse", "HEAD^{tree}")
    head = f"tree {tree}\nauthor A <a@b.c> 1 +0000\ncommitter A <a@b.c> 1 +0000\n".encode()
    shas = [
        built.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=head + rest)
        for rest in (b"encoding ISO-8859-1\n\nGr\xfc\xdfe\n", b"\nGr\xfc\xdfe\n", b"encoding no-such\n\nGr\xfc\xdfe\n")
    ]
    with Repository.open(built.path) as repository:
        assert [patch.message for patch in repository.patches(shas)] == ["Grüße\n"] + ["Gr\udcfc\udcdfe\n"] * 2


def test_git_agrees_on_every_count(built: GitRepository) -> None:
    """`git apply --numstat`, unidiff and this parser count the same lines."""
    built.commit("More", {"a b.py": lines(*range(5)), "e": "x", "u.bin": b"\0"})
    built.commit("Less", {"a b.py": lines(0, 2, 4) + "end", "e": None, "b.txt": "bb\r\ncc\r\n"})
    for sha in built.commits:
        data = subprocess.run(
            ["git", "diff-tree", "-p", "--root", "--no-commit-id", "-M", "--binary", sha],
            cwd=built.path,
            capture_output=True,
            check=True,
        ).stdout
        if not data:
            continue
        files = list(parse_diff(data))
        told = built.git("apply", "--numstat", "-z", stdin=data).rstrip("\0").split("\0")
        counts = {path: (added, deleted) for added, deleted, path in (line.split("\t", 2) for line in told)}
        for file in files:
            kinds = Counter(line.kind.name for hunk in file.hunks for line in hunk.lines)
            assert counts[file.path] == (("-", "-") if file.binary else (str(kinds["ADDED"]), str(kinds["DELETED"])))
        oracle = PatchSet(data, encoding="utf-8")
        assert {file.path: (file.added, file.removed) for file in oracle if not file.is_binary_file} == {
            file.path: tuple(
                sum(line.kind.name == kind for hunk in file.hunks for line in hunk.lines)
                for kind in ("ADDED", "DELETED")
            )
            for file in files
            if not file.binary
        }


def test_the_options_of_a_diff_ask_for_no_text(built: GitRepository) -> None:
    """Counts alone can be asked for under the same options: no option among them makes git write patches."""
    with Repository.open(built.path) as repository:
        told = repository.run("log", "-1", *LOG_OPTIONS, *DIFF_OPTIONS, "--numstat", "--format=", "HEAD~1")
    assert told == b"1\t1\tb.txt\n"
