"""git, run so that the repository it reads can make it run or write nothing.

A repository may come from anyone, and its configuration, hooks and attributes can name programs to run or
code to hide. So git never sees them: each run has a private, temporary git directory with a configuration
of our own, and takes from the repository its objects, its references and its shallow boundary alone. Thereby

- no hook, filter, textconv, external diff, pager, alias, fsmonitor, ssh command or include of it is read;
- no attribute, of the work tree, a commit or `info/attributes`, can mark code as binary or not to be diffed;
- no replace reference or graft shows another history than the one that was signed and pushed;
- no promisor remote is asked for missing objects: nothing goes over the network;
- "dubious ownership" is no reason to stop, since what it protects from is not read.

Alternates, multi-pack indexes and commit graphs belong to the objects and keep working.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import stat
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

from oversight.changes.discovery import Place
from oversight.errors import RepositoryError

OLDEST_GIT = (2, 32)
"""`GIT_CONFIG_GLOBAL` came with it: without it the user's configuration could not be kept out."""

_EMPTY_TREES = {
    "sha1": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "sha256": "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
_REFERENCES = ("packed-refs", "refs", "logs", "reftable")
_PSEUDO_REFERENCES = ("FETCH_HEAD", "ORIG_HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD")
_READ_IN_PLACE = ("objects/info", "objects/pack")
_SHA256 = re.compile(rb"^[^#;\n]*\bobjectformat\s*=\s*\"?sha256", re.IGNORECASE | re.MULTILINE)
_REFTABLE = re.compile(rb"^[^#;\n]*\brefstorage\s*=\s*\"?reftable", re.IGNORECASE | re.MULTILINE)
_CONFIG_BYTES = 1_000_000
_ERROR_BYTES = 4_096
_DEEPEST_FOLDER = 32
_environment_lock = threading.Lock()


class GitError(RepositoryError):
    """git ended with an error; `status` is its exit code and `text` what it said, made safe to show."""

    def __init__(self, command: str, status: int, stderr: bytes) -> None:
        self.status = status
        self.text = shown(stderr.decode("utf-8", "replace").strip().partition("\n")[0])
        super().__init__(
            f"git {command} failed with exit code {status}: {self.text}",
            mend="run `git fsck` in the repository to see whether it is damaged",
        )


def shown(text: str, limit: int = 160) -> str:
    """`text` as printable ASCII, cut to `limit`: what came from a repository must not drive a terminal."""
    return text[:limit].encode("unicode_escape").decode("ascii")


class Quarantine:
    """A private git directory beside the repository at `place`, and git commands that run in it."""

    def __init__(self, place: Place) -> None:
        self._git = _git_command()
        config = _head_of(place.common_dir / "config")
        self.object_format = "sha256" if _SHA256.search(config) else "sha1"
        self.empty_tree = _EMPTY_TREES[self.object_format]
        self.path = Path(tempfile.mkdtemp(prefix="oversight-git-"))
        self._finalizer = weakref.finalize(self, _remove, self.path, os.getpid())
        self.boundary = _build(self.path, place, self._configuration(reftable=bool(_REFTABLE.search(config))))
        self._environment = _environment(self.path, place)

    def close(self) -> None:
        """Remove the private directory; it is also removed when this object or the process ends."""
        self._finalizer()

    def run(self, *arguments: str, stdin: bytes | None = None) -> bytes:
        """Run a git command to its end and return what it prints. Raises `GitError`."""
        process = self._start(arguments, stdin is not None)
        out, err = process.communicate(stdin)
        if process.returncode:
            raise GitError(arguments[0], process.returncode, err)
        return cast("bytes", out)

    @contextmanager
    def stream(self, *arguments: str, stdin: bytes | None = None) -> Iterator[BinaryIO]:
        """Run a git command and yield its output while it comes.

        Leaving before the end of the output stops git. Leaving at the end raises `GitError` where git
        failed: what was read until then is what it printed before.
        """
        process = self._start(arguments, stdin is not None)
        errors = bytearray()
        threads = [threading.Thread(target=_collect, args=(process.stderr, errors), daemon=True)]
        if stdin is not None:
            threads.append(threading.Thread(target=_feed, args=(process.stdin, stdin), daemon=True))
        for thread in threads:
            thread.start()
        ended = False
        try:
            yield process.stdout
            ended = not process.stdout.read(1)
        finally:
            if not ended:
                process.terminate()
            status = process.proc.wait()
            for thread in threads:
                thread.join()
            process.stdout.close()
            process.stderr.close()
        if ended and status:
            raise GitError(arguments[0], status, bytes(errors))

    def interactive(self, *arguments: str) -> Any:
        """Start a git command that answers requests; the caller talks to its `stdin` and `stdout`."""
        return self._start(arguments, True)

    def _start(self, arguments: tuple[str, ...], pipe: bool) -> Any:
        command = [self._git.GIT_PYTHON_GIT_EXECUTABLE, "--no-pager", *arguments]
        options: dict[str, Any] = {"as_process": True, "shell": False, "env": self._environment}
        if pipe:
            import subprocess

            options["istream"] = subprocess.PIPE
        with _nothing_inherited():
            return self._git(working_dir=str(self.path)).execute(command, **options)

    def _configuration(self, *, reftable: bool) -> str:
        nothing = str(self.path / "nothing").replace("\\", "\\\\").replace('"', '\\"')
        version = int(self.object_format != "sha1" or reftable)
        lines = [
            "[core]", f"repositoryFormatVersion = {version}", "bare = true", "fsmonitor = false",
            f'attributesFile = "{nothing}"', f'hooksPath = "{nothing}"', f'excludesFile = "{nothing}"',
            "warnAmbiguousRefs = false", "logAllRefUpdates = false", "bigFileThreshold = 128m",
            "[attr]", f"tree = {self.empty_tree}", "[gc]", "auto = 0", "[protocol]", "allow = never",
        ]  # fmt: skip
        if version:
            lines += ["[extensions]", f"objectFormat = {self.object_format}"]
        if reftable:
            lines.append("refStorage = reftable")
        return "\n".join(lines) + "\n"


def _build(path: Path, place: Place, configuration: str) -> frozenset[str]:
    """Fill the private git directory; the shas at which a shallow clone was cut."""
    for name in (*_REFERENCES, *_READ_IN_PLACE):
        _refuse_pipes(place.common_dir / name)
    for name in _PSEUDO_REFERENCES:
        _refuse_pipes(place.git_dir / name)
    (path / "config").write_text(configuration, encoding="utf-8")
    (path / "nothing").touch()
    for name in _REFERENCES:
        _lend(place.common_dir / name, path / name)
    for name in _PSEUDO_REFERENCES:
        _lend(place.git_dir / name, path / name)
    (path / "refs").mkdir(exist_ok=True)
    head = place.git_dir / "HEAD"
    content = b"ref: " + os.fsencode(head.readlink()) if head.is_symlink() else _head_of(head)
    (path / "HEAD").write_bytes(content.rstrip() + b"\n")
    shallow = place.common_dir / "shallow"
    if not shallow.is_file():
        return frozenset()
    boundary = shallow.read_bytes()
    (path / "shallow").write_bytes(boundary)
    return frozenset(boundary.decode("ascii", "replace").split())


def _refuse_pipes(path: Path, depth: int = 0) -> None:
    """Raise `RepositoryError` where git would open something at or below `path` that it may wait for without end."""
    try:
        mode = path.stat().st_mode
        entries = list(os.scandir(path)) if stat.S_ISDIR(mode) and depth < _DEEPEST_FOLDER else []
    except OSError:
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise RepositoryError(
            f"'{shown(path.name)}' in the git directory is a pipe or device, not a file",
            mend="remove it, or clone the repository anew",
        )
    for entry in entries:
        if not entry.is_file(follow_symlinks=False):
            _refuse_pipes(Path(entry.path), depth + 1)


def _lend(source: Path, target: Path) -> None:
    """Make `source` readable at `target`: a link, or a copy where links are not allowed (Windows)."""
    if not source.exists():
        return
    try:
        target.symlink_to(source, target_is_directory=source.is_dir())
    except OSError:
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)


def _environment(path: Path, place: Place) -> dict[str, str]:
    nothing = str(path / "nothing")
    return {
        "GIT_DIR": str(path),
        "GIT_OBJECT_DIRECTORY": str(place.common_dir / "objects"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_SYSTEM": nothing,
        "GIT_CONFIG_GLOBAL": nothing,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_PROTOCOL_FROM_USER": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_PAGER": "cat",
        # Write when the buffer is full, not after every commit.
        "GIT_FLUSH": "0",
        "LC_ALL": "C",
        "LANGUAGE": "C",
    }


@contextmanager
def _nothing_inherited() -> Iterator[None]:
    """Take git's own variables out of the environment while a process starts.

    A hook or another git command that called us sets some that would redirect git (`GIT_INDEX_FILE`,
    `GIT_SHALLOW_FILE`, `GIT_TRACE`, ...), and GitPython starts processes with a copy of `os.environ`.
    """
    with _environment_lock:  # before looking: another thread may have taken them out for a moment
        inherited = [name for name in os.environ if name.startswith("GIT_") and not name.startswith("GIT_PYTHON_")]
        if inherited:
            kept = {name: os.environ.pop(name) for name in inherited}
            try:
                yield
            finally:
                os.environ.update(kept)
            return
    yield


@functools.cache
def _git_command() -> Any:
    """GitPython's command class, imported late: it costs about 80 ms. Raises `RepositoryError` without a usable git."""
    mend = f"install git {'.'.join(map(str, OLDEST_GIT))} or newer and make sure that it is on PATH"
    if shutil.which(os.environ.get("GIT_PYTHON_GIT_EXECUTABLE", "git")) is None:
        raise RepositoryError("git is not installed", mend=mend)
    from git.cmd import Git

    if (version := Git().version_info) < OLDEST_GIT:
        raise RepositoryError(f"git {'.'.join(map(str, version))} is too old", mend=mend)
    return Git


def git_version() -> str:
    """The version of the git that is used. Raises `RepositoryError` where there is none, or one that is too old."""
    return ".".join(map(str, _git_command()().version_info))


def _head_of(path: Path) -> bytes:
    """The beginning of a regular file; nothing for one that is missing or of another kind (a pipe would block)."""
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(_CONFIG_BYTES)


def _collect(stream: BinaryIO, into: bytearray) -> None:
    """Read git's messages so that it never waits for us; keep the first of them."""
    with suppress(ValueError, OSError):
        while chunk := stream.read(_ERROR_BYTES):
            into += chunk[: _ERROR_BYTES - len(into)]


def _feed(stream: BinaryIO, data: bytes) -> None:
    """Write git's input; git may end before it has read it all."""
    with suppress(OSError):
        stream.write(data)
    with suppress(OSError):
        stream.close()


def _remove(path: Path, owner: int) -> None:
    """Remove the private directory, unless this is a forked child that merely inherited the object."""
    if os.getpid() == owner:
        shutil.rmtree(path, ignore_errors=True)
