"""Hidden marks that say what a review showed people of a head, and when: what their answers are tied to. No I/O.

    <!-- oversight:shown v1 head=3f9c… at=1767225600 flagged=yes risk=0.431235 percentile=97.2500 model=9c1e… -->

In a summary comment they follow the mark of `markers` on lines of their own, the newest first: a summary is updated
with every push, and who answers the one before has still answered that. In a check run they open the `text`, or the
summary where there is no text. Like all marks they count at the beginning of a body alone, up to the first line that
is none.

Nobody knows before a write when people will see it: rate limits hold it up for minutes. So the newest mark says
`at=…+`, not before that moment, and GitHub's own time of the write says when (`dated`). The next write of the same body
keeps that time. What was said before people could see a head is thereby never about it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from oversight.reports.model import RiskReport
from oversight.reports.words import known
from oversight_github.shas import SHA

MOST = 20
"""Marks that are kept: of so many heads one can tell which of them an answer is about."""

_MARK = re.compile(
    rf"<!-- oversight:shown v1 head=(?P<head>{SHA}) at=(?P<at>[0-9]{{1,11}})(?P<written>\+?)"
    r" flagged=(?P<flagged>yes|no) risk=(?P<risk>[01]\.[0-9]{6}|none)"
    r" percentile=(?P<percentile>[0-9]{1,3}\.[0-9]{4}|none) model=(?P<model>[0-9a-f]{64}|none) -->"
)
_ANY_MARK = re.compile(r"<!-- oversight:[^\r\n]* -->")
_UNDATED = re.compile(
    r"(?P<before>(?:<!-- oversight:[^\r\n]* -->\r?\n)*?<!-- oversight:shown v1 [^\r\n]{0,80}? at=)(?P<at>[0-9]{1,11})\+"
)
_LINE = re.compile(r"\r\n|\r|\n")
_LONGEST = (MOST + 5) * 400  # characters in which marks are looked for


@dataclass(frozen=True, slots=True)
class Shown:
    """What a review said of a head: flag, risk in [0, 1], percentile in [0, 100] and the model's sha256; None where it
    had none. `at` is when people could first see it, in whole seconds, time-zone aware.
    """

    head: str
    at: datetime
    flagged: bool
    risk: float | None
    percentile: float | None
    model: str | None

    @classmethod
    def of(cls, report: RiskReport, head: str, at: datetime) -> Shown:
        """Return what `report` shows of `head`, which is its full sha."""
        model = None if report.model is None else report.model.sha256
        risk = report.risk if known(report.risk) else None
        percentile = report.percentile if known(report.percentile) else None
        return cls(head, at.replace(microsecond=0), report.flagged, risk, percentile, model)

    def __str__(self) -> str:
        risk = "none" if self.risk is None else f"{self.risk:.6f}"
        percentile = "none" if self.percentile is None else f"{self.percentile:.4f}"
        mark = (
            f"<!-- oversight:shown v1 head={self.head} at={int(self.at.timestamp())}"
            f" flagged={'yes' if self.flagged else 'no'} risk={risk} percentile={percentile}"
            f" model={self.model or 'none'} -->"
        )
        if _MARK.fullmatch(mark) is None:
            raise ValueError("a mark holds shas and numbers alone")
        return mark


def dated(body: str, written: object) -> str:
    """Return a body whose newest mark says when people could see it: when GitHub says that the body was written.

    Where `written` is no moment as GitHub tells them, the mark stays one that nobody reads.
    """
    match = _UNDATED.match(body[:_LONGEST])
    try:
        moment = datetime.fromisoformat(written) if isinstance(written, str) else None
    except ValueError:
        moment = None
    if match is None or moment is None or moment.tzinfo is None:
        return body
    at = max(int(match["at"]), int(moment.timestamp()))
    return f"{match['before']}{at}{body[match.end() :]}"


def read_shown(body: str) -> tuple[Shown, ...]:
    """Return what the marks at the beginning of a body say, in their order, as far as they say when."""
    found = []
    for line in _LINE.split(body[:_LONGEST]):
        if _ANY_MARK.fullmatch(line) is None:
            break
        match = _MARK.fullmatch(line)
        if match and not match["written"]:
            found.append(_shown(match))
    return tuple(found)


def marks(now: Shown, before: str = "", *, sure: bool = False) -> str:
    """Return the marks for a body that takes the place of `before`, a line each: `now`, and what it had of other heads.

    `before` is `dated`, and `now` will be by the write, unless it is `sure` that people can see it by then. What was
    shown before of the same head in the same words has been there since then.
    """
    kept = list(read_shown(before))
    if kept and replace(kept[0], at=now.at) == _rounded(now):
        return "".join(f"{one}\n" for one in kept[:MOST])
    told = f" at={int(now.at.timestamp())}"
    newest = str(now) if sure else str(now).replace(f"{told} ", f"{told}+ ")
    return "".join(f"{one}\n" for one in [newest, *kept][:MOST])


def at_the_time(reviews: Iterable[Shown], moment: datetime) -> Shown | None:
    """Return what people saw at a moment: the latest that had been shown before, None where nothing had.

    Within the same second nobody reads and answers, and it may have been the other way round.
    """
    return max((one for one in reviews if one.at < moment), key=lambda one: one.at, default=None)


def _shown(match: re.Match[str]) -> Shown:
    def number(name: str) -> float | None:
        return None if match[name] == "none" else float(match[name])

    model = None if match["model"] == "none" else match["model"]
    at = datetime.fromtimestamp(int(match["at"]), UTC)
    return Shown(match["head"], at, match["flagged"] == "yes", number("risk"), number("percentile"), model)


def _rounded(one: Shown) -> Shown:
    """Return it as its mark can tell."""
    (same,) = read_shown(str(one))
    return same
