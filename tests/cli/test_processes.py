"""What only a process of its own can show: exit codes, Ctrl-C, pipes, a disk that is full."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders import GitRepository, file_diff
from tests.cli.conftest import PROGRAM, Oversight
from tests.cli.test_score import grow

Start = Callable[..., subprocess.Popen[bytes]]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and pipes of POSIX")


def finish(process: subprocess.Popen[bytes], stdin: bytes | None = None) -> tuple[int, bytes, bytes]:
    """Exit code, standard output and standard error, of which no run may show a traceback."""
    out, err = process.communicate(stdin, timeout=60)
    assert b"Traceback" not in err
    return process.returncode, out, err


def test_exit_codes_reach_the_shell(start: Start, repository: GitRepository, tmp_path: Path):
    """0, 1, 2 and 3 are what the process ends with."""
    unsafe = file_diff("net.py", ["a"], ["a", "requests.get(u, verify=False)"]).encode()
    flagged = start("review", "--diff", "-", "--fail-on", "flagged", stdin=subprocess.PIPE)
    assert finish(flagged, unsafe)[0] == 1
    assert finish(start("review", "--repo", repository.path))[0] == 0
    assert finish(start("review", "nowhere", "--repo", repository.path))[0] == 2
    shallow = repository.clone(tmp_path / "shallow", "--depth=1")
    assert finish(start("review", "--repo", shallow.path))[0] == 3


def test_a_reader_that_leaves_is_no_error(start: Start, repository: GitRepository):
    """`| head` closes the pipe: nothing is complained about, and nothing counts as flagged."""
    for arguments in (("review",), ("score", "--jobs", 1, "--output", "-")):
        reading, writing = os.pipe()
        os.close(reading)
        process = start(*arguments, "--repo", repository.path, stdout=writing)
        os.close(writing)
        code, _, err = finish(process)
        assert code == 0
        assert b"oversight: " not in err


def test_a_disk_that_is_full_is_told(start: Start, repository: GitRepository):
    """Standard output on a full disk ends with 2 and one line."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    for arguments in (("review",), ("score", "--jobs", 1, "--output", "-")):
        with Path("/dev/full").open("wb") as full:
            code, _, err = finish(start(*arguments, "--repo", repository.path, stdout=full))
        assert code == 2
        assert (err.startswith(b"oversight: "), err.count(b"\n")) == (True, 1)


def test_files_that_may_not_grow_are_not_left_half_written(start: Start, repository: GitRepository, tmp_path: Path):
    """Where the disk ends midway the rows so far can be taken up, and OUTPUT is not there."""
    resource = pytest.importorskip("resource")
    grow(repository, 60)
    output = tmp_path / "rows"
    limit = 4_096

    def confined() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    arguments = ("score", "--repo", repository.path, "--jobs", 1, "--output", output)
    # The command line is the same, but for the limit; its cache cannot grow either, which it must survive.
    code, _, err = finish(start(*arguments, preexec_fn=confined))
    assert code == 2
    assert (err.startswith(b"oversight: "), err.count(b"\n")) == (True, 1)
    assert not output.exists()
    code, _, err = finish(start(*arguments, "--resume"))
    assert code == 0, err
    assert output.read_text().count("\n") == len(repository.commits) - 1


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_during_a_scoring(start: Start, repository: GitRepository, tmp_path: Path, jobs: int):
    """The whole process group gets SIGINT, as from a terminal: 130, one line, rows to take up, no OUTPUT."""
    grow(repository, 200)
    process = start("score", "--repo", repository.path, "--jobs", jobs, "--output", tmp_path / "rows")
    partial = tmp_path / "rows.partial"
    # One line is there from the beginning; more of them say that workers are at work.
    while process.poll() is None and (not partial.exists() or partial.stat().st_size < 500):
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGINT)
    code, _, err = finish(process)
    if code == 0:
        pytest.skip("the run was over before the signal came")
    assert code == 130
    assert err.decode().splitlines()[-1].startswith("oversight: interrupted")
    assert err.count(b"\n") == 1, err.decode()
    assert not (tmp_path / "rows").exists()


def test_ctrl_c_while_waiting_for_a_diff(start: Start):
    """A review that waits for its input ends with 130 and one line."""
    process = start("review", "--diff", "-", stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(b"\n" * 200_000)  # more than a pipe holds: written once somebody reads
    os.killpg(process.pid, signal.SIGINT)
    code, out, err = finish(process)
    assert (code, out) == (130, b"")
    assert err.count(b"\n") == 1


def test_standard_input_may_be_closed(oversight: Oversight, monkeypatch: pytest.MonkeyPatch):
    """Without a standard input there is no diff on it."""
    monkeypatch.setattr(sys, "stdin", None)
    assert oversight("review", "--diff", "-").code == 2


def test_the_repository_under_review_is_not_imported_from(repository: GitRepository, model: Path):
    """A planted `oversight` package, `sitecustomize` or module of the standard library is data to the program."""
    for name in ("oversight/__init__.py", "sitecustomize.py", "json.py", "numpy.py", "typer.py"):
        repository.write({name: "import pathlib; pathlib.Path('planted').touch()\n"})
    repository.commit("Plant")
    done = subprocess.run(
        [str(PROGRAM), "review", "--model", str(model)], cwd=repository.path, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not (repository.path / "planted").exists()


def test_nothing_of_git_is_run_that_a_repository_names(start: Start, repository: GitRepository, tmp_path: Path):
    """Configuration, hooks, attributes and filters of the reviewed repository never run."""
    bait = tmp_path / "bait.sh"
    bait.write_text(f"#!/bin/sh\ntouch {tmp_path}/run\ncat\n")
    bait.chmod(0o755)
    for key in (
        "core.fsmonitor",
        "core.pager",
        "diff.external",
        "filter.f.smudge",
        "diff.d.textconv",
        "core.sshCommand",
    ):
        repository.git("config", key, str(bait))
    repository.commit("Attributes", {".gitattributes": "* filter=f diff=d\n*.py binary\n", "a.py": "a = 5\n"})
    (tmp_path / "run").unlink(missing_ok=True)
    shutil.copy(bait, repository.path / ".git" / "hooks" / "post-checkout")
    code, out, _ = finish(start("review", "--repo", repository.path, "--format", "json"))
    assert code == 0
    assert b'"files_scored": 2' in out
    assert not (tmp_path / "run").exists()
