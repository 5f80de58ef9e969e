"""What is asked about a change: the request, the hash that its answer is kept under, and what is still missing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

from oversight.changes.model import Change
from oversight.reviewers.claude import prompt
from oversight.reviewers.claude.answers import VERSION, Answer, Revision, UnusableError, Vote, read
from oversight.reviewers.claude.client import structured
from oversight.reviewers.claude.fence import Shown, show
from oversight.reviewers.claude.prices import Size
from oversight.reviewers.claude.store import Kept
from oversight.reviewers.claude.verdict import Unanswered

MODEL = "claude-haiku-5-5"
"""The model where nobody names one: the cheapest of the current ones."""

MAX_TOKENS = 8_000
"""The most tokens of an answer, thinking included. 40 hunks take about 3,000."""


_CRITIQUE_BYTES = 2_000  # of what asks for it


@dataclass(frozen=True, slots=True)
class Recipe:
    """How changes are labelled: by which model, with how many of the `WORDINGS`, and whether each answer is criticised
    and revised. `effort` is what the model is told of it, None where it takes no such word.
    """

    model: str = MODEL
    wordings: int = 1
    critique: bool = False
    effort: str | None = None
    version: str = VERSION

    @property
    def name(self) -> str:
        """What labels of this recipe are kept under."""
        return json.dumps(asdict(self), sort_keys=True)

    def __str__(self) -> str:
        how = f"{self.wordings} wording{'s' * (self.wordings > 1)}" + " and a critique" * self.critique
        return f"{self.model}, {how}, prompt {self.version}"


@dataclass(frozen=True, slots=True)
class Needed:
    """A request: the change it is about, the key of its answer, the question, whether it asks for a critique, and its
    sizes.
    """

    change_id: str
    key: str
    text: str
    revised: bool
    size: Size


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a change: the votes so far, the requests that are missing, and what all answers have cost."""

    change_id: str
    shown: Shown
    votes: tuple[Vote | Unanswered, ...]
    needed: tuple[Needed, ...]
    answers: tuple[Kept, ...]

    @property
    def unusable(self) -> bool:
        """Whether an answer was cut off or of another form; one that was declined is an answer."""
        return any(isinstance(vote, Unanswered) and not vote.declined for vote in self.votes)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all requests on the change that are known of."""
        return (*(one.key for one in self.answers), *(one.key for one in self.needed))


def state_of(change: Change, recipe: Recipe, answered: Callable[[str], Kept | None]) -> State:
    """Look what has been `answered` on a change, by the keys of requests, and what has still to be asked."""
    shown = show(change)
    votes: list[Vote | Unanswered] = []
    needed: list[Needed] = []
    answers: list[Kept] = []
    for wording in range(recipe.wordings) if shown.parts else ():
        first = _needed(change.id, prompt.question(shown, wording), recipe, shown, revised=False)
        answer = answered(first.key)
        if answer is None:
            needed.append(first)
            continue
        answers.append(answer)
        vote = vote_of(answer, shown, revised=False)
        if recipe.critique and isinstance(vote, Vote):
            second = _needed(change.id, prompt.critique(shown, wording, answer.text), recipe, shown, revised=True)
            revision = answered(second.key)
            if revision is None:
                needed.append(second)
                continue
            answers.append(revision)
            vote = vote_of(revision, shown, revised=True)
        votes.append(vote)
    return State(change.id, shown, tuple(votes), tuple(needed), tuple(answers))


def vote_of(answer: Kept, shown: Shown, *, revised: bool) -> Vote | Unanswered:
    """Read an answer; one that was declined, cut off or of another form is no vote."""
    if answer.stop == "refusal":
        return Unanswered("Claude declined to judge this change", declined=True)
    if answer.stop != "end_turn":
        return Unanswered("Claude's answer was cut off")
    try:
        return read(answer.text, shown, revised=revised)
    except UnusableError as error:
        return Unanswered(str(error))


def params_of(needed: Needed, recipe: Recipe, *, batch: bool) -> dict[str, Any]:
    """Return the request as the Messages API takes it: no tools, one message, and the system prompt to be cached, for
    an hour where it waits in a batch.
    """
    kept = {"type": "ephemeral", "ttl": "1h"} if batch else {"type": "ephemeral"}
    output = {"format": _form(revised=needed.revised)} | ({"effort": recipe.effort} if recipe.effort else {})
    return {
        "model": recipe.model,
        "max_tokens": needed.size.max_tokens,
        "system": [{"type": "text", "text": prompt.system(), "cache_control": kept}],
        "messages": [{"role": "user", "content": needed.text}],
        "output_config": output,
    }


@lru_cache(maxsize=2)
def _form(*, revised: bool) -> dict[str, Any]:
    return structured(Revision if revised else Answer)


def criticised(size: Size) -> Size:
    """Return the size of the critique of an answer that is not there yet, at most."""
    return replace(size, question=size.question + prompt.ANSWER_BYTES + _CRITIQUE_BYTES)


def _needed(change_id: str, text: str, recipe: Recipe, shown: Shown, *, revised: bool) -> Needed:
    told = [recipe.model, recipe.effort, recipe.version, MAX_TOKENS, revised, text]
    key = hashlib.sha256(json.dumps(told).encode()).hexdigest()
    system, question = len(prompt.system().encode()), len(text.encode())
    form = len(json.dumps(_form(revised=revised)))  # part of what the model reads
    return Needed(change_id, key, text, revised, Size(system + form, question, len(shown.parts), MAX_TOKENS))
