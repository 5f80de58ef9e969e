"""The check run on the head: verdict, receipt, and annotations of what calls for a reader.

A check run is found again by what its `external_id` begins with, and updated, never added twice; the rest of the id
is a digest of what it says, so that a second run with the same report writes nothing. GitHub appends the annotations
of an update and takes none away: one that was dismissed since stays until the next push.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from oversight.reports import words
from oversight.reports.escape import terminal
from oversight.reports.markdown import Link, render
from oversight.reports.model import FlaggedBy, RiskReport, Status
from oversight.reviewers.model import Severity
from oversight_github.anchors import addressable
from oversight_github.client import Client, Unprocessable
from oversight_github.publish.model import CHECK_RUN, Outcome, Step, Target, Wishes
from oversight_github.publish.remarks import Remark, Remarks
from oversight_github.shown import Shown, marks

BATCH = 50
"""How many annotations GitHub takes at once."""
ANNOTATIONS = 250
"""How many there are at most; the summary lists the rest."""

_OURS = "oversight/"
_PARTIAL = _OURS + "partial"
_TITLE = 200
_LEVELS = {Severity.CRITICAL: "failure", Severity.HIGH: "failure", Severity.MEDIUM: "warning", Severity.LOW: "notice"}

Fields = dict[str, Any]


def publish_check(api: Client, target: Target, wishes: Wishes, said: Remarks, shown: Shown, link: Link | None) -> Step:
    """Bring the check run on the head into the state that the report asks for. Raises GitHubError."""
    report = said.shown
    conclusion = conclusion_of(report, gate=wishes.gate)
    verdict = {"status": "completed", "conclusion": conclusion}
    output = {"title": title_of(report), "summary": render(report, link=link)}
    annotations = [annotation(remark) for remark in said.all if addressable(remark.path)][:ANNOTATIONS]
    digest = _OURS + sha256(json.dumps([verdict, output, annotations]).encode("utf-8")).hexdigest()[:32]
    run = _find(api, target.head, wishes.name)
    if run is not None and run.get("external_id") == digest and run.get("conclusion") == conclusion:
        return Step(CHECK_RUN, Outcome.UNCHANGED, f"says {conclusion} already")
    # Seen by nobody, and with a time in it: no part of what the check run says.
    output["text"] = marks(shown, "" if run is None else str((run.get("output") or {}).get("text") or ""))
    # An update appends: what is there already must not be sent again.
    missing = annotations if run is None else _missing(api, int(run["id"]), annotations)
    batches = [missing[at : at + BATCH] for at in range(0, len(missing), BATCH)] or [[]]
    where, refused = None if run is None else int(run["id"]), 0
    for number, batch in enumerate(batches, start=1):
        # Until the last batch the id does not claim that all of it is there.
        mark = digest if number == len(batches) else _PARTIAL
        body = {"name": wishes.name, **verdict, "external_id": mark, "output": output}
        where, taken = _write(api, target.head, where, body, batch)
        refused += 0 if taken else len(batch)
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


def _find(api: Client, head: str, name: str) -> Mapping[str, Any] | None:
    """Return the newest check run of ours on a commit, None where there is none."""
    runs = api.pages(api.here("commits", head, "check-runs"), key="check_runs", check_name=name, filter="all")
    ours = [run for run in runs if str(run.get("external_id") or "").startswith(_OURS)]
    return max(ours, key=lambda run: int(run["id"]), default=None)


def _missing(api: Client, run: int, wanted: Sequence[Fields]) -> list[Fields]:
    there = {_told(one) for one in api.pages(api.here("check-runs", run, "annotations"))}
    return [one for one in wanted if _told(one) not in there]


def _told(one: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple(one.get(name) for name in ("path", "start_line", "end_line", "annotation_level", "title", "message"))


def _write(api: Client, head: str, run: int | None, body: Fields, batch: list[Fields]) -> tuple[int, bool]:
    """Create or update the run; its number, and whether GitHub took the batch.

    Where it does not, the verdict is told without it: one place that GitHub does not like must not hide the rest.
    """
    full = {**body, "output": {**body["output"], "annotations": batch}} if batch else body
    try:
        return _send(api, head, run, full), True
    except Unprocessable:
        if not batch:
            raise
        return _send(api, head, run, body), False


def _send(api: Client, head: str, run: int | None, body: Fields) -> int:
    if run is None:
        return int(api.post(api.here("check-runs"), {**body, "head_sha": head})["id"])
    api.patch(api.here("check-runs", run), body)
    return run
