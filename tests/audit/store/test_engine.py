"""Where the store is: what a URL may be, whose the file is, and what no error shows."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from oversight.audit.store import Store, reading, writing
from oversight.audit.store.engine import connect, locate
from oversight.errors import StoreError
from tests.audit.builders import verdict
from tests.postgres import Postgres


def test_without_a_word_it_is_a_file_with_the_users_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Not in the folder where the command runs, which may be the repository under review."""
    monkeypatch.setenv("OVERSIGHT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    Store.open().close()
    assert {path.name for path in tmp_path.iterdir()} == {"data"}
    assert stat.S_IMODE((tmp_path / "data" / "audit.db").stat().st_mode) == 0o600


def test_what_is_said_comes_before_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A flag, then the variable; an empty variable is none."""
    monkeypatch.setenv("OVERSIGHT_DATABASE_URL", f"sqlite:///{tmp_path}/environment.db")
    assert locate(f"sqlite:///{tmp_path}/flag.db").database == f"{tmp_path}/flag.db"
    assert locate().database == f"{tmp_path}/environment.db"
    monkeypatch.setenv("OVERSIGHT_DATABASE_URL", "")
    assert Path(locate().database or "").name == "audit.db"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_the_ways_to_write_postgresql_mean_one_driver(scheme: str):
    """Hosts hand out URLs with either name."""
    assert locate(f"{scheme}://u:p@host/name").drivername == "postgresql+psycopg"


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=memory&uri=true",
        "mysql://user:hunter2@host/name",
        "hunter2",
        "postgresql://user:hunter2@host:port/name",
    ],
)
def test_a_url_that_is_none_is_refused_without_showing_it(url: str):
    """It may hold a password; the mend says what one looks like."""
    with pytest.raises(StoreError) as error:
        locate(url)
    assert "hunter2" not in str(error.value)
    assert "postgresql://user:password@host/name" in error.value.mend


def test_no_error_of_a_server_shows_the_password(postgres: Postgres):
    """Neither where nobody answers nor where the database does not exist."""
    for url in (postgres.url.replace(postgres.name, "nowhere"), postgres.url.replace("%2F", "%2Fnowhere")):
        with pytest.raises(StoreError) as error:
            Store.open(url)
        assert postgres.password not in str(error.value)
        assert error.value.__suppress_context__


def test_no_error_shows_what_was_to_be_written(store: Store):
    """Notes of people do not end in logs because a database was out of order."""
    with writing(store.engine) as connection:
        connection.execute(text("DROP TABLE verdicts"))
    with pytest.raises(StoreError) as error:
        store.append([verdict(note="hunter2")])
    assert "hunter2" not in str(error.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path):
    """And it stays as it was."""
    path = tmp_path / "notes.txt"
    path.write_text("not a database, " * 100)
    with pytest.raises(StoreError, match="not a database"):
        Store.open(f"sqlite:///{path}")
    assert path.read_text() == "not a database, " * 100


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path):
    """With the path, and how to choose another."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be written") as error:
        Store.open(f"sqlite:///{tmp_path}/file/audit.db")
    assert "--database" in error.value.mend


@pytest.fixture
def anywhere() -> Iterator[Path]:
    """A folder that everybody may enter."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def only_read(folder: Path) -> Iterator[None]:
    """Take away the right to write to a folder and its files, and the powers of root, which needs none."""
    user, before = os.geteuid(), {path: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}
    for path, mode in before.items():
        path.chmod(mode & 0o555 | 0o444)
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)
        for path, mode in before.items():
            path.chmod(mode)


@pytest.mark.skipif(os.name == "nt", reason="rights of POSIX")
def test_what_may_only_be_read_can_be_proved(anywhere: Path):
    """A file of somebody else, at rest or while they are at it; nothing is left beside it, and nothing goes into it."""
    url = f"sqlite:///{anywhere}/audit.db"
    with Store.open(url) as store:
        store.append([verdict()])
        head = store.head()
    with only_read(anywhere), Store.open(url) as other:
        assert (other.verify(head.hash), other.head()) == (None, head)
        with pytest.raises(StoreError, match="readonly") as error:
            other.append([verdict(hours=1)])
        assert "may only read it" in error.value.mend
    assert [path.name for path in anywhere.iterdir()] == ["audit.db"]
    with Store.open(url) as store:
        store.append([verdict(hours=1)])
        copy = shutil.copytree(anywhere, anywhere / "copy", ignore=shutil.ignore_patterns("*-shm"))
        with only_read(anywhere), Store.open(url) as other:
            assert (other.verify(head.hash), other.head().entries) == (None, 2)
    with only_read(copy), pytest.raises(StoreError, match="unable to open") as error:
        Store.open(f"sqlite:///{copy}/audit.db")
    assert "copy it, and its -wal" in error.value.mend


def test_readers_see_one_moment_and_wait_for_nobody(store: Store):
    """Somebody appends while a reader is half through: what it reads afterwards is still of the beginning."""
    count = text("SELECT count(*) FROM ledger")
    with reading(store.engine) as connection:
        assert connection.scalar(count) == 0
        writer = threading.Thread(target=store.append, args=([verdict()],))
        writer.start()
        writer.join(60)
        assert connection.scalar(count) == 0
    with reading(store.engine) as connection:
        assert connection.scalar(count) == 1


def test_what_fails_half_way_is_not_there(store: Store):
    """A transaction is all or nothing, tables included."""
    with suppress(StoreError), writing(store.engine) as connection:
        connection.execute(text("DELETE FROM audit_version"))
        connection.execute(text("this is no SQL"))
    engine = connect(store.engine.url)
    with reading(engine) as connection:
        assert connection.scalar(text("SELECT count(*) FROM audit_version")) == 1
    engine.dispose()
