"""What people said of changes, as values: who, what, when, why, and what they had been shown before they said it.

Nothing said is ever changed or taken away: who thinks better of it says something else, and the last word counts.
`oversight.audit.lines` writes and reads it.

Two things that look alike are kept apart. A judgement (safe, risky, unsure) is about the change, and a label. A
dismissal is about the flag: that it is not wanted, for the reason given. It clears the flag and labels nothing, since
people dismiss what is risky too, knowing it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from oversight.history.model import GoldLabel


class Decision(StrEnum):
    """What a person decided; only the first two are labels."""

    SAFE = "safe"
    RISKY = "risky"
    UNSURE = "unsure"
    DISMISSED = "dismissed"


class Selection(StrEnum):
    """Why people came to see a change: it was flagged, drawn at random, or nobody had asked them to."""

    FLAGGED = "flagged"
    RANDOM = "random"
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Shown:
    """What the person had been shown of the change, and how likely it was to be shown to anybody.

    `propensity` in (0, 1] is the probability with which the change was picked: 1 for all that are flagged, the rate of
    the draw for the random ones; None where people came of their own accord, which has no known probability.
    `risk` in [0, 1], `percentile` in [0, 100], `flagged` and `model` (the sha256 of its manifest) are as in the report;
    None where there was none to be seen. `blind`: it was hidden until they had said what they think; `flagged`, `risk`
    and `percentile` are None then, since they were not shown.
    """

    selection: Selection
    propensity: float | None = None
    flagged: bool | None = None
    risk: float | None = None
    percentile: float | None = None
    model: str | None = None
    blind: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """Where it was said: a `kind` such as "comment" or "label", and where on GitHub, as far as it was there.

    `repository` is "owner/name", `number` the pull request's, `id` that of the comment or event.
    """

    kind: str
    repository: str | None = None
    number: int | None = None
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one person said of one change at one moment.

    `change_id` is the full sha of the head that was reviewed. `finding` is the fingerprint of the finding that it is
    about, None where it is about the change as a whole. `own`: the person is the change's author. `decided_at` is
    time-zone aware.
    """

    change_id: str
    who: str
    decision: Decision
    note: str
    decided_at: datetime
    shown: Shown
    source: Source
    finding: str | None = None
    own: bool = False

    @property
    def counts(self) -> bool:
        """Whether it has any effect: nobody clears a change of their own, though anybody may warn of it."""
        return not (self.own and self.decision in (Decision.SAFE, Decision.DISMISSED))


@dataclass(frozen=True, slots=True)
class Landing:
    """How a reviewed head came into the history: as the one commit `commit` that holds all of it and nothing else.

    A head that is itself a commit of the history has none, nor one that was merged in several commits.
    """

    change_id: str
    commit: str
    repository: str
    number: int
    landed_at: datetime


@dataclass(frozen=True, slots=True)
class Record:
    """All that is on record, in the order in which it was written down."""

    verdicts: tuple[Verdict, ...] = ()
    landings: tuple[Landing, ...] = ()

    @property
    def commits(self) -> Mapping[str, str]:
        """The commits as which heads landed, by head."""
        return {landing.change_id: landing.commit for landing in self.landings}


def read(path: Path) -> Record:
    """Return what a file of verdicts holds; `LabelError` names the line that is amiss."""
    from oversight.audit import lines

    return lines.read(path)


def judgements(verdicts: Iterable[Verdict], landed: Mapping[str, str] | None = None) -> dict[str, list[Verdict]]:
    """Return what each person thinks now of each change, by its commit, or its head where it is in no `landed`.

    The last word of a person on a change counts, and of equally late ones the one that was written down last. Who
    calls one finding risky calls the change risky; what they say in favour of a finding is about that finding alone.
    """
    commits = landed or {}
    last: dict[tuple[str, str, str | None], Verdict] = {}
    for verdict in in_order(verdicts):
        if verdict.counts and not (verdict.finding is None and verdict.decision is Decision.DISMISSED):
            last[commits.get(verdict.change_id, verdict.change_id), verdict.who, verdict.finding] = verdict
    people: dict[tuple[str, str], Verdict] = {}
    for (change, who, _), verdict in last.items():
        about_the_change = verdict.finding is None or verdict.decision is Decision.RISKY
        if about_the_change and _later(verdict, people.get((change, who))):
            people[change, who] = verdict
    said: dict[str, list[Verdict]] = {}
    for (change, _), verdict in people.items():
        said.setdefault(change, []).append(verdict)
    return said


def to_gold(verdicts: Iterable[Verdict], landed: Mapping[str, str] | None = None) -> list[GoldLabel]:
    """Return the labels that verdicts amount to, oldest first, as `judgements` stand: what most people say.

    A change on which as many say risky as safe has none, nor has one of which nobody is sure. `decided_at` is the
    moment of the last verdict that the label agrees with.
    """
    labels = []
    for change, said in judgements(verdicts, landed).items():
        risky = [verdict.decided_at for verdict in said if verdict.decision is Decision.RISKY]
        safe = [verdict.decided_at for verdict in said if verdict.decision is Decision.SAFE]
        if len(risky) != len(safe):
            most = max(risky, safe, key=len)
            labels.append(GoldLabel(change, most is risky, "verdict", max(most), ()))
    return sorted(labels, key=lambda label: label.decided_at)


def in_order(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Return the verdicts in the order in which they were given."""
    return sorted(verdicts, key=lambda verdict: verdict.decided_at)


def _later(verdict: Verdict, other: Verdict | None) -> bool:
    return other is None or verdict.decided_at >= other.decided_at
