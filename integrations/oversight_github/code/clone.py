"""A bare repository of our own, fetched beside the checkout: its history whole, its contents as far as they are needed.

The default checkout has one commit and no merge base. Deepening it would change what later steps find in it, and would
obey its configuration; this clone is ours, in the cache directory, and a later run fetches what is new alone. Small
repositories are fetched with all contents, so that a report is the same as in a full checkout; of others the commits
and lists of files, and then the contents that a review reads.

What is fetched may come from anybody's fork, and a runner may be a machine that others need too: `Limits` bound how
long git works for a clone and how large it grows. A clone that met one is put away, and not tried again for a while;
one that is shared stays, and what is not tried again is the change that met it.
"""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from oversight.changes.quarantine import shown
from oversight.changes.repository import Repository
from oversight.errors import RepositoryError, UsageError
from oversight.students.scale import BLOCK, RECENT
from oversight_github.code import bounded
from oversight_github.code.remote import Remote
from oversight_github.shas import is_sha

WHOLE_KILOBYTES = 100_000
"""The largest repository, by GitHub's own figure, that is fetched with all contents: seconds on a hosted runner."""

NEIGHBOURS = RECENT + 2 * BLOCK
"""How many changes before one a review may read: `oversight.neighbours.first_of` goes back no further."""

MOST_BLOBS = 20_000
"""Contents fetched for the changes before the one under review; the older ones of more are read as unknown."""

REST = 3600.0
"""Seconds after which a clone that met a limit is tried again: a busy repository does not pay for it on each push."""

_GIVEN_UP = "given-up"
_LATELY = "its clone took too long or grew too large less than an hour ago"
_STALE = 24 * 3600.0
_AT_ONCE = 5_000
_PACKS = 50
_PAUSE = 3.0
_REFERENCES = "refs/oversight/"
_PASSING = ("unable to access", "rpc failed", "early eof", "hung up", "timed out", "error: 5")
_REFUSED = ("authentication failed", "could not read username", "repository not found", "error: 401", "error: 403")
_MEND = "check the network and the token"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long git may work for a clone, all its commands together, and how many bytes its folder may hold.

    The commits and trees of Linux, without contents, are 2.5 GB, and take some minutes. `mend`: what to do where one is
    met.
    """

    seconds: float = 900.0
    size: int = 5 * 1024**3
    mend: str = "check out with `fetch-depth: 0`, which this does not bound"


class FetchError(RepositoryError):
    """git could not fetch. `passing`: it may work a moment later."""

    def __init__(self, said: str) -> None:
        lowered = said.lower()
        refused = any(words in lowered for words in _REFUSED)
        self.passing = not refused and any(words in lowered for words in _PASSING)
        self.refused = refused
        mend = "give the token `contents: read` on this repository" if refused else _MEND
        super().__init__(f"git could not fetch: {shown(said, 300)}", mend=mend)


class LimitError(RepositoryError):
    """A clone met one of its limits."""


class GoneError(RepositoryError):
    """The server no longer has a commit, as after a force push. `sha` is the one that was asked for."""

    def __init__(self, sha: str) -> None:
        self.sha = sha
        super().__init__(
            f"commit {sha[:12]} is no longer on the server",
            mend="a force push has replaced it: what came in its place has a run of its own",
        )


class Clone:
    """Our bare repository of a remote at `path`; `kilobytes` is GitHub's figure for its size, None where unknown.

    Whatever runs git raises LimitError where one of `limits` is met.
    """

    shared = False
    """Whether the clone is kept for other changes as well."""

    about: str | None = None
    """What was asked for last, in letters and digits: a limit that a shared clone meets is a matter of that alone."""

    def __init__(self, remote: Remote, path: Path, *, kilobytes: int | None, limits: Limits | None = None) -> None:
        git = shutil.which("git")
        if git is None:
            raise RepositoryError("git is not installed on this runner", mend="install git 2.32 or newer")
        self.path = path
        self._git = git
        self._remote = remote
        self._large = kilobytes is None or kilobytes > WHOLE_KILOBYTES
        self._environment = remote.environment(path / "nothing")
        self._mark = path / "blobless"
        self._limits = limits or Limits()
        self._left = self._limits.seconds
        self._refuse_where_given_up()
        self._prepare()

    @property
    def blobless(self) -> bool:
        """Whether contents are fetched as they are needed. Decided when the clone is made."""
        return self._mark.exists()

    def resolve(self, name: str) -> str:
        """Return the sha that a branch or tag of the server points to; a full sha is its own.

        Raises FetchError, and UsageError where there is none of that name.
        """
        if is_sha(name):
            return name
        names = [name] if name.startswith("refs/") else [f"refs/heads/{name}", f"refs/tags/{name}"]
        told = self._run("ls-remote", "--quiet", self._remote.url, *names, *(f"{one}^{{}}" for one in names)).decode()
        found = {ref: sha for sha, _, ref in (line.partition("\t") for line in told.splitlines())}
        for ref in chain.from_iterable((f"{one}^{{}}", one) for one in names):
            if ref in found:
                return found[ref]
        raise UsageError(f"there is no branch or tag '{shown(name)}'", mend="give a full sha, a branch or a tag")

    @property
    def empty(self) -> bool:
        """Whether nothing was fetched yet."""
        return not any(name.endswith(".pack") for name in self._packs())

    def fetch(self, shas: Sequence[str], about: str | None = None) -> None:
        """Fetch commits with all their history, for what is called `about`. Raises GoneError, FetchError."""
        self.about = about
        if about is not None and _young(self._word_of(about)):
            raise self._met(_LATELY)
        try:
            self._fetch_history(shas)
        except FetchError as error:
            if error.refused:
                raise
            if error.passing:
                time.sleep(_PAUSE)
            else:  # a clone that an earlier job left half-made, or that the disk has damaged
                self._discard()
                self._prepare()
            self._fetch_history(shas)

    def keep(self, base: str) -> None:
        """Remember `base` as where the next run goes on from, and as HEAD."""
        self._put("HEAD", f"{base}\n".encode("ascii"))
        with suppress(RepositoryError):  # another job is at it
            known = self._run("for-each-ref", "--format=%(refname)", _REFERENCES).decode().split()
            mine = f"{_REFERENCES}{base}"
            lines = [f"update {mine} {base}\n", *(f"delete {name}\n" for name in known if name != mine)]
            self._run("update-ref", "--stdin", stdin="".join(lines).encode())
            if len(list((self.path / "objects" / "pack").glob("*.pack"))) > _PACKS:
                self._run("repack", "-a", "-d", "--keep-unreachable", "--quiet")

    def fetch_contents(self, blobs: Iterable[str]) -> None:
        """Fetch those of `blobs` that are not here. Raises FetchError."""
        if not self.blobless:
            return
        with Repository.open(self.path) as repository:  # in quarantine, where nothing is fetched on the way
            missing = missing_of(repository, blobs)
        for start in range(0, len(missing), _AT_ONCE):
            stdin = "".join(f"{sha}\n" for sha in missing[start : start + _AT_ONCE]).encode("ascii")
            self._fetch("-c", "fetch.negotiationAlgorithm=noop", options=("--filter=blob:none", "--stdin"), stdin=stdin)

    def contents_of(self, repository: Repository, revision: str, paths: Sequence[str]) -> None:
        """Fetch what is at `paths` of a revision. Raises FetchError."""
        self.fetch_contents(blobs_below(repository, revision, paths))

    def _fetch_history(self, shas: Sequence[str]) -> None:
        self._fetch(options=("--filter=blob:none",) if self.blobless else ("--no-filter",), wants=shas)

    def _fetch(
        self, *before: str, options: Sequence[str], wants: Sequence[str] = (), stdin: bytes | None = None
    ) -> None:
        there = self._packs()
        quiet = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules")
        try:
            self._run(*before, "fetch", *quiet, *options, "origin", *wants, stdin=stdin, grows=True)
            self._check_size()
        except LimitError:
            self._give_up(there)
            raise

    def _check_size(self) -> None:
        if bounded.size_of(self.path) > self._limits.size:
            raise self._met(f"a clone of it has more than {self._limits.size // 1024**2:,} MB")

    def _met(self, said: str) -> LimitError:
        return LimitError(said, mend=self._limits.mend)

    def _packs(self) -> frozenset[str]:
        """Return the names of the files that hold what was fetched."""
        return frozenset(path.name for path in (self.path / "objects" / "pack").glob("*"))

    def _word_of(self, about: str) -> Path:
        return self.path / f"{_GIVEN_UP}-{about}"

    def _give_up(self, before: Collection[str]) -> None:
        """Take back what came beyond `before`, or put the clone away, and leave word in its place."""
        if self.shared and self.about is not None and any(name.endswith(".pack") for name in before):
            self._take_back(before)
            if bounded.size_of(self.path) <= self._limits.size:
                with suppress(OSError):
                    self._word_of(self.about).touch()
                return
        self._discard()
        with suppress(OSError):
            self.path.mkdir()
            (self.path / _GIVEN_UP).touch()

    def _refuse_where_given_up(self) -> None:
        """Raise LimitError where a limit was met a short while ago, and clear what is left of one before."""
        word = self.path / _GIVEN_UP
        with suppress(OSError):
            if _young(word):
                raise self._met(_LATELY)
            word.unlink()
            self.path.rmdir()  # nothing else was put there

    def _take_back(self, before: Collection[str]) -> None:
        """Remove what was fetched beyond `before`: nothing refers to it yet."""
        for name in self._packs() - set(before):
            with suppress(OSError):
                (self.path / "objects" / "pack" / name).unlink()

    def _discard(self) -> None:
        """Put the clone away. Moved first: where files of it cannot be deleted, a new one can take its place."""
        away = self.path.with_name(f"{self.path.name}.{secrets.token_hex(8)}")
        with suppress(OSError):
            self.path.rename(away)
        shutil.rmtree(away, ignore_errors=True)

    def _prepare(self) -> None:
        """Make the repository, or put its configuration right: what a cache gave back is not obeyed."""
        try:
            if not (self.path / "objects").is_dir():
                self._make()
            promise = "promisor = true\n\tpartialCloneFilter = blob:none\n" if self.blobless else "\n"
            extension = "\tpartialClone = origin\n" if self.blobless else ""
            text = (
                f"[core]\n\trepositoryFormatVersion = 1\n\tbare = true\n[extensions]\n{extension}"
                f'[remote "origin"]\n\turl = {self._remote.url}\n\t{promise}'
            )
            self._put("config", text.encode())
            self._tidy()
        except OSError as error:
            raise RepositoryError(
                f"the cache directory cannot be written: {error.strerror}",
                mend="set OVERSIGHT_CACHE_DIR to a folder that can be",
            ) from error

    def _make(self) -> None:
        """Make an empty repository beside and move it into place: of two jobs at once, one finds that of the other."""
        fresh = self.path.with_name(f"{self.path.name}.{secrets.token_hex(8)}")
        fresh.mkdir(parents=True)
        self._run("init", "--quiet", "--bare", "--template=", ".", at=fresh)
        if self._large:
            (fresh / self._mark.name).touch()
        try:
            fresh.rename(self.path)
        except OSError:
            shutil.rmtree(fresh, ignore_errors=True)
            if not (self.path / "objects").is_dir():
                raise

    def _tidy(self) -> None:
        """Remove what fetches that were cut off, by us or by the end of their job, have left: git never does."""
        for begun in (self.path / "objects" / "pack").glob("tmp_*"):
            with suppress(OSError):
                if time.time() - begun.stat().st_mtime > _STALE:
                    begun.unlink()
        for word in self.path.glob(f"{_GIVEN_UP}-*"):
            with suppress(OSError):
                if not _young(word):
                    word.unlink()

    def _put(self, name: str, content: bytes) -> None:
        """Write a file of the clone in one step, and only where it is another: other jobs may be reading it."""
        target = self.path / name
        if target.is_file() and not target.is_symlink() and target.read_bytes() == content:
            return
        fresh = self.path / f"{name}.{secrets.token_hex(8)}"
        fresh.write_bytes(content)
        fresh.replace(target)

    def _run(self, *arguments: str, stdin: bytes | None = None, at: Path | None = None, grows: bool = False) -> bytes:
        place = at or self.path
        began = time.monotonic()

        def watch() -> None:
            if time.monotonic() - began > self._left:
                raise self._met(f"git took more than {self._limits.seconds:,.0f} seconds")
            if grows:
                self._check_size()

        environment = self._environment | {"GIT_DIR": str(place)}
        try:
            done = bounded.run(
                [self._git, *arguments], at=place, environment=environment, stdin=stdin or b"", watch=watch
            )
        finally:
            self._left -= time.monotonic() - began
        if done.returncode == 0:
            return done.stdout
        said = done.stderr.decode("utf-8", "replace").strip()
        _, gone, sha = said.partition("not our ref ")
        if gone and is_sha(sha.split()[0]):
            raise GoneError(sha.split()[0])
        raise FetchError(" ".join(said.split()))


def _young(word: Path) -> bool:
    """Whether word of a limit was left a short while ago."""
    try:
        return 0 <= time.time() - word.stat().st_mtime < REST
    except OSError:
        return False


def read_for_review(repository: Repository, base: str | None, head: str) -> tuple[list[str], list[str]]:
    """Return the blobs that the change from `base` to `head` needs, and those of the changes before it."""
    if base is None:
        return changed_blobs(repository, base, head), []
    own = changed_blobs(repository, base, head)
    listed = repository.run("rev-list", "--no-merges", f"--max-count={NEIGHBOURS}", base, "--")
    return own, _blobs(repository, ["--stdin", "--root"], stdin=listed)[:MOST_BLOBS]


def changed_blobs(repository: Repository, base: str | None, head: str) -> list[str]:
    """Return the blobs that the change from `base`, None for a root commit, to `head` needs."""
    return _blobs(repository, ["--root", head] if base is None else [base, head])


def blobs_below(repository: Repository, revision: str, paths: Sequence[str]) -> list[str]:
    """Return the blobs of files at and below `paths` of a revision."""
    listed = repository.run("ls-tree", "-r", "-z", revision, "--", *paths).split(b"\0")
    return [entry.split(None, 3)[2].decode("ascii") for entry in listed if b" blob " in entry]


def missing_of(repository: Repository, blobs: Iterable[str]) -> list[str]:
    """Return those of `blobs` that are not here."""
    asked = list(dict.fromkeys(blobs))
    if not asked:
        return []
    told = repository.run("cat-file", "--batch-check=", "--buffer", stdin="\n".join(asked).encode() + b"\n")
    return [line.removesuffix(b" missing").decode() for line in told.splitlines() if line.endswith(b" missing")]


def _blobs(repository: Repository, about: Sequence[str], stdin: bytes | None = None) -> list[str]:
    """Return the blobs on both sides of a diff without contents, in which entries and paths take turns."""
    command = ("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--no-commit-id", *about)
    entries = repository.run(*command, stdin=stdin).split(b"\0")[:-1:2]
    found: dict[str, None] = {}
    for entry in entries:
        old_mode, new_mode, old, new, _ = entry.decode("ascii").lstrip(":").split(" ")
        for mode, sha in ((old_mode, old), (new_mode, new)):
            if mode != "160000" and sha.strip("0"):
                found[sha] = None
    return list(found)
