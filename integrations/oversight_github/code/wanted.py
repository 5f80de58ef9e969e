"""What is to be reviewed, as whoever asks names it. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from oversight_github.events import Pull


@dataclass(frozen=True, slots=True)
class Wanted:
    """The change from the merge base of `head` and the first of `bases` that there is, to `head`.

    Full shas, or names of branches and tags. Without `bases` it is `head` against its first parent; where `else_alone`,
    also if none of them can be had or the change would be empty. `pull` is the open pull request that reviews of it
    belong to.
    """

    head: str
    bases: tuple[str, ...] = ()
    else_alone: bool = False
    pull: Pull | None = None
