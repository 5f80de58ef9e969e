"""The form of an answer, and what makes one unusable.

Claude is made to answer in this form (structured output), and is not trusted to have done so: an answer that names an
unknown principle or hunk, lines that were not shown, no probability, or not every hunk, is unusable as a whole. What is
unusable is a fault and never a low risk.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema

from oversight.reviewers.claude.fence import Part, Shown
from oversight.reviewers.claude.prompt import principles, version
from oversight.reviewers.model import Place

_Principle = Annotated[str, WithJsonSchema({"enum": list(principles())})]
_Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

_LONGEST = 4_000  # characters of a reasoning that are kept
_RANGES = 50


class _Form(BaseModel):
    """Nothing but what is asked for, and nothing bent into shape."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Lines(_Form):
    """Rows of a hunk, both ends inclusive."""

    side: Literal["new", "old"]
    start: int
    end: int


class HunkAnswer(_Form):
    """What is said of one hunk."""

    hunk: str
    risk: _Probability
    principle: _Principle | None
    lines: list[Lines]


class Injection(_Form):
    """Whether the change speaks to its reviewers."""

    suspected: bool
    hunks: list[str]


class Answer(_Form):
    """What is said of a change. The reasoning comes first, so that the numbers follow from it."""

    reasoning: str
    hunks: list[HunkAnswer]
    risk: _Probability
    principle: _Principle | None
    injection: Injection


class Revision(_Form):
    """A critique of an answer, and the answer that comes out of it."""

    critique: str
    revised: Answer


VERSION = version([Answer.model_json_schema(), Revision.model_json_schema()])
"""What of the prompt and of the form an answer depends on."""


class UnusableError(ValueError):
    """An answer that cannot be used; the message says why in words of ours, and quotes nothing."""


@dataclass(frozen=True, slots=True)
class HunkVote:
    """One answer on one hunk, checked."""

    part: Part
    risk: float
    principle: str | None
    lines: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Vote:
    """One answer on one change, checked. `suspected` are the hunks that speak to reviewers; None where nothing does."""

    risk: float
    principle: str | None
    hunks: tuple[HunkVote, ...]
    suspected: tuple[Part, ...] | None
    reasoning: str


def read(text: str, shown: Shown, *, revised: bool = False) -> Vote:
    """Check what was answered on what was shown; with `revised` it is a critique with an answer in it.

    Raises `UnusableError`.
    """
    try:
        answer = Revision.model_validate_json(text).revised if revised else Answer.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(step) for step in first["loc"] if isinstance(step, int) or step.isidentifier())
        raise UnusableError(f"the answer is not of the form that was asked for: {first['type']} at {where}") from None
    parts = {part.name: part for part in shown.parts}
    said = [one.hunk for one in answer.hunks]
    if sorted(said) != sorted(parts):
        raise UnusableError("the answer does not judge every hunk that was shown once, and no other")
    if answer.injection.hunks and not set(answer.injection.hunks) <= parts.keys():
        raise UnusableError("the answer suspects a hunk that was not shown")
    _known(answer.principle)
    hunks = tuple(_hunk(one, parts[one.hunk]) for one in answer.hunks)
    return Vote(
        answer.risk,
        answer.principle,
        tuple(sorted(hunks, key=lambda hunk: shown.parts.index(hunk.part))),
        tuple(parts[name] for name in dict.fromkeys(answer.injection.hunks)) if answer.injection.suspected else None,
        answer.reasoning[:_LONGEST],
    )


def _hunk(said: HunkAnswer, part: Part) -> HunkVote:
    _known(said.principle)
    if not math.isfinite(said.risk) or len(said.lines) > _RANGES:
        raise UnusableError("the answer has no probability, or more lines than a person would name")
    for lines in said.lines:
        rows = part.new if lines.side == "new" else part.old
        # Both ends are rows of this hunk; a range may run over rows of the other side.
        if not (lines.start <= lines.end and lines.start in rows and lines.end in rows):
            raise UnusableError("the answer names lines that were not shown")
    places = tuple(Place(part.path, lines.start, lines.end, lines.side) for lines in said.lines)
    return HunkVote(part, said.risk, said.principle, places)


def _known(principle: str | None) -> None:
    if principle is not None and principle not in principles():
        raise UnusableError("the answer names a principle that is not in the constitution")
