"""Reports into GitHub: a check run, inline comments, one summary comment, labels; as asked, and as the token may.

    publish(report, target, api, wishes, dismissed) -> Published

What is there already is looked at first, so that a second run with the same report writes nothing, and a new push
changes what is there. Nothing is written for a head that the pull request has left. A step that the token may not take
is one line in the result, never an exception.

    model.py      what is to be published where, and what came of it
    remarks.py    a report as things to say, each at one place with a fingerprint; what people dismissed
    standing.py   what stands on the pull request already
    checks.py     the check run with its annotations
    inline.py     review comments in the diff
    sticky.py     the summary comment
    labels.py     the labels
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType

from oversight.errors import OversightError
from oversight.reports import RiskReport
from oversight.reports.markdown import Link
from oversight_github.anchors import addressable
from oversight_github.client import Client, Forbidden, GitHubError, NotFound
from oversight_github.markers import SummaryMark, key_of, without_mark
from oversight_github.publish.checks import publish_check
from oversight_github.publish.inline import Inline, publish_inline
from oversight_github.publish.labels import publish_labels
from oversight_github.publish.model import (
    CHECK_RUN,
    INLINE,
    LABELS,
    SUMMARY,
    Comment,
    Outcome,
    Published,
    Step,
    Target,
    Wishes,
)
from oversight_github.publish.remarks import Remark, Remarks, after_dismissals, of_no_lines, remarks
from oversight_github.publish.standing import Standing, Summary, Superseded, diff_address
from oversight_github.publish.sticky import body_of, publish_summary
from oversight_github.shown import Shown, marks

__all__ = ["Comment", "Outcome", "Published", "Step", "Target", "Wishes", "after_dismissals", "of_no_lines", "publish"]

_NOBODY: Mapping[str, str] = MappingProxyType({})


def publish(
    report: RiskReport,
    target: Target,
    api: Client,
    wishes: Wishes | None = None,
    dismissed: Mapping[str, str] = _NOBODY,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Published:
    """Bring GitHub into the state that a report asks for, and return what was done.

    `dismissed` are the fingerprints of what people do not want to hear of again, with their reasons: it is counted and
    no longer said. The verdict is the report's own; `after_dismissals` lets dismissals have a say in it. `clock` tells
    GitHub's time, time-zone aware, as far as it is known: people see nothing before it is written (`shown`).
    """
    return _Run(target, api, wishes or Wishes(), remarks(report, dismissed), dismissed, clock).publish()


class _Run:
    """One run over the steps, in the order of the rights that they take."""

    def __init__(
        self,
        target: Target,
        api: Client,
        wishes: Wishes,
        said: Remarks,
        dismissed: Mapping[str, str],
        clock: Callable[[], datetime],
    ) -> None:
        self._target, self._api, self._wishes = target, api, wishes
        self._said, self._dismissed, self._clock = said, dismissed, clock
        self._key = key_of(wishes.name)
        self._standing = None if target.number is None else Standing(api, target, target.number, self._key)
        self._link: Link | None = None
        self._summaries: list[Summary] | None = None
        self._unplaced: tuple[Remark, ...] = ()

    def publish(self) -> Published:
        steps = self._wanted()
        if self._standing is not None:
            try:
                # A check run belongs to a commit, and is written without a look at the pull request; others ask again.
                with suppress(GitHubError):
                    self._link = _link(self._standing.check())
            except Superseded as reason:
                return Published(tuple(Step(what, Outcome.SKIPPED, str(reason)) for what in steps))
        return Published(tuple(_attempt(what, step) for what, step in steps.items()))

    def _wanted(self) -> dict[str, Callable[[], Step]]:
        wishes, steps = self._wishes, dict[str, Callable[[], Step]]()
        if wishes.check_run:
            steps[CHECK_RUN] = self._check_run
        if self._standing is None:
            return steps
        if wishes.inline:
            steps[INLINE] = partial(self._inline, self._standing)
        if wishes.comment is not Comment.NEVER:
            steps[SUMMARY] = partial(self._summary, self._standing)
        if wishes.labels:
            steps[LABELS] = partial(publish_labels, self._api, self._standing, self._said.shown)
        return steps

    def _check_run(self) -> Step:
        return publish_check(self._api, self._target, self._wishes, self._said, self._link, self._clock)

    def _inline(self, standing: Standing) -> Step:
        tried = _tried(self._there(standing), self._target.head)
        inline = Inline(self._said, standing.threads(), self._dismissed, tried, self._key)
        step, self._unplaced = publish_inline(self._api, standing, self._target, inline)
        return step

    def _summary(self, standing: Standing) -> Step:
        mark = SummaryMark(self._key, self._target.head, tuple(remark.id for remark in self._unplaced))
        there = self._there(standing)
        before = without_mark(there[0].body) if there and not there[0].edited else ""
        shown = marks(Shown.of(self._said.shown, self._target.head, self._clock()), before)
        body = body_of(f"{mark}{shown}", self._wishes.name, self._said, self._unplaced, self._link)
        return publish_summary(self._api, standing, there, self._wishes.comment, body, self._said.shown)

    def _there(self, standing: Standing) -> list[Summary]:
        """Return our summaries, asked for once: conversations can be long."""
        if self._summaries is None:
            self._summaries = standing.summaries() if self._wishes.comment is not Comment.NEVER else []
        return self._summaries


def _attempt(what: str, step: Callable[[], Step]) -> Step:
    try:
        return step()
    except Superseded as reason:
        return Step(what, Outcome.SKIPPED, str(reason))
    except (Forbidden, NotFound) as error:
        return Step(what, Outcome.REFUSED, f"not written: {error}", error)
    except OversightError as error:
        return Step(what, Outcome.FAILED, f"not written: {error}", error)
    except Exception as error:  # the report is written by now, and a bug of ours must not take it back
        return Step(what, Outcome.FAILED, f"not written: internal error ({type(error).__name__}: {error})")


def _tried(summaries: Sequence[Summary], head: str) -> frozenset[str]:
    """Return the fingerprints for which GitHub took no comment when this head was reviewed before."""
    believed = (one.mark for one in summaries if one.mark.head == head and not one.edited)
    return frozenset(fingerprint for mark in believed for fingerprint in mark.unplaced)


def _link(address: str | None) -> Link | None:
    if address is None:
        return None
    return lambda path, start, end: diff_address(address, path, start, end) if addressable(path) else None
