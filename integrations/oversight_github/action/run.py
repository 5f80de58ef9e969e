"""The job on one page: what the workflow asks and the event names becomes a report, and the report an exit code.

    event ──> what people said ─┬─> wanted ──> source ──> review ──> files, summary, outputs ──> what needs rights
    inputs ─────────────────────┘

Exit codes: 0 reviewed; 1 flagged and `fail-on: flagged`; 2 an input or the event is wrong; 3 the change could not be
scored, which fails the step whatever `fail-on` says. What needs no rights is written first, and nothing that comes
after it can fail the step: a token that may not comment is no reason for a red check.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

from oversight.config import load
from oversight.errors import OversightError, UnscoredError, UsageError
from oversight.reports import Format, RiskReport
from oversight.reports.markdown import render as as_markdown
from oversight.reports.model import Status
from oversight.review import Reviewer
from oversight.reviewers.principles import Principles, parse_named
from oversight_github.action import inputs as asked
from oversight_github.action import people
from oversight_github.action.inputs import FailOn, Inputs, InputsError
from oversight_github.action.job import Job
from oversight_github.action.models import open_wanted
from oversight_github.action.outputs import (
    Outputs,
    of_failure,
    of_report,
    summary_of_failure,
    target_in,
    write_report,
)
from oversight_github.action.people import listen, mind, place
from oversight_github.action.runner import Runner
from oversight_github.action.source import find
from oversight_github.action.wanted import wanted
from oversight_github.client import Client
from oversight_github.code.source import Source
from oversight_github.code.unscored import unscored
from oversight_github.events import Event, Pull, PullRequestEvent, parse
from oversight_github.markers import key_of
from oversight_github.publish import publish
from oversight_github.publish.model import Target, Wishes
from oversight_github.shas import is_sha

_NAME = 60  # characters of the paths in the name of a review
_LARGEST_PAYLOAD = 32 * 1024 * 1024


def run(environment: MutableMapping[str, str]) -> int:
    """Do the job of a step with this environment, and return its exit code."""
    outputs = Outputs.of(environment)
    failure: OversightError
    try:
        return _run(environment, outputs)
    except InputsError as error:
        for mistake in error.mistakes:
            outputs.complain(mistake)
        failure = error
    except OversightError as error:
        outputs.complain(error)
        failure = error
    except Exception as error:  # a bug of ours must not look like a clean review
        if environment.get("OVERSIGHT_DEBUG"):
            outputs.say(traceback.format_exc())
        failure = UnscoredError(
            f"internal error, nothing was reviewed: {type(error).__name__}: {error}",
            mend="report it, please, with what OVERSIGHT_DEBUG=1 in `env:` adds to the log",
        )
        outputs.complain(failure)
    outputs.set(of_failure())
    outputs.summarise(summary_of_failure(failure))
    return failure.exit_code


def _run(environment: MutableMapping[str, str], outputs: Outputs) -> int:
    inputs = asked.read(environment)
    environment.pop(asked.variable("token"), None)  # no process that is started from here on inherits it
    if inputs.token is None:
        outputs.warn("There is no token: nothing can be posted, and nothing fetched but from public repositories.")
    else:
        outputs.mask(inputs.token)
    runner = Runner.of(environment)
    verdicts = place(environment.get(people.VARIABLE), runner.workspace)
    with Client(runner.repository, inputs.token, api_url=runner.api_url) as client:
        job = Job(runner, inputs, outputs, client, _payload(runner.event_path), verdicts)
        listened = listen(job, parse(runner.event_name, job.payload))
        code = 0 if listened.review is None else _review(job, listened.review)
        return max(code, 0 if listened.failure is None else listened.failure.exit_code)


def _review(job: Job, event: Event) -> int:
    change = wanted(event, job.inputs, sha=job.runner.sha, default_branch=job.default_branch)
    report_file, sarif_file = _targets(job)
    if isinstance(event, PullRequestEvent) and change.pull is None:
        job.outputs.note("The pull request is closed, or not the change under review: nothing is posted to it.")
    try:
        with find(change, job.runner, job.inputs.token, job.client, kilobytes=job.kilobytes) as source:
            report = source.review(_reviewer(job, source))
    except UnscoredError as error:
        job.outputs.complain(error)
        report = unscored(error, change.head, job.runner.repository, job.inputs.budget)
    if report.status is Status.SCORED and not report.change.files:
        job.outputs.note("The change is empty: there is nothing to read in it.")
    pull = change.pull if change.pull is not None and change.pull.head_sha == report.change.head else None
    dismissed: Mapping[str, str] = {}
    if pull is not None and job.inputs.token is not None:
        report, dismissed = mind(job, report, pull)
    _write(job, report, report_file, sarif_file)
    _publish(job, report, pull, dismissed)
    job.outputs.findings(report)
    if report.status is not Status.SCORED:
        return UnscoredError.exit_code
    return 1 if report.flagged and job.inputs.fail_on is FailOn.FLAGGED else 0


def _reviewer(job: Job, source: Source) -> Reviewer:
    """Return who reviews: what the inputs say goes before the base revision, and the change has no say."""
    inputs = job.inputs
    settings = load(
        source.settings(), budget=inputs.budget, include=inputs.include or None, exclude=inputs.exclude or None
    )
    model = open_wanted(inputs, source, job.runner.workspace, job.runner.temp, default=settings.model)
    return Reviewer(model, Principles(parse_named(source.principles(settings.principles))), settings)


def _targets(job: Job) -> tuple[Path, Path | None]:
    """Return the files of the report; the JSON one is always written, by each step of a job to a place of its own."""
    inputs, workspace = job.inputs, job.runner.workspace
    report = inputs.report_file or str(job.runner.temp / f"oversight-{secrets.token_hex(8)}" / "report.json")
    return target_in(workspace, report), target_in(workspace, inputs.sarif_file) if inputs.sarif_file else None


def _write(job: Job, report: RiskReport, report_file: Path, sarif_file: Path | None) -> None:
    job.outputs.summarise(as_markdown(report))
    job.outputs.set(of_report(report, report_file=report_file, sarif_file=sarif_file))
    write_report(report, report_file, Format.JSON)
    if sarif_file is not None:
        write_report(report, sarif_file, Format.SARIF)


def _publish(job: Job, report: RiskReport, pull: Pull | None, dismissed: Mapping[str, str]) -> None:
    """Post what the inputs ask for, as far as the token may; whatever fails is told, and fails nothing."""
    head = report.change.head
    if job.inputs.token is None or head is None or not is_sha(head):
        return
    try:
        # A review against something else than the base of the pull request says nothing of what is gone since.
        whole = job.inputs.base is None
        target = Target(head, pull.number, whole, pull.base_ref) if pull else Target(head, whole=whole)
        published = publish(report, target, job.client, _wishes(job.inputs), dismissed)
    except Exception as error:
        job.outputs.warn(f"The review could not be posted: {type(error).__name__}: {error}")
        return
    for step in published.steps:
        (job.outputs.warn if step in published.failed else job.outputs.say)(str(step))


def _wishes(inputs: Inputs) -> Wishes:
    """Return what to post. Reviews of parts of a monorepo go by their paths, so that none takes another's place."""
    return Wishes(
        comment=inputs.comment,
        inline=inputs.inline,
        check_run=inputs.check_run,
        labels=inputs.labels,
        gate=inputs.fail_on is FailOn.FLAGGED,
        name=_name(inputs),
    )


def _name(inputs: Inputs) -> str:
    """Return the name of a review: of two that read other files never the same, or one would speak for both."""
    if not inputs.include and not inputs.exclude:
        return "oversight"
    paths = ", ".join([*inputs.include, *(f"!{one}" for one in inputs.exclude)])
    if len(paths) > _NAME:
        paths = f"{paths[:_NAME]}… {key_of(paths)}"
    return f"oversight ({paths})"


def _payload(path: Path) -> Mapping[str, Any]:
    """Return the event as the runner wrote it down. Raises UsageError."""
    try:
        with path.open("rb") as file:
            payload = json.loads(file.read(_LARGEST_PAYLOAD))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError("the event's payload cannot be read", mend="run this as a step of a workflow") from error
    if not isinstance(payload, dict):
        raise UsageError("the event's payload is no object", mend="run this as a step of a workflow")
    return payload


def main() -> None:
    """Run the step that this process is."""
    sys.exit(run(os.environ))
