"""The training loop: reads top to bottom, and gives the same network for the same seed.

A small network learns what it can of a repository in one or two epochs and over-fits from then on. Hence: few
dimensions, dropout of tokens and of hidden units, decoupled weight decay (AdamW, arXiv:1711.05101), smoothed
labels, and early stopping on held-back rows with the same (weak) labels; gold labels are never looked at to
stop or to select.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from oversight.errors import LabelError
from oversight.features.model import Example
from oversight.students.batch import Batch, collate
from oversight.students.network import Architecture, Network, pool

Loss: TypeAlias = Callable[[Tensor, Tensor, float], Tensor]
"""(logits (N,), targets (N,), progress in [0, 1]) -> loss of each row (N,)."""

Report: TypeAlias = Callable[[int, float], None]
"""Called after every epoch with its number and the loss on the held-back rows."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How a network is trained.

    `hunk_loss` weighs the loss of the pooled hunks alone, which makes each hunk's own logit mean something;
    `context_dropout` is the share of rows shown as a bare diff would be, without history.
    """

    epochs: int = 8
    patience: int = 2
    batch: int = 64
    learning_rate: float = 2e-3
    embedding_rate: float = 1.0
    weight_decay: float = 0.05
    smoothing: float = 0.02
    hunk_loss: float = 0.5
    context_dropout: float = 0.15
    held_back: float = 0.1


@dataclass(frozen=True, slots=True)
class Rows:
    """What is learned from: N examples with targets (N,) in [0, 1], weights (N,), and log-odds (N,) that are
    known beforehand.

    `prior` is added to the logits in training and left out afterwards: rows of a repository where repairs are
    recorded ten times as often then teach what sets changes apart, not which repository they are from.
    """

    examples: Sequence[Example]
    targets: NDArray[np.float64]
    weights: NDArray[np.float64]
    prior: NDArray[np.float64]

    def take(self, chosen: NDArray[np.int64]) -> Rows:
        """Return the chosen rows, in that order."""
        examples = [self.examples[row] for row in chosen.tolist()]
        return Rows(examples, self.targets[chosen], self.weights[chosen], self.prior[chosen])

    def __len__(self) -> int:
        return len(self.examples)


def cross_entropy(logits: Tensor, targets: Tensor, progress: float) -> Tensor:  # noqa: ARG001  # other losses use it
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
    report: Report | None = None,
) -> Network:
    """Train a network on `rows`; `history` (M,) is True for the measures that a bare diff does not have.

    Raises `LabelError` for fewer than 20 rows, or targets that are all the same.
    """
    if len(rows) < 20 or np.ptp(rows.targets) == 0:
        raise LabelError("there is too little to learn from", mend="give more labelled changes, of both kinds")
    with _one_thread():
        return _train(architecture, rows, seed, budget, history, loss, report)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums in one order, whatever the machine; matrices this small gain nothing from a second thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _train(
    architecture: Architecture,
    rows: Rows,
    seed: int,
    budget: Budget,
    history: NDArray[np.bool_],
    loss: Loss,
    report: Report | None,
) -> Network:
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    order = random.permutation(len(rows))
    held = max(1, int(len(rows) * budget.held_back))
    held_back, kept = rows.take(order[:held]), rows.take(order[held:])

    network = Network(architecture)
    network.standardise_measures.fit(torch.from_numpy(np.stack([example.measures for example in kept.examples])))
    network.standardise_facts.fit(torch.from_numpy(np.concatenate([example.facts for example in kept.examples])))
    base = float(np.average(kept.targets, weights=kept.weights))
    network.start_at(float(np.log(base / (1 - base)) - np.average(kept.prior, weights=kept.weights)))
    layers = [parameter for name, parameter in network.named_parameters() if name != "embedding"]
    optimiser = torch.optim.AdamW(layers, lr=budget.learning_rate, weight_decay=budget.weight_decay)
    # Adam would move the vector of a token seen twice as far as that of one seen a thousand times, and learn names by
    # heart; plain gradients leave rare tokens where they are.
    embedder = torch.optim.SGD([network.embedding], lr=budget.embedding_rate, momentum=0.9)
    steps = budget.epochs * (1 + (len(kept) - 1) // budget.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, budget.learning_rate, total_steps=steps, pct_start=0.1)

    best, best_loss, stale, step = network, float("inf"), 0, 0
    for epoch in range(budget.epochs):
        network.train()
        for chosen in _minibatches(random.permutation(len(kept)), budget.batch):
            part = kept.take(chosen)
            batch = collate(part.examples)
            batch.measures[np.ix_(random.random(len(part)) < budget.context_dropout, history)] = np.nan
            targets = budget.smoothing / 2 + (1 - budget.smoothing) * part.targets
            value = _loss(
                network, batch, Rows(part.examples, targets, part.weights, part.prior), loss, step / steps, budget
            )
            optimiser.zero_grad()
            embedder.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(layers, 1.0)
            optimiser.step()
            embedder.step()
            schedule.step()
            embedder.param_groups[0]["lr"] = budget.embedding_rate * schedule.get_last_lr()[0] / budget.learning_rate
            step += 1
        now = _held_back_loss(network, held_back, loss, budget)
        if report is not None:
            report(epoch, now)
        if now < best_loss:
            best, best_loss, stale = copy.deepcopy(network), now, 0
        else:
            stale += 1
            if stale >= budget.patience:
                break
    # Stored in half precision (a third of the size of everything else), so evaluated as it will be stored.
    best.embedding.data = best.embedding.data.half().float()
    return best.eval()


def _loss(network: Network, batch: Batch, rows: Rows, loss: Loss, progress: float, budget: Budget) -> Tensor:
    pooled, context = forward(network, batch)
    targets = torch.from_numpy(rows.targets).float()
    weights = torch.from_numpy(rows.weights).float()
    prior = torch.from_numpy(rows.prior).float()
    whole = loss(pooled + context + prior, targets, progress)
    alone = loss(pooled + prior, targets, progress)
    return ((whole + budget.hunk_loss * alone) * weights).sum() / weights.sum()


def _held_back_loss(network: Network, rows: Rows, loss: Loss, budget: Budget) -> float:
    network.eval()
    total = 0.0
    with torch.no_grad():
        for chosen in _minibatches(np.arange(len(rows)), 256):
            part = rows.take(chosen)
            value = _loss(network, collate(part.examples), part, loss, 1.0, budget)
            total += float(value) * float(part.weights.sum())
    return total / float(rows.weights.sum())


def forward(network: Network, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the pooled hunk logits (N,) and the context logits (N,), whose sum is the change's logit."""
    tokens, token_hunk = torch.from_numpy(batch.tokens), torch.from_numpy(batch.token_hunk)
    facts, measures = torch.from_numpy(batch.facts), torch.from_numpy(batch.measures)
    hunk_logit, context, leak = network(tokens, token_hunk, facts, measures)
    return pool(hunk_logit, leak, torch.from_numpy(batch.hunk_change)), context


def _minibatches(order: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(order), size):
        yield order[start : start + size]
