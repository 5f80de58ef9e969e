"""A study: a folder that holds all of it, so that whoever has the folder can go on where it was killed.

study.json          what was laid, and how
grounds/NAME.npz    rows, weak labels and human ones (`lessons.py`); read by the director
predictions/eNNNN.npz   what was handed to the vault, before it was; eNNNN.json what else came of that training
experiments.jsonl   every experiment that came to an end, one a line, in order
findings.jsonl      what researchers learned, one a line: their notebook
vault/              the gold, and the ledger of what was asked of it; read by the vault's process alone
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oversight.errors import ResearchError
from oversight.research import lessons
from oversight.research.lessons import Ground
from oversight.research.model import Answer, Configuration, Experiment, Proposal, Screen, as_json, screen_of
from oversight.research.space import from_json, plain_from_json

_EDITION = 1
_STUDY = "study.json"


@dataclass(frozen=True)
class Laid:
    """One ground of a study: its name in it, the repository's, whether it is for confirmation, and what it holds."""

    name: str
    repository: str
    confirmation: bool
    student: int
    test: int
    draws: int
    risky: tuple[int, ...]  # human labels of each draw


def laid_of(told: Mapping[str, Any]) -> Laid:
    """Return what `asdict` told of a ground."""
    return Laid(**{**told, "risky": tuple(told["risky"])})


@dataclass(frozen=True)
class Plan:
    """What a study is laid by. `student` and `test` are the most rows of a ground; `human` None: as many as needed."""

    human: int | None
    draws: int
    weak: str
    seed: int
    student: int
    test: int
    folds: int


@dataclass(frozen=True)
class Result:
    """An experiment and what came of it. `screen` None where it failed, with the `error`; `answer` None where the vault
    was not asked, with the reason in `unasked`. `seconds` are the processor's, of the trainings.
    """

    experiment: Experiment
    screen: Screen | None
    answer: Answer | None
    seconds: float
    error: str = ""
    unasked: str = ""

    @property
    def configuration(self) -> Configuration:
        """What was trained."""
        return self.experiment.configuration


class Study:
    """A folder with a study in it; `ResearchError` where there is none, or one that cannot be read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        told = _read_json(folder / _STUDY)
        try:
            if told["edition"] != _EDITION:
                raise ResearchError("the study is of another version", mend="start a new one")
            self.plan = Plan(**told["plan"])
            self.laid = tuple(laid_of(one) for one in told["grounds"])
        except (KeyError, TypeError) as error:
            raise ResearchError("the study's file is damaged", mend="start a new study") from error

    @property
    def vault(self) -> Path:
        """The folder that the vault's process alone looks into."""
        return self.folder / "vault"

    @cached_property
    def grounds(self) -> tuple[Ground, ...]:
        """The grounds that are studied, without those for confirmation."""
        return tuple(self.ground(one.name) for one in self.laid if not one.confirmation)

    def ground(self, name: str) -> Ground:
        """Return one ground, of either kind; `ResearchError` where there is none of that name."""
        if name not in [one.name for one in self.laid]:
            raise ResearchError("the study has no ground of that name", mend="see `oversight research status`")
        return lessons.load(self.folder / "grounds" / f"{name}.npz")

    def experiments(self) -> list[Result]:
        """Return what was tried so far, in order; `UsageError` for what could not be tried by the methods of today."""
        return [_result(line, from_json) for line in self._lines()]

    def records(self) -> list[Result]:
        """Return the same for people to read: configurations as they were written down, which takes no torch."""
        return [_result(line, plain_from_json) for line in self._lines()]

    def _lines(self) -> Iterator[dict[str, Any]]:
        return read_lines(self.folder / "experiments.jsonl")

    def findings(self) -> list[dict[str, Any]]:
        """Return the notebook, in order: `experiment`, `researcher` and `text` of each entry."""
        return list(read_lines(self.folder / "findings.jsonl"))

    def record(self, result: Result) -> None:
        """Append what came of an experiment; it is on disk when this returns."""
        append_line(self.folder / "experiments.jsonl", _told(result))

    def find(self, experiment: str, researcher: str, text: str) -> None:
        """Append to the notebook what was learned from an experiment."""
        append_line(self.folder / "findings.jsonl", {"experiment": experiment, "researcher": researcher, "text": text})

    def keep(
        self, experiment: str, predictions: Mapping[str, NDArray[np.float32]], beside: Mapping[str, Any] | None = None
    ) -> None:
        """Write what an experiment predicts, and `beside` it what else is known of its training, as JSON."""
        folder = self.folder / "predictions"
        folder.mkdir(exist_ok=True)
        other = folder / f"{experiment}.json"
        other.unlink(missing_ok=True)  # of other predictions
        lessons.write_arrays(folder / f"{experiment}.npz", predictions)
        if beside is not None:
            _write_json(other, beside)

    def kept(self, experiment: str) -> dict[str, NDArray[np.float32]] | None:
        """Return what an experiment predicts, by ground (K, T); None where it was not kept."""
        path = self.folder / "predictions" / f"{experiment}.npz"
        return lessons.read_arrays(path) if path.exists() else None

    def beside(self, experiment: str) -> dict[str, Any] | None:
        """Return what was kept beside the predictions of an experiment; None where nothing was."""
        path = self.folder / "predictions" / f"{experiment}.json"
        return _read_json(path) if path.exists() else None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the study; `ResearchError` where another process does."""
        with (self.folder / "lock").open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ResearchError("another process is at work on this study", mend="wait for it") from error
            yield


def write_study(folder: Path, plan: Plan, laid: Sequence[Laid]) -> None:
    """Write what a study is of: the last step of laying it."""
    told = {"edition": _EDITION, "plan": asdict(plan), "grounds": [asdict(one) for one in laid]}
    _write_json(folder / _STUDY, told)


def append_line(path: Path, told: Mapping[str, Any]) -> None:
    """Append one JSON object as a line, on disk when this returns; half a line that a kill left is cut off first."""
    with path.open("ab+") as file:
        end = file.seek(0, os.SEEK_END)
        whole = _whole(path.read_bytes()) if end else 0
        if whole < end:
            file.truncate(whole)
        file.write(json.dumps(told, allow_nan=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a file, none where there is none; half a line at its end is none."""
    content = path.read_bytes() if path.exists() else b""
    for line in content[: _whole(content)].splitlines():
        try:
            yield json.loads(line)
        except ValueError as error:
            raise ResearchError(f"a line of {path.name} is damaged", mend="start a new study") from error


def _whole(content: bytes) -> int:
    return content.rfind(b"\n") + 1


def _told(result: Result) -> dict[str, Any]:
    experiment = result.experiment
    return {
        "experiment": experiment.name,
        "number": experiment.number,
        "round": experiment.round,
        "researcher": experiment.researcher,
        "configuration": as_json(experiment.configuration),
        "reason": experiment.proposal.reason,
        "screen": None if result.screen is None else asdict(result.screen),
        "answer": None if result.answer is None else asdict(result.answer),
        "seconds": round(result.seconds, 3),
        "error": result.error,
        "unasked": result.unasked,
    }


def _result(told: Mapping[str, Any], read: Callable[[object], Configuration]) -> Result:
    try:
        proposal = Proposal(read(told["configuration"]), told["reason"])
        answer = told["answer"]
        return Result(
            Experiment(told["number"], told["round"], told["researcher"], proposal),
            None if told["screen"] is None else screen_of(told["screen"]),
            None if answer is None else Answer(**{**answer, "flags": tuple(answer["flags"])}),
            told["seconds"],
            told["error"],
            told["unasked"],
        )
    except (KeyError, TypeError) as error:
        raise ResearchError("a line of experiments.jsonl is damaged", mend="start a new study") from error


def _write_json(path: Path, told: Mapping[str, Any]) -> None:
    """Write a JSON object, whole or not at all, on disk when this returns."""
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding="utf-8") as file:
        json.dump(told, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ResearchError(
            "there is no study in that folder", mend="lay one with `oversight research start --output FOLDER`"
        ) from error
    except ValueError as error:
        raise ResearchError("the study's file is damaged", mend="start a new study") from error
    if not isinstance(told, dict):
        raise ResearchError("the study's file is damaged", mend="start a new study")
    return told
