"""A real PostgreSQL for tests: a cluster of their own, on a socket in a temporary folder, and a fresh database a test.

    def test_…(postgres: Postgres): … postgres.url …

Import the fixtures where they are needed: `from tests.postgres import cluster, postgres`. The server's programs come
with Debian's package `postgresql`; they refuse to run as root, who therefore runs them as another user.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from tests.needed import needed

_USER = "oversight"
_PASSWORD = "a password of the tests"
_NUMBERS = count(1)


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL server that runs, whose data is gone after the tests."""

    programs: Path
    folder: Path

    def run(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs as its user; it must succeed."""
        done = subprocess.run(
            [*_as_another_user(), str(self.programs / program), *map(str, arguments)],
            capture_output=True, text=True, check=False, timeout=120, cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"},
        )  # fmt: skip
        assert done.returncode == 0, f"{program}: {done.stderr}{done.stdout}"
        return done

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run a statement as the owner of the cluster, and return what `psql` prints of its rows, one a line."""
        call = ("-X", "-q", "-t", "-A", "-h", self.folder, "-U", _USER, "-d", database, "-c", statement)
        return self.run("psql", *call).stdout

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database."""
        host = str(self.folder).replace("/", "%2F")
        return f"postgresql+psycopg://{_USER}:{_PASSWORD.replace(' ', '%20')}@/{database}?host={host}"


@dataclass(frozen=True)
class Postgres:
    """An empty database. `password` is the one in its URL, which nothing may ever show."""

    cluster: Cluster
    name: str
    password: str = _PASSWORD

    @property
    def url(self) -> str:
        """Its SQLAlchemy URL."""
        return self.cluster.url(self.name)

    def sql(self, statement: str) -> str:
        """Run a statement past the program under test, and return the rows, one a line."""
        return self.cluster.sql(statement, self.name)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A cluster for the session; the test skips where PostgreSQL is not installed, which CI forbids."""
    programs = _programs()
    needed(programs is not None, "PostgreSQL", mend="install Debian's package postgresql, or its like")
    assert programs is not None
    # Not pytest's own folder: the path of a socket has at most 107 bytes, and other users may not enter there.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    made = Cluster(programs, folder)
    try:
        _own(folder)
        made.run("initdb", "-D", folder / "data", "-U", _USER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off -c max_connections=60"
        made.run("pg_ctl", "-D", folder / "data", "-l", folder / "log", "-w", "-o", options, "start")
        try:
            yield made
        finally:
            made.run("pg_ctl", "-D", folder / "data", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(cluster: Cluster) -> Iterator[Postgres]:
    """A database that is new for each test."""
    name = f"test_{next(_NUMBERS)}"
    cluster.sql(f"CREATE DATABASE {name}")
    yield Postgres(cluster, name)
    cluster.sql(f"DROP DATABASE {name} WITH (FORCE)")


def _programs() -> Path | None:
    """The folder with PostgreSQL's programs, of the newest version where there are several."""
    found = [Path(path) for path in [shutil.which("initdb")] if path]
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return next((path.parent for path in [*reversed(debian), *found] if (path.parent / "pg_ctl").exists()), None)


def _as_another_user() -> Sequence[str]:
    if os.name != "posix" or os.geteuid() != 0:
        return ()
    user, group = _other()
    return ("setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--")


def _other() -> tuple[int, int]:
    import pwd  # no system but POSIX has it, nor a root

    user = pwd.getpwnam("nobody")
    return user.pw_uid, user.pw_gid


def _own(folder: Path) -> None:
    if os.geteuid() == 0:
        os.chown(folder, *_other())
