"""A head: the last layer alone, trained on representations that were computed once.

    logit(x) = x · w + b        w ~ N(mean, variance)        the weights with the highest posterior

The penalty on the weights is a prior, not a share of the loss: a row of weight 1 is one label's worth of evidence, so
that the same variance serves 300 labels and 10,000. On development histories (`benchmarks/WEAK_TO_STRONG.md`) this
ordered changes better than boosting on the same numbers and than networks trained from nothing, in a fraction of a
second. What is reviewed with is a network all the same: `crowned` puts a head on the network that it started from.

A loss may look at the student's own logits with the gradient stopped (`oversight.students.training.Loss`). Those are
held fixed while the rest is solved for (L-BFGS, Liu & Nocedal 1989, doi:10.1007/BF01589116), in a few rounds. Plain
cross-entropy looks at nothing of the kind, and has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from oversight.errors import LabelError, ModelError
from oversight.features.model import Example
from oversight.history.pool import refuse_canaries
from oversight.measurement.platt import Platt, sigmoid
from oversight.students.network import Network
from oversight.students.representation import RANK, START, Matrix, Representation
from oversight.students.scale import Edges
from oversight.students.student import NetworkStudent, Student
from oversight.students.training import FEWEST_ROWS, Loss, cross_entropy, one_thread

Floats = NDArray[np.float64]

VARIANCE = 0.002
"""Of a weight, a priori."""

_ROUNDS = 4
_STEPS = 100  # of each round, at most
_TOLERANCE = 1e-7  # of the mean loss: what AUROC can see is far above


@dataclass(frozen=True)
class HeadStudent:
    """A linear model of represented changes: `weights` (D,) and an intercept."""

    representation: Representation
    weights: NDArray[np.float32]
    intercept: float

    def logits(self, examples: Sequence[Example]) -> Floats:
        """Return the log-odds of each example, (N,); `LabelError` for one that was not represented."""
        rows = self.representation.of(examples)
        return (rows @ self.weights).astype(np.float64) + self.intercept

    def predict(self, examples: Sequence[Example]) -> Floats:
        """Return P(risky) of each example, (N,)."""
        return sigmoid(self.logits(examples))


@dataclass(frozen=True)
class HeadLearner:
    """Trains heads on one representation; `variance` is that of every weight, `start` an earlier head whose weights are
    expected before anything is learned.
    """

    representation: Representation
    variance: float = VARIANCE
    start: HeadStudent | None = None

    def represent(self, examples: Sequence[Example]) -> Matrix:
        """Return the rows (N, D) that heads see of `examples`."""
        return self.representation.of(examples)

    def fit(
        self,
        examples: Sequence[Example],
        targets: ArrayLike,
        *,
        seed: int,  # noqa: ARG002  # nothing is drawn: the solution is the same for every seed
        weights: ArrayLike | None = None,
        loss: Loss = cross_entropy,
        start: Student | None = None,
    ) -> HeadStudent:
        """Find the weights for targets (N,) in [0, 1] and weights (N,); from `start`, where one is given."""
        refuse_canaries(example.change_id for example in examples)
        wanted = np.asarray(targets, dtype=np.float64)
        counts = np.ones(wanted.size) if weights is None else np.asarray(weights, dtype=np.float64)
        if wanted.size < FEWEST_ROWS or np.ptp(wanted) == 0:
            raise LabelError("there is too little to learn from", mend="give more labelled changes, of both kinds")
        begun = self.start if start is None else start
        if begun is not None and not isinstance(begun, HeadStudent):
            raise ModelError("a head goes on from a head alone", mend="train both with the same learner")
        mean = self.representation.mean if begun is None else begun.weights
        found, intercept = solve(self.representation.of(examples), wanted, counts, mean, self.variance, loss)
        return HeadStudent(self.representation, found, intercept)


def crowned(head: HeadStudent, start: NetworkStudent, edges: Edges) -> NetworkStudent:
    """Return `start` with the head as one more layer, which says what the head does: of its log-odds S the head takes
    a part a, by which the calibration multiplies.

        a * S + x · w + b  =  a * (S + x · w / a + b / a)

    `edges` (K, B + 1) are stored as the network's own scale. Raises `ModelError` where the head was not trained on the
    log-odds of a start, or has turned them round.
    """
    size = start.network.architecture
    bins, flags = size.profile * size.bins, size.profile * (size.bins + 1)
    if head.weights.size != flags + size.profile + 1 or head.weights[-1] <= 0:
        raise ModelError("the head does not go on from this network", mend="train it with more labels, or --start none")
    scale = float(head.weights[-1]) / START
    line = head.weights[:flags].copy()
    line[:bins] += np.repeat(head.weights[flags:-1], size.bins) * RANK / size.bins
    network = Network(replace(size, head=True))
    network.load_state_dict(start.network.state_dict(), strict=False)
    with torch.no_grad():
        before = start.network.head.weight if size.head else 0.0
        network.head.weight.copy_(before + torch.from_numpy(line / scale))
        network.scale.edges.copy_(torch.from_numpy(edges))
    network.raise_by(head.intercept / scale)
    return NetworkStudent(network.eval(), Platt(scale, 0.0), Platt(scale, 0.0))


def solve(
    rows: Matrix,
    targets: Floats,
    counts: Floats,
    mean: NDArray[np.float32],
    variance: float = VARIANCE,
    loss: Loss = cross_entropy,
) -> tuple[NDArray[np.float32], float]:
    """Return the likeliest weights (D,) and intercept for rows (N, D) with targets (N,) that count so often (N,)."""
    base = float(np.average(targets, weights=counts))
    with one_thread():
        weights, intercept = _solve(
            torch.from_numpy(rows),
            torch.from_numpy(targets).float(),
            torch.from_numpy(counts / counts.sum()).float(),
            torch.from_numpy(mean),
            float(np.log(base / (1 - base))),
            variance * float(counts.sum()),
            loss,
        )
    return weights.numpy(), float(intercept)


def _solve(
    rows: Tensor, targets: Tensor, shares: Tensor, mean: Tensor, level: float, slack: float, loss: Loss
) -> tuple[Tensor, Tensor]:
    """Minimise Σ shares * loss + |w - mean|² / (2 slack) over weights w (D,) and an intercept, begun at `level` where
    every row gets it from the mean weights.
    """
    weights = mean.clone().requires_grad_()
    known = rows @ mean
    intercept = torch.tensor(level - float(known @ shares)).requires_grad_()
    rounds = 1 if loss is cross_entropy else _ROUNDS
    for number in range(rounds):
        frozen = (rows @ weights + intercept).detach()
        progress = number / (_ROUNDS - 1)
        solver = torch.optim.LBFGS(
            [weights, intercept], max_iter=_STEPS, tolerance_change=_TOLERANCE, line_search_fn="strong_wolfe"
        )

        def closure(solver: torch.optim.LBFGS = solver, frozen: Tensor = frozen, progress: float = progress) -> Tensor:
            solver.zero_grad()
            value = (loss(rows @ weights + intercept, frozen, targets, progress) * shares).sum()
            value = value + ((weights - mean) ** 2).sum() / (2 * slack)
            value.backward()  # type: ignore[no-untyped-call]
            return value

        solver.step(closure)  # type: ignore[no-untyped-call]
    return weights.detach(), intercept.detach()
