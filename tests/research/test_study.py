"""The folder of a study: what is written stays, and half of a line is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from oversight.errors import ResearchError, UsageError
from oversight.research import lessons
from oversight.research.model import Answer, Configuration, Experiment, Proposal, Screen
from oversight.research.study import Result, Study
from tests.research.grounds import study, world
from tests.test_imports import loaded_by


def result(number: int) -> Result:
    proposal = Proposal(Configuration("mixed", {"mixed.weak_weight": 0.25}), "why")
    answer = Answer("best", 0.7, 0.7, 3, ("jump",), "")
    return Result(Experiment(number, 1, "mixer", proposal), Screen(0.7, 0.5), answer, 1.5)


def test_a_ground_is_what_was_saved(tmp_path: Path) -> None:
    """Rows, labels and folds come back as they were."""
    one = world().ground
    lessons.save(one, tmp_path / "a.npz")
    back = lessons.load(tmp_path / "a.npz")
    np.testing.assert_array_equal(back.matrix, one.matrix)
    np.testing.assert_array_equal(back.test, one.test)
    assert [draw.seed for draw in back.draws] == [0, 1]
    for draw, other in zip(back.draws, one.draws, strict=True):
        np.testing.assert_array_equal(draw.lesson.human, other.lesson.human)
        np.testing.assert_array_equal(draw.folds[1].truth, other.folds[1].truth)
        assert len(draw.folds) == 2


def test_records_survive_a_kill_at_any_byte(tmp_path: Path) -> None:
    """Whatever was cut off of the last line, the lines before are read, and the next one is whole."""
    one = study(tmp_path / "s", world())
    one.record(result(0))
    one.record(result(1))
    path = one.folder / "experiments.jsonl"
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for end in (first, first + 1, first + 40, len(whole) - 1):
        path.write_bytes(whole[:end])
        assert one.experiments() == [result(0)]
        one.record(result(1))
        assert path.read_bytes() == whole


def test_people_read_what_no_method_of_today_would_do(tmp_path: Path) -> None:
    """Records as they were written down, without torch: a page shows them where nothing can be trained."""
    one = study(tmp_path / "s", world())
    proposal = Proposal(Configuration("forgotten", {"forgotten.share": 7.0}), "why")
    one.record(Result(Experiment(0, 1, "mixer", proposal), None, None, 0.0, "failed"))
    (read,) = one.records()
    assert read.configuration == proposal.configuration
    with pytest.raises(UsageError, match="no method"):
        one.experiments()
    program = "from oversight.research.report import progress; from oversight.research.study import Study; import sys; "
    program += "from pathlib import Path; print(progress(Study(Path(sys.argv[1])))['all']['failed'])"
    assert not loaded_by(program, str(one.folder)) & {"torch", "optuna", "sklearn", "anthropic"}


def test_a_damaged_study_is_refused(tmp_path: Path) -> None:
    """No study, one of another version, a line that was tampered with, a file that is none: each says so."""
    with pytest.raises(ResearchError, match="no study"):
        Study(tmp_path)
    one = study(tmp_path / "s", world())
    (one.folder / "experiments.jsonl").write_text('{"number": 1}\n')
    with pytest.raises(ResearchError, match="damaged"):
        one.experiments()
    (one.folder / "grounds" / "a.npz").write_bytes(b"PK nothing")
    with pytest.raises(ResearchError, match="damaged"):
        one.ground("a")
    with pytest.raises(ResearchError, match="no ground"):
        one.ground("../a")
    (one.folder / "study.json").write_text("[]")
    with pytest.raises(ResearchError, match="damaged"):
        Study(one.folder)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    """A study that is being worked on is refused to others."""
    one = study(tmp_path / "s", world())
    with one.alone(), pytest.raises(ResearchError, match="another process"), Study(one.folder).alone():
        pass
