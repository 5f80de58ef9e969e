"""The check run on the head: verdict, receipt, and annotations of what calls for a reader.

A check run is found again by what its `external_id` begins with, and updated, never added twice; the rest of the id
tells which pull request it is about, and is a digest of what it says, so that a second run with the same report writes
nothing. GitHub appends the annotations of an update and takes none away: one that was dismissed since stays until the
next push.

A check run belongs to a commit, and whoever may push can have the same commit compared with another branch, where it
looks harmless. So the verdict of one pull request never takes the place of a worse one of another.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from oversight.audit.verdict import Decision
from oversight.reports import words
from oversight.reports.escape import terminal
from oversight.reports.markdown import Link, render
from oversight.reports.model import FlaggedBy, RiskReport, Status
from oversight.reviewers.model import Severity
from oversight_github.anchors import addressable
from oversight_github.client import Client, Unprocessable
from oversight_github.markers import key_of, made_by
from oversight_github.publish.model import CHECK_RUN, Outcome, Step, Target, Wishes
from oversight_github.publish.remarks import Remark, Remarks
from oversight_github.shown import Shown, dated, marks

BATCH = 50
"""How many annotations GitHub takes at once."""
ANNOTATIONS = 250
"""How many there are at most; the summary lists the rest."""

_OURS = "oversight/"
_NUMBER = re.compile(rf"{_OURS}(?P<number>[1-9][0-9]{{0,17}})-[0-9a-f]{{8}}/")
_PARTIAL = "partial"
_TITLE = 200
_LEVELS = {Severity.CRITICAL: "failure", Severity.HIGH: "failure", Severity.MEDIUM: "warning", Severity.LOW: "notice"}

BUTTONS = (
    {"label": "Safe", "identifier": Decision.SAFE.value, "description": "Needs nobody's second look"},
    {"label": "Risky", "identifier": Decision.RISKY.value, "description": "People will have to repair it"},
    {"label": "Unsure", "identifier": Decision.UNSURE.value, "description": "Looked at, and not told apart"},
)
"""What people press to give a verdict; GitHub takes three at most."""

_WORSE = {"success": 0, "neutral": 1, "failure": 2}

_SURE = timedelta(seconds=1)  # marks tell whole seconds

Fields = dict[str, Any]


def publish_check(
    api: Client, target: Target, wishes: Wishes, said: Remarks, link: Link | None, clock: Callable[[], datetime]
) -> Step:
    """Bring the check run on the head into the state that the report asks for. Raises GitHubError.

    `clock` tells GitHub's time, as far as it is known.
    """
    report = said.shown
    conclusion = conclusion_of(report, gate=wishes.gate)
    verdict = {"status": "completed", "conclusion": conclusion}
    output = {"title": title_of(report), "summary": render(report, link=link)}
    annotations = [annotation(remark) for remark in said.all if addressable(remark.path)][:ANNOTATIONS]
    about = _about(target)
    digest = about + sha256(json.dumps([verdict, output, annotations]).encode("utf-8")).hexdigest()[:32]
    run = _find(api, target.head, wishes)
    if run is not None and run.get("external_id") == digest and run.get("conclusion") == conclusion:
        return Step(CHECK_RUN, Outcome.UNCHANGED, f"says {conclusion} already")
    if run is not None and _outranks(run, about, conclusion):
        told = f"says {run['conclusion']} of the same commit in another pull request, or against another branch"
        return Step(CHECK_RUN, Outcome.SKIPPED, f"{told}; this one would say {conclusion}")
    # Seen by nobody, and with a time in it: no part of what the check run says.
    shown, before = Shown.of(report, target.head, clock()), "" if run is None else _marks_of(run)
    output["text"] = marks(shown, before)
    # An update appends: what is there already must not be sent again.
    missing = annotations if run is None else _missing(api, int(run["id"]), annotations)
    batches = [missing[at : at + BATCH] for at in range(0, len(missing), BATCH)] or [[]]
    where, refused = None if run is None else int(run["id"]), 0
    for number, batch in enumerate(batches, start=1):
        # Until the last batch the id does not claim that all of it is there.
        mark = digest if number == len(batches) else about + _PARTIAL
        body: Fields = {"name": wishes.name, **verdict, "external_id": mark, "output": output}
        if wishes.buttons:
            body["actions"] = list(BUTTONS)
        written, taken = _write(api, target.head, where, body, batch)
        where = int(written["id"])
        refused += 0 if taken else len(batch)
    if run is not None and written.get("completed_at") == run.get("completed_at"):
        # GitHub goes on naming the time of the first write, so that this one has to be told.
        output["text"] = marks(replace(shown, at=(clock() + _SURE).replace(microsecond=0)), before, sure=True)
        api.patch(api.here("check-runs", int(run["id"])), {"output": output})
    sent = len(missing) - refused
    told = f"{'created' if run is None else 'updated'}, {conclusion}, {words.counted(sent, 'annotation')} sent"
    return Step(CHECK_RUN, Outcome.DONE, f"{told}, {refused} refused" if refused else told)


def conclusion_of(report: RiskReport, *, gate: bool) -> str:
    """Return GitHub's word for the verdict.

    What has no risk fails: `neutral` and `skipped` satisfy a required check, as if the change had been reviewed.
    """
    if report.status is not Status.SCORED:
        return "failure"
    if report.flagged:
        return "failure" if gate else "neutral"
    return "success"


def title_of(report: RiskReport) -> str:
    """Return the verdict as one line of plain text, as the list of checks shows it."""
    head = words.verdict(report).capitalize()
    if report.status is not Status.SCORED:
        return f"{head}: treat the change as unread"
    grounds = ["a principle asks for a reader"] if FlaggedBy.PRINCIPLE in report.flagged_by else []
    if words.known(report.percentile):
        rank = f"{words.rank(report.percentile)} other changes"
        grounds = [rank, *grounds] if FlaggedBy.BUDGET in report.flagged_by else [*grounds, rank]
    return f"{head}: {'; '.join(grounds)}" if grounds else head


def annotation(remark: Remark) -> Fields:
    """Return a remark as an annotation. It has no columns, which GitHub takes on single lines alone."""
    first = max(remark.start or 1, 1)
    return {
        "path": remark.path,
        "start_line": first,
        "end_line": max(remark.end or first, first),
        "annotation_level": "warning" if remark.severity is None else _LEVELS[remark.severity],
        "title": "oversight" if remark.of_hunk else terminal(remark.rule, _TITLE),
        "message": remark.as_text(),
    }


def number_in(external_id: str) -> int | None:
    """Return the pull request that a check run of ours is about, by its id; None where it is about none.

    >>> number_in("oversight/7-dd5c5362/partial")
    7
    """
    found = _NUMBER.match(external_id)
    return int(found["number"]) if found else None


def _about(target: Target) -> str:
    """Return what the ids of check runs about the same pull request and base begin with."""
    if target.number is None:
        return _OURS
    return f"{_OURS}{target.number}-{key_of(target.base or '')}/"


def _outranks(run: Mapping[str, Any], about: str, conclusion: str) -> bool:
    """Whether a check run is that of another pull request, or of this one with another base, and says worse."""
    theirs = str(run["external_id"]).rpartition("/")[0] + "/"
    return theirs not in (_OURS, about) and _WORSE.get(str(run.get("conclusion")), 0) > _WORSE[conclusion]


def _find(api: Client, head: str, wishes: Wishes) -> Mapping[str, Any] | None:
    """Return the newest check run of ours on a commit, None where there is none."""
    runs = api.pages(api.here("commits", head, "check-runs"), key="check_runs", check_name=wishes.name, filter="all")
    ours = [run for run in runs if str(run.get("external_id") or "").startswith(_OURS) and made_by(run, wishes.app)]
    return max(ours, key=lambda run: int(run["id"]), default=None)


def _missing(api: Client, run: int, wanted: Sequence[Fields]) -> list[Fields]:
    there = {_told(one) for one in api.pages(api.here("check-runs", run, "annotations"))}
    return [one for one in wanted if _told(one) not in there]


def _told(one: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple(one.get(name) for name in ("path", "start_line", "end_line", "annotation_level", "title", "message"))


def _marks_of(run: Mapping[str, Any]) -> str:
    """Return the text of a check run, in which its marks stand."""
    return dated(str((run.get("output") or {}).get("text") or ""), run.get("completed_at"))


def _write(api: Client, head: str, run: int | None, body: Fields, batch: list[Fields]) -> tuple[Fields, bool]:
    """Create or update the run; the run as GitHub has it then, and whether it took the batch.

    Where it does not, the verdict is told without it: one place that GitHub does not like must not hide the rest.
    """
    full = {**body, "output": {**body["output"], "annotations": batch}} if batch else body
    try:
        return _send(api, head, run, full), True
    except Unprocessable:
        if not batch:
            raise
        return _send(api, head, run, body), False


def _send(api: Client, head: str, run: int | None, body: Fields) -> Fields:
    if run is None:
        return dict(api.post(api.here("check-runs"), {**body, "head_sha": head}))
    return dict(api.patch(api.here("check-runs", run), body))
