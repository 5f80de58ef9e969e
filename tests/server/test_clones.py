"""The cache of clones: within its size, safe between threads and processes, and gone when it is asked away."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from oversight.changes.quarantine import git_version
from oversight.changes.repository import Repository
from oversight.errors import RepositoryError
from oversight_github.code import clone as clone_module
from oversight_github.code.bounded import size_of
from oversight_github.code.clone import Limits
from oversight_github.code.wanted import Wanted
from oversight_server import clones as module
from oversight_server.clones import Clones, Held, InUseError, Lock
from tests.builders import GitRepository
from tests.server.forge import INSTALLATION, NAME, Forge


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits take next to no time."""
    monkeypatch.setattr(clone_module, "_PAUSE", 0.0)
    git_version()  # GitPython looks it up once a process


@contextmanager
def held(forge: Forge, clones: Clones, name: str = NAME, kilobytes: int | None = 1) -> Iterator[Held]:
    """A clone with the commits of `topic` in it."""

    def renewal(_: str | None) -> str:
        return forge.app.renewal(INSTALLATION, NAME)(None)

    with clones.hold(name, renewal, kilobytes=kilobytes) as found:
        found.fetch(Wanted("topic", ("main",)))
        yield found


def another(forge: Forge, name: str) -> str:
    """A second repository on the same server."""
    made = GitRepository.create(forge.server.root / "octo" / name)
    made.commit("Start", {"x.txt": "x" * 1000})
    made.branch("topic")
    made.commit("More", {"y.txt": name})
    return f"octo/{name}"


def kept(forge: Forge) -> set[str]:
    at = forge.home / "clones" / "at"
    return {path.parent.name for path in at.glob("*/*/*/clone.git")}


def test_a_clone_is_used_again(forge: Forge) -> None:
    """By the next review, which fetches what is new alone; whichever case its name is written in."""
    clones = forge.clones()
    with held(forge, clones) as first:
        packs = set((first.path / "objects" / "pack").glob("*.pack"))
    assert clones._place("Octo/Repo") == clones._place(NAME)
    with held(forge, forge.clones()) as second:
        assert second.path == first.path
        assert set((second.path / "objects" / "pack").glob("*.pack")) == packs


def test_nothing_is_ever_checked_out(forge: Forge) -> None:
    """Bare, without hooks, and nobody else may look."""
    clones = forge.clones()
    with held(forge, clones, kilobytes=None) as clone:
        assert clone.blobless
        assert not (clone.path / "hooks").exists()
    names = {path.name for path in forge.home.rglob("*")}
    assert not names & {"a.py", "notes.txt", "index.lock"}
    assert (forge.home / "clones").stat().st_mode & 0o077 == 0


def test_those_not_used_for_longest_go_first(forge: Forge) -> None:
    """Until the others fit; a clone that was used again is new again."""
    names = [another(forge, f"r{number}") for number in range(4)]
    clones = forge.clones()
    for name in names:
        with held(forge, clones, name):
            pass
    assert len(kept(forge)) == 4
    for age, name in enumerate(names):
        os.utime(forge.home / "clones" / "locks" / clones._place(name), times=(1000 + age, 1000 + age))
    with held(forge, clones, names[0]):
        pass
    small = forge.clones(most_bytes=clones.size // 2 + 1)
    small.trim()
    assert kept(forge) == {"r0", "r3"}
    assert small.size <= clones.size
    forge.clones(most_bytes=0).trim()
    assert kept(forge) == set()
    assert not list((forge.home / "clones" / "away").iterdir())


def test_a_clone_in_use_is_not_evicted(forge: Forge) -> None:
    """Whoever reads it reads it to the end; afterwards it goes."""
    clones = forge.clones(most_bytes=0)
    with held(forge, clones) as clone:
        forge.clones(most_bytes=0).trim()
        with Repository.open(clone.path) as repository:
            assert repository.resolve(forge.origin.git("rev-parse", "topic"))
    assert kept(forge) == set()


def test_another_process_sees_the_locks(forge: Forge) -> None:
    """Two servers with one folder; a lock ends with its process, however that ends."""
    script = (
        "import sys, time; from pathlib import Path; from oversight_server.clones import Lock\n"
        "lock = Lock(Path(sys.argv[1])); lock.share(); print('held', flush=True); time.sleep(600)\n"
    )
    clones = forge.clones(most_bytes=0)
    place = forge.home / "clones" / "locks" / clones._place(NAME)
    process = subprocess.Popen([sys.executable, "-c", script, str(place)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process:
        assert process.stdout.readline() == b"held\n"
        with held(forge, clones):
            pass
        assert kept(forge) == {"repo"}, "the other process still reads"
        process.kill()
        process.wait()
        clones.trim()
    assert kept(forge) == set()


def test_what_is_asked_away_is_gone(forge: Forge) -> None:
    """The clone and the history that was read from it, once those who read are done."""
    clones, reviews = forge.clones(), forge.reviews()
    reviews.pull(forge.pull(), repository=NAME, installation=INSTALLATION)
    folder = forge.home / "clones"
    assert list(folder.rglob("*.sqlite3"))
    reading, gone = threading.Event(), threading.Event()

    def read() -> None:
        with held(forge, clones):
            reading.set()
            assert not gone.wait(0.3)

    with ThreadPoolExecutor(2) as threads:
        reader = threads.submit(read)
        assert reading.wait(30)
        removal = threads.submit(lambda: (clones.forget(NAME), gone.set()))
        reader.result(60)
        removal.result(60)
    left = [path for path in folder.rglob("*") if path.is_file() and "locks" not in path.parts]
    assert left == []
    clones.forget(NAME)
    clones.forget("octo/never")


def test_a_removal_does_not_wait_for_ever(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error, and whoever asked tries again."""
    monkeypatch.setattr(module.Lock.own, "__defaults__", (0.1,))
    clones = forge.clones()
    with held(forge, clones), pytest.raises(InUseError):
        clones.forget(NAME)


@pytest.mark.parametrize("damage", ["empty", "pack", "config", "head", "file"])
def test_a_damaged_clone_is_made_anew(forge: Forge, damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left of a fetch that was killed, or what the disk made of it, costs a fetch; nothing of it is obeyed."""
    clones = forge.clones()
    with held(forge, clones) as clone:
        path = clone.path
    if damage == "empty":
        shutil.rmtree(path / "objects")
        (path / "objects").mkdir()
    elif damage == "pack":
        for pack in (path / "objects" / "pack").glob("*.pack"):
            pack.chmod(0o644)
            pack.write_bytes(b"damaged")
    elif damage == "head":
        (path / "HEAD").unlink()
    elif damage == "file":
        shutil.rmtree(path)
        path.write_text("no folder")
    else:
        (path / "config").write_text('[core]\n\tfsmonitor = "touch evil"\n[include]\npath = x\n')
    report = forge.reviews().pull(forge.pull(), repository=NAME, installation=INSTALLATION)
    if damage != "file":
        assert report.coverage.context == "full"
    assert not list(forge.home.rglob("evil"))


def test_a_damaged_clone_is_not_pulled_away_from_who_reads_it(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be that nothing is wrong with it: the server may have answered oddly."""
    clones = forge.clones()
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    monkeypatch.setattr(module.Lock.own, "__defaults__", (0.2,))
    with held(forge, clones) as first:
        for pack in (first.path / "objects" / "pack").glob("*.idx"):
            pack.chmod(0o644)
            pack.write_bytes(b"damaged")
        with pytest.raises(RepositoryError), held(forge, clones):
            pass
        assert (first.path / "objects").is_dir()
    with held(forge, clones):
        pass


def test_many_threads_share_a_clone(forge: Forge) -> None:
    """While others evict it between their reviews."""
    clones = forge.clones(most_bytes=0)
    head = forge.origin.git("rev-parse", "topic")

    def read(_: int) -> str:
        with held(forge, clones) as clone, Repository.open(clone.path) as repository:
            return repository.resolve(head)

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(read, range(12))) == {head}
    assert kept(forge) == set()


def test_a_clone_that_grows_too_large_is_put_away(forge: Forge) -> None:
    """And the API serves: see the limits of clones."""
    forge.compared()
    clones = Clones(
        forge.home / "clones", server_url=forge.server.url, most_bytes=1 << 40, limits=Limits(seconds=60, size=10)
    )
    reviews = forge.reviews()
    reviews._clones = clones
    report = reviews.pull(forge.pull(), repository=NAME, installation=INSTALLATION)
    assert report.coverage.context == "none"
    assert any("MB" in note for note in report.notes)


@pytest.mark.parametrize("first", [True, False])
def test_a_pull_request_that_is_too_large_costs_no_other_its_history(forge: Forge, first: bool) -> None:
    """Whether it comes first or later: it is read through the API, and is not fetched again on each push."""
    limits = Limits(seconds=60, size=200_000, mend="allow for more")
    reviews = forge.reviews()
    reviews._clones = Clones(forge.home / "clones", server_url=forge.server.url, most_bytes=1 << 40, limits=limits)
    small = forge.pull()
    if not first:
        assert reviews.pull(small, repository=NAME, installation=INSTALLATION).coverage.context == "full"
    forge.origin.switch("topic")
    forge.compared()
    forge.origin.commit("Huge", {"huge.bin": os.urandom(400_000).hex()})
    huge = replace(forge.pull(), number=8)
    forge.compared()
    for _ in range(2):
        report = reviews.pull(huge, repository=NAME, installation=INSTALLATION)
        assert report.coverage.context == "none"
    assert any("less than an hour ago" in note for note in report.notes)
    (clone,) = (forge.home / "clones" / "at").glob("*/*/*/clone.git")
    assert size_of(clone) < 200_000
    assert reviews.pull(small, repository=NAME, installation=INSTALLATION).coverage.context == "full"


def test_a_lock_is_let_go_on_the_way_out(tmp_path: Path) -> None:
    """Whether it is shared, owned or waited for."""
    path = tmp_path / "a" / "lock"
    with Lock(path) as first, Lock(path) as second:
        first.share()
        second.share()
        with pytest.raises(InUseError):
            second.own(0.05)
        first.share()
    with Lock(path) as third:
        began = time.monotonic()
        third.own()
        assert time.monotonic() - began < 30
