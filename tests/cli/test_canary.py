"""`oversight canary`: made, reviewed, kept, told of; the repository stays as it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from oversight.audit.store import Store, canaries
from oversight.changes.diff import parse_diff
from tests.audit.canaries.histories import build
from tests.audit.dashboard.stores import flock
from tests.builders import GitRepository
from tests.cli.conftest import Oversight


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> GitRepository:
    """A history that canaries can be made from, for reading only."""
    return build(tmp_path_factory.mktemp("canary") / "project")


def state(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file below a folder with its size and time."""
    found = (Path(parent) / name for parent, _, names in os.walk(folder) for name in names)
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in found}


def test_canaries_in_a_folder(oversight: Oversight, history: GitRepository, tmp_path: Path):
    """Diffs that can be read, and answers apart; the repository is as it was, and a second call refuses the folder."""
    before = state(history.path)
    out = tmp_path / "out"
    done = oversight("canary", "make", "--repo", history.path, "--count", 12, "--output", out, "--json")
    assert (done.code, done.err) == (0, "")
    assert state(history.path) == before
    diffs = sorted(out.glob("*.diff"))
    answers = [json.loads(line) for line in (out / "answers.jsonl").read_text().splitlines()]
    changes = [json.loads(line) for line in (out / "changes.jsonl").read_text().splitlines()]
    assert [path.name for path in diffs] == [one["file"] for one in answers] == [one["file"] for one in changes]
    assert done.json["diffs"] == len(diffs) == 24
    assert sum(one["marker"] is not None for one in answers) == 12
    assert {key for one in changes for key in one} == {"file", "title", "body", "author"}
    for path, answer in zip(diffs, answers, strict=True):
        assert list(parse_diff(path.read_bytes()))
        assert b"canary" not in path.read_bytes().lower()
        if answer["marker"] is None:
            assert set(answer) == {"file", "marker", "change_id", "pair"}
    again = oversight("canary", "make", "--repo", history.path, "--count", 12, "--output", out)
    assert (again.code, "not empty" in again.err) == (2, True)
    assert oversight("audit", "import", out / "answers.jsonl").code == 2


@pytest.mark.parametrize("inside", ["", "new", ".git/canaries"])
def test_never_into_the_repository(oversight: Oversight, history: GitRepository, inside: str):
    """Neither into its work tree nor into its git directory."""
    done = oversight("canary", "make", "--repo", history.path, "--output", history.path / inside)
    assert (done.code, "never written into the repository" in done.err) == (2, True)


def test_a_run_and_its_trend(oversight: Oversight, history: GitRepository):
    """Two runs are on record with the model of each; text for people, JSON for programs, the same figures."""
    call = ("canary", "run", "--repo", history.path, "--count", 12, "--budget", 20)
    first = oversight(*call, "--json", "--name", "octo/repo")
    assert (first.code, first.err) == (0, "")
    told = first.json
    assert (told["repository"], told["budget"], told["seed"]) == ("octo/repo", 20, 0)
    (every, *_) = told["figures"]
    assert (every["kind"], every["canaries"]) == ("all", 12)
    assert every["caught"]["of"] == every["false_flags"]["of"] == 12
    assert 0 <= every["caught"]["low"] <= every["caught"]["value"] <= every["caught"]["high"] <= 1
    assert told["giveaways"]["counts"]["value"] == 0.5
    assert sum(one["made"] for one in told["made"].values()) == 12
    again = oversight(*call, "--name", "octo/repo")
    assert "either" in again.out
    assert oversight(*call, "--no-keep").code == 0
    trend = oversight("canary", "report", "--repository", "octo/repo", "--json").json["runs"]
    assert [run["figures"] for run in trend] == [told["figures"]] * 2
    assert {run["model"] for run in trend} == {told["model"]}
    assert oversight("canary", "report").out.count(told["model"][:12]) == 2
    assert oversight("canary", "report", "--until", "2020-01-01").out == "no runs on record\n"


def test_classes_and_dates_are_minded(oversight: Oversight, history: GitRepository):
    """One class alone; dates without an old enough change are told of, and so is a class that is none."""
    run = ("canary", "run", "--no-keep", "--repo", history.path)
    one = oversight(*run, "--count", 3, "--classes", "guard-removed", "--json")
    assert {figures["kind"] for figures in one.json["figures"]} == {"all", "guard-removed"}
    none = oversight(*run, "--until", "2001-01-01")
    assert (none.code, "no canary could be made" in none.err) == (2, True)
    assert oversight(*run, "--classes", "nothing").code == 2
    assert oversight("canary").code == 2


@pytest.mark.parametrize(("option", "reason"), [
    (("--model", "/nonexistent"), "model"), (("--budget", "500"), "budget"),
])  # fmt: skip
def test_a_review_that_cannot_be_is_told_of_before_the_history_is_read(
    oversight: Oversight, history: GitRepository, option: tuple[str, str], reason: str
):
    """Also where no canary could be made: it is not the history that lacks something."""
    done = oversight("canary", "run", "--no-keep", "--repo", history.path, "--until", "2001-01-01", *option)
    assert (done.code, done.out) == (2, "")
    assert reason in done.err
    assert "no canary" not in done.err


def test_a_repository_that_is_not_on_record_is_told_of(oversight: Oversight, tmp_path: Path):
    """As everywhere: a name that was misspelt has no runs to speak of."""
    url = f"sqlite:///{tmp_path}/audit.db"
    with Store.open(url) as store:
        canaries.keep(store.engine, flock(1, 3))
    done = oversight("canary", "report", "--repository", "no/such", "--database", url)
    assert (done.code, done.out) == (2, "")
    assert "no repository no/such is in the store (choose one: octo/repo)" in done.err
    assert oversight("canary", "report", "--repository", "OCTO/repo", "--database", url).code == 0


NO_TORCH = """
import sys
from oversight.cli import run
assert run(["canary", "run", "--no-keep", "--count", "4", "--repo", sys.argv[1], "--model", sys.argv[2]]) == 0
heavy = {"torch", "transformers", "sklearn", "scipy", "sqlalchemy", "alembic"} & set(sys.modules)
assert not heavy, heavy
"""


def test_a_run_needs_no_torch(history: GitRepository, model: Path):
    """Nor, where it is not kept, a database."""
    call = [sys.executable, "-I", "-c", NO_TORCH, str(history.path), str(model)]
    done = subprocess.run(call, capture_output=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr.decode()
