"""logconf: cross-entropy with a confidence term, which lets the student disagree with its teacher where it is sure.

    loss = CE(p, (1 - c) w + c 1[sg(p) > t])        w = P(risky) of the label, p = the student's, sg = gradient stopped
    t: the student calls as many rows risky as there are, a share `prior`, and one at least
    c = `most` * min(1, progress / .2)

The auxiliary confidence loss of weak-to-strong training (Burns et al. 2023, arXiv:2312.09390). The prior
is the share of risky ones among the human labels, or the mean weak label where these are too few; t is taken anew in
every batch, as a quantile of its N log-odds, so that a batch too small for one risky row has one. Default: `most` .5,
at which the student's word is worth as much as its teacher's. Human labels take part with weight 1, weak ones with
`weak_weight`, as in `mixed`; the confidence term applies to both.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from oversight.methods._rows import Labelled
from oversight.methods._targets import Together, prior, warm_up
from oversight.students.training import Loss


@dataclass(frozen=True)
class Confidence:
    """The loss: `prior` in (0, 1), `most` in [0, 1/2]."""

    prior: float
    most: float

    def __call__(self, logits: Tensor, frozen: Tensor, targets: Tensor, progress: float) -> Tensor:
        """Return the loss of each row (N,); see `oversight.students.training.Loss`."""
        share = self.most * warm_up(progress)
        # The row below: between two rows that all but agree, an interpolated one may be rounded to the upper of them.
        sure = (frozen > torch.quantile(frozen, 1 - self.prior, interpolation="lower")).float()
        return binary_cross_entropy_with_logits(logits, (1 - share) * targets + share * sure, reduction="none")


@dataclass(frozen=True)
class LogConf(Together):
    """See the module's docstring."""

    most: float = 0.5

    def loss(self, rows: Labelled) -> Loss:
        """Return what is minimised."""
        return Confidence(prior(rows), self.most)


METHOD = LogConf
