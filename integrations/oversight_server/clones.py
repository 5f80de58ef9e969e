"""What is kept of repositories' code: bare clones and the histories read from them, within a size.

    clones/
      at/<host>/<owner>/<name>/clone.git, index/      all that is kept of one repository, gone as one
      locks/<host>/<owner>/<name>                     its lock: shared by those who read, and whole for who removes it
      away/                                           what is on its way out

Nothing is ever checked out, and nothing in a clone is executed or obeyed (`oversight_github.code.clone`). Locks are the
kernel's (`flock`): they hold between threads and processes, and end with whoever holds them, however that ends. A clone
that is in use is never evicted, and one that is damaged is made anew once nobody else reads it.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from oversight.errors import RepositoryError, UsageError
from oversight_github.client import Renewal
from oversight_github.code.bounded import size_of
from oversight_github.code.clone import Clone, FetchError, Limits
from oversight_github.code.remote import REPOSITORY, Remote
from oversight_github.code.source import fetch
from oversight_github.code.wanted import Wanted

T = TypeVar("T")

PATIENCE = 120.0
"""Seconds to wait for those who read a clone that is to be removed, or who remove one that is to be read."""

_LOOK = 0.05


class InUseError(RepositoryError):
    """Somebody else is at a clone."""

    def __init__(self) -> None:
        super().__init__("the clone of this repository is in use", mend="try again in a moment")


class Lock:
    """The lock of one repository, for one thread. A context manager that lets go."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def share(self, patience: float = PATIENCE) -> None:
        """Keep others from removing the clone. Raises InUseError where they are at it for longer than `patience`."""
        self._have(fcntl.LOCK_SH, patience)

    def own(self, patience: float = PATIENCE) -> None:
        """Keep everybody else away. Raises InUseError; what was shared before is then let go."""
        self._have(fcntl.LOCK_EX, patience)

    def touch(self) -> None:
        """Note that the clone was used just now."""
        os.utime(self._file)

    def _have(self, how: int, patience: float) -> None:
        until = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(self._file, how | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise InUseError from None
                time.sleep(_LOOK)
            else:
                return


class _Shared(Clone):
    """A clone that others may be reading: it is put away, and loses what was fetched last, when they are done."""

    shared = True

    def __init__(self, lock: Lock, remote: Remote, path: Path, *, kilobytes: int | None, limits: Limits) -> None:
        self._lock = lock
        super().__init__(remote, path, kilobytes=kilobytes, limits=limits)

    def _discard(self) -> None:
        with self._alone():
            super()._discard()

    def _take_back(self, before: Collection[str]) -> None:
        with self._alone():
            super()._take_back(before)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._lock.own()
        try:
            yield
        finally:
            self._lock.share()


class Held:
    """A clone that is there for as long as it is held; for one thread.

    `path` is its git directory, `index` where its history is kept. What fetches is given a token, and a new one where
    the server refuses it. It raises GoneError, UsageError, RepositoryError.
    """

    def __init__(self, open_with: Callable[[str], Clone], renewal: Renewal) -> None:
        self._open_with = open_with
        self._renewal = renewal
        self._token = renewal(None)
        self._clone = open_with(self._token)

    @property
    def path(self) -> Path:
        """The git directory."""
        return self._clone.path

    @property
    def index(self) -> Path:
        """The folder for the history that is read from it."""
        return self.path.with_name("index")

    @property
    def blobless(self) -> bool:
        """Whether contents have to be fetched as they are needed."""
        return self._clone.blobless

    def fetch(self, wanted: Wanted) -> tuple[str | None, str]:
        """Fetch what is wanted with its history; the tip of its base, None where there is none, and the head."""
        return self._with_token(lambda clone: fetch(clone, wanted))

    def fetch_contents(self, blobs: Sequence[str]) -> None:
        """Fetch contents."""
        self._with_token(lambda clone: clone.fetch_contents(blobs))

    def _with_token(self, do: Callable[[Clone], T]) -> T:
        try:
            return do(self._clone)
        except FetchError as error:
            if not error.refused:
                raise
        self._token = self._renewal(self._token)
        about, self._clone = self._clone.about, self._open_with(self._token)
        self._clone.about = about
        return do(self._clone)


class Clones:
    """The clones below a folder, of at most `most_bytes` together as far as they are not in use. Thread-safe.

    `server_url` is where git fetches from. `limits` bound the clone of each review.
    """

    def __init__(self, folder: Path, *, server_url: str, most_bytes: int, limits: Limits | None = None) -> None:
        self._folder = folder
        self._server_url = server_url
        self._most_bytes = most_bytes
        self._limits = limits or Limits()
        with suppress(OSError):  # then every review says that it cannot be written, and takes the API
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.rmtree(folder / "away", ignore_errors=True)

    @contextmanager
    def hold(self, repository: str, renewal: Renewal, *, kilobytes: int | None) -> Iterator[Held]:
        """Give the clone of a repository, made where there is none; nobody removes it within the block.

        `kilobytes`: GitHub's figure for its size, None where unknown.
        """
        place = self._place(repository)
        with self._locked(place) as lock:
            lock.share()
            lock.touch()

            def open_with(token: str) -> Clone:
                remote = Remote(self._server_url, repository, token)
                path = self._folder / "at" / place / "clone.git"
                return _Shared(lock, remote, path, kilobytes=kilobytes, limits=self._limits)

            yield Held(open_with, renewal)
        self.trim()

    def index_of(self, name: str) -> Path:
        """Return the folder for the history of a repository of this machine, which `name` tells from others."""
        return self._folder / "at" / "local" / name.lower() / "index"

    def forget(self, repository: str) -> None:
        """Delete all that is kept of a repository. Raises InUseError where somebody goes on reading it."""
        place = self._place(repository)
        with self._locked(place) as lock:
            lock.own()
            self._remove(place)

    def trim(self) -> None:
        """Evict the clones that were not used for longest, until the others are small enough, or in use."""
        known = [(self._used(place), size_of(self._folder / "at" / place), place) for place in self._places()]
        total = sum(size for _, size, _ in known)
        for _, size, place in sorted(known):
            if total <= self._most_bytes:
                return
            with self._locked(place) as lock, suppress(InUseError):
                lock.own(patience=0.0)
                self._remove(place)
                total -= size

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return size_of(self._folder / "at")

    def _place(self, repository: str) -> Path:
        """Return where a repository is kept; GitHub's names are the same in capitals and small letters."""
        if not REPOSITORY.fullmatch(repository):
            raise UsageError("this is no name of a repository", mend="give it as owner/name")
        host = urlsplit(self._server_url).netloc.replace(":", "_") or "local"
        return Path(host, *repository.lower().split("/"))

    def _places(self) -> list[Path]:
        at = self._folder / "at"
        return [found.relative_to(at) for found in at.glob("*/*/*") if found.is_dir()]

    def _locked(self, place: Path) -> Lock:
        return Lock(self._folder / "locks" / place)

    def _used(self, place: Path) -> float:
        with suppress(OSError):
            return (self._folder / "locks" / place).stat().st_mtime
        return 0.0

    def _remove(self, place: Path) -> None:
        """Remove what is kept. Moved first, so that half of it is never taken for a clone."""
        away = self._folder / "away" / secrets.token_hex(8)
        away.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileNotFoundError):
            (self._folder / "at" / place).rename(away)
        shutil.rmtree(away, ignore_errors=True)
