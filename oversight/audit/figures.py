"""What verdicts tell of the reviews that they answer: calibration, precision of flags, recall, agreement.

Every figure has its interval, or a reason why there is none. All are of changes, each with the label that people gave
it (`oversight.audit.verdict.to_gold`), and what had been shown of it when the last of them spoke.

Recall is estimated from what was flagged and from the random slice of what was not, each change weighted by the inverse
of its propensity (`oversight.measurement.audited`); what people looked at of their own accord has none, and is left
out: they look where they expect something. Not everything that was shown is answered, so this is the recall among the
changes of which people say something once they are shown; it is that of all changes if flagged and drawn ones are
answered alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from oversight.audit.verdict import Decision, Selection, Shown, Verdict, judgements, to_gold
from oversight.measurement.arrays import Floats, Measured, ratio
from oversight.measurement.audited import Total, Weighted, recall, total
from oversight.measurement.bootstrap import Estimate, interval, summarise
from oversight.measurement.calibration import Reliability, reliability
from oversight.measurement.intervals import Interval, wilson
from oversight.measurement.metrics import brier
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
_WITH_RISK: What = ("judged change", "with a risk")

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
    same; `precision` is the share of risky ones among what was flagged (`was_flagged`).
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
    brier: Estimate
    expected: float | None
    observed: Share
    precision: Share
    recall: Weighted


@dataclass(frozen=True, slots=True)
class Labelled:
    """A change with the label that people gave it, and what had been shown of it when the last of them spoke."""

    change_id: str
    risky: bool
    shown: Shown


def figures(verdicts: Sequence[Verdict]) -> Figures:
    """Return what the verdicts on record tell."""
    changes = labelled(verdicts)
    said = judgements(verdicts)
    risky = sum(change.risky for change in changes)
    judged = sum(any(one.decision is not Decision.UNSURE for one in people) for people in said.values())
    risks = [(change.risky, change.shown.risk) for change in changes if change.shown.risk is not None]
    labels, shown = [label for label, _ in risks], [risk for _, risk in risks]
    flagged = [change.risky for change in changes if was_flagged(change.shown.selection, change.shown.flagged)]
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
        reliability=_reliability(labels, shown),
        brier=_brier(labels, shown),
        expected=float(np.mean(shown)) if len(shown) >= FEWEST else None,
        observed=share(labels, _WITH_RISK),
        precision=share(flagged, _FLAGGED),
        recall=_recall(changes),
    )


def share(risky: Sequence[bool], what: What) -> Share:
    """Return the share of true ones; `what` they are, for the reason where there are too few."""
    if len(risky) < FEWEST:
        return Share(None, None, len(risky), few(len(risky), *what))
    return Share(sum(risky) / len(risky), wilson(sum(risky), len(risky)), len(risky), None)


def was_flagged(selection: Selection | None, flagged: bool | None) -> bool:
    """Whether people were asked about a change that the review had flagged.

    A budget may have more places than there are flags. What a blind verdict does not tell was asked for as a flag.
    """
    return selection is Selection.FLAGGED and flagged is not False


def labelled(verdicts: Sequence[Verdict]) -> list[Labelled]:
    """Return the changes that figures are of."""
    said = judgements(verdicts)
    return [
        Labelled(label.change_id, label.risky, max(said[label.change_id], key=lambda one: one.decided_at).shown)
        for label in to_gold(verdicts)
    ]


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


def _reliability(labels: Sequence[bool], risks: Sequence[float]) -> Reliability:
    if len(labels) < FEWEST:
        return Reliability((), Measured(None, few(len(labels), *_WITH_RISK), len(labels), sum(labels)))
    return reliability(labels, risks, bins=min(10, max(1, len(labels) // _A_BIN)))


def _brier(labels: Sequence[bool], risks: Sequence[float]) -> Estimate:
    if len(labels) < FEWEST:
        return summarise(None, np.zeros(0))
    bound = brier.bind(np.array(labels, dtype=np.bool_), np.array(risks, dtype=np.float64))
    return interval(bound, len(labels), seed=0)


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
