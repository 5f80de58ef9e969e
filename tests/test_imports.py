"""What is loaded and when: reviewing stays light, and stays off the network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders import GitRepository

HEAVY = (
    "torch",
    "transformers",
    "sklearn",
    "scipy",
    "pandas",
    "matplotlib",
    "onnx",
    "anthropic",
    "fastapi",
    "sqlalchemy",
    "alembic",
    "psycopg",
    "distributed",
)


def loaded_by(program: str, *arguments: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded once `program` has run."""
    tail = "\nimport json, sys\nprint(json.dumps([name.partition('.')[0] for name in sys.modules]), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", program + tail, *arguments], capture_output=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode()
    return set(json.loads(done.stderr.decode().splitlines()[-1]))


def test_the_package_itself_loads_nothing():
    """`import oversight` costs next to nothing."""
    assert not loaded_by("import oversight") & {*HEAVY, "numpy", "onnxruntime", "git", "typer", "rich", "tree_sitter"}


def test_help_loads_nothing_heavy():
    """`oversight --help` reads no model and no history."""
    loaded = loaded_by("import oversight.cli; assert oversight.cli.run(['--help']) == 0")
    assert not loaded & {*HEAVY, "numpy", "onnxruntime", "git", "tree_sitter"}


@pytest.fixture
def reviewed(tmp_path: Path) -> GitRepository:
    """Two commits to review."""
    repository = GitRepository.create(tmp_path / "project")
    repository.commit("Start", {"a.py": "x = 1\n", "b.c": "int x;\n"})
    repository.commit("Next", {"a.py": "if x:\n    y()\n", "b.c": "int x = 1;\n"})
    return repository


REVIEW = """
import sys
from oversight.cli import run
for face in ("text", "json", "markdown", "sarif", "rdjson"):
    assert run(["review", "--repo", sys.argv[1], "--model", sys.argv[2], "--format", face]) == 0
"""
NO_NETWORK = """
import socket
def refuse(*_, **__):
    raise AssertionError("a connection was asked for")
socket.socket.connect = socket.socket.connect_ex = socket.create_connection = socket.getaddrinfo = refuse
"""


def test_a_whole_review_stays_light_and_off_the_network(reviewed: GitRepository, model: Path):
    """Neither torch nor its friends are loaded by a review, in whatever format, and no socket is connected."""
    loaded = loaded_by(NO_NETWORK + REVIEW, str(reviewed.path), str(model))
    assert "onnxruntime" in loaded
    assert not loaded & set(HEAVY)


def test_git_asks_no_remote_either(reviewed: GitRepository, model: Path, tmp_path: Path):
    """A partial clone names a remote that would be asked for what is missing: no helper for it is started."""
    clone = reviewed.clone(tmp_path / "clone", "--filter=blob:none", "--no-checkout")
    clone.git("config", "remote.origin.url", f"ext::touch {tmp_path}/asked")
    clone.git("config", "protocol.ext.allow", "always")
    done = subprocess.run(
        [sys.executable, "-I", "-m", "oversight.cli.pre_push", "--repo", str(clone.path), "--model", str(model)],
        capture_output=True, check=False, timeout=60, env={**os.environ, "GIT_ALLOW_PROTOCOL": "ext"},
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert not (tmp_path / "asked").exists()


def test_no_library_keeps_a_record_of_its_own(reviewed: GitRepository, model: Path, tmp_path: Path):
    """A review writes into its own cache and nowhere else in a home: no device's name, no events to send later."""
    home, cache = tmp_path / "home", tmp_path / "cache"
    home.mkdir()
    own = {"HOME": str(home), "OVERSIGHT_CACHE_DIR": str(cache)}
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "ORT_", "OVERSIGHT_"))}
    done = subprocess.run(
        [sys.executable, "-I", "-m", "oversight.cli.pre_push", "--repo", str(reviewed.path), "--model", str(model)],
        capture_output=True, check=False, timeout=60, env=plain | own,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert any(cache.iterdir())
    assert not list(home.rglob("*"))
