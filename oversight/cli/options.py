"""Options that several commands share, said once."""

from __future__ import annotations

from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated

import typer

from oversight.errors import UsageError

Repo = Annotated[Path, typer.Option("--repo", help="A folder inside the repository to read.", show_default="this one")]
ModelName = Annotated[str | None, typer.Option("--model", help="A shipped model's name, or a model directory.")]
Budget = Annotated[float | None, typer.Option("--budget", help="Flag the riskiest PERCENT of changes.  [default: 10]")]
Since = Annotated[str | None, typer.Option("--since", help="Committed on or after this date (UTC).")]
Until = Annotated[str | None, typer.Option("--until", help="Committed on or before this date (UTC).")]
Readers = Annotated[int, typer.Option("--jobs", min=0, help="Processes that read changes; 0 is one a core.")]
WeakReviewer = Annotated[str, typer.Option("--weak", help="Weak reviewer: panel, lexical, principles or claude.")]

HERE = Path()


def moment(text: str | None, option: str, *, end_of_day: bool = False) -> datetime | None:
    """Read a date or a time, UTC unless it says otherwise; a bare date means its whole day. UsageError otherwise."""
    if text is None:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} is no date", mend="write it as 2026-01-31 or 2026-01-31T12:00:00+00:00") from None
    if end_of_day and len(text) <= len("2026-01-31"):
        when = datetime.combine(when.date(), time.max)
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def period(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """Read `--since` and `--until`. UsageError where one is no date, and where the first is after the last."""
    first, last = moment(since, "--since"), moment(until, "--until", end_of_day=True)
    if first is not None and last is not None and first > last:
        raise UsageError("--since is after --until", mend="exchange the two dates")
    return first, last
