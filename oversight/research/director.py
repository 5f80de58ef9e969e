"""The loop: researchers propose, workers train, the vault is asked of what is promising, and all is written down.

    round 0      the hand-chosen default, naive, human labels alone: what everything is compared with
    round 1 ..   a proposal of every researcher ── screen ──┬── promising ── predictions ── vault
                                                            └── not ── recorded, and learned from

A round is proposed from what earlier rounds recorded, and its results are recorded in the order of its proposals,
whatever finishes first. So a run is the same by seed, and one that was killed goes on where it was: what its last round
lacks is proposed again, and trained again unless its predictions were kept: the vault may have been asked about those.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

import numpy as np

from oversight.research.laboratory import Outcome, Trainer
from oversight.research.model import Answer, Experiment, Floats, Proposal, Submission, screen_of
from oversight.research.proposers import Known, Proposer
from oversight.research.proposers.telling import told
from oversight.research.racing import Race, promising, race
from oversight.research.references import REFERENCES
from oversight.research.study import Result, Study
from oversight.research.vault.detectors import Earlier, standing

BASELINE = "director"
"""Whose the first experiments are."""

_CLOSED = "closed"
_LATE = "the hours are used up"


class Scorer(Protocol):
    """What the director wants of the vault."""

    def ask(self, submission: Submission) -> Answer:
        """Compare predictions with the best so far."""
        ...


@dataclass(frozen=True)
class Budget:
    """Where a run ends: experiments of the whole study, and hours of this run, after which nothing new is begun."""

    experiments: int
    hours: float | None = None


class Director:
    """Runs a study with `proposers`; `trainer` carries experiments out, `vault` is asked, `tell` hears of results."""

    def __init__(
        self,
        study: Study,
        proposers: Sequence[Proposer],
        vault: Scorer,
        trainer: Trainer,
        tell: Callable[[Result], None] = lambda _result: None,
    ) -> None:
        self._study, self._proposers, self._vault, self._trainer = study, proposers, vault, trainer
        self._tell = tell
        self._results = study.experiments()
        self._earlier = Earlier()
        self._resting: set[str] = set()  # researchers who proposed nothing when they were last asked
        self._end: float | None = None

    def run(self, budget: Budget) -> str:
        """Go on until the budget is used up, or nothing is left to do; return why it ended, as a sentence."""
        self._end = None if budget.hours is None else time.monotonic() + 3600 * budget.hours
        self._catch_up()
        while len(self._results) < budget.experiments:
            if self._late():
                return _LATE
            if self._spent():
                return "the vault answers no more queries"
            if not self._round(budget.experiments):
                return _LATE if self._late() else "no researcher has anything new to propose"
        return "all experiments are done"

    def _round(self, most: int) -> bool:
        """Run what the last round lacks, or a new one; False where nobody proposes anything."""
        number = self._results[-1].experiment.round if self._results else 0
        missing = self._missing(number, most)
        if self._results and not missing:
            number += 1
            missing = self._missing(number, most)
        kept = {one.name: outcome for one in missing if (outcome := self._kept(one)) is not None}
        trained = self._trainer.train([one for one in missing if one.name not in kept], self._race(number))
        for experiment in missing:
            self._conclude(experiment, kept[experiment.name] if experiment.name in kept else next(trained))
        return bool(missing)

    def _kept(self, experiment: Experiment) -> Outcome | None:
        """Return what came of an experiment whose predictions were kept before a kill; None where it is to be trained.
        A method need not be deterministic, and of other predictions the vault would say that they are others.
        """
        beside = self._study.beside(experiment.name)
        asked = [experiment.researcher, experiment.configuration.identity]
        if beside is None or beside["asked"] != asked:
            return None
        screen, predictions = screen_of(beside["screen"]), self._study.kept(experiment.name)
        return Outcome(screen, beside["seconds"], "", predictions, beside["proxies"])

    def _missing(self, number: int, most: int) -> list[Experiment]:
        """Return what is planned for a round, from what the rounds before it recorded, and not done. Whoever comes
        after so many experiments is not asked: a proposal may cost money. Nothing, where the hours were used up over
        asking: whoever was asked says the same when the round is planned again.
        """
        before = [result for result in self._results if result.experiment.round < number]
        done = {result.experiment.name for result in self._results}
        if number == 0:
            planned = [
                Experiment(place, 0, BASELINE, Proposal(one, f"what is compared with: {name}"))
                for place, (name, one) in enumerate(REFERENCES.items())
            ][:most]
        else:
            planned = []
            for proposer in self._proposers:
                if len(before) + len(planned) >= most:
                    break
                taken = frozenset(one.configuration.identity for one in planned)
                known = self._known(before, number, len(before) + len(planned), taken)
                proposal = proposer.propose(known)
                if self._late():
                    return []
                if proposal is None:
                    self._resting.add(proposer.name)
                    continue
                self._resting.discard(proposer.name)
                planned.append(Experiment(known.number, number, proposer.name, proposal))
        return [one for one in planned if one.name not in done]

    def _known(self, results: Sequence[Result], round_: int, number: int, taken: frozenset[str] = frozenset()) -> Known:
        names = {result.experiment.name for result in results}
        findings = [one for one in self._study.findings() if one["experiment"] in names]
        return Known(results, findings, number, taken, round_, self._end)

    def _late(self) -> bool:
        return self._end is not None and time.monotonic() > self._end

    def _race(self, number: int) -> Race:
        """Return what screens of a round run against: the one that makes an experiment promising."""
        before = [one for one in self._results if one.experiment.round < number]
        return race(before, promising(before))

    def _conclude(self, experiment: Experiment, trained: Outcome) -> None:
        """Ask the vault where that is worth a query, and write down what came of it."""
        answer, unasked = None, ""
        if trained.predictions is None:
            unasked = "" if trained.error else "its screen is not among the best"
        else:
            assert trained.screen is not None  # noqa: S101  # which comes before predictions
            beside = {
                "asked": [experiment.researcher, experiment.configuration.identity],
                "screen": asdict(trained.screen),
                "seconds": trained.seconds,
                "proxies": dict(trained.proxies),
            }
            self._study.keep(experiment.name, trained.predictions, beside)
            predictions = {name: runs.astype(np.float64) for name, runs in trained.predictions.items()}
            unasked = self._pointless(experiment, predictions)
            if not unasked:
                answer = self._vault.ask(
                    Submission(
                        experiment.name,
                        experiment.researcher,
                        experiment.configuration,
                        trained.predictions,
                        trained.proxies,
                    )
                )
            self._earlier.add(experiment.name, predictions)
        result = Result(experiment, trained.screen, answer, trained.seconds, trained.error, unasked)
        self._study.record(result)
        self._write_finding(result)
        self._results.append(result)
        self._tell(result)

    def _pointless(self, experiment: Experiment, predictions: Mapping[str, Floats]) -> str:
        """Return why the vault need not be asked, empty where it is."""
        if experiment.configuration.identity in {one.identity for one in REFERENCES.values()}:
            return "the vault knows it"
        if self._left(experiment.researcher) == 0:
            return "its researcher has no queries left"
        if not self._earlier.names:
            return ""
        same = self._earlier.copied({name: standing(runs) for name, runs in predictions.items()})
        return "" if same is None else f"it orders changes as {same} does"

    def _left(self, researcher: str) -> int | None:
        """Return the queries that a researcher has left, None where the vault has not said yet."""
        said = [one.answer.left for one in self._results if one.answer and one.experiment.researcher == researcher]
        return said[-1] if said else None

    def _spent(self) -> bool:
        closed = any(one.answer is not None and one.answer.reason.startswith(_CLOSED) for one in self._results)
        active = [proposer.name for proposer in self._proposers if proposer.name not in self._resting]
        return closed or (bool(active) and all(self._left(name) == 0 for name in active))

    def _write_finding(self, result: Result) -> None:
        experiment = result.experiment
        before = [one for one in self._results if one.experiment.number < experiment.number]
        own = next((one for one in self._proposers if one.name == experiment.researcher), None)
        known = self._known(before, experiment.round, experiment.number)
        text = told(result, before) if own is None else own.learn(result, known)
        self._study.find(experiment.name, experiment.researcher, text)

    def _catch_up(self) -> None:
        """Make good what a kill left undone: the last finding, and what later predictions are compared with."""
        noted = {one["experiment"] for one in self._study.findings()}
        for result in self._results:
            if result.experiment.name not in noted:
                self._write_finding(result)
            kept = self._study.kept(result.experiment.name)
            if kept is not None:
                predictions = {name: runs.astype(np.float64) for name, runs in kept.items()}
                self._earlier.add(result.experiment.name, predictions)
