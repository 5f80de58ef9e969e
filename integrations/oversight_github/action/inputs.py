"""What the workflow asks for: the inputs of `action.yml`, each checked, every mistake told at once.

`action.yml` hands each input over in a variable `INPUT_...`; an empty one is one that was not given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from oversight.config import load
from oversight.errors import ConfigError, UsageError
from oversight.reports.escape import terminal
from oversight_github.publish.model import Comment

NAMES = (
    "token", "budget", "fail-on", "comment", "inline", "check-run", "labels", "sarif-file", "report-file",
    "model", "model-sha256", "base", "head", "paths",
)  # fmt: skip
"""The inputs, as `action.yml` declares them."""

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_LONGEST_REVISION = 300
_EVERYTHING: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")

Value = TypeVar("Value")


class FailOn(StrEnum):
    """When a review that worked still fails the step."""

    NEVER = "never"
    FLAGGED = "flagged"


@dataclass(frozen=True, slots=True)
class Inputs:
    """Checked inputs; None, and empty tuples, where one was not given.

    `budget` in percent; `include` and `exclude` are globs; `model_sha256` in lower case.
    """

    token: str | None
    budget: float | None
    fail_on: FailOn
    comment: Comment
    inline: bool
    check_run: bool
    labels: bool
    sarif_file: str | None
    report_file: str | None
    model: str | None
    model_sha256: str | None
    base: str | None
    head: str | None
    include: tuple[str, ...]
    exclude: tuple[str, ...]


class InputsError(UsageError):
    """One or more inputs that make no sense; `mistakes` has each of them with its mend."""

    def __init__(self, mistakes: tuple[UsageError, ...]) -> None:
        super().__init__(f"{len(mistakes)} of the inputs make no sense", mend="correct `with:` in the workflow")
        self.mistakes = mistakes


def variable(name: str) -> str:
    """Return the variable that an input comes in.

    >>> variable("model-sha256")
    'INPUT_MODEL_SHA256'
    """
    return f"INPUT_{name.upper().replace('-', '_')}"


def read(environment: Mapping[str, str]) -> Inputs:
    """Return the inputs. Raises InputsError, with all that is wrong and not only what is met first."""
    given = {name: environment.get(variable(name), "").strip() for name in NAMES}
    mistakes: list[UsageError] = []

    def checked(name: str, check: Callable[[str], Value], default: Value) -> Value:
        if not given[name]:
            return default
        try:
            return check(given[name])
        except UsageError as mistake:
            mistakes.append(UsageError(f"input {name}: {mistake.message}", mend=mistake.mend))
            return default

    if given["model-sha256"] and not given["model"]:
        mistakes.append(UsageError("input model-sha256: there is no model", mend="name the model it belongs to"))
    include, exclude = checked("paths", _paths, _EVERYTHING)
    found = Inputs(
        token=checked("token", _token, None),
        budget=checked("budget", _budget, None),
        fail_on=checked("fail-on", _fail_on, FailOn.NEVER),
        comment=checked("comment", _comment, Comment.AUTO),
        inline=checked("inline", _switch, False),
        check_run=checked("check-run", _switch, True),
        labels=checked("labels", _switch, False),
        sarif_file=given["sarif-file"] or None,
        report_file=given["report-file"] or None,
        model=given["model"] or None,
        model_sha256=checked("model-sha256", _sha256, None),
        base=checked("base", _revision, None),
        head=checked("head", _revision, None),
        include=include,
        exclude=exclude,
    )
    if mistakes:
        raise InputsError(tuple(mistakes))
    return found


def _token(value: str) -> str:
    # Its text is in no message: it would be shown.
    if not value.isascii() or not value.isprintable() or " " in value:
        raise UsageError("it has characters that no token has", mend="pass ${{ github.token }} or a secret as it is")
    return value


def _budget(value: str) -> float:
    try:
        number = float(value.removesuffix("%"))
    except ValueError:
        number = 0.0
    if not 0 < number <= 100:
        raise UsageError(
            f"{terminal(value, 40)} is no budget",
            mend="give the percentage of changes that people can read, above 0 and at most 100",
        )
    return number


def _fail_on(value: str) -> FailOn:
    return FailOn(_one_of(value, tuple(FailOn)))


def _comment(value: str) -> Comment:
    return Comment(_one_of(value, tuple(Comment)))


def _switch(value: str) -> bool:
    return _one_of(value, _TRUE + _FALSE, shown=("true", "false")) in _TRUE


def _one_of(value: str, known: tuple[str, ...], shown: tuple[str, ...] | None = None) -> str:
    if value.lower() not in known:
        raise UsageError(
            f"{terminal(value, 40)} is none of its values", mend=f"give one of {', '.join(shown or known)}"
        )
    return value.lower()


def _sha256(value: str) -> str:
    if not _SHA256.fullmatch(value):
        raise UsageError("it is no sha256", mend="give the 64 hexadecimal digits that `sha256sum` prints")
    return value.lower()


def _revision(value: str) -> str:
    odd = len(value) > _LONGEST_REVISION or not value.isprintable() or " " in value or ".." in value
    if odd or value.startswith("-"):
        raise UsageError(f"{terminal(value, 80)} is no revision", mend="give a full sha, a branch or a tag")
    return value


def _paths(value: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what to include and, of lines that begin with `!`, what to exclude."""
    lines = [line.strip() for line in re.split(r"[\n,]", value) if line.strip()]
    include = tuple(line for line in lines if not line.startswith("!"))
    exclude = tuple(line[1:].strip() for line in lines if line.startswith("!"))
    try:
        load(None, environment={}, include=include, exclude=exclude)
    except ConfigError as error:
        message = error.message.replace("--include: ", "").replace("--exclude: ", "")
        raise UsageError(message, mend=error.mend) from None
    return include, exclude
