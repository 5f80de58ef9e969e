"""What a result says in words: for the notebook, which all researchers read, those that are asked elsewhere too.

What a written method raises may hold what it has seen, and its text is anybody's: of its errors the kind and the line
are told. What we say of it ourselves is told in sentences that stand here. People find the whole of it in the records.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Sequence

from oversight import errors
from oversight.research.model import RAISED
from oversight.research.study import Result

_KINDS = frozenset(
    name
    for module in (builtins, errors)
    for name, value in vars(module).items()
    if isinstance(value, type) and issubclass(value, BaseException)
)
_RAISED = re.compile(r"([A-Za-z]\w*)(?: in line (\d{1,5}))?: ")
_LATE = "it took longer than"
_OURS = (
    "it used more than its processor time or memory",
    "it used more than its processor time",
    _LATE,
    "the training ended by itself",
    "it answered what was not asked",
    "what it answered are no probabilities",
    "the worker is lost",
    "a written method runs in a sandbox alone",
    "the study lies where written methods may look",
)
"""How what we say of a written method begins: of what follows nothing is told."""

_UNKNOWN = "it could not be trained"
_PATH = re.compile(r"[/\\]")


def told(result: Result, before: Sequence[Result]) -> str:
    """Return in words what a result says beside those before it."""
    method = result.configuration.method
    if result.screen is None:
        return f"{method} came to nothing: {failure(result)}"
    others = [one.screen.auroc for one in before if one.screen is not None]
    better = sum(result.screen.auroc > value for value in others)
    place = f", above {better} of {len(others)} before it" if others else ""
    text = f"{method} orders held-out human labels with AUROC {result.screen.auroc:.4f}{place}{result.screen.after}"
    alike = [
        one.screen.auroc
        for one in before
        if one.screen is not None and one.configuration.method == result.configuration.method
    ]
    if alike:
        text += f"; its method had {max(alike):.4f} at best"
    if result.answer is None:
        return f"{text}; not asked: {result.unasked}"
    score = "" if result.answer.score is None else f" with {result.answer.score:g}"
    return f"{text}; the vault: {result.answer.answer}{score}"


def failure(result: Result) -> str:
    """Return why an experiment failed, without a word that a written method may have chosen, and without a path."""
    error, code = result.error, result.configuration.code
    if code is None:
        return _UNKNOWN if _PATH.search(error) else error
    if not error.startswith(RAISED):
        ours = next((one for one in _OURS if error.startswith(one)), _UNKNOWN)
        return f"{_LATE} it may" if ours == _LATE else ours
    raised = _RAISED.match(error.removeprefix(RAISED))
    if raised is None:
        return _UNKNOWN
    kind = raised[1] if raised[1] in _KINDS else "an error of another kind"
    own = raised[2] is not None and 0 < int(raised[2]) <= len(code.splitlines())
    return f"{kind} in line {int(raised[2])}" if own else kind
