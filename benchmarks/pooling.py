"""Other ways than a noisy-or to make one number of a change's hunks, to be compared with it."""

from __future__ import annotations

import torch
from torch import Tensor

from oversight.students.network import Architecture, Network


class MeanPooling(Network):
    """The mean of the hunks' logits: a hunk more of the usual kind lowers what a bad one says."""

    def pool(self, hunk_logit: Tensor, leak: Tensor, hunk_change: Tensor) -> Tensor:
        """Return the mean of each change's hunks, plus the leak."""
        total = torch.zeros_like(leak).index_add(0, hunk_change, hunk_logit)
        count = torch.zeros_like(leak).index_add(0, hunk_change, torch.ones_like(hunk_logit))
        return leak + total / count.clamp(min=1)


class MaximumPooling(Network):
    """The worst hunk alone."""

    def pool(self, hunk_logit: Tensor, leak: Tensor, hunk_change: Tensor) -> Tensor:
        """Return the greatest logit of each change's hunks and the leak."""
        return leak.scatter_reduce(0, hunk_change, hunk_logit, "amax")


class AttentionPooling(Network):
    """A mean weighted by a softmax over the hunks' logits, whose sharpness is learned (Ilse et al. 2018)."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__(architecture)
        self.sharpness = torch.nn.Parameter(torch.ones(1))

    def pool(self, hunk_logit: Tensor, leak: Tensor, hunk_change: Tensor) -> Tensor:
        """Return each change's mean of hunks, the more attended to the higher they are, plus the leak."""
        weight = torch.exp((self.sharpness * hunk_logit).clamp(-20, 20))
        total = torch.zeros_like(leak).index_add(0, hunk_change, weight * hunk_logit)
        count = torch.zeros_like(leak).index_add(0, hunk_change, weight)
        return leak + total / count.clamp(min=1e-9)
