"""What a result says in words: for the notebook, which all researchers read, those that are asked elsewhere too.

What a written method raises may hold what it has seen, and its text is anybody's: of its errors the kind and the line
are told. People find the whole of it in the records.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Sequence

from oversight.research.study import Result

_BUILT_IN = frozenset(
    name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)
)
_RAISED = re.compile(r"([A-Za-z]\w*)(?: in line (\d{1,5}))?: ")
_OURS = re.compile(
    r"it used more than its processor time(?: or memory)?|it took longer than [\d.e+]+ seconds|"
    r"the training ended by itself|it answered what was not asked|what it answered are no probabilities|"
    r"the student's answers are no probabilities|there is too little to learn from|"
    r"a method has no (?:METHOD|AROUND)|a written method runs in a sandbox alone"
)
"""How errors of ours begin: of what follows nothing is told."""

_PATH = re.compile(r"[/\\]")


def told(result: Result, before: Sequence[Result]) -> str:
    """Return in words what a result says beside those before it."""
    method = result.configuration.method
    if result.screen is None:
        return f"{method} came to nothing: {failure(result)}"
    others = [one.screen.auroc for one in before if one.screen is not None]
    better = sum(result.screen.auroc > value for value in others)
    place = f", above {better} of {len(others)} before it" if others else ""
    text = f"{method} orders held-out human labels with AUROC {result.screen.auroc:.4f}{place}"
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
    error = result.error
    ours = _OURS.match(error)
    if ours is not None:
        return ours[0]
    if result.configuration.code is None:
        return "it could not be trained" if _PATH.search(error) else error
    raised = _RAISED.match(error)
    if raised is None:
        return "it could not be trained"
    kind = raised[1] if raised[1] in _BUILT_IN else "an error of another kind"
    return f"{kind} in line {raised[2]}" if raised[2] else kind
