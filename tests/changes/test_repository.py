"""Revisions, ranges, histories and files of real repositories."""

from __future__ import annotations

import os
import pickle
from datetime import UTC, datetime
from pathlib import Path

import pytest

from oversight.changes.model import FileStatus, ProvenanceKind
from oversight.changes.quarantine import shown
from oversight.changes.repository import BLOB_BYTES, Repository, Span
from oversight.errors import RepositoryError
from tests.builders import EPOCH, HOUR, GitRepository, lines


def paths(repository: Repository, spec: str) -> list[str]:
    return [file.path for file in repository.change(repository.span(spec)).files]


def test_a_revision_is_that_commit_against_its_first_parent(built: GitRepository) -> None:
    """Root, ordinary commit and merge: base, head, message, author and files are those of the commit."""
    root, second, *_, merge = built.commits
    with Repository.open(built.path) as repository:
        assert repository.span(root) == Span(None, root, single=True)
        assert paths(repository, root) == ["a.py", "b.txt"]
        change = repository.change(repository.span("HEAD^1~1"))
        assert (change.id, change.head, change.base, change.title, change.body) == (
            second,
            second,
            root,
            "Change a",
            "Why.",
        )
        assert (change.author, change.repository) == ("Ada Lovelace <ada@example.org>", "project")
        assert change.authored_at == datetime.fromtimestamp(EPOCH + 2 * HOUR, UTC)
        assert (change.added, change.deleted, change.provenance.kind) == (1, 1, ProvenanceKind.HUMAN)
        assert repository.span("HEAD") == Span(built.commits[-2], merge, single=True)
        assert paths(repository, "HEAD") == ["c.py"]


def test_a_range_is_merge_base_to_head_as_one_change(built: GitRepository) -> None:
    """Two dots and three mean the same; a side that is left out is HEAD."""
    second, head = built.commits[1], built.git("rev-parse", "topic")
    with Repository.open(built.path) as repository:
        for spec in ("main~1..topic", "main~1...topic"):
            assert repository.span(spec) == Span(second, head, single=False)
        change = repository.change(repository.span("main~1..topic"))
        assert (change.title, change.added, [file.status for file in change.files]) == (
            "Topic two",
            2,
            [FileStatus.ADDED],
        )
        assert repository.span("topic..") == Span(head, built.commits[-1], single=False)
        assert repository.span("..topic") == Span(head, head, single=False)
        assert repository.change(repository.span("..topic")).files == ()


def test_an_agent_in_any_commit_of_a_range_counts(built: GitRepository) -> None:
    """The head's author may be a person while an agent wrote the commit before."""
    built.commit("By an agent\n\nCo-Authored-By: Claude <noreply@anthropic.com>", {"d.py": "d\n"})
    built.commit("By hand", {"d.py": "dd\n"})
    with Repository.open(built.path) as repository:
        change = repository.change(repository.span("HEAD~2..HEAD"))
        assert (change.title, change.provenance.kind, change.provenance.name) == (
            "By hand",
            ProvenanceKind.AGENT,
            "Claude Code",
        )
        assert repository.change(repository.span("HEAD")).provenance.kind is ProvenanceKind.HUMAN


@pytest.mark.parametrize(
    "revision",
    ["", "-n1", "--output=x", "nowhere", "HEAD:a.py", "HEAD^{tree}", "^HEAD", "a\nb", "a\0b", "0" * 40, "\x1b[2J",
     "@{0", "HEAD@{0", "@{now", "@}{0", "@{0}}{"],
)  # fmt: skip
def test_what_names_no_commit_is_refused(built: GitRepository, revision: str) -> None:
    """Options, trees, files and unknown names are an error with a mend, and nothing in it drives a terminal."""
    with Repository.open(built.path) as repository:
        for spec in (revision, f"{revision}..HEAD") if revision else (revision,):
            with pytest.raises(RepositoryError) as caught:
                repository.span(spec) if spec else repository.resolve(spec)
            assert caught.value.mend
            assert str(caught.value).isprintable()


def test_names_tags_abbreviations_and_reflogs_are_resolved(built: GitRepository) -> None:
    """Whatever git calls a commit is one."""
    built.git("tag", "-a", "-m", "v1", "v1", "HEAD~1")
    built.git("update-ref", "refs/heads/-odd", "HEAD")
    head, before = built.commits[-1], built.git("rev-parse", "HEAD~1")
    with Repository.open(built.path) as repository:
        assert repository.resolve("v1") == repository.resolve("main~1") == repository.resolve(before[:10]) == before
        assert (
            repository.resolve("refs/heads/-odd") == repository.resolve("@") == repository.resolve("main@{0}") == head
        )
        assert repository.resolve(built.git("rev-parse", "v1")) == before


def test_unrelated_histories_are_an_error(built: GitRepository) -> None:
    """Without a common ancestor there is no range."""
    built.git("checkout", "-q", "--orphan", "island")
    built.commit("Elsewhere")
    with Repository.open(built.path) as repository, pytest.raises(RepositoryError, match="unrelated"):
        repository.span("main..island")


def test_of_several_merge_bases_the_choice_is_the_same_every_time(built: GitRepository) -> None:
    """Criss-cross merges have two best ancestors: git's first is taken."""
    built.branch("left", "HEAD")
    left = built.commit("Left", {"l": "l"})
    built.branch("right", "HEAD~1")
    right = built.commit("Right", {"r": "r"})
    built.merge(left)
    built.switch("left")
    built.merge(right)
    expected = built.git("merge-base", "left", "right")
    with Repository.open(built.path) as repository:
        assert {repository.span("left..right").base for _ in range(3)} == {expected}


def test_an_empty_repository_says_so(tmp_path: Path) -> None:
    """An unborn branch has no commit to review."""
    repository = Repository.open(GitRepository.create(tmp_path / "r").path)
    with pytest.raises(RepositoryError, match="no commits yet"):
        repository.span("HEAD")


def test_a_folder_without_a_repository_is_an_error(tmp_path: Path) -> None:
    """No folder, a folder outside of any repository, and a .git file that points nowhere."""
    with pytest.raises(RepositoryError, match="no such folder"):
        Repository.open(tmp_path / "missing")
    with pytest.raises(RepositoryError, match="not a git repository"):
        Repository.open(tmp_path)
    (tmp_path / ".git").write_text("gitdir: nowhere\n")
    with pytest.raises(RepositoryError, match="points to no git directory"):
        Repository.open(tmp_path)


def test_git_missing_is_told_with_the_version_that_is_needed(
    built: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without git on PATH there is one clear error."""
    from oversight.changes import quarantine

    quarantine._git_command.cache_clear()
    monkeypatch.setenv("PATH", str(built.path))
    with pytest.raises(RepositoryError, match=r"not installed .*2\.32"):
        Repository.open(built.path)
    monkeypatch.undo()
    quarantine._git_command.cache_clear()
    monkeypatch.setattr(quarantine, "OLDEST_GIT", (99, 0))
    with pytest.raises(RepositoryError, match=r"too old .*99\.0"):
        Repository.open(built.path)
    quarantine._git_command.cache_clear()


def test_every_kind_of_checkout_is_read_alike(built: GitRepository, tmp_path: Path) -> None:
    """A subfolder, a linked work tree, a bare clone with and without `config`, a submodule: one history."""
    (built.path / "sub").mkdir()
    built.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"), "HEAD")
    built.clone(tmp_path / "bare.git", "--bare")
    built.clone(tmp_path / "mirror", "--bare")
    (tmp_path / "mirror" / "config").unlink()
    outer = GitRepository.create(tmp_path / "outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", built.path.as_uri(), "inner")
    head, keys = built.commits[-1], set()
    for place, name in (
        (built.path / "sub", "project"),
        (tmp_path / "linked", "project"),
        (tmp_path / "bare.git", "bare"),
        (tmp_path / "mirror", "mirror"),
        (tmp_path / "outer" / "inner", "inner"),
    ):
        with Repository.open(place) as repository:
            assert (repository.resolve("HEAD"), repository.name) == (head, name)
            assert paths(repository, "HEAD") == ["c.py"]
            keys.add(repository.key)
    assert len(keys) == 4


def test_a_linked_work_tree_has_its_own_head(built: GitRepository, tmp_path: Path) -> None:
    """HEAD is the work tree's, the branches are everybody's, and so is the key of caches."""
    built.git("worktree", "add", "-q", str(tmp_path / "linked"), "topic")
    with Repository.open(tmp_path / "linked") as linked, Repository.open(built.path) as main:
        assert linked.resolve("HEAD") == main.resolve("topic") != main.resolve("HEAD")
        assert linked.key == main.key


def test_sha256_repositories_are_read(tmp_path: Path) -> None:
    """The object format is the repository's; ids have 64 digits."""
    built = GitRepository.create(tmp_path / "r", sha256=True)
    root = built.commit("Root", {"a": "a\n"})
    head = built.commit("Next", {"a": "b\n"})
    with Repository.open(built.path) as repository:
        assert (repository.object_format, repository.span("HEAD")) == ("sha256", Span(root, head, single=True))
        assert repository.resolve(head[:40]) == head
        assert [patch.sha for patch in repository.patches([root, head])] == [root, head]
        assert len(repository.change(repository.span(root)).files) == 1
        assert repository.read(head, "a") == b"b\n"


def test_odd_paths_survive(tmp_path: Path) -> None:
    """Blanks, tabs, newlines, quotes, foreign bytes and names like options are paths as any other."""
    names = [
        " lead",
        "tab\tx",
        "new\nline",
        'quo"te',
        "back\\slash",
        "ä",
        "\udcff\udcfe",
        "-option",
        "a b/c d",
        "x => y",
    ]
    built = GitRepository.create(tmp_path / "r")
    for name in names:
        target = built.path / os.fsdecode(name.encode("utf-8", "surrogateescape"))
        target.parent.mkdir(exist_ok=True)
        target.write_text("x\n")
    built.git("add", "-A")
    head = built.commit("Odd")
    with Repository.open(built.path) as repository:
        assert sorted(paths(repository, "HEAD")) == sorted(names)
        assert [repository.read(head, name) for name in names] == [b"x\n"] * len(names)


def test_touched_files_are_told_of_many_commits_at_once(tmp_path: Path) -> None:
    """With both paths of a renamed one, whatever paths look like; unknown commits, merges and a cut are left out."""
    origin = GitRepository.create(tmp_path / "origin")
    odd = "f" * 40
    first = origin.commit("First", {"a/b.c": "1\n", ":odd": "1\n", odd: "1\n"})
    second = origin.commit("Second", {"a/b.c": None, "a/c.c": "1\n"})
    origin.branch("side", first)
    third = origin.commit("Third", {"d": "1\n"})
    origin.switch("main")
    merged = origin.merge("side")
    with Repository.open(origin.path) as repository:
        found = dict(repository.touched(["0" * 40, merged, first, second, third]))
        assert found == {first: (":odd", "a/b.c", odd), second: ("a/b.c", "a/c.c"), third: ("d",)}
        assert dict(repository.touched([])) == {}
    shallow = origin.clone(tmp_path / "shallow", "--depth=2")
    with Repository.open(shallow.path) as repository:
        assert first not in dict(repository.touched([first, second]))
        assert second not in dict(repository.touched([second]))


def test_statuses_and_modes_are_told(tmp_path: Path) -> None:
    """Renames, mode changes, type changes, symlinks, binary files and files without a last newline."""
    built = GitRepository.create(tmp_path / "r")
    body = lines(*range(30))
    built.commit(
        "Root",
        {
            "old.py": body,
            "run.sh": "x\n",
            "type": "t\n",
            "bin": b"\0\1",
            "gone": "g\n",
            "same.py": lines(*range(40, 70)),
        },
    )
    built.git("mv", "old.py", "new.py")
    (built.path / "run.sh").chmod(0o755)
    (built.path / "type").unlink()
    (built.path / "type").symlink_to("new.py")
    built.commit("All", {"bin": b"\0\2", "gone": None, "last": "no newline", "copy.py": lines(*range(40, 70))})
    with Repository.open(built.path) as repository:
        files = {file.path: file for file in repository.change(repository.span("HEAD")).files}
    assert {path: file.status for path, file in files.items()} == {
        "new.py": FileStatus.RENAMED,
        "run.sh": FileStatus.MODE_CHANGED,
        "type": FileStatus.TYPE_CHANGED,
        "bin": FileStatus.MODIFIED,
        "gone": FileStatus.DELETED,
        "last": FileStatus.ADDED,
        # A copy is an added file: at its new place nobody has read it.
        "copy.py": FileStatus.ADDED,
    }
    assert files["new.py"].old_path == "old.py"
    assert files["bin"].binary
    assert (files["run.sh"].old_mode, files["run.sh"].new_mode) == ("100644", "100755")
    assert files["type"].symlink
    assert files["last"].hunks[0].lines[0].no_newline


def test_files_are_read_at_a_revision(built: GitRepository) -> None:
    """A file's bytes; None for what is not there, a folder, and what is too large."""
    big = built.commit("Big", {"big": b"x" * (BLOB_BYTES + 1), "fits": b"y" * BLOB_BYTES})
    with Repository.open(built.path) as repository:
        assert repository.read(built.commits[0], "b.txt") == b"b\n"
        assert repository.read("HEAD~1", "b.txt") == b"bb\n"
        assert [repository.read(big, path) for path in ("nope", "", "big", "./b.txt", "../b.txt")] == [None] * 5
        assert repository.read(big, "fits") == b"y" * BLOB_BYTES
        assert repository.read(big, "b.txt") == b"bb\n"


def test_a_repository_travels_to_another_process(built: GitRepository) -> None:
    """Pickling carries the path alone; the private folder belongs to one process and goes with it."""
    with Repository.open(built.path) as repository:
        again = pickle.loads(pickle.dumps(repository))  # noqa: S301  (our own value)
        assert again.resolve("HEAD") == repository.resolve("HEAD")
        private = repository._git.path
        assert private.is_dir()
        assert again._git.path != private
        again.close()
    assert not private.exists()


def test_what_is_shown_of_foreign_text_is_printable() -> None:
    """Escapes, newlines and marks that turn the writing direction are spelled out."""
    assert shown("a\x1b[2J\n\u202e") == "a\\x1b[2J\\n\\u202e"
    assert len(shown("x" * 999)) == 160
