"""A pretrained encoder of code that is fine-tuned to read hunks: the largest student, for those with a GPU.

    text of a hunk ── encoder ── mean over its tokens ── linear ── own logit z_h
    profile of the change, placed on its scale ── linear ── f(profile)
    change logit = log(exp(leak) + Σ exp(z_h)) + f(profile)

Hunks are pooled as in `oversight.students.network`. All weights are trained, or low-rank adapters alone; AdamW with
linear warm-up and decay; as in `oversight.students.training`, held-back rows with the same (weak) labels stop it.
The same seed gives the same student on a CPU with the same number of threads; on a GPU sums run in any order.
Such a student is not what reviews use: it teaches the network (`oversight.experiment.teaching`).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from oversight.errors import LabelError, ModelError
from oversight.features.model import Example
from oversight.history.pool import refuse_canaries
from oversight.measurement.platt import sigmoid
from oversight.students.batch import profiles
from oversight.students.head import VARIANCE
from oversight.students.pretrained import Pretrained
from oversight.students.representation import Matrix, placed
from oversight.students.scale import Edges, Scales, quantile_edges
from oversight.students.student import Student
from oversight.students.training import FEWEST_ROWS, Loss, Report, cross_entropy
from oversight.students.transfer import Anchor, missing_level

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

_LIMIT = 20.0  # of a hunk's log-odds, so that exp() stays finite
_SAMPLE = 256  # rows, in random order, that tell the mean of an encoder not yet trained


@dataclass(frozen=True, slots=True)
class Schedule:
    """How an encoder is trained: rates are those at the end of warm-up, `pull` is as in `training.Budget`."""

    epochs: int = 3
    patience: int = 1
    batch: int = 8
    encoder_rate: float = 3e-5
    adapter_rate: float = 3e-4
    head_rate: float = 2e-3
    weight_decay: float = 0.01
    warm_up: float = 0.1
    dropout: float = 0.1
    held_back: float = 0.1
    pull: float = 1.0


@dataclass(frozen=True, eq=False)
class Inputs:
    """What an encoder sees of changes: the texts of their hunks, by change, and their profiles on their scales.

    `edges` stand in where `scales` do not name every change.
    """

    pretrained: Pretrained
    texts: Mapping[str, tuple[str, ...]]
    scales: Scales
    edges: Edges

    def profiles(self, examples: Sequence[Example]) -> Tensor:
        """Return profiles among the edges of their scales (N, D)."""
        changes = [example.change_id for example in examples]
        scales = self.scales if self.scales.names(changes) else Scales((self.edges,), dict.fromkeys(changes, 0))
        return torch.from_numpy(placed(examples, scales, self.edges.shape[1] - 1))

    def hunks(self, examples: Sequence[Example]) -> tuple[Tensor, Tensor, Tensor]:
        """Return tokens (H, T) and their mask of all hunks, and the change that owns each hunk (H,)."""
        try:
            texts = [self.texts[example.change_id] for example in examples]
        except KeyError as error:
            raise LabelError("a change has no text to read", mend="read every change's text beforehand") from error
        owners = torch.from_numpy(np.repeat(np.arange(len(texts)), [len(each) for each in texts]))
        every = [text for each in texts for text in each]
        if not every:
            return torch.zeros((0, 1), dtype=torch.long), torch.ones((0, 1), dtype=torch.long), owners
        return *self.pretrained.tokens(every), owners


class Reader(nn.Module):
    """The encoder with what is put on top of it."""

    def __init__(self, encoder: nn.Module, width: int, profile: int, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.hunk_logit = nn.Linear(width, 1)
        self.leak = nn.Parameter(torch.zeros(1))
        self.profile = nn.Linear(profile, 1, bias=False)
        nn.init.zeros_(self.profile.weight)

    def raise_by(self, level: float) -> None:
        """Add `level` to the log-odds of every change."""
        with torch.no_grad():
            self.hunk_logit.bias.add_(level)
            self.leak.add_(level)

    def forward(self, tokens: Tensor, mask: Tensor, hunk_change: Tensor, profile: Tensor) -> Tensor:
        """Return the logit of each change (N,), from tokens and mask (H, T), owners (H,) and profiles (N, D)."""
        total = torch.exp(self.leak).expand(profile.shape[0])
        if len(tokens):
            states = self.encoder(input_ids=tokens, attention_mask=mask).last_hidden_state.float()
            kept = mask.unsqueeze(2).float()
            mean = (states * kept).sum(1) / kept.sum(1).clamp(min=1)
            # In full precision: exp() of a logit does not fit into half of it.
            with torch.autocast(mean.device.type, enabled=False):
                hunk_logit = self.hunk_logit(self.dropout(mean)).squeeze(1).clamp(-_LIMIT, _LIMIT)
                total = total.index_add(0, hunk_change, torch.exp(hunk_logit))
        return torch.log(total) + (profile * self.profile.weight).sum(1)


@dataclass(frozen=True, eq=False)
class EncoderStudent:
    """A fine-tuned encoder. It predicts changes whose texts its learner was given."""

    reader: Reader
    inputs: Inputs

    def logits(self, examples: Sequence[Example]) -> Floats:
        """Return the uncalibrated log-odds of each example, (N,); `LabelError` for one without text."""
        return _logits(self.reader, self.inputs, examples)

    def predict(self, examples: Sequence[Example]) -> Floats:
        """Return P(risky) of each example, (N,)."""
        return sigmoid(self.logits(examples))


@dataclass(frozen=True, eq=False)
class EncoderLearner:
    """Fine-tunes `pretrained` on the `texts` of changes' hunks; `report` hears of every epoch.

    Profiles are placed on `scales`, where these name every change, else on the scale of all that are learned from.
    """

    pretrained: Pretrained
    texts: Mapping[str, tuple[str, ...]]
    schedule: Schedule = field(default_factory=Schedule)
    scales: Scales = field(default_factory=Scales)
    bins: int = 8
    start: EncoderStudent | None = None
    report: Report | None = None

    def fit(
        self,
        examples: Sequence[Example],
        targets: ArrayLike,
        *,
        seed: int,
        weights: ArrayLike | None = None,
        loss: Loss = cross_entropy,
        start: Student | None = None,
    ) -> EncoderStudent:
        """Train on targets (N,) in [0, 1] and weights (N,); from `start`, where one is given."""
        refuse_canaries(example.change_id for example in examples)
        wanted = np.asarray(targets, dtype=np.float64)
        counts = np.ones(wanted.size) if weights is None else np.asarray(weights, dtype=np.float64)
        if wanted.size < FEWEST_ROWS or np.ptp(wanted) == 0:
            raise LabelError("there is too little to learn from", mend="give more labelled changes, of both kinds")
        begun = self.start if start is None else start
        if begun is not None and not (isinstance(begun, EncoderStudent) and begun.inputs.pretrained is self.pretrained):
            raise ModelError("an encoder goes on from the same encoder alone", mend="train both with the same learner")
        torch.manual_seed(seed)
        inputs = Inputs(self.pretrained, self.texts, self.scales, quantile_edges(profiles(examples), self.bins))
        training = _Training(inputs, examples, wanted, counts, seed, self.schedule, loss, begun)
        return EncoderStudent(training.run(self.report), inputs)

    def represent(self, examples: Sequence[Example]) -> Matrix:
        """Return the profiles of `examples` among the quantiles of their scales, (N, D)."""
        return placed(examples, self.scales, self.bins)

    def placed(self, scales: Scales) -> EncoderLearner:
        """Return this learner with profiles placed on `scales`, where these name every change that it is given."""
        return replace(self, scales=scales)


class _Training:
    """One run: a reader, what moves it, and the best of it so far."""

    def __init__(
        self,
        inputs: Inputs,
        examples: Sequence[Example],
        targets: Floats,
        weights: Floats,
        seed: int,
        schedule: Schedule,
        loss: Loss,
        start: EncoderStudent | None,
    ) -> None:
        self.inputs, self.examples, self.schedule, self.loss = inputs, examples, schedule, loss
        self.targets, self.weights = torch.from_numpy(targets).float(), torch.from_numpy(weights).float()
        self.profile = inputs.profiles(examples)
        self.random = np.random.default_rng(seed)
        order = self.random.permutation(len(examples))
        held = max(1, int(len(examples) * schedule.held_back))
        self.held_back, self.kept = order[:held], order[held:]
        self.device, self.half = _machine()
        self.reader = self._reader(start).to(self.device)
        self._raise_to_base_rate()
        risky = float((self.targets * self.weights).sum() / self.weights.mean())
        self.anchor = None if start is None else Anchor(self.reader, schedule.pull / max(risky, 1.0))
        self.steps = schedule.epochs * (1 + (len(self.kept) - 1) // schedule.batch)
        self.step = 0
        self.optimiser = self._optimiser()
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.half is torch.float16)

    def _reader(self, start: EncoderStudent | None) -> Reader:
        if start is not None:
            return copy.deepcopy(start.reader)
        pretrained = self.inputs.pretrained
        return Reader(pretrained.fresh(), pretrained.width, self.profile.shape[1], self.schedule.dropout)

    def _raise_to_base_rate(self) -> None:
        """Bring the mean probability to the mean target, so that training starts with what sets changes apart."""
        few = self.kept[:_SAMPLE]
        known, counts = self._now(few), self.weights[few].numpy()
        wanted = float(np.average(self.targets[self.kept].numpy(), weights=self.weights[self.kept].numpy()))
        self.reader.raise_by(
            missing_level(lambda level: float(np.average(sigmoid(known + level), weights=counts)), wanted)
        )

    def _optimiser(self) -> torch.optim.Optimizer:
        schedule, groups = self.schedule, []
        rate = schedule.encoder_rate if self.inputs.pretrained.lora is None else schedule.adapter_rate
        for encoder in (True, False):
            for matrices in (True, False):
                chosen = [
                    value
                    for name, value in self.reader.named_parameters()
                    if value.requires_grad and name.startswith("encoder.") == encoder and (value.ndim > 1) == matrices
                ]
                decay = schedule.weight_decay if matrices else 0.0  # none of biases and of norms
                groups.append({"params": chosen, "lr": rate if encoder else schedule.head_rate, "weight_decay": decay})
        optimiser = torch.optim.AdamW([group for group in groups if group["params"]])
        warm = max(1, round(schedule.warm_up * self.steps))
        self.rate = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: min((step + 1) / warm, (self.steps - step) / max(1, self.steps - warm))
        )
        return optimiser

    def run(self, report: Report | None) -> Reader:
        """Train until the schedule is at its end, or the held-back rows say that nothing more is learned."""
        best, best_loss, stale = self._trained(), float("inf"), 0
        for epoch in range(self.schedule.epochs):
            self._epoch()
            now = self._held_back_loss()
            if report is not None:
                report(epoch, now)
            if now < best_loss:
                best, best_loss, stale = self._trained(), now, 0
            else:
                stale += 1
                if stale > self.schedule.patience:
                    break
        self.reader.load_state_dict(best, strict=False)
        return self.reader.eval()

    def _trained(self) -> dict[str, Tensor]:
        """Return a copy of what is trained, off the GPU, where there is no room for two encoders."""
        values = self.reader.named_parameters()
        return {name: value.detach().cpu().clone() for name, value in values if value.requires_grad}

    def _epoch(self) -> None:
        self.reader.train()
        order = self.random.permutation(self.kept)
        for start in range(0, len(order), self.schedule.batch):
            rows = order[start : start + self.schedule.batch]
            logits = _forward(self.reader, self.inputs, self._examples(rows), self.profile[rows], self.half)
            value = self._loss(logits, rows, self.step / self.steps) + self._prior()
            if self.anchor is not None:
                value = value + self.anchor.cost()
            self.optimiser.zero_grad()
            self.scaler.scale(value).backward()  # type: ignore[no-untyped-call]
            self.scaler.unscale_(self.optimiser)
            torch.nn.utils.clip_grad_norm_(self.reader.parameters(), 1.0)
            self.scaler.step(self.optimiser)
            self.scaler.update()
            self.rate.step()
            self.step += 1

    def _loss(self, logits: Tensor, rows: Indices, progress: float) -> Tensor:
        targets, weights = (values[rows].to(logits.device) for values in (self.targets, self.weights))
        return (self.loss(logits, logits.detach(), targets, progress) * weights).sum() / weights.sum()

    def _prior(self) -> Tensor:
        """Return what weights of the profile cost: as a head's, they are a priori near zero."""
        return (self.reader.profile.weight**2).sum() / (2 * VARIANCE * float(self.weights.sum()))

    def _held_back_loss(self) -> float:
        return float(self._loss(torch.from_numpy(self._now(self.held_back)).float(), self.held_back, 1.0))

    def _now(self, rows: Indices) -> Floats:
        return _logits(self.reader, self.inputs, self._examples(rows), self.schedule.batch)

    def _examples(self, rows: Indices) -> list[Example]:
        return [self.examples[row] for row in rows.tolist()]


def _machine() -> tuple[torch.device, torch.dtype | None]:
    """Return the fastest device there is, and the half precision that it computes in, None for single."""
    if torch.cuda.is_available():
        bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.device("cuda"), torch.bfloat16 if bfloat16 else torch.float16
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu"), None


def _forward(
    reader: Reader, inputs: Inputs, examples: Sequence[Example], profile: Tensor, half: torch.dtype | None
) -> Tensor:
    device = reader.leak.device
    batch = (each.to(device) for each in (*inputs.hunks(examples), profile))
    with torch.autocast(device.type, dtype=half, enabled=half is not None):
        logits: Tensor = reader(*batch)
    return logits


def _logits(reader: Reader, inputs: Inputs, examples: Sequence[Example], batch: int = Schedule().batch) -> Floats:
    reader.eval()
    profile, half = inputs.profiles(examples), _machine()[1]
    found: list[NDArray[np.float32]] = []
    with torch.no_grad():
        for start in range(0, len(examples), batch):
            part = slice(start, start + batch)
            found.append(_forward(reader, inputs, examples[part], profile[part], half).cpu().numpy())
    return np.concatenate(found).astype(np.float64) if found else np.zeros(0)
