"""What Claude has said of a history before, for the commands that learn from it; whether it has a say is told aloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from oversight.changes.repository import Repository
    from oversight.experiment.answered import Answered


def heard(repository: Repository, weak: str) -> Answered:
    """Return what Claude has said, where the weak reviewer of that name listens to it. Nobody is asked."""
    from oversight.experiment.answered import Answered, read_answered
    from oversight.reviewers.claude.store import path

    if weak not in ("claude", "panel"):
        return Answered()
    return read_answered(repository.key, path())


def tell(answered: Answered, weak: str) -> None:
    """Say on stderr whether Claude had a say; not before an error could be, which is one line."""
    if answered.labels:
        typer.echo(f"claude has a say: {len(answered.labels):,} labels, by {answered.recipe}", err=True)
    elif weak == "panel":
        typer.echo(
            "the panel goes on without claude, which was not asked about this history (oversight label)", err=True
        )
