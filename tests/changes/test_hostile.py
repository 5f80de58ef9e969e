"""Repositories made to run something, to hide something, or to be written to."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oversight.changes.quarantine import Quarantine
from oversight.changes.repository import Repository
from oversight.errors import RepositoryError
from tests.builders import GitRepository

CODE = "def login(user):\n    return check(user)\n"


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A file that every trap of the hostile repository would create."""
    return tmp_path / "canary"


@pytest.fixture
def hostile(tmp_path: Path, canary: Path) -> GitRepository:
    """A repository in which everything that git can be told to run or to hide is set."""
    repository = GitRepository.create(tmp_path / "hostile")
    attributes = "*.py diff=evil filter=evil\n"
    mailmap = "Eve <e@e.e> <ada@example.org>\n"
    repository.commit("Root", {"auth.py": CODE, ".gitattributes": attributes, ".mailmap": mailmap})
    repository.commit("Hide", {"auth.py": CODE.replace("check(user)", "True"), ".gitattributes": "* binary -diff\n"})
    repository.commit("Go on", {"auth.py": "import os\n" + CODE, "data.bin": b"\0\1"})
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch '{canary}'\ncat\n")
    trap.chmod(0o755)
    git_dir = repository.path / ".git"
    (git_dir / "info").mkdir(exist_ok=True)
    (git_dir / "info" / "attributes").write_text("* binary diff=evil\n")
    hooks = git_dir / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-checkout", "pre-commit", "reference-transaction", "post-index-change", "fsmonitor-watchman"):
        (hooks / name).write_text(trap.read_text())
        (hooks / name).chmod(0o755)
    included = tmp_path / "included"
    included.write_text(f"[core]\n\tpager = {trap}\n")
    (git_dir / "config").write_text(
        f"""[core]
	repositoryformatversion = 1
	bare = false
	fsmonitor = {trap}
	pager = {trap}
	sshCommand = {trap}
	hooksPath = {hooks}
	worktree = {tmp_path / "elsewhere"}
	attributesFile = {git_dir / "info" / "attributes"}
	editor = {trap}
	askPass = {trap}
[extensions]
	partialClone = origin
	noSuchExtension = true
[diff]
	external = {trap}
	noprefix = true
	mnemonicPrefix = true
	renames = false
	algorithm = patience
	context = 0
	ignoreSubmodules = all
	orderFile = {trap}
[diff "evil"]
	textconv = {trap}
	command = {trap}
	binary = true
	cachetextconv = true
[filter "evil"]
	clean = {trap}
	smudge = {trap}
	required = true
[alias]
	log = !{trap}
	diff-tree = !{trap}
[pager]
	log = {trap}
[credential]
	helper = !{trap}
[gpg]
	program = {trap}
[log]
	showSignature = true
	follow = true
	mailmap = true
[i18n]
	logOutputEncoding = UTF-16
[remote "origin"]
	url = ext::{trap}
	promisor = true
	partialclonefilter = blob:none
[protocol "ext"]
	allow = always
[include]
	path = {included}
[includeIf "gitdir:/"]
	path = {included}
"""
    )
    return repository


def use(path: Path) -> list[object]:
    """Everything that reads: revisions, ranges, changes, history, patches, files."""
    with Repository.open(path) as repository:
        commits = repository.commits("HEAD")
        patches = list(repository.patches(commit.sha for commit in commits))
        changes = [repository.change(repository.span(spec)) for spec in ("HEAD", "HEAD~1", "HEAD~2..HEAD", "HEAD~2")]
        blame = repository.run("blame", "--porcelain", "HEAD", "--", "auth.py")
        return [commits, patches, changes, repository.read("HEAD", "auth.py"), blame]


def contents(path: Path) -> dict[str, tuple[int, int, bytes]]:
    """Mode, time of change and bytes of everything below a folder."""
    found = {}
    for item in [path, *sorted(path.rglob("*"))]:
        about = item.lstat()
        found[str(item)] = about.st_mode, about.st_mtime_ns, item.read_bytes() if stat.S_ISREG(about.st_mode) else b""
    return found


def test_nothing_of_a_hostile_repository_runs_or_changes(hostile: GitRepository, canary: Path) -> None:
    """The canary never sings, and not a byte or a time stamp of the repository differs afterwards."""
    before = contents(hostile.path)
    use(hostile.path)
    assert not canary.exists()
    assert contents(hostile.path) == before


def test_no_attribute_hides_code(hostile: GitRepository) -> None:
    """`binary` and `-diff` in the tree or in info/attributes leave code readable."""
    with Repository.open(hostile.path) as repository:
        for spec in ("HEAD", "HEAD~1", "HEAD~2", "HEAD~2..HEAD"):
            files = {file.path: file for file in repository.change(repository.span(spec)).files}
            assert files["auth.py"].hunks
            assert not files["auth.py"].binary
        assert repository.change(repository.span("HEAD")).author == "Ada Lovelace <ada@example.org>"


def test_configuration_changes_no_result(hostile: GitRepository, tmp_path: Path) -> None:
    """With and without all that configuration, and with the user's, the same history gives the same values."""
    told = use(hostile.path)
    plain = hostile.path / ".git" / "config"
    plain.write_text("[core]\n\trepositoryformatversion = 0\n\tbare = false\n")
    (hostile.path / ".git" / "info" / "attributes").unlink()
    assert use(hostile.path) == told


def test_the_environment_redirects_nothing(
    hostile: GitRepository, tmp_path: Path, canary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables that a hook or a caller left behind are kept from git, and are still there afterwards."""
    told = use(hostile.path)
    trap = str(tmp_path / "trap.sh")
    inherited = {
        "GIT_DIR": str(tmp_path / "nowhere"),
        "GIT_COMMON_DIR": str(tmp_path),
        "GIT_WORK_TREE": str(tmp_path),
        "GIT_INDEX_FILE": str(tmp_path / "index"),
        "GIT_SHALLOW_FILE": str(tmp_path / "none"),
        "GIT_GRAFT_FILE": str(tmp_path / "none"),
        "GIT_TRACE": str(canary),
        "GIT_EXTERNAL_DIFF": trap,
        "GIT_DIFF_OPTS": "--unified=0",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "diff.external",
        "GIT_CONFIG_VALUE_0": trap,
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_NAMESPACE": "x",
    }
    for name, value in inherited.items():
        monkeypatch.setenv(name, value)
    assert use(hostile.path) == told
    assert not canary.exists()
    assert {name: os.environ[name] for name in inherited} == inherited


def test_missing_objects_are_not_fetched(hostile: GitRepository, canary: Path) -> None:
    """A promisor remote that names a program is never asked."""
    sha = hostile.git("hash-object", "--no-filters", "auth.py")
    objects = hostile.path / ".git" / "objects"
    (objects / sha[:2] / sha[2:]).unlink()
    with Repository.open(hostile.path) as repository:
        files = repository.change(repository.span("HEAD")).files
        assert [file.path for file in files if file.unread] == ["auth.py"]
        assert repository.read("HEAD", "auth.py") is None
    assert not canary.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such pipes")
def test_pipes_instead_of_files_block_nothing(hostile: GitRepository) -> None:
    """A configuration that is a pipe, or includes one, is not waited for."""
    config = hostile.path / ".git" / "config"
    config.unlink()
    os.mkfifo(config)
    os.mkfifo(hostile.path / ".git" / "shallow")
    assert use(hostile.path)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such pipes")
@pytest.mark.parametrize(
    "name",
    [
        "HEAD", "packed-refs", "refs/heads/main", "refs/tags/deep/down", "logs/HEAD", "FETCH_HEAD",
        "objects/info/alternates",
    ],
)  # fmt: skip
def test_a_pipe_that_git_would_wait_for_is_refused(hostile: GitRepository, name: str) -> None:
    """A reference or list that is a pipe, or a link to one, is named in an error before git opens it."""
    path = hostile.path / ".git" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    with pytest.raises(RepositoryError, match=rf"'{path.name}' in the git directory is a pipe") as caught:
        Repository.open(hostile.path)
    assert caught.value.mend
    if name != "HEAD":
        path.rename(hostile.path / "pipe")
        path.symlink_to(hostile.path / "pipe")
        with pytest.raises(RepositoryError, match="is a pipe"):
            Repository.open(hostile.path)


@pytest.fixture
def read_only(hostile: GitRepository) -> Iterator[GitRepository]:
    """The repository without permission to write, as far as the user is bound by it."""
    items = [hostile.path, *hostile.path.rglob("*")]
    for item in items:
        item.chmod(item.stat().st_mode & ~0o222)
    yield hostile
    for item in items:
        item.chmod(item.stat().st_mode | 0o200)


def test_a_read_only_repository_is_read(read_only: GitRepository) -> None:
    """No lock, cache or refresh is tried."""
    assert use(read_only.path)


def test_the_private_folder_holds_no_object_and_goes_away(hostile: GitRepository) -> None:
    """Objects are read where they are; the folder is removed on closing."""
    with Repository.open(hostile.path) as repository:
        quarantine: Quarantine = repository._git
        assert not (quarantine.path / "objects").exists()
        assert "evil" not in (quarantine.path / "config").read_text()
    assert not quarantine.path.exists()
