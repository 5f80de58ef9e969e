"""Recall on canaries, by class and language, beside what the same review flags of their controls.

Recall here is of planted defects: it says which kinds a review sees, not how many of a project's own defects it sees.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from oversight.audit.canaries.judging import Said
from oversight.audit.canaries.runs import Part, Reviewed, Run
from oversight.measurement.intervals import wilson

ALL = "all"


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `of`, with a 95 % interval (Wilson). `value` is None where there is nothing to count."""

    count: float
    of: int
    value: float | None
    low: float
    high: float

    @classmethod
    def among(cls, count: float, of: int) -> Share:
        """Return the share of `of` that `count` is."""
        low, high = wilson(count, of)
        return cls(count, of, count / of if of else None, low, high)


@dataclass(frozen=True, slots=True)
class Figures:
    """What is said of the canaries of a class and language, "all" being every one.

    `by_budget`, `by_principle` and `caught`, which is either, are shares of the canaries; those that could not be
    scored, and are flagged for it, are caught as well. `false_flags` is the share of their controls that are flagged,
    `before` that of the real changes without what was planted in them. `above` is the share of pairs in which the
    canary's percentile is the higher one, ties counting half: a half is chance.
    """

    kind: str
    language: str
    canaries: int
    by_budget: Share
    by_principle: Share
    caught: Share
    false_flags: Share
    before: Share
    above: Share
    unscored: int


def figures_of(reviewed: Sequence[Reviewed]) -> tuple[Figures, ...]:
    """Return the figures of all canaries, of each class, each language, and each class in each language."""
    pairs: defaultdict[int, dict[Part, Reviewed]] = defaultdict(dict)
    for row in reviewed:
        pairs[row.pair][row.part] = row
    whole = [pairs[number] for number in sorted(pairs)]
    kinds = sorted({pair[Part.CANARY].kind for pair in whole})
    languages = sorted({pair[Part.CANARY].language for pair in whole})
    wanted = [(ALL, ALL), *((kind, ALL) for kind in kinds), *((ALL, language) for language in languages)]
    if len(languages) > 1:
        wanted += [(kind, language) for kind in kinds for language in languages]
    found = ((kind, language, [pair for pair in whole if _is(pair, kind, language)]) for kind, language in wanted)
    return tuple(_figures(kind, language, pairs) for kind, language, pairs in found if pairs or kind == ALL == language)


def _is(pair: dict[Part, Reviewed], kind: str, language: str) -> bool:
    canary = pair[Part.CANARY]
    return kind in (ALL, canary.kind) and language in (ALL, canary.language)


def _figures(kind: str, language: str, pairs: Sequence[dict[Part, Reviewed]]) -> Figures:
    canaries = [pair[Part.CANARY].said for pair in pairs]
    controls = [pair[Part.CONTROL].said for pair in pairs]
    before = [pair[Part.BEFORE].said for pair in pairs if Part.BEFORE in pair]
    return Figures(
        kind,
        language,
        canaries=len(canaries),
        by_budget=_share(canaries, lambda said: said.by_budget),
        by_principle=_share(canaries, lambda said: said.by_principle),
        caught=_share(canaries, lambda said: said.flagged),
        false_flags=_share(controls, lambda said: said.flagged),
        before=_share(before, lambda said: said.flagged),
        above=_above(zip(canaries, controls, strict=True)),
        unscored=sum(not said.scored for said in canaries),
    )


def _share(said: Sequence[Said], holds: Callable[[Said], bool]) -> Share:
    return Share.among(sum(map(holds, said)), len(said))


def _above(pairs: Iterable[tuple[Said, Said]]) -> Share:
    known = [
        (canary.percentile, control.percentile)
        for canary, control in pairs
        if canary.percentile is not None and control.percentile is not None
    ]
    return Share.among(sum((one > other) + (one == other) / 2 for one, other in known), len(known))


def as_json(run: Run) -> dict[str, Any]:
    """Return a run and its figures as JSON; what is unknown is null."""
    return {
        "repository": run.repository,
        "at": run.at.isoformat(),
        "head": run.head,
        "seed": run.seed,
        "budget": run.budget,
        "model": run.model,
        "figures": [asdict(figures) for figures in figures_of(run.reviewed)],
    }
