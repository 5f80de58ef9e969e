"""An entry of the queue: a change that people are asked to judge, what is known of it, and why it is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from oversight.audit.verdict import Selection, Shown
from oversight.reports.words import in_reading_order, percent, place, rank

GRAVE = ("critical", "high")
"""Severities of findings that put a flag up, the gravest first."""

_NEXT = ("medium", "low")


@dataclass(frozen=True, slots=True)
class Said:
    """What a report says of one place: a hunk's risk, or a principle's finding. Line numbers are of the new file.

    `weight` puts a report's hunks in the order in which they should be read (`oversight.reports.words`).
    """

    path: str
    start: int | None
    end: int | None
    risk: float | None
    principle: str | None
    severity: str | None
    reasons: tuple[str, ...]
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A change and the newest report on it when it was picked.

    `selection` is None for a change that nobody was asked to judge, and `propensity` then the chance that it had, None
    where it was not even considered. `provenance` is "human", "agent", "bot" or "unknown", None where no report tells;
    `model` the sha256 of its manifest.
    """

    repository: str
    commit: str
    number: int | None
    title: str | None
    author: str | None
    provenance: str | None
    directory: str
    status: str
    risk: float | None
    percentile: float | None
    flagged: bool
    model: str | None
    added: int | None
    deleted: int | None
    selection: Selection | None
    propensity: float | None
    queued_at: datetime | None
    said: tuple[Said, ...]

    def shown(self, *, blind: bool = False) -> Shown:
        """Return what somebody is shown who judges this entry; with `blind`, nothing but whose report was hidden."""
        picked = self.selection if self.selection in (Selection.FLAGGED, Selection.RANDOM) else None
        selection, propensity = (Selection.REQUEST, None) if picked is None else (picked, self.propensity)
        if blind:
            return Shown(selection, propensity, model=self.model, blind=True)
        return Shown(selection, propensity, self.flagged, self.risk, self.percentile, self.model)


def why(entry: Entry) -> Iterator[str]:
    """Yield why it is in the queue, in words. What principles say comes from repositories, and is not escaped."""
    if entry.selection is Selection.RANDOM and entry.propensity is not None:
        yield f"drawn at random, with probability {entry.propensity:.2g}, from the changes that were not picked"
    if entry.risk is None:
        yield "no risk could be given, which does not mean a low one"
    else:
        told = f"risk {percent(entry.risk)}"
        yield told if entry.percentile is None else f"{told}, {rank(entry.percentile)} the changes it is compared with"
    for finding in _findings(entry, GRAVE):
        yield f"principle {finding.principle} ({finding.severity}): {finding.reasons[0]}"


def look_first(entry: Entry) -> Said | None:
    """Return what to look at first: the gravest finding, else the hunk that is to be read first; None if unknown."""
    hunks = in_reading_order(one for one in entry.said if one.principle is None)
    return next(iter((*_findings(entry, GRAVE), *hunks, *_findings(entry, _NEXT))), None)


def where(said: Said) -> str:
    """Return its place; the path is as hostile as before."""
    return place(said.path, said.start, said.end)


def _findings(entry: Entry, severities: tuple[str, ...]) -> list[Said]:
    found = [one for one in entry.said if one.severity in severities]
    return sorted(found, key=lambda one: severities.index(one.severity or ""))
