"""`oversight review`: one change, one report."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oversight.cli.options import HERE, Budget, ModelName, Repo
from oversight.reports import Format

if TYPE_CHECKING:
    from oversight.config import Settings
    from oversight.reports import RiskReport
    from oversight.review import Reviewer


class FailOn(StrEnum):
    """When a review that worked still ends with an exit code other than 0."""

    NEVER = "never"
    FLAGGED = "flagged"


def review(
    span: Annotated[
        str | None,
        typer.Argument(
            metavar="RANGE",
            help="A commit (against its first parent), or A..B or A...B (merge base to B).  [default: HEAD]",
            show_default=False,
        ),
    ] = None,
    diff: Annotated[
        Path | None, typer.Option(help="Read a diff from this file, or from stdin with -, instead.")
    ] = None,
    repo: Repo = HERE,
    format: Annotated[Format, typer.Option(help="How to write the report.")] = Format.TEXT,  # noqa: A002  the option's name
    output: Annotated[Path | None, typer.Option(help="Write the report here instead of to stdout.")] = None,
    model: ModelName = None,
    budget: Budget = None,
    fail_on: Annotated[FailOn, typer.Option(help="End with exit code 1 when the change is flagged.")] = FailOn.NEVER,
) -> None:
    """Say how risky a change is, which hunks, and why.

    Exit codes: 0 reviewed, 1 flagged (with --fail-on flagged), 2 the call or its input is wrong, 3 the change
    could not be scored.
    """
    from oversight.errors import UsageError
    from oversight.reports import colour_wanted, render, write
    from oversight.reports.model import Status

    if diff is not None and span is not None:
        raise UsageError("a RANGE and --diff exclude each other", mend="leave one of them out")
    report = (
        _review_diff(diff, model=model, budget=budget)
        if diff is not None
        else _review_revision("HEAD" if span is None else span, repo, model=model, budget=budget)
    )
    to_terminal = output is None and colour_wanted(sys.stdout)
    write(render(report, format, colour=to_terminal), output)
    if report.status is not Status.SCORED:
        raise typer.Exit(3)
    if report.flagged and fail_on is FailOn.FLAGGED:
        raise typer.Exit(1)


def _review_diff(source: Path, *, model: str | None, budget: float | None) -> RiskReport:
    from oversight.config import load
    from oversight.errors import UsageError

    settings = load(budget=budget, model=model)
    if str(source) == "-":
        if sys.stdin is None:
            raise UsageError("standard input is closed", mend="name a file with a unified diff")
        return _reviewer(settings).diff(sys.stdin.buffer)
    try:
        with source.open("rb") as file:
            return _reviewer(settings).diff(file)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise UsageError(
            f"the diff cannot be read: {reason}", mend="name a file with a unified diff, or - for stdin"
        ) from None


def _review_revision(spec: str, path: Path, *, model: str | None, budget: float | None) -> RiskReport:
    from oversight.base_settings import principle_files, settings_file
    from oversight.changes.repository import Repository
    from oversight.cli.progress import stages
    from oversight.config import load
    from oversight.history.index import Index

    with Repository.open(path) as repository:
        span = repository.span(spec)
        settings = load(settings_file(repository, span.base), budget=budget, model=model)
        reviewer = _reviewer(settings, principle_files(repository, span.base, settings.principles))
        with Index.open(repository) as index, stages() as tell:
            return reviewer.revision(repository, span, index, tell)


def _reviewer(settings: Settings, extra: tuple[tuple[str, bytes], ...] = ()) -> Reviewer:
    from oversight.review import Reviewer
    from oversight.reviewers.principles import Principles, parse_named
    from oversight.students.runtime import open_model

    return Reviewer(open_model(settings.model), Principles(parse_named(extra)), settings)
