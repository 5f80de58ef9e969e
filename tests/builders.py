"""Builders that tests share: small real git repositories and small diffs, the same bytes on every run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from oversight.changes.model import FileChange, FileStatus, Hunk, Line, LineKind

AUTHOR = "Ada Lovelace <ada@example.org>"
EPOCH = 1_700_000_000
"""Unix time of the first commit of every repository built here; each later one comes an hour after."""
HOUR = 3_600


@dataclass
class GitRepository:
    """A real repository in a folder of its own, free of the machine's and the user's configuration.

    Every commit has a fixed identity and date, so that shas are the same on every run.
    """

    path: Path
    commits: list[str] = field(default_factory=list)
    _clock: int = EPOCH

    @classmethod
    def create(cls, path: Path, *, bare: bool = False, sha256: bool = False) -> GitRepository:
        """An empty repository whose unborn branch is `main`."""
        path.mkdir(parents=True, exist_ok=True)
        repository = cls(path)
        options = ["--bare"] * bare + ["--object-format=sha256"] * sha256
        repository.git("init", "-q", "-b", "main", *options, ".")
        return repository

    def git(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        check: bool = True,
        environment: Mapping[str, str] | None = None,
    ) -> str:
        """Run git in the repository and return what it prints, without the last newline."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            input=stdin,
            capture_output=True,
            env=clean_environment(identity(AUTHOR, AUTHOR, self._clock) | dict(environment or {})),
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"git {arguments}: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")

    def write(self, files: Mapping[str, str | bytes | None]) -> None:
        """Write files into the work tree (None deletes one) and stage them."""
        for name, content in files.items():
            target = self.path / name
            if content is None:
                target.unlink()
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content)
        self.git("add", "-A")

    def commit(
        self,
        message: str = "A change",
        files: Mapping[str, str | bytes | None] | None = None,
        *,
        author: str = AUTHOR,
        committer: str | None = None,
        at: int | None = None,
        options: Sequence[str] = (),
    ) -> str:
        """Commit `files` (None deletes one) with what is staged; the sha. `at` is in Unix seconds."""
        if files is not None:
            self.write(files)
        self._clock = self._clock + HOUR if at is None else at
        self.git(
            "commit", "-q", "--allow-empty", "--allow-empty-message", "--no-verify", "-F", "-", *options,
            stdin=message.encode("utf-8", "surrogateescape"),
            environment=identity(author, committer or author, self._clock),
        )  # fmt: skip
        return self._record()

    def commit_raw(self, message: str = "A change", *, author: bytes, committer: bytes) -> str:
        """Commit the work tree with header lines as they are given, which git itself would refuse; the sha."""
        tree, parent = self.git("write-tree"), self.git("rev-parse", "HEAD")
        head = f"tree {tree}\nparent {parent}\n".encode()
        content = head + b"author " + author + b"\ncommitter " + committer + f"\n\n{message}\n".encode()
        sha = self.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=content)
        self.git("update-ref", "HEAD", sha)
        return self._record()

    def merge(self, other: str, message: str = "Merge", *, options: Sequence[str] = ()) -> str:
        """Merge `other` into the current branch with a merge commit; the sha."""
        self._clock += HOUR
        self.git("merge", "-q", "--no-ff", "-m", message, *options, other)
        return self._record()

    def branch(self, name: str, at: str = "HEAD") -> None:
        """Create a branch at a revision and switch to it."""
        self.git("switch", "-q", "-c", name, at)

    def switch(self, name: str) -> None:
        """Switch to a branch."""
        self.git("switch", "-q", name)

    def clone(self, path: Path, *options: str) -> GitRepository:
        """Clone over the file protocol, so that `--depth` and `--filter` work as over a network."""
        self.git("config", "uploadpack.allowFilter", "true")
        self.git("config", "uploadpack.allowAnySHA1InWant", "true")
        self.git("clone", "-q", *options, self.path.resolve().as_uri(), str(path))
        return GitRepository(path, list(self.commits), self._clock)

    def _record(self) -> str:
        self.commits.append(self.git("rev-parse", "HEAD"))
        return self.commits[-1]


def identity(author: str, committer: str, at: int) -> dict[str, str]:
    """The environment that gives a commit its names, as "Name <address>", and its date in Unix seconds."""
    found: dict[str, str] = {}
    for role, who in (("AUTHOR", author), ("COMMITTER", committer)):
        name, _, address = who.partition(" <")
        found |= {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": address.rstrip(">"), f"GIT_{role}_DATE": f"{at} +0000"}
    return found


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The environment without anything of git's own, and without the user's and the machine's configuration."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"} | dict(extra)


def file_diff(path: str, before: Sequence[str], after: Sequence[str], *, section: str = "") -> str:
    """A git-style diff of one file that replaces the lines `before`, from line 1 on, with `after`.

    With no lines before, the file is added; with none after, it is deleted.
    """
    head = [f"diff --git a/{path} b/{path}"]
    if not before:
        head.append("new file mode 100644")
    elif not after:
        head.append("deleted file mode 100644")
    head += [f"--- a/{path}" if before else "--- /dev/null", f"+++ b/{path}" if after else "+++ /dev/null"]
    spans = (f"{min(len(before), 1)},{len(before)}", f"{min(len(after), 1)},{len(after)}")
    head.append(f"@@ -{spans[0]} +{spans[1]} @@{' ' * bool(section)}{section}")
    return "\n".join([*head, *(f"-{line}" for line in before), *(f"+{line}" for line in after)]) + "\n"


def marked_file(language: str | None, rows: Sequence[str], *, section: str = "", start: int = 40) -> FileChange:
    """A modified file of one hunk, given as the rows of a unified diff: " context", "+added", "-deleted"."""
    lines, old, new = [], start, start
    for row in rows:
        kind = LineKind(row[0])
        lines.append(
            Line(kind, None if kind is LineKind.ADDED else old, None if kind is LineKind.DELETED else new, row[1:])
        )
        old += kind is not LineKind.ADDED
        new += kind is not LineKind.DELETED
    return FileChange("a/path", "a/path", FileStatus.MODIFIED, language, (Hunk(start, start, section, tuple(lines)),))


def lines(*numbers: int) -> str:
    """Rows that tell which one they are."""
    return "".join(f"line {number}\n" for number in numbers)
