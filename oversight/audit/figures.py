"""What verdicts tell of the reviews that they answer: calibration, precision of flags, recall, agreement.

Every figure has its interval, or a reason why there is none. All are of changes, each with the label that people gave
it (`oversight.audit.verdict.to_gold`), and what had been shown of it when the last of them spoke.

Recall, precision and calibration are estimated from what was flagged and from the random slice of what was not, each
change weighted by how many it stands for, the inverse of its propensity (`oversight.measurement.audited`); what people
looked at of their own accord has none, and is left out: they look where they expect something. Not everything that was
shown is answered, so these are of the changes of which people say something once they are shown; they are of all
changes if flagged and drawn ones are answered alike. Where it is known how many there were of each, as of a queue,
`Sample` has weights for which that need not be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from oversight.audit.verdict import Decision, Selection, Shown, Verdict, judgements, to_gold
from oversight.measurement.arrays import Bools, Floats, Measured, ratio
from oversight.measurement.audited import Total, Weighted, effective_size, mean, recall, total
from oversight.measurement.bootstrap import Estimate, interval, summarise
from oversight.measurement.calibration import Reliability, reliability
from oversight.measurement.intervals import Interval, wilson
from oversight.reports.words import counted

FEWEST = 10
"""Judged changes, below which a figure would say more of chance than of the reviews."""

_UNANSWERED = 9
"""Changes that were shown to each one that was answered, and were not: so many that what people happen to answer counts
as chance. Estimates do not depend on it; fewer would make intervals narrower than they are known to be.
"""

What = tuple[str, str]
"""What is counted, where there may be too few of it (`few`): what one is called, and which of them."""

DRAWN: What = ("judged change", "of the random slice")
_FLAGGED: What = ("judged change", "of the flagged ones")
_WITH_RISK: What = ("judged change", "with a risk and a chance that is known")

_A_BIN = 10  # judged changes to a bin of the reliability table, at least


@dataclass(frozen=True, slots=True)
class Share:
    """A share of `n` changes with its 95 % interval; None with a reason where there are too few."""

    value: float | None
    interval: Interval | None
    n: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of a record.

    `verdicts`, `own` (those of authors on their own changes that do not count), `sources` and `decisions` count what
    was said; `people` who said it; `risky` and `safe` the changes with a label, `disputed` those on which people are
    even. `agreement` is Krippendorff's alpha of the `several` changes that two or more people judged. `reliability` and
    `brier` are of the risks that were shown, `expected` their mean and `observed` the share of risky changes among the
    same; `precision` is the share of risky ones among what was flagged. These are weighted (`Labelled.weight`).
    """

    verdicts: int
    own: int
    people: int
    sources: Mapping[str, int]
    decisions: Mapping[str, int]
    risky: int
    safe: int
    disputed: int
    several: int
    agreement: Estimate
    reliability: Reliability
    brier: Share
    expected: float | None
    observed: Share
    precision: Share
    recall: Weighted


@dataclass(frozen=True, slots=True)
class Labelled:
    """A change with the label that people gave it, and what had been shown of it when the last of them spoke. `weight`
    is how many changes it stands for, None for one that people looked at of their own accord.
    """

    change_id: str
    risky: bool
    shown: Shown
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """How judged changes stand for all. `weights` are those of changes, by their ids, None for one that stands for no
    other; a change that is not in it has the inverse of its propensity. `unseen` is why they do not stand for all
    changes, and `unseen_flags` why not for all flagged ones, None where they do.
    """

    weights: Mapping[str, float | None]
    unseen: str | None = None
    unseen_flags: str | None = None


def figures(verdicts: Sequence[Verdict], sample: Sample | None = None) -> Figures:
    """Return what the verdicts on record tell; without a `sample`, of what a review flagged and drew by itself."""
    changes = labelled(verdicts, sample)
    if sample is None:
        drawn = sum(change.shown.selection is Selection.RANDOM for change in changes)
        sample = Sample({}, few(drawn, *DRAWN) if drawn < FEWEST else None)
    said = judgements(verdicts)
    risky = sum(change.risky for change in changes)
    judged = sum(any(one.decision is not Decision.UNSURE for one in people) for people in said.values())
    with_risk = [change for change in changes if change.weight is not None and change.shown.risk is not None]
    flagged = [change for change in changes if change.weight is not None and change.shown.flagged is True]
    rows = _Rows.of(with_risk)
    why = _too_few(rows.weights, sample.unseen, _WITH_RISK)
    votes = _several(said.values())
    return Figures(
        verdicts=len(verdicts),
        own=sum(not verdict.counts for verdict in verdicts),
        people=len({verdict.who for verdict in verdicts}),
        sources=Counter(verdict.source.kind for verdict in verdicts),
        decisions=Counter(verdict.decision.value for verdict in verdicts),
        risky=risky,
        safe=len(changes) - risky,
        disputed=judged - len(changes),
        several=len(votes),
        agreement=_agreement(votes),
        reliability=_reliability(rows, why),
        brier=_brier(rows, why),
        expected=float(rows.weights @ rows.risks / rows.weights.sum()) if why is None else None,
        observed=_share(rows, why),
        precision=_precision(flagged, sample.unseen_flags),
        recall=_recall(changes),
    )


def share(risky: Sequence[bool], what: What) -> Share:
    """Return the share of true ones; `what` they are, for the reason where there are too few."""
    if len(risky) < FEWEST:
        return Share(None, None, len(risky), few(len(risky), *what))
    return Share(sum(risky) / len(risky), wilson(sum(risky), len(risky)), len(risky), None)


def labelled(verdicts: Sequence[Verdict], sample: Sample | None = None) -> list[Labelled]:
    """Return the changes that figures are of."""
    said = judgements(verdicts)
    weights = {} if sample is None else sample.weights
    found = []
    for label in to_gold(verdicts):
        shown = max(said[label.change_id], key=lambda one: one.decided_at).shown
        chance = None if shown.selection is Selection.REQUEST else shown.propensity
        weight = weights.get(label.change_id, None if chance is None else 1.0 / chance)
        found.append(Labelled(label.change_id, label.risky, shown, weight))
    return found


@dataclass(frozen=True, slots=True)
class _Rows:
    """Changes as arrays (n,): whether they are risky, with what risk they were shown, and how many they stand for."""

    risky: Bools
    risks: Floats
    weights: Floats

    @classmethod
    def of(cls, changes: Sequence[Labelled]) -> _Rows:
        return cls(
            np.array([one.risky for one in changes], dtype=np.bool_),
            np.array([one.shown.risk or 0.0 for one in changes], dtype=np.float64),
            np.array([one.weight for one in changes], dtype=np.float64),
        )


def _too_few(weights: Floats, unseen: str | None, what: What) -> str | None:
    """Return why nothing can be said of changes of these weights, None where something can."""
    if weights.size < FEWEST:
        return few(weights.size, *what)
    effective = effective_size(weights)
    if unseen is None and round(effective, 6) < FEWEST:
        told = counted(weights.size, what[0])
        return f"{told} {what[1]} tell as much as {effective:.1f} of equal weight, and {FEWEST} are needed"
    return unseen


def _share(rows: _Rows, why: str | None) -> Share:
    if why is not None:
        return Share(None, None, rows.weights.size, why)
    found = mean(rows.risky, rows.weights)
    return Share(found.value, found.interval, rows.weights.size, None)


def _precision(flagged: Sequence[Labelled], unseen: str | None) -> Share:
    rows = _Rows.of(flagged)
    return _share(rows, _too_few(rows.weights, unseen, _FLAGGED))


def _several(said: Iterable[Sequence[Verdict]]) -> Floats:
    """Return how many called a change risky and how many safe, (n, 2), of those that two or more are sure of."""
    sure = [
        [one.decision is Decision.RISKY for one in people if one.decision is not Decision.UNSURE] for people in said
    ]
    votes = [(sum(people), len(people) - sum(people)) for people in sure if len(people) > 1]
    return np.array(votes, dtype=np.float64).reshape(-1, 2)


def _agreement(votes: Floats) -> Estimate:
    """Return Krippendorff's alpha of votes (n, 2), as `krippendorff_alpha`, of changes that have weights."""
    if len(votes) < FEWEST:
        return summarise(None, np.zeros(0))
    raters = votes.sum(axis=1)
    differing = (raters * raters - (votes * votes).sum(axis=1)) / (raters - 1)

    def alpha(weights: Floats) -> Floats:
        totals = weights @ votes
        pairable = totals.sum(axis=1)
        expected = pairable * pairable - (totals * totals).sum(axis=1)
        return 1.0 - ratio((pairable - 1) * (weights @ differing), expected)

    return interval(alpha, len(votes), seed=0)


def _reliability(rows: _Rows, why: str | None) -> Reliability:
    if why is not None:
        return Reliability((), Measured(None, why, rows.risky.size, int(rows.risky.sum())))
    bins = min(10, max(1, round(effective_size(rows.weights), 6) // _A_BIN))
    return reliability(rows.risky, rows.risks, bins=int(bins), weights=rows.weights)


def _brier(rows: _Rows, why: str | None) -> Share:
    """Return the Brier score with an interval that holds where little is risky.

    The square of the distance is at least that from the nearer end, and more by |1 - 2 risk| where the risk is on the
    wrong side of a half. That is rare, and a sample that happens to hold none of it shows no spread, so that resampling
    it covers far less than it says: the interval is that of this part alone (`oversight.measurement.audited.mean`).
    """
    if why is not None:
        return Share(None, None, rows.weights.size, why)
    least = float(rows.weights @ np.minimum(rows.risks, 1.0 - rows.risks) ** 2 / rows.weights.sum())
    more = np.abs(1.0 - 2.0 * rows.risks)
    most = float(more.max())  # 0 where all risks are a half, which are equally wrong either way
    wrong = mean(np.where((rows.risks > 0.5) != rows.risky, more, 0.0) / (most or 1.0), rows.weights)
    low, high = (least + most * bound for bound in wrong.interval)
    return Share(least + most * wrong.value, (low, high), rows.weights.size, None)


def _recall(changes: Sequence[Labelled]) -> Weighted:
    flagged = [change for change in changes if change.shown.selection is Selection.FLAGGED]
    drawn = [change for change in changes if change.shown.selection is Selection.RANDOM]
    for found, what in ((flagged, _FLAGGED), (drawn, DRAWN)):
        if len(found) < FEWEST:
            return Weighted(None, None, len(flagged) + len(drawn), few(len(found), *what))
    return recall(_total(flagged), _total(drawn))


def _total(answered: Sequence[Labelled]) -> Total:
    """How many risky changes there are among all those that these, who were answered, stand for."""
    chances = [change.shown.propensity or 1.0 for change in answered]
    size = round((_UNANSWERED + 1) * sum(1 / chance for chance in chances))
    return total([change.risky for change in answered], chances, size)


def few(found: int, noun: str, rest: str = "") -> str:
    """Return why there is no figure of so many things: what one is called, and which of them count.

    >>> few(1, "change", "judged by two people or more"), few(0, "canary")
    ('1 change judged by two people or more, and 10 are needed', '0 canaries, and 10 are needed')
    """
    return f"{f'{counted(found, noun)} {rest}'.rstrip()}, and {FEWEST} are needed"
