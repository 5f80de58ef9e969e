"""Ways to run `oversight`: in this process for speed, in one of its own where signals and pipes matter."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from oversight.cli import run
from tests.builders import GitRepository

PROGRAM = Path(sys.executable).with_name("oversight")


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The report that was printed as JSON."""
        value: dict[str, Any] = json.loads(self.out)
        return value


Oversight = Callable[..., Outcome]


@pytest.fixture
def oversight(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, model: Path) -> Oversight:
    """Run `oversight` in this process; `stdin` is bytes, and the small model is used unless `shipped`."""

    def call(*arguments: object, stdin: bytes | None = None, shipped: bool = False) -> Outcome:
        if not shipped:
            monkeypatch.setenv("OVERSIGHT_MODEL", str(model))
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def start(model: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """Start `oversight` as a process of its own, in a session of its own."""

    def call(*arguments: object, **options: Any) -> subprocess.Popen[bytes]:
        given: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(
            [str(PROGRAM), *map(str, arguments)],
            env={**os.environ, "OVERSIGHT_MODEL": str(model)},
            start_new_session=True,
            **(given | options),
        )

    return call


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    """A small repository: a root commit, plain changes, a side branch that was merged, one that no principle likes."""
    repository = GitRepository.create(tmp_path / "project")
    repository.commit("Start", {"a.py": "def f(x):\n    return x\n", "notes.txt": "one\n"})
    repository.commit("Guard f", {"a.py": "def f(x):\n    if x is None:\n        return 0\n    return x\n"})
    repository.branch("side", "HEAD")
    repository.commit("On the side", {"b.py": "def g():\n    return 1\n"})
    repository.switch("main")
    repository.commit("On main", {"notes.txt": "one\ntwo\n"})
    repository.merge("side", "Merge side")
    repository.commit("Add a loop", {"b.py": "def g():\n    for i in range(3):\n        print(i)\n    return 1\n"})
    return repository
