"""Hidden marks on the first line of our comments: which one is the summary, and whose finding an inline one is. No I/O.

    <!-- oversight:summary v1 key=9f86d081 head=3f9c… unplaced=6b1d…:1 -->
    <!-- oversight:finding v1 key=9f86d081 id=6b1d…:1 state=open -->

A mark counts at the very beginning of a body alone, and holds nothing but hexadecimal digits and words of ours: no
path, title or message of a change can make one, since what a body shows of them comes later and is escaped. Anybody
can copy one into a comment of their own, and who may write can edit ours, so a reader also asks GitHub whether the
comment is as we wrote it.

The lines after a summary's mark tell what was shown of which head (`shown.marks`): verdicts are tied to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

from oversight_github.shas import SHA

_FINGERPRINT = r"[0-9a-f]{32}:[1-9][0-9]{0,8}"
_LIST = rf"{_FINGERPRINT}(?:,{_FINGERPRINT})*"
_SUMMARY = re.compile(
    rf"<!-- oversight:summary v1 key=(?P<key>[0-9a-f]{{8}}) head=(?P<head>{SHA})"
    rf" unplaced=(?P<unplaced>{_LIST}|none) -->\r?\n"
)
_FINDING = re.compile(
    rf"<!-- oversight:finding v1 key=(?P<key>[0-9a-f]{{8}}) id=(?P<id>{_FINGERPRINT})"
    r" state=(?P<state>open|settled) -->\r?\n"
)


class State(StrEnum):
    """What we last said of a finding: that it is there, or that it is no more (or was dismissed)."""

    OPEN = "open"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class SummaryMark:
    """The mark of a sticky summary.

    `key` tells apart several reviews of one pull request (`key_of`); `head` is the full sha that it is about;
    `unplaced` are the fingerprints of what GitHub took no inline comment for at that head.
    """

    key: str
    head: str
    unplaced: tuple[str, ...] = ()

    def __str__(self) -> str:
        about = f"key={self.key} head={self.head} unplaced={','.join(self.unplaced) or 'none'}"
        return _checked(_SUMMARY, f"<!-- oversight:summary v1 {about} -->\n")


@dataclass(frozen=True, slots=True)
class FindingMark:
    """The mark of an inline comment: the fingerprint of the finding, or of the first of those, that it is about."""

    key: str
    id: str
    state: State = State.OPEN

    def __str__(self) -> str:
        return _checked(_FINDING, f"<!-- oversight:finding v1 key={self.key} id={self.id} state={self.state} -->\n")


def key_of(name: str) -> str:
    """Return the 8 hexadecimal digits that stand for the name of a review.

    >>> key_of("oversight")
    'dd5c5362'
    """
    return sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def read_summary(body: str) -> SummaryMark | None:
    """Return the mark that a summary begins with; None for a body without one."""
    found = _SUMMARY.match(body)
    if found is None:
        return None
    unplaced = () if found["unplaced"] == "none" else tuple(found["unplaced"].split(","))
    return SummaryMark(found["key"], found["head"], unplaced)


def read_finding(body: str) -> FindingMark | None:
    """Return the mark that an inline comment begins with; None for a body without one."""
    found = _FINDING.match(body)
    return None if found is None else FindingMark(found["key"], found["id"], State(found["state"]))


def as_written(comment: Any) -> bool:
    """Whether a comment, of which GraphQL told `viewerDidAuthor` and the logins of `author` and `editor`, is ours and
    was edited by nobody else.
    """
    if not isinstance(comment, Mapping) or comment.get("viewerDidAuthor") is not True:
        return False
    return comment.get("editor") in (None, comment.get("author"))


def made_by(run: Any, app: str | None) -> bool:
    """Whether an App, named by its id or client id, made a check run; None: any will do, since all workflows are one.

    Others, and any workflow, can give a check run of theirs the same name, id and marks.
    """
    if app is None:
        return True
    told = run.get("app") if isinstance(run, Mapping) else None
    made = told.get("id" if app.isdecimal() else "client_id") if isinstance(told, Mapping) else None
    return made is not None and str(made) == (app.lstrip("0") if app.isdecimal() else app)


def without_mark(body: str) -> str:
    """Return what stands below the mark; the whole body where there is none."""
    found = _SUMMARY.match(body) or _FINDING.match(body)
    return body if found is None else body[found.end() :]


def _checked(pattern: re.Pattern[str], mark: str) -> str:
    """Return a mark that can be read again. ValueError on values that no mark can hold."""
    if pattern.fullmatch(mark) is None:
        raise ValueError("a mark holds shas, keys and fingerprints alone")
    return mark
