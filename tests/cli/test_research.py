"""`oversight research`: a study is laid, run, stopped, gone on with and read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from oversight.cli import run
from oversight.research import preparing
from oversight.research.study import Laid, Study, write_study
from oversight.research.vault.policy import policy_of
from tests.builders import GitRepository
from tests.experiment.histories import learnable


@pytest.fixture(scope="module")
def clones(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two histories, the second in a folder of the same name."""
    folder = tmp_path_factory.mktemp("clones")
    for name, what in (("one", "pipeline"), ("two", "parser")):
        (folder / name).mkdir()
        learnable(folder / name / "Evil <b> name", noise=True, what=what)
    return folder / "one" / "Evil <b> name", folder / "two" / "Evil <b> name"


def options(clones: tuple[Path, Path], folder: Path, *more: str) -> list[str]:
    named = ["--repo", str(clones[0]), "--confirm", str(clones[1]), "--output", str(folder)]
    return ["research", "start", *named, "--weak", "principles", "--human", "40", "--draws", "2", "--jobs", "1", *more]


@pytest.fixture(scope="module")
def laid(clones: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study on both."""
    folder = tmp_path_factory.mktemp("study") / "s"
    assert run(options(clones, folder)) == 0
    return Study(folder)


def test_a_ground_has_all_but_the_labels_of_the_test(laid: Study) -> None:
    """Rows are in no order of time and have no names; every human label is of its draw, and of no fold that holds it
    out; of the test there are rows alone.
    """
    (ground,) = laid.grounds
    assert [(one.name, one.confirmation) for one in laid.laid] == [("evil-b-name", False), ("evil-b-name-2", True)]
    assert len(ground.draws) == 2
    for draw in ground.draws:
        people = draw.lesson.rows[~np.isnan(draw.lesson.human)]
        assert people.size == 40
        assert not np.isnan(draw.lesson.weak[np.isnan(draw.lesson.human)]).any()
        assert sorted(row for fold in draw.folds for row in fold.held.tolist()) == sorted(people.tolist())
        for fold in draw.folds:
            assert not np.isin(fold.held, fold.lesson.rows).any()
    assert ground.matrix.any(axis=0).all()  # no column that nothing can be learned of
    assert ground.test.shape[1] == ground.matrix.shape[1]
    assert set(np.load(laid.folder / "grounds" / "evil-b-name.npz").files).isdisjoint({"truth", "gold", "times"})


def test_the_gold_is_the_owners_alone(laid: Study) -> None:
    """Nobody else can look into the vault, and nothing outside of it holds a label of the test."""
    assert laid.vault.stat().st_mode & 0o077 == 0
    assert all(one.stat().st_mode & 0o077 == 0 for one in laid.vault.rglob("*"))


def test_what_was_laid_is_not_laid_again(
    clones: tuple[Path, Path], laid: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    """A start that is repeated reads nothing; one with other settings is refused, and says what to do."""
    ground = laid.folder / "grounds" / "evil-b-name.npz"
    before = ground.stat().st_mtime_ns
    assert run(options(clones, laid.folder)) == 0
    assert ground.stat().st_mtime_ns == before
    assert run(options(clones, laid.folder, "--seed", "1")) == 2
    assert "another study is laid in that folder" in capsys.readouterr().err


def test_a_study_is_run_and_read(laid: Study, capsys: pytest.CaptureFixture[str]) -> None:
    """Experiments are recorded with what the vault said; status, report and its JSON tell the same."""
    folder = str(laid.folder)
    assert run(["research", "run", folder, "--experiments", "5", "--jobs", "1", "--verbose"]) == 0
    told = capsys.readouterr()
    assert "all experiments are done" in told.out
    assert len(told.err.splitlines()) == 5
    results = Study(laid.folder).experiments()
    assert all(one.screen is not None or one.error for one in results)
    assert [one.answer for one in results if one.experiment.researcher == "director"] == [None] * 3
    assert run(["research", "status", folder]) == 0
    assert "evil-b-name-2" in capsys.readouterr().out
    assert run(["research", "report", folder, "--findings", "2"]) == 0
    assert "notebook, 2 of 5 findings" in capsys.readouterr().out
    assert run(["research", "report", folder, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["all"]["experiments"] == 5
    assert figures["grounds"][1]["confirmation"]


def test_confirmation_is_on_what_nobody_has_touched(
    clones: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A repository that is named twice, also by a link or a folder in it, its clones and its forks are refused before
    anything is read or written.
    """
    one, folder = clones[0], tmp_path / "s"
    (tmp_path / "link").symlink_to(one)
    (one / "within").mkdir()
    GitRepository(one).git("clone", "--quiet", ".", str(tmp_path / "fork"))
    GitRepository(tmp_path / "fork").commit("Go another way", {"a.py": "a = 1\n"})
    for again in (one, tmp_path / "link", one / "within", tmp_path / "fork"):
        for option in ("--confirm", "--repo"):
            asked = ["--repo", str(one), option, str(again), "--output", str(folder)]
            assert run(["research", "start", *asked]) == 2
            assert "share a history" in capsys.readouterr().err
    assert not folder.exists()


def test_no_query_is_answered_beyond_what_start_was_told(
    clones: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it is stopped: there is no study whose vault has the limits of another start."""
    folder = tmp_path / "s"
    monkeypatch.setattr(preparing, "_lay_one", lambda *_: Laid("a", "/a", False, 1, 1, 2, (1, 1)))

    def stopped(path: Path, *told: Any) -> None:
        write_study(path, *told)
        raise KeyboardInterrupt

    monkeypatch.setattr(preparing, "write_study", stopped)
    assert run(options(clones, folder, "--queries", "10")) == 130
    assert policy_of(Study(folder).vault).queries == 10


@pytest.mark.parametrize("time", [("--wall", "inf"), ("--wall", "nan"), ("--hours", "inf"), ("--hours", "nan")])
def test_times_that_are_none_are_refused(
    tmp_path: Path, time: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """As options that are wrong: with exit code 2, before the study is looked at."""
    assert run(["research", "run", str(tmp_path), *time]) == 2
    assert time[0] in capsys.readouterr().err


def test_no_study_is_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder without a study, an unknown reviewer, a missing option: a line that says what to do."""
    assert run(["research", "run", str(tmp_path)]) == 2
    assert "there is no study in that folder" in capsys.readouterr().err
    assert run(["research", "start", "--repo", os.curdir, "--output", str(tmp_path / "s"), "--weak", "nobody"]) == 2
    assert "no weak reviewer of that name" in capsys.readouterr().err
    assert run(["research", "start", "--output", str(tmp_path / "s")]) == 2
