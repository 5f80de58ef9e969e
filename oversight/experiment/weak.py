"""Weak supervisors by name: what they learn from N human labels, and the weak labels that they give.

| name | what it is |
|---|---|
| lexical | marked tokens, logistic regression |
| principles | the constitution: 1 - product of (1 - risk) over what fires, calibrated |
| claude | what Claude said when it was asked (`oversight label`), calibrated |
| panel | lexical, principles and the size of the change, and claude where it was asked, joined by the label model |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from oversight.errors import LabelError, UsageError
from oversight.experiment.reading import Reading
from oversight.history.context import MEASURES
from oversight.measurement.platt import fit_platt, logit
from oversight.reviewers import lexical, panel
from oversight.reviewers.model import WeakLabel
from oversight.reviewers.size import Size

NAMES = ("claude", "lexical", "panel", "principles")
DEFAULT = "panel"

_FOLDS = 5

_ADDED, _DELETED = MEASURES.index("la"), MEASURES.index("ld")


def weak_labels(
    name: str,
    taught: Sequence[Reading],
    labels: NDArray[np.bool_],
    wanted: Sequence[Reading],
    *,
    seed: int,
) -> list[WeakLabel]:
    """Teach the weak supervisor `name` the human labels (N,) of `taught`, and let it label `wanted`.

    `wanted` has no labels; the label models learn from it how reviewers agree, and which words are rare.
    `LabelError` where there are too few labels of either kind.
    """
    if name == "principles":
        return _by_principles(taught, labels, wanted)
    if name == "claude":
        return _by_claude(taught, labels, wanted)
    if name == "lexical":
        return _by_lexical(taught, labels, wanted, seed)
    if name == "panel":
        return _by_panel(taught, labels, wanted, seed)
    raise UsageError("there is no weak reviewer of that name", mend=f"use one of {', '.join(NAMES)}")


def cross_fitted(
    name: str,
    taught: Sequence[Reading],
    labels: NDArray[np.bool_],
    background: Sequence[Reading],
    *,
    seed: int,
) -> list[WeakLabel]:
    """Return the weak label of every one of `taught` by a supervisor that was taught the other folds' labels (N,).

    These tell how far the supervisor can be trusted. None are returned where a fold would leave too few labels of
    either kind to teach with.
    """
    given: list[WeakLabel | None] = [None] * len(taught)
    for held in stratified_folds(labels, _FOLDS, seed):
        kept = np.setdiff1d(np.arange(labels.size), held)
        wanted = [*(taught[row] for row in held.tolist()), *background]
        try:
            said = weak_labels(name, [taught[row] for row in kept.tolist()], labels[kept], wanted, seed=seed)
        except LabelError:
            return []
        for row, label in zip(held.tolist(), said[: held.size], strict=True):
            given[row] = label
    return [label for label in given if label is not None]


def stratified_folds(labels: NDArray[np.bool_], count: int, seed: int) -> list[NDArray[np.int64]]:
    """Return the rows of each of `count` folds of labels (N,), alike in the share of risky ones."""
    order = np.random.default_rng(seed).permutation(labels.size)
    fold = np.zeros(labels.size, dtype=np.int64)
    for kind in (True, False):
        rows = order[labels[order] == kind]
        fold[rows] = np.arange(rows.size) % count
    return [np.flatnonzero(fold == number).astype(np.int64) for number in range(count)]


def _by_principles(taught: Sequence[Reading], labels: NDArray[np.bool_], wanted: Sequence[Reading]) -> list[WeakLabel]:
    calibration = fit_platt(logit(_any(taught)), labels)
    risks = calibration(logit(_any(wanted)))
    return [
        WeakLabel(reading.example.change_id, float(risk), 1.0 if reading.opinions else 0.0, reading.opinions)
        for reading, risk in zip(wanted, risks, strict=True)
    ]


def _any(readings: Sequence[Reading]) -> NDArray[np.float64]:
    """Return 1 - product of (1 - risk) over the principles that fire, kept off 0 and 1, (N,)."""
    clean = [np.prod([1 - (one.risk or 0.0) for one in reading.opinions]) for reading in readings]
    return np.clip(1 - np.array(clean, dtype=np.float64), 0.01, 0.99)


def _by_claude(taught: Sequence[Reading], labels: NDArray[np.bool_], wanted: Sequence[Reading]) -> list[WeakLabel]:
    """Calibrate what Claude said on the human labels. Its answers, not the calibration, tell how far they agree."""
    heard = [(one.claude.risk, label) for one, label in zip(taught, labels.tolist(), strict=True) if one.claude]
    risky = sum(label for _, label in heard)
    if min(risky, len(heard) - risky) < lexical.FEWEST:
        raise LabelError(
            f"Claude has labelled {risky} risky and {len(heard) - risky} clean changes of those that people labelled",
            mend=f"have more labelled, {lexical.FEWEST} of either kind at least: oversight label --weak claude",
        )
    calibration = fit_platt(logit(np.array([risk for risk, _ in heard])), np.array([label for _, label in heard]))
    prior = (float(labels.sum()) + 1) / (len(labels) + 2)
    return [
        WeakLabel(one.example.change_id, prior, 0.0)
        if one.claude is None
        else replace(one.claude, risk=float(calibration(logit(one.claude.risk))))
        for one in wanted
    ]


def _by_lexical(
    taught: Sequence[Reading], labels: NDArray[np.bool_], wanted: Sequence[Reading], seed: int
) -> list[WeakLabel]:
    lexicon = lexical.learn([one.example for one in taught], labels, [one.example for one in wanted], seed=seed)
    reviewer = lexical.Lexical(lexicon)
    opinions = [reviewer.judge(one.example) for one in wanted]
    prior = (float(labels.sum()) + 1) / (len(labels) + 2)
    return [
        WeakLabel(
            one.example.change_id, prior if said.risk is None else said.risk, float(said.risk is not None), (said,)
        )
        for one, said in zip(wanted, opinions, strict=True)
    ]


def _by_panel(
    taught: Sequence[Reading], labels: NDArray[np.bool_], wanted: Sequence[Reading], seed: int
) -> list[WeakLabel]:
    lexicon = lexical.learn([one.example for one in taught], labels, [one.example for one in wanted], seed=seed)
    # What the lexicon says of the rows that it has learned by heart would teach the panel to trust it blindly.
    unseen = _out_of_fold(taught, labels, wanted, seed)
    said = [
        *(_said(one, unseen[number]) for number, one in enumerate(taught)),
        *(_said(one, lexical.Lexical(lexicon)) for one in wanted),
    ]
    human: Mapping[str, bool] = {one.example.change_id: bool(label) for one, label in zip(taught, labels, strict=True)}
    model = panel.learn(said, human)
    return [model.label(one) for one in said[len(taught) :]]


def _out_of_fold(
    taught: Sequence[Reading], labels: NDArray[np.bool_], background: Sequence[Reading], seed: int
) -> list[lexical.Lexical]:
    """Return for each row a lexical reviewer that has not seen it: halves, or more folds where halves hold too few."""
    rarest = int(min(labels.sum(), (~labels).sum()))
    folds = stratified_folds(labels, 2 if rarest >= 2 * lexical.FEWEST else max(2, rarest), seed)
    reviewers: dict[int, lexical.Lexical] = {}
    for held in folds:
        kept = np.setdiff1d(np.arange(labels.size), held)
        learned = lexical.learn(
            [taught[row].example for row in kept.tolist()],
            labels[kept],
            [one.example for one in background],
            seed=seed,
        )
        reviewers.update(dict.fromkeys(held.tolist(), lexical.Lexical(learned)))
    return [reviewers[row] for row in range(labels.size)]


def _said(reading: Reading, reviewer: lexical.Lexical) -> panel.Said:
    measures = reading.example.measures
    graded = (reviewer.judge(reading.example), Size().judge(float(measures[_ADDED]), float(measures[_DELETED])))
    asked = () if reading.claude is None else reading.claude.opinions
    return panel.Said(reading.example.change_id, (*graded, *asked, *reading.opinions))
