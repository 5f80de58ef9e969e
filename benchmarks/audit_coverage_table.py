"""The page of `benchmarks.audit_coverage`, out of its figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from oversight.measurement.beta import Tail

UNCORRECTED = "People who err, and nobody says so"
RECOVERED = "PGR against the verdicts"
TAILS: tuple[Tail, ...] = ("exact", "mid-p", "jeffreys")
SHARE = 0.25
FLAGGED = 0.15  # of all changes: more than most budgets have places for

_OPENING = """\
Written by `python -m benchmarks.audit_coverage --table`: {repeats:,} simulated audits of {size:,} changes in each row,
queued by the real plan with a random slice of {share:.0%} of the budget, judged by people of known error rates. Shown
is how often a 95 % interval covers the truth, and how wide it is on average. Where fewer than ten changes were drawn,
or no risky one was found, no interval is given: the share of audits that have one stands beside. Of {repeats:,} audits
{low:.1%} to {high:.1%} are to be expected where 95 % is right.

Few draws of something rare can give only a few different intervals, so that no method covers 95 % at each point: of 1 %
risky changes ten or fifty draws mostly find none, and the interval then reaches far enough nearly always. What counts
is that no row is far below."""
_ERRORS = """\
All that they say is taken for true here, at a budget of 10 %: `told` is the mean of the estimates, beside the mean of
the truth. Who says safe of a fifth of what is risky makes about a fifth of what was missed disappear, and recall
somewhat too high. Who says risky of a fiftieth of what is safe invents misses: where 1 % is risky more than three
times as many as there are, and the interval fails in one of seven; where 30 % is, hardly any. Both together can look
right, since they hide each other. Where the report is told of their rates, as in the tables above, the intervals hold.

The value of recall itself is too high where little is risky, also of people who never err: a slice in which nothing
risky is found gives 1. What it tells is in its interval."""
_OF_VERDICTS = """\
Of the riskiest {flagged:.0%}, which are flagged, only some have a place; the others are judged where they are drawn,
and weighted by how many they stand for. Shown are the share of risky ones among what is flagged, the Brier score of the
risks, and the share of risky changes, each beside what it is of all changes."""
_PGR = """\
The report is given what a weak reviewer and a ceiling say of every change (`--predictions`). Without ten risky and ten
safe changes among those that were drawn there is no figure, nor where all that were judged tell less than ten of equal
weight, or weak and ceiling cannot be told apart. `PGR` is the mean of the truth, `told` of the estimates, of the audits
that have one. Before so many had to be drawn, of 10 % risky ones intervals covered 86.1% at a budget of 20 % and 90.9%
at 40 %: a handful of risky draws shows too little spread."""


def table(found: dict[str, list[dict[str, Any]]]) -> str:
    """Return the page."""
    first = next(iter(found.values()))[0]
    noise = 1.96 * (0.95 * 0.05 / first["repeats"]) ** 0.5
    numbers = {"repeats": first["repeats"], "size": first["size"], "low": 0.95 - noise, "high": 0.95 + noise}
    opening = _OPENING.format(share=SHARE, **numbers)
    lines = ["# Do the intervals of `oversight audit report` hold?", "", opening]
    head = "| risky | budget | drawn | recall covered | width | given | missed covered | width, of all | given |"
    for title, rows in found.items():
        if title not in (UNCORRECTED, RECOVERED):
            lines += ["", f"## {title}", "", head, "|---" * 9 + "|", *map(_row, rows)]
    lines += ["", "## Figures of verdicts", "", *_figures([one for rows in found.values() for one in rows])]
    lines += ["", f"## {RECOVERED}", "", *_recovered(found[RECOVERED])]
    lines += ["", f"## {UNCORRECTED}", "", *_uncorrected(found[UNCORRECTED])]
    methods = ("score", *TAILS)
    lines += ["", "## Other methods, on the verdicts of the first table", ""]
    lines += ["Coverage of recall's interval, and its width. Ours is mid-p.", ""]
    lines += ["| risky | budget | " + " | ".join(methods) + " |", "|---" * (2 + len(methods)) + "|"]
    for one in next(iter(found.values())):
        shown = [(one[f"by {name}"]["mean"], one[f"by {name}, width"]["mean"]) for name in methods]
        cells = [f"{covered:.1%}, {width:.2f}" for covered, width in shown]
        lines.append(f"| {one['rate']:.0%} | {one['budget']:.0%} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _figures(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Precision, Brier score and share of risky changes, by how changes were queued and answered."""
    yield _OF_VERDICTS.format(flagged=FLAGGED)
    yield ""
    names = ("precision", "brier", "observed")
    yield "| risky | budget | queued | answered |" + "".join(
        f" {name} | width | given |" for name in ("precision covered", "Brier covered", "risky covered")
    )
    yield "|---" * 13 + "|"
    for one in rows:
        if "precision" not in one or not one["corrected"] or one["recovered"]:
            continue
        how = "by the week" if one["weekly"] else f"in {one['calls']} call{'s' * (one['calls'] > 1)}"
        cells = [f"{one['rate']:.0%}", f"{one['budget']:.0%}", how, f"{one['answered']:.0%}"]
        cells += [cell for name in names for cell in _cells(one, name, 3)]
        yield f"| {' | '.join(cells)} |"


def _recovered(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """PGR, where the report has what a weak reviewer and a ceiling say of all changes."""
    yield _PGR
    yield ""
    yield "| risky | budget | PGR | told | covered | width | given |"
    yield "|---" * 7 + "|"
    for one in rows:
        shown = [f"{one[f'pgr, {key}']['mean']:.2f}" if "pgr" in one else "-" for key in ("true", "told")]
        cells = [f"{one['rate']:.0%}", f"{one['budget']:.0%}", *shown, *_cells(one, "pgr", 2)]
        yield f"| {' | '.join(cells)} |"


def _uncorrected(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What the errors of people do to the estimates where the report is not told of them."""
    yield _ERRORS
    yield ""
    yield "| risky | risky called safe | safe called risky | recall | told | covered | missed | told | covered |"
    yield "|---" * 9 + "|"
    for one in rows:
        cells = [f"{one['rate']:.0%}", f"{1 - one['sensitivity']:.0%}", f"{1 - one['specificity']:.0%}"]
        for name, digits in (("recall", 2), ("missed", 3)):
            true, told, covered = (one[key]["mean"] for key in (f"{name}, true", f"{name}, told", name))
            cells += [f"{true:.{digits}f}", f"{told:.{digits}f}", f"{covered:.1%}"]
        yield f"| {' | '.join(cells)} |"


def _row(one: dict[str, Any]) -> str:
    cells = [f"{one['rate']:.0%}", f"{one['budget']:.0%}", f"{one['drawn']:.0f}"]
    return f"| {' | '.join([*cells, *_cells(one, 'recall', 2), *_cells(one, 'missed', 3)])} |"


def _cells(one: dict[str, Any], name: str, digits: int) -> list[str]:
    """How often an interval covers, how wide it is, and in how many audits there is one."""
    told, width = one.get(name), one.get(f"{name}, width")
    if told is None or width is None:
        return ["-", "-", "0%"]
    return [f"{told['mean']:.1%}", f"{width['mean']:.{digits}f}", f"{told['n'] / one['repeats']:.0%}"]
