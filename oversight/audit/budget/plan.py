"""Which changes people are to judge: the riskiest, and a random slice of the rest. No I/O.

Who gets a place depends on risks alone and never on the draw, so that a change with a place is seen with certainty. Of
the others each is drawn when it is first considered, once, with a probability that is known and never 0: it stays known
however many changes come later, since nobody is ever drawn again (systematic sampling, Madow & Madow 1944,
doi:10.1214/aoms/1177731312). The list is walked in the order of provenance and directory with steps of 1/p from a
random start, so that from each stratum, and each part of the tree, as many come as it has changes, to within one.

Nothing is remembered from one draw to the next: who sees what was drawn must not know who is spared next.
"""

from __future__ import annotations

import math
import posixpath
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import islice

from oversight.audit.budget.spending import Budget
from oversight.audit.verdict import Selection
from oversight.errors import LabelError

_BY_RISK = 3  # places that go by risk for one that goes to an alarm


@dataclass(frozen=True, slots=True)
class Candidate:
    """A change that people may be asked to judge.

    `key` is what the store calls it. `alarm`: a principle put its flag up, or it could not be scored, which is not to
    be taken for a low risk; `risk` is None then. `directory` is where most of its hunks are (`directory_of`).
    """

    key: int
    repository: str
    commit: str
    risk: float | None
    alarm: bool
    provenance: str | None
    directory: str
    considered_at: datetime | None = None
    selection: Selection | None = None
    queued_at: datetime | None = None
    judged: bool = False

    @property
    def stratum(self) -> tuple[str, str, str]:
        """What changes are kept in proportion by."""
        return self.provenance or "", self.repository.lower(), self.directory


@dataclass(frozen=True, slots=True)
class Plan:
    """What is decided now. `fresh`: changes that are considered for the first time, each with its selection (None: not
    picked) and the chance that it had. `promoted`: those considered earlier that now get a place. `chance` is that of
    the draw, None where there was nobody to draw from; `left` the places that are free still.
    """

    fresh: tuple[tuple[Candidate, Selection | None, float], ...]
    promoted: tuple[Candidate, ...]
    chance: float | None
    left: int


def directory_of(paths: Iterable[str]) -> str:
    """Return the directory in which most of some paths are, of several such ones the first by name; "" of none.

    >>> directory_of(["src/b.c", "src/a.c", "README"])
    'src'
    """
    counts = Counter(map(posixpath.dirname, paths))
    return min(counts, key=lambda name: (-counts[name], name), default="")


def decide(candidates: Sequence[Candidate], budget: Budget, now: datetime, seed: str) -> Plan:
    """Return what to ask people, given what was decided before. What somebody had judged before needs no asking."""
    fresh = [one for one in candidates if one.considered_at is None]
    known = {one.key for one in fresh if one.judged}
    certain = (Selection.FLAGGED, Selection.REQUEST)
    open_ones = [one for one in candidates if one.selection not in certain and one.key not in known]
    places = _places(candidates, budget, now)
    picked = {one.key: one for one in riskiest(open_ones, places)}
    rest = [one for one in fresh if one.key not in known and one.key not in picked]
    chance = budget.chance(_expected(candidates, len(rest), budget, now)) if rest else None
    draws = drawn(rest, chance, seed) if chance is not None else set()

    def fate(one: Candidate) -> tuple[Selection | None, float]:
        if one.key in known or one.key in picked:
            return (Selection.REQUEST if one.key in known else Selection.FLAGGED), 1.0
        return (Selection.RANDOM if one.key in draws else None), chance or 1.0

    promoted = tuple(one for one in picked.values() if one.considered_at is not None)
    return Plan(tuple((one, *fate(one)) for one in fresh), promoted, chance, places - len(picked))


def riskiest(candidates: Iterable[Candidate], places: int) -> list[Candidate]:
    """Return the changes that get a place, in the order in which they get it.

    Of four places the first is for a change that raised an alarm, and three go by risk alone: neither a flood of
    findings nor a model that is sure of itself can have all places.
    """
    ranked = in_order(candidates)
    alarms = [one for one in ranked if one.alarm]
    by_risk = iter([one for one in ranked if one.risk is not None])
    turns: list[Candidate] = []
    for alarm in alarms:
        turns += [alarm, *islice(by_risk, _BY_RISK)]
    return list(dict.fromkeys([*turns, *by_risk]))[: max(places, 0)]


def in_order(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return candidates, those without a risk first, which is not a low one, then the riskiest."""
    return sorted(candidates, key=lambda one: (one.risk is not None, -(one.risk or 0.0), one.repository, one.commit))


def drawn(candidates: Sequence[Candidate], chance: float, seed: str) -> set[int]:
    """Return the keys of those that are drawn, each with the probability `chance` in (0, 1]; the same for one seed."""
    if not 0.0 < chance <= 1.0:
        raise LabelError(f"nobody can be drawn with the probability {chance}", mend="give one in (0, 1]")
    named = {one.key: _number(seed, one.repository.lower(), one.commit) for one in candidates}
    walked = sorted(candidates, key=lambda one: (one.stratum, named[one.key]))
    start = _number(seed, "start", *(f"{one.repository.lower()} {one.commit}" for one in walked))
    return {
        one.key
        for place, one in enumerate(walked)
        if math.floor(start + (place + 1) * chance) > math.floor(start + place * chance)
    }


def _places(candidates: Sequence[Candidate], budget: Budget, now: datetime) -> int:
    """Return how many places are free: of a percentage all that are not taken, of a number those of this period."""
    since = None if budget.period is None else budget.period.start(now)
    taken = sum(
        one.selection is Selection.FLAGGED and (since is None or (one.queued_at is not None and one.queued_at >= since))
        for one in candidates
    )
    return max(budget.places(len(candidates)) - taken, 0)


def _expected(candidates: Sequence[Candidate], fresh: int, budget: Budget, now: datetime) -> int:
    """Return how many changes the random slice of this period has to do for, as far as can be told by now.

    At least those that there are; early in a period, as many as are to be expected from what came by now, but no more
    than came in the period before. A percentage needs no such number.
    """
    if budget.period is None:
        return fresh
    start, before = budget.period.start(now), budget.period.before(now)
    drawable = [
        one.considered_at for one in candidates if one.considered_at and one.selection in (None, Selection.RANDOM)
    ]
    here = fresh + sum(moment >= start for moment in drawable)
    last = sum(before <= moment < start for moment in drawable)
    elapsed = max((now - start) / (start - before), 1e-9)
    return max(here, min(last, math.ceil(here / elapsed)))


def _number(*parts: str) -> float:
    """Return a number in [0, 1) that the parts decide."""
    digest = sha256("\0".join(("oversight queue", *parts)).encode("utf-8", "surrogatepass")).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53
