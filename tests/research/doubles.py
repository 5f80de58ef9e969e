"""A trainer and a vault that need no process: what they answer follows from what they are asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from oversight.research.laboratory import Outcome
from oversight.research.model import Answer, Experiment, Screen, Submission
from oversight.research.racing import Race


class Bench:
    """A trainer whose figures are drawn from what was asked: no process, and the same every time."""

    def __init__(self, stop_after: int = 10_000) -> None:
        self.left = stop_after

    def train(self, experiments: Sequence[Experiment], race: Race) -> Iterator[Outcome]:
        for experiment in experiments:
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            generator = np.random.default_rng(int(experiment.configuration.identity, 16))
            screen = Screen(float(generator.uniform(0.5, 0.8)), 0.4)
            if experiment.number == 3:
                yield Outcome(None, 0.1, "it used more than its processor time")
            elif screen.auroc < race.bar:
                yield Outcome(screen, 0.1)
            else:
                rows = generator.random((2, 40)).astype(np.float32)
                yield Outcome(screen, 0.2, "", {"a": rows}, {"screen": screen.auroc, "order": 0.0})


@dataclass
class Box:
    """A vault that calls every third submission best, and answers the same question the same way."""

    each: int = 100
    asked: dict[str, Answer] = field(default_factory=dict)

    def ask(self, submission: Submission) -> Answer:
        if submission.experiment not in self.asked:
            best = len(self.asked) % 3 == 0
            left = self.each - len(self.asked) - 1
            score = 0.5 + 0.05 * len(self.asked) if best else None
            self.asked[submission.experiment] = Answer("best" if best else "not better", score, score, max(left, 0))
        return self.asked[submission.experiment]
