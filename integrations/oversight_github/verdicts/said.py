"""Comments and label events as something that a person said. No I/O.

Commands come in comments (`oversight_github.commands`), and verdicts on whole changes as labels too, which say nothing
of why. What bots say is nothing, whatever they quote.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from oversight.audit.verdict import Decision
from oversight.reports.escape import terminal
from oversight_github import commands
from oversight_github.commands import Verb
from oversight_github.verdicts.answers import at, moment_at, number_at, text_at

COMMENT, INLINE, LABEL, BUTTON = "comment", "review-comment", "label", "button"
"""Where something was said: below a pull request, in its diff, by a label, or by a button of a check run."""

PARTS = {COMMENT: "issues", INLINE: "pulls"}
"""What GitHub's paths to comments of a kind go through."""

LABELS = {"oversight: safe": Decision.SAFE, "oversight: risky": Decision.RISKY}
"""Labels that are verdicts, in lower case, as GitHub tells names of labels apart."""

_DECISIONS = {Verb.SAFE: Decision.SAFE, Verb.RISKY: Decision.RISKY, Verb.DISMISS: Decision.DISMISSED}
_WHY = {
    Verb.UNKNOWN: "an unknown command",
    Verb.INCOMPLETE: "a dismissal without a reason",
}
_PERSON = "User"
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True)
class Said:
    """A verdict that somebody may have given; nothing of it is checked yet.

    `node` is the comment's id in GraphQL. `edited`: it changed after it was made, by nobody knows whom. `answers` is
    the comment in the diff that it replies to.
    """

    kind: str
    id: int
    number: int
    who: str
    decision: Decision
    note: str
    at: datetime
    node: str = ""
    edited: bool = False
    answers: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that was said and is no verdict, and why not."""

    kind: str
    id: int
    number: int
    who: str
    why: str

    def __str__(self) -> str:
        return f"#{self.number}, {self.kind} {self.id} of {terminal(self.who, 60)}: {self.why}"


def of_comment(comment: Any, kind: str) -> Said | Refusal | None:
    """Return what a comment says; None where it is no business of ours."""
    command = commands.parse(text_at(comment, "body"))
    who, made = _person(comment, "user"), moment_at(comment, "created_at")
    if command is None or command.verb is Verb.REVIEW or who is None or made is None:
        return None
    address = text_at(comment, "pull_request_url" if kind == INLINE else "issue_url")
    number = address.rpartition("/")[2]
    if _NUMBER.fullmatch(number) is None:
        return None
    identity = number_at(comment, "id")
    if command.verb in _WHY:
        return Refusal(kind, identity, int(number), who, _WHY[command.verb])
    updated = moment_at(comment, "updated_at") or made
    answers = at(comment, "in_reply_to_id")
    return Said(
        kind, identity, int(number), who, _DECISIONS[command.verb], command.note, made,
        node=text_at(comment, "node_id"), edited=updated != made, answers=answers if isinstance(answers, int) else None,
    )  # fmt: skip


def of_label(event: Any, number: int) -> Said | None:
    """Return what an event of a pull request's history says, None where it puts no label of ours."""
    name = text_at(event, "label", "name").lower()
    who, made = _person(event, "actor"), moment_at(event, "created_at")
    if at(event, "event") != "labeled" or name not in LABELS or who is None or made is None:
        return None
    return Said(LABEL, number_at(event, "id"), number, who, LABELS[name], "", made)


def asks_for_review(comment: Any) -> bool:
    """Whether a person's comment asks for another review."""
    command = commands.parse(text_at(comment, "body"))
    return command is not None and command.verb is Verb.REVIEW and _person(comment, "user") is not None


def _person(answer: Any, key: str) -> str | None:
    """Return the login of a person; None for a bot, and for an account that is gone."""
    login = text_at(answer, key, "login")
    return login if login and at(answer, key, "type") == _PERSON and not login.endswith("[bot]") else None
