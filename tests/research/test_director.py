"""The loop: the same by seed, whatever finishes first and whenever it was killed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from oversight.research.director import BASELINE, Budget, Director
from oversight.research.laboratory import Outcome
from oversight.research.model import Answer, Configuration, Experiment, Proposal, Screen, Submission
from oversight.research.proposers import Known, Proposer
from oversight.research.proposers.search import searchers
from oversight.research.racing import Race
from oversight.research.report import figures, page
from oversight.research.study import Result, Study
from tests.research.doubles import Bench, Box
from tests.research.grounds import study, world

WORLD = world(student=20, human=20, test=40)


def ran(one: Study, experiments: int, box: Box | None = None, bench: Bench | None = None) -> str:
    return Director(one, searchers(0), box or Box(), bench or Bench()).run(Budget(experiments))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study of 40 experiments that nobody interrupted."""
    one = study(tmp_path_factory.mktemp("whole") / "s", WORLD)
    assert ran(one, 40) == "all experiments are done"
    return one


def test_every_researcher_is_heard_in_every_round(whole: Study) -> None:
    """The references come first; then each researcher has one experiment a round, and nothing is tried twice."""
    results = whole.experiments()
    assert len(results) == 40
    assert [one.experiment.number for one in results] == list(range(40))
    assert {one.experiment.researcher for one in results[:3]} == {BASELINE}
    assert [one.configuration.method for one in results[:3]] == ["residual-mixed", "naive", "human-only"]
    assert {one.experiment.researcher for one in results[3:7]} == {"mixer", "filter", "believer", "relabeller"}
    assert len({one.configuration.identity for one in results}) == 40


def test_only_what_is_promising_is_asked(whole: Study) -> None:
    """The vault hears of the better part of the screens, never of what failed, and never of the references."""
    results = whole.experiments()
    asked = [one for one in results if one.answer is not None]
    assert 5 < len(asked) < 30
    assert {one.unasked for one in results[:3]} == {"the vault knows it"}
    assert results[3].error
    assert results[3].answer is None
    assert all(one.answer or one.unasked or one.error for one in results)


@pytest.mark.parametrize("killed", [1, 2, 3, 11, 27])
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(whole: Study, tmp_path: Path, killed: int) -> None:
    """Stopped within a round, and resumed, a study has the same records and the same notebook, byte by byte."""
    one, box = study(tmp_path / "s", WORLD), Box()
    with pytest.raises(KeyboardInterrupt):
        ran(one, 40, box, Bench(killed))
    notebook = one.folder / "findings.jsonl"
    notebook.write_bytes(notebook.read_bytes()[:-30])
    ran(Study(one.folder), 40, box)
    for name in ("experiments.jsonl", "findings.jsonl"):
        assert (one.folder / name).read_bytes() == (whole.folder / name).read_bytes()


class Drifting(Bench):
    """A trainer of methods that are not deterministic."""

    def __init__(self) -> None:
        super().__init__()
        self.trained: list[str] = []

    def train(self, experiments: Sequence[Experiment], race: Race) -> Iterator[Outcome]:
        generator = np.random.default_rng()
        for experiment, found in zip(experiments, super().train(experiments, race), strict=True):
            self.trained.append(experiment.name)
            if found.predictions is None:
                yield found
            else:
                yield replace(found, predictions={"a": generator.random((2, 40)).astype(np.float32)})


class Killed(Box):
    """A vault that answers its third question, which nobody hears any more; it remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.submissions: list[Submission] = []

    def ask(self, submission: Submission) -> Answer:
        answer = super().ask(submission)
        self.submissions.append(submission)
        if len(self.submissions) == 3:
            raise KeyboardInterrupt
        return answer


def test_what_the_vault_was_asked_about_is_not_trained_again(tmp_path: Path) -> None:
    """A run that was killed before the answer was on record asks the same question again, to the last bit: of other
    predictions under this name the vault would say that they are others.
    """
    one, box, bench = study(tmp_path / "s", WORLD), Killed(), Drifting()
    with pytest.raises(KeyboardInterrupt):
        ran(one, 20, box, bench)
    assert ran(Study(one.folder), 20, box, bench) == "all experiments are done"
    first, again = box.submissions[2:4]
    assert first.experiment == again.experiment
    assert bench.trained.count(first.experiment) == 1
    np.testing.assert_array_equal(first.predictions["a"], again.predictions["a"])
    assert (first.proxies, first.researcher) == (again.proxies, again.researcher)
    (result,) = [one for one in Study(one.folder).experiments() if one.experiment.name == first.experiment]
    assert result.answer == box.asked[first.experiment]
    assert result.seconds == 0.2


def test_predictions_of_another_configuration_are_trained_again(tmp_path: Path) -> None:
    """Where another proposal has the place of the one that was killed, what was kept is not its own."""
    one, box, bench = study(tmp_path / "s", WORLD), Killed(), Drifting()
    with pytest.raises(KeyboardInterrupt):
        ran(one, 20, box, bench)
    name = box.submissions[2].experiment
    beside = one.beside(name)
    assert beside is not None
    one.keep(name, one.kept(name) or {}, {**beside, "asked": ["mixer", "another"]})
    ran(Study(one.folder), 20, box, bench)
    assert bench.trained.count(name) == 2


def test_a_copy_is_not_asked(tmp_path: Path) -> None:
    """What orders changes as an earlier experiment does costs no query."""

    class Copying(Bench):
        def train(self, experiments: Sequence[Experiment], race: Race) -> Iterator[Outcome]:  # noqa: ARG002
            rows = np.random.default_rng(0).random((2, 40)).astype(np.float32)
            for _ in experiments:
                yield Outcome(Screen(0.7, 0.4), 0.1, "", {"a": rows}, {})

    one, box = study(tmp_path / "s", WORLD), Box()
    ran(one, 9, box, Copying())
    assert box.asked == {}
    assert one.experiments()[4].unasked == "it orders changes as e0000 does"


def test_a_run_ends_where_nothing_is_left_to_ask(tmp_path: Path) -> None:
    """Without queries there is nothing to learn of scores: the run ends, and says why."""
    one = study(tmp_path / "s", WORLD)
    assert ran(one, 400, Box(each=4)) == "the vault answers no more queries"


@dataclass(frozen=True)
class Done:
    """A researcher that has concluded."""

    name: str = "done"

    def propose(self, known: Known) -> None:  # noqa: ARG002
        return None

    def learn(self, result: Result, known: Known) -> str:  # noqa: ARG002
        return ""


def test_researchers_may_conclude(tmp_path: Path) -> None:
    """A run whose researchers propose nothing more has ended; one of them that has does not keep it going."""
    proposer: Proposer = Done()
    one, other = study(tmp_path / "s", WORLD), study(tmp_path / "t", WORLD)
    assert Director(one, [proposer], Box(), Bench()).run(Budget(10)) == "no researcher has anything new to propose"
    why = Director(other, [*searchers(0), proposer], Box(each=4), Bench()).run(Budget(400))
    assert why == "the vault answers no more queries"


def test_hours_are_a_budget(tmp_path: Path) -> None:
    """A run with no time begins nothing."""
    one = study(tmp_path / "s", WORLD)
    assert Director(one, searchers(0), Box(), Bench()).run(Budget(10, hours=-1.0)) == "the hours are used up"
    assert one.experiments() == []


@dataclass
class Slow:
    """A researcher who takes all the time that there is to propose."""

    name: str = "slow"
    asked: int = 0

    def propose(self, known: Known) -> Proposal:
        self.asked += 1
        while known.deadline is not None and time.monotonic() <= known.deadline:
            time.sleep(0.01)
        return Proposal(Configuration("mixed", {"mixed.weak_weight": 0.123}), "")

    def learn(self, result: Result, known: Known) -> str:  # noqa: ARG002
        return ""


def test_hours_that_end_while_a_round_is_proposed_end_the_run(tmp_path: Path) -> None:
    """Nobody is asked any more and nothing is trained; a later run has the round as it would have been."""
    one, slow = study(tmp_path / "s", WORLD), Slow()
    everybody: list[Proposer] = [slow, *searchers(0)]
    assert Director(one, everybody, Box(), Bench()).run(Budget(8, hours=2 / 3600)) == "the hours are used up"
    assert len(one.experiments()) == 3
    assert slow.asked == 1
    assert Director(Study(one.folder), everybody, Box(), Bench()).run(Budget(8)) == "all experiments are done"
    assert one.experiments()[3].experiment.researcher == "slow"


def test_the_report_counts_what_the_records_hold(whole: Study) -> None:
    """Researchers, answers, failures and diversity are those of the records; texts of others are shown as such."""
    told = figures(whole)
    results = whole.experiments()
    assert told["all"]["experiments"] == 40
    assert told["all"]["failed"] == 1
    assert told["all"]["best"] == sum(one.answer is not None and one.answer.answer == "best" for one in results)
    assert 0 < told["all"]["entropy"] <= told["all"]["most_entropy"]
    assert [one["screen"] for one in told["screens"]] == sorted(
        (one["screen"] for one in told["screens"]), reverse=True
    )
    text = "\n".join(page(whole, ["the board"], findings=2))
    assert "the board" in text
    assert "notebook, 2 of 40 findings" in text


def test_a_finding_says_what_was_learned(whole: Study) -> None:
    """Failures, screens and answers are in the notebook in words, one finding an experiment."""
    texts = [one["text"] for one in whole.findings()]
    assert len(texts) == 40
    assert "came to nothing: it used more than its processor time" in texts[3]
    assert any("the vault: best" in text for text in texts)
    assert any("not asked: its screen is not among the best" in text for text in texts)


def test_other_seeds_try_other_things(whole: Study) -> None:
    """What is proposed depends on the seed of the study and on what is recorded, and on nothing else."""
    known = Known(whole.experiments(), whole.findings(), 40)
    first, again, other = (searchers(seed)[0].propose(known) for seed in (0, 0, 1))
    assert first == again
    assert first != other
    assert replace(known, number=41) != known
