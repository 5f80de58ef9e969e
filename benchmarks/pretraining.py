"""Vectors of tokens learned without labels, by guessing the ones that are hidden from the rest of their hunk.

A masked-token objective (Devlin et al. 2019, arXiv:1810.04805) over bags of marked tokens, with the other hunks of a
step as noise (van den Oord et al. 2018, arXiv:1807.03748): what a hunk's visible tokens sum up to has to be closer to
its own hidden tokens than to those of others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from oversight.features.model import Example
from oversight.students.network import Architecture, Network

_HIDDEN = 0.3  # share of a hunk's tokens that have to be guessed
_HUNKS_AT_ONCE = 256
_MOST_TOKENS = 128  # of a hunk: long ones would drown the others
_FEWEST_TOKENS = 4
_RATE = 0.005
_START = 0.1  # spread of the vectors, before and after


@dataclass(frozen=True, slots=True)
class _Step:
    """Hunks (H,) of one step: visible and hidden tokens, flat, with their owners."""

    visible: Tensor
    visible_hunk: Tensor
    hidden: Tensor
    hidden_hunk: Tensor


def pretrained(architecture: Architecture, examples: Sequence[Example], *, seed: int, epochs: int = 1) -> Network:
    """Return a network whose vectors of tokens were learned from the hunks of `examples`; all else is at its start."""
    torch.manual_seed(seed)
    network = Network(architecture)
    network.standardise_facts.fit(torch.from_numpy(np.concatenate([example.facts for example in examples])))
    vectors = nn.Embedding(architecture.buckets, architecture.embedding, sparse=True)
    nn.init.normal_(vectors.weight, std=_START)
    guess = nn.Linear(architecture.embedding, architecture.embedding)
    sparse = torch.optim.SparseAdam(vectors.parameters(), lr=_RATE)
    dense = torch.optim.Adam(guess.parameters(), lr=_RATE)
    random = np.random.default_rng(seed)
    for _ in range(epochs):
        for step in _steps(examples, random):
            value = _loss(vectors, guess, step)
            sparse.zero_grad()
            dense.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            sparse.step()
            dense.step()
    with torch.no_grad():
        # Training of the network expects vectors of this size, whatever the guessing made of them.
        network.embedding.copy_(vectors.weight * (_START / vectors.weight.std()))
    return network


def _loss(vectors: nn.Embedding, guess: nn.Linear, step: _Step) -> Tensor:
    hunks = int(step.hidden_hunk.max()) + 1
    seen, wanted = (
        _mean(vectors(tokens), owners, hunks)
        for tokens, owners in ((step.visible, step.visible_hunk), (step.hidden, step.hidden_hunk))
    )
    alike = nn.functional.normalize(guess(seen), dim=1) @ nn.functional.normalize(wanted, dim=1).T
    return cross_entropy(alike * 10, torch.arange(hunks))


def _mean(rows: Tensor, owners: Tensor, count: int) -> Tensor:
    total = torch.zeros(count, rows.shape[1]).index_add(0, owners, rows)
    return total / torch.zeros(count).index_add(0, owners, torch.ones(len(owners))).clamp(min=1).unsqueeze(1)


def _steps(examples: Sequence[Example], random: np.random.Generator) -> Iterator[_Step]:
    """Yield all hunks that hold enough tokens, changes in random order."""
    hunks: list[NDArray[np.int64]] = []
    for row in random.permutation(len(examples)).tolist():
        one = examples[row]
        for first, last in zip(one.offsets[:-1].tolist(), one.offsets[1:].tolist(), strict=True):
            if last - first < _FEWEST_TOKENS:
                continue
            hunks.append(random.permutation(one.tokens[first:last])[:_MOST_TOKENS].astype(np.int64))
            if len(hunks) == _HUNKS_AT_ONCE:
                yield _step(hunks)
                hunks = []


def _step(hunks: Sequence[NDArray[np.int64]]) -> _Step:
    """Part each hunk, whose tokens are in random order, into what is seen and what has to be guessed."""
    cut = [max(1, int(_HIDDEN * hunk.size)) for hunk in hunks]
    hidden = [hunk[:count] for hunk, count in zip(hunks, cut, strict=True)]
    visible = [hunk[count:] for hunk, count in zip(hunks, cut, strict=True)]
    return _Step(*_flat(visible), *_flat(hidden))


def _flat(parts: Sequence[NDArray[np.int64]]) -> tuple[Tensor, Tensor]:
    owners = np.repeat(np.arange(len(parts)), [part.size for part in parts])
    return torch.from_numpy(np.concatenate(parts)), torch.from_numpy(owners)
