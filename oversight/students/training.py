"""The training loop: reads top to bottom, and gives the same network for the same seed.

A small network learns what it can of a repository in a few epochs and over-fits from then on. Hence: few
dimensions, dropout of tokens and of hidden units, decoupled weight decay (AdamW, arXiv:1711.05101), smoothed
labels, and early stopping on held-back rows with the same (weak) labels; gold labels are never looked at to
stop or to select.

Half of the repairs of a change come more than a year after it, so that most young risky changes still look clean.
Where the share of repairs that would be known by now is given for a row, the network learns P(risky) behind
P(known as risky) = P(risky) * share: the delayed-feedback likelihood (Chapelle 2014, KDD).

A network that was trained on other repositories may be where training starts. Its layers are then held to where they
stood, the more so the fewer risky rows there are: L2-SP (Li et al. 2018, arXiv:1802.01483).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from oversight.errors import LabelError
from oversight.features.model import Example
from oversight.history.pool import refuse_canaries
from oversight.students.batch import Batch, collate, profiles
from oversight.students.network import Architecture, Network
from oversight.students.scale import Edges, quantile_edges
from oversight.students.transfer import Anchor, missing_level

Loss: TypeAlias = Callable[[Tensor, Tensor, Tensor, float], Tensor]
"""(logits (N,), the same with the gradient stopped (N,), targets (N,), progress in [0, 1]) -> loss of each row (N,)."""

FEWEST_ROWS = 20
"""With fewer rows nothing is learned."""

_STEPS = 40
_FEWEST_STEPS = 11
_SMALLEST_BATCH = 16

Build: TypeAlias = Callable[[Architecture], Network]
"""Makes a network of a size; for experiments with others of the same inputs and outputs."""

Report: TypeAlias = Callable[[int, float], None]
"""Called after every epoch with its number and the loss on the held-back rows."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How a network is trained.

    `batch` is the most rows in a step; with few rows it is smaller, so that an epoch has some forty steps. `hunk_loss`
    weighs the loss of the pooled hunks alone, which makes each hunk's own logit mean something; `context_dropout` is
    the share of rows shown as a bare diff would be, without history. `pull` holds layers to where training started,
    where that is a trained network: the squared distance costs that much, divided by the number of risky rows, as a
    Gaussian around the start would weigh against their likelihood.
    """

    epochs: int = 8
    patience: int = 3
    batch: int = 256
    learning_rate: float = 2e-3
    embedding_rate: float = 0.3
    weight_decay: float = 0.05
    smoothing: float = 0.02
    hunk_loss: float = 0.5
    context_dropout: float = 0.1
    held_back: float = 0.1
    pull: float = 1.0


@dataclass(frozen=True, slots=True)
class Rows:
    """What is learned from: N examples with targets (N,) in [0, 1], weights (N,), and three things that are known
    of each beforehand (N,).

    `prior`: log-odds added to the logits in training and left out afterwards. Rows of a repository where repairs are
    recorded ten times as often then teach what sets changes apart, not which repository they are from. `found`:
    P(it would be known by now | it is risky). `scale`: number of the scale that its profile is placed on.
    """

    examples: Sequence[Example]
    targets: NDArray[np.float64]
    weights: NDArray[np.float64]
    prior: NDArray[np.float64]
    found: NDArray[np.float64]
    scale: NDArray[np.int64]

    def take(self, chosen: NDArray[np.int64]) -> Rows:
        """Return the chosen rows, in that order."""
        return Rows(
            [self.examples[row] for row in chosen.tolist()],
            self.targets[chosen],
            self.weights[chosen],
            self.prior[chosen],
            self.found[chosen],
            self.scale[chosen],
        )

    def __len__(self) -> int:
        return len(self.examples)


def cross_entropy(logits: Tensor, frozen: Tensor, targets: Tensor, progress: float) -> Tensor:  # noqa: ARG001  # a `Loss`
    """Return the cross-entropy of each row with its soft target (N,)."""
    return binary_cross_entropy_with_logits(logits, targets, reduction="none")


def train(
    architecture: Architecture,
    rows: Rows,
    *,
    seed: int,
    budget: Budget,
    history: NDArray[np.bool_],
    loss: Loss = cross_entropy,
    scales: Sequence[Edges] = (),
    start: Network | None = None,
    build: Build = Network,
    report: Report | None = None,
) -> Network:
    """Train a network on `rows`, from `start` where one of the same sizes is given.

    `history` (M,) is True for the measures that a bare diff does not have. `scales` are those that `rows.scale` tells
    by number; without any, all rows are placed on the network's own scale, which is that of all of them. Raises
    `LabelError` for fewer than 20 rows, or targets that are all the same.
    """
    refuse_canaries(example.change_id for example in rows.examples)
    if len(rows) < FEWEST_ROWS or np.ptp(rows.targets) == 0:
        raise LabelError("there is too little to learn from", mend="give more labelled changes, of both kinds")
    with one_thread():
        torch.manual_seed(seed)
        return _Training(build(architecture), rows, seed, budget, history, loss, scales, start).run(report)


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums in one order, whatever the machine; matrices this small gain little from a second thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class _Training:
    """One run: a network, what moves it, and the best of it so far."""

    def __init__(
        self,
        network: Network,
        rows: Rows,
        seed: int,
        budget: Budget,
        history: NDArray[np.bool_],
        loss: Loss,
        scales: Sequence[Edges],
        start: Network | None,
    ) -> None:
        self.budget, self.history, self.loss = budget, history, loss
        self.random = np.random.default_rng(seed)
        order = self.random.permutation(len(rows))
        held = max(1, int(len(rows) * budget.held_back))
        self.held_back, self.kept = rows.take(order[:held]), rows.take(order[held:])
        self.batch = int(np.clip(len(self.kept) // _STEPS, _SMALLEST_BATCH, budget.batch))
        self.steps = budget.epochs * (1 + (len(self.kept) - 1) // self.batch)
        self.step = 0
        self.edges = torch.from_numpy(np.stack(scales)) if scales else None
        self.network = self._begun(network)
        self.anchor = None if start is None else self._continue_from(start)
        self.optimisers = self._optimisers()

    def _begun(self, network: Network) -> Network:
        kept, bins = self.kept, network.architecture.bins
        profile = profiles(kept.examples)
        network.standardise_facts.fit(torch.from_numpy(np.concatenate([example.facts for example in kept.examples])))
        network.scale.edges.copy_(torch.from_numpy(quantile_edges(profile, bins)))
        base = float(np.average(kept.targets, weights=kept.weights)) / float(kept.found.mean())
        network.start_at(float(np.log(base / (1 - base))) - float(np.average(kept.prior, weights=kept.weights)))
        return network

    def _continue_from(self, start: Network) -> Anchor:
        """Take over what another network knows, but for the scale, which is these rows' own, and the base rate."""
        edges = self.network.scale.edges.clone()
        self.network.load_state_dict(start.state_dict())
        self.network.scale.edges.copy_(edges)
        self.network.raise_by(self._missing_level())
        risky = float((self.kept.targets * self.kept.weights).sum() / self.kept.weights.mean())
        return Anchor(self.network, self.budget.pull / max(risky, 1.0))

    def _missing_level(self) -> float:
        """Return the log-odds that bring the mean probability to the mean target."""
        rows, logits = self.kept, []
        self.network.eval()
        with torch.no_grad():
            for chosen in _minibatches(np.arange(len(rows)), 256):
                part = rows.take(chosen)
                pooled, context = forward(self.network, collate(part.examples), self._edges_of(part))
                logits.append(pooled + context)
        known = torch.cat(logits) + torch.from_numpy(rows.prior).float()
        found, weights = (torch.from_numpy(array).float() for array in (rows.found, rows.weights))

        def mean(level: float) -> float:
            return float((torch.sigmoid(observed(known + level, found)) * weights).sum() / weights.sum())

        return missing_level(mean, float(np.average(rows.targets, weights=rows.weights)))

    def _optimisers(self) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
        budget = self.budget
        self.layers = [parameter for name, parameter in self.network.named_parameters() if name != "embedding"]
        layers = torch.optim.AdamW(self.layers, lr=budget.learning_rate, weight_decay=budget.weight_decay)
        # Adam would move the vector of a token seen twice as far as that of one seen a thousand times, and learn names
        # by heart; plain gradients leave rare tokens where they are.
        embedding = torch.optim.SGD([self.network.embedding], lr=budget.embedding_rate, momentum=0.9)
        # With exactly ten steps torch's schedule has a warm-up of no length, and divides by it.
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            layers, budget.learning_rate, total_steps=max(self.steps, _FEWEST_STEPS), pct_start=0.1
        )
        return layers, embedding

    def run(self, report: Report | None) -> Network:
        """Train until the budget is spent, or the held-back rows say that nothing more is learned."""
        best, best_loss, stale = self.network, float("inf"), 0
        for epoch in range(self.budget.epochs):
            self._epoch()
            now = self._held_back_loss()
            if report is not None:
                report(epoch, now)
            if now < best_loss:
                best, best_loss, stale = copy.deepcopy(self.network), now, 0
            else:
                stale += 1
                if stale >= self.budget.patience:
                    break
        # Stored in half precision (a third of the size of everything else), so evaluated as it will be stored.
        best.embedding.data = best.embedding.data.half().float()
        return best.eval()

    def _epoch(self) -> None:
        self.network.train()
        budget = self.budget
        for chosen in _minibatches(self.random.permutation(len(self.kept)), self.batch):
            part = self.kept.take(chosen)
            batch = collate(part.examples)
            hidden = np.flatnonzero(self.random.random(len(part)) < budget.context_dropout)
            batch.profile[np.ix_(hidden, np.flatnonzero(self.history))] = np.nan
            targets = budget.smoothing / 2 + (1 - budget.smoothing) * part.targets
            value = self._loss(batch, replace(part, targets=targets), self.step / self.steps)
            if self.anchor is not None:
                value = value + self.anchor.cost()
            for optimiser in self.optimisers:
                optimiser.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.layers, 1.0)
            for optimiser in self.optimisers:
                optimiser.step()
            self.schedule.step()
            warmth = self.schedule.get_last_lr()[0] / budget.learning_rate
            self.optimisers[1].param_groups[0]["lr"] = budget.embedding_rate * warmth
            self.step += 1

    def _loss(self, batch: Batch, rows: Rows, progress: float) -> Tensor:
        pooled, context = forward(self.network, batch, self._edges_of(rows))
        targets, weights, prior, found = (
            torch.from_numpy(array).float() for array in (rows.targets, rows.weights, rows.prior, rows.found)
        )
        whole = observed(pooled + context + prior, found)
        alone = observed(pooled + prior, found)
        whole = self.loss(whole, whole.detach(), targets, progress)
        alone = self.loss(alone, alone.detach(), targets, progress)
        return ((whole + self.budget.hunk_loss * alone) * weights).sum() / weights.sum()

    def _edges_of(self, rows: Rows) -> Tensor | None:
        return None if self.edges is None else self.edges[torch.from_numpy(rows.scale)]

    def _held_back_loss(self) -> float:
        self.network.eval()
        rows, total = self.held_back, 0.0
        with torch.no_grad():
            for chosen in _minibatches(np.arange(len(rows)), 256):
                part = rows.take(chosen)
                total += float(self._loss(collate(part.examples), part, 1.0)) * float(part.weights.sum())
        return total / float(rows.weights.sum())


def observed(logits: Tensor, found: Tensor) -> Tensor:
    """Return the log-odds of being known as risky, (N,), from those of being risky and P(known | risky) in (0, 1].

    >>> round(torch.sigmoid(observed(torch.tensor([0.0]), torch.tensor([0.5]))).item(), 6)
    0.25
    """
    return logits + torch.log(found) - torch.log1p(torch.exp(logits) * (1 - found))


def forward(network: Network, batch: Batch, edges: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return the pooled hunk logits (N,) and the context logits (N,), whose sum is the change's logit."""
    tokens, token_hunk = torch.from_numpy(batch.tokens), torch.from_numpy(batch.token_hunk)
    facts, profile = torch.from_numpy(batch.facts), torch.from_numpy(batch.profile)
    hunk_logit, context, leak = network(tokens, token_hunk, facts, profile, edges)
    return network.pool(hunk_logit, leak, torch.from_numpy(batch.hunk_change)), context


def _minibatches(order: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(order), size):
        yield order[start : start + size]
