"""What is to be published where, and what came of it. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from oversight.errors import OversightError
from oversight.reports.escape import terminal
from oversight_github.shas import is_sha

_SHOWN = 400


class Comment(StrEnum):
    """When there is a summary comment. AUTO: where something calls for a reader, or one is there that has to change."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Target:
    """What a report is about on GitHub: a commit, and the pull request `number` whose head it is, None for a bare one.

    `head` is a full sha; `base` names the branch that the pull request is to be merged into. `whole`: the report is on
    everything between merge base and head, so that what it does not find is not there any more; a report on a part of
    that closes nothing. ValueError on what is no sha.
    """

    head: str
    number: int | None = None
    whole: bool = True
    base: str | None = None

    def __post_init__(self) -> None:
        if not is_sha(self.head):
            raise ValueError("a target is named by its full sha")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What to publish. `gate`: a flagged change fails the check run; one without a risk always does.

    `name` is the check run's, and tells the comments of one review from those of others on the same pull request, as
    of a monorepo's parts. `buttons`: the check run has them for verdicts, which an App hears of and nobody else.
    `app`: id or client id of the App that publishes, whose check runs alone are ours; None where all workflows are it.
    """

    comment: Comment = Comment.AUTO
    inline: bool = False
    check_run: bool = True
    labels: bool = False
    gate: bool = False
    name: str = "oversight"
    buttons: bool = False
    app: str | None = None


class Outcome(StrEnum):
    """What came of one step. REFUSED: for want of rights, which is no fault; FAILED: everything else."""

    DONE = "done"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was to be published, and what came of it in one line, safe to be shown in a log.

    `error` is what kept it from being written, where it may go better later.
    """

    what: str
    outcome: Outcome
    detail: str
    error: OversightError | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.what}: {terminal(self.detail, _SHOWN)}"


@dataclass(frozen=True, slots=True)
class Published:
    """What was done, and what was not and why."""

    steps: tuple[Step, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """One line a step, for the log and the step summary."""
        return tuple(map(str, self.steps))

    @property
    def failed(self) -> tuple[Step, ...]:
        """The steps that failed for another reason than a want of rights."""
        return tuple(step for step in self.steps if step.outcome is Outcome.FAILED)


CHECK_RUN = "check run"
SUMMARY = "summary comment"
INLINE = "inline comments"
LABELS = "labels"
