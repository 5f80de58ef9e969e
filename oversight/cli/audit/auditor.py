"""Who sits at the terminal: the name that goes on record, and what they were shown under it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from oversight.errors import UsageError

if TYPE_CHECKING:
    from oversight.audit.store import Store

VARIABLE = "OVERSIGHT_AUDITOR"

Who = Annotated[
    str | None,
    typer.Option(metavar="NAME", help=f"Who judges.  [default: {VARIABLE}, or git's user]", show_default=False),
]

_LONGEST = 100  # characters of a name
_SECONDS = 10
_BATCH = 500


def names_of(given: str | None) -> list[str]:
    """Return the name to put on record, and others that mean the same person."""
    told = [given if given is not None else os.environ.get(VARIABLE) or ""]
    if not told[0].strip() and given is None:
        told = [name for name in map(_git, ("user.email", "user.name")) if name]
    if not told or not 0 < len(told[0].strip()) <= _LONGEST:
        raise UsageError(
            "nobody knows who says so", mend=f"give --who with up to {_LONGEST} characters, or set {VARIABLE}"
        )
    return [name.strip() for name in told]


def note_shown(store: Store, given: str | None, commits: Sequence[str]) -> None:
    """Remember that whoever reads this was shown what reports say of these commits: nobody is blind afterwards.

    To read needs no name, as to judge does: where nobody knows one, nothing is noted. Raises `UsageError` for a name
    that is given and cannot be one.
    """
    from oversight.audit.store import listing

    try:
        who = names_of(given)[0]
    except UsageError:
        if given is not None:
            raise
        return
    for start in range(0, len(commits), _BATCH):
        listing.note_seen(store.engine, who, commits[start : start + _BATCH], datetime.now(UTC))


def _git(key: str) -> str:
    """Return what the user's own configuration says; that of a repository, which may be anybody's, is not read."""
    words = ["git", "config", "--global", "--get", key]
    try:
        done = subprocess.run(words, capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace").strip()
