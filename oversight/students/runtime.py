"""Scoring with a model directory: onnxruntime and numpy, no torch.

    change ── read ──> hunk risks, and a Reading: what the hunks add up to, profile ──┐
    changes before it ── quantile_edges ───────────────────────────────────> scale ──┴─ risks ──> risk

A change is read once; its risk depends on the scale that its profile is placed on, and is computed anew for each.
A model sees hunks in pieces of bounded size, so memory does not grow with the change and a diff of a million
hunks is scored like any other. One thread: sums then come out in one order, and many changes are scored by many
processes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oversight.errors import ModelError, UnscoredError
from oversight.features.example import SCHEMA
from oversight.features.model import Example
from oversight.history.model import Completeness
from oversight.history.readings import Reading
from oversight.measurement.platt import Platt
from oversight.students import checkpoint
from oversight.students.batch import INPUTS, OUTPUTS, PROFILE, Batch, collate, profiles_alone
from oversight.students.scale import Edges

DEFAULT = "default"
"""Name of the model that is used where none is asked for."""

_LARGEST_LOG = 89.0  # of a number in single precision
_TOKENS_AT_ONCE = 1 << 18
_HUNKS_AT_ONCE = 1 << 14


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Which model this is. `sha256` is that of its manifest, which names the sha256 of every file."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Read:
    """What the model reads in one change of H hunks, whatever the change is placed among.

    `hunk_risks`: (H,) float64, each hunk's own risk, from that hunk alone. `reading`: what the risk of the whole change
    is computed from.
    """

    hunk_risks: NDArray[np.float64]
    reading: Reading


@dataclass(frozen=True, slots=True)
class Reference:
    """Quantiles of the model's risks on changes it was not trained on, evenly spaced from the least to the greatest.

    `full`: (Q,) with history; `none`: (Q,) for bare diffs. They place a risk where a repository has no recent risks
    of its own.
    """

    full: NDArray[np.float64]
    none: NDArray[np.float64]

    def percentile(self, risk: float, completeness: Completeness) -> float:
        """Return where `risk` stands, 0 to 100, among changes whose history is known as well as this one's."""
        quantiles = self.none if completeness is Completeness.NONE else self.full
        below = np.searchsorted(quantiles, risk, side="left")
        upto = np.searchsorted(quantiles, risk, side="right")
        return float(50.0 * (below + upto) / quantiles.size)


@dataclass(frozen=True)
class Model:
    """A verified model, ready to score. Made by `load`.

    `edges`: its own scale, that of all changes it learned from, for changes whose neighbours are not known.
    `shadow`: it ranks changes, and nothing may be flagged by it yet.
    """

    info: ModelInfo
    reference: Reference
    edges: Edges
    change_calibration: Platt
    hunk_calibration: Platt
    metrics: dict[str, Any]
    onnx: bytes
    shipped: bool = False
    shadow: bool = False

    def __getstate__(self) -> dict[str, Any]:
        # A session cannot be sent to a worker process; the worker makes its own from the same bytes.
        return {name: value for name, value in self.__dict__.items() if name != "_session"}

    @cached_property
    def _session(self) -> Any:
        # Read when the library is loaded: disable_telemetry_events() comes after it has named the device and opened
        # a database of events in the user's cache directory.
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(self.onnx, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises classes of its own, without a common base
            raise ModelError("model.onnx is not a network that can be run", mend="train the model again") from error
        names = [value.name for value in session.get_inputs()], [value.name for value in session.get_outputs()]
        if names != (list(INPUTS), list(OUTPUTS)):
            raise ModelError("model.onnx has other inputs or outputs", mend="train the model again")
        if list(session.get_inputs()[-1].shape[1:]) != list(self.edges.shape):
            raise ModelError("model.onnx takes another scale than reference.json holds", mend="train the model again")
        return session

    def check_in_use(self) -> None:
        """Raise `ModelError` where the model is in the shadow."""
        if self.shadow:
            raise ModelError(
                "the model is in the shadow: it ranks changes (oversight score), and flags none yet",
                mend="compare it with the model in use by verdicts, then put it in use: oversight research adopt",
            )

    @property
    def bins(self) -> int:
        """How many bins a scale divides each number's range into."""
        return int(self.edges.shape[1]) - 1

    def read(self, examples: Sequence[Example]) -> list[Read]:
        """Read changes, in order.

        Raises `ModelError` for examples of another feature schema, and `UnscoredError` where the network gives
        anything but finite numbers: never a low risk in their place.
        """
        if not examples:
            return []
        if any(example.schema != SCHEMA for example in examples):
            raise ModelError("the change was read with another feature schema than the model's", mend="read it again")
        batch = collate(examples)
        hunk_logit, _, leak = self._run(batch, self.edges)
        if not (np.isfinite(hunk_logit).all() and np.isfinite(leak).all()):
            raise UnscoredError("the model gave no finite risk", mend="report this change; nothing was scored")
        hunk_risks = self.hunk_calibration(hunk_logit)
        odds = np.exp(hunk_logit)
        found: list[Read] = []
        start = 0
        for example, unseen, profile in zip(examples, np.exp(leak).tolist(), batch.profile, strict=True):
            own = slice(start, start + example.hunks)
            start += example.hunks
            total = float(odds[own].sum()) + unseen
            found.append(Read(hunk_risks[own], Reading(float(np.log(total)), profile)))
        return found

    def risks(self, readings: Sequence[Reading | None], edges: Edges) -> NDArray[np.float64]:
        """Return P(people later repair or withdraw the change) of each reading (N,), profiles placed on one scale.

        NaN where there is no reading, and where the network gives no finite number. A row does not depend on what the
        others hold, but may differ in its last bit with their number and its place among them.
        """
        profile = np.zeros((len(readings), len(PROFILE)), dtype=np.float32)
        pooled = np.full(len(readings), np.nan)
        for row, reading in enumerate(readings):
            if reading is not None:
                pooled[row], profile[row] = reading.pooled, reading.profile
        logits = pooled + self._run(profiles_alone(profile), edges)[1]
        return self.change_calibration(np.where(np.isfinite(logits), logits, np.nan))

    def _run(self, batch: Batch, edges: Edges) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return hunk logits (H,), context logits (N,) with all profiles on the scale `edges`, and leaks (N,)."""
        found: list[Sequence[NDArray[np.float32]]] = []
        profile = batch.profile
        for hunks, tokens in _pieces(batch):
            shared = np.ascontiguousarray(np.broadcast_to(edges, (len(profile), *edges.shape)))
            inputs = (batch.tokens[tokens], batch.token_hunk[tokens] - hunks.start, batch.facts[hunks], profile, shared)
            found.append(self._session.run(list(OUTPUTS), dict(zip(INPUTS, inputs, strict=True))))
            profile = profile[:0]  # a change's profile is needed once
        hunk_logit, context, leak = (np.concatenate(parts).astype(np.float64) for parts in zip(*found, strict=True))
        return hunk_logit, context, leak


def _pieces(batch: Batch) -> Iterator[tuple[slice, slice]]:
    """Cut a batch into runs of whole hunks, as slices of its hunks and of its tokens; at least one."""
    hunks = batch.facts.shape[0]
    ends = np.searchsorted(batch.token_hunk, np.arange(hunks), side="right")  # token where each hunk ends
    hunk = token = 0
    while True:
        last = int(np.searchsorted(ends, token + _TOKENS_AT_ONCE, side="right"))
        last = min(max(last, hunk + 1), hunk + _HUNKS_AT_ONCE, hunks)
        end = int(ends[last - 1]) if last else 0
        yield slice(hunk, last), slice(token, end)
        hunk, token = last, end
        if hunk >= hunks:
            return


def load(directory: Path) -> Model:
    """Load and verify a model directory; `ModelError` where it is damaged, foreign, or of another schema."""
    artefact = checkpoint.read(directory)
    config = artefact.json("config.json")
    reference = artefact.json("reference.json")
    if config.get("schema") != SCHEMA:
        raise ModelError(
            "the model was trained with another feature schema than this version of oversight reads",
            mend="use the version that trained it, or train it again with `oversight train`",
        )
    try:
        return Model(
            info=ModelInfo(str(config["name"]), str(config["version"]), artefact.sha256),
            reference=Reference(_quantiles(reference["full"]), _quantiles(reference["none"])),
            edges=_edges(reference["edges"]),
            change_calibration=_platt(config["calibration"]["change"]),
            hunk_calibration=_platt(config["calibration"]["hunk"]),
            metrics=artefact.json("metrics.json"),
            onnx=artefact.files["model.onnx"],
            shadow=artefact.shadow,
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ModelError("an entry of config.json or reference.json is amiss", mend="train the model again") from error


def load_named(name: str = DEFAULT) -> Model:
    """Load a shipped model by name."""
    with _shipped(name) as directory:
        return replace(load(directory), shipped=True)


def open_model(name: str | None = None) -> Model:
    """Load the model called `name`: a shipped one (default where None), or a model directory by its path."""
    return load_named(name or DEFAULT) if _is_shipped(name) else load(Path(name or ""))


@contextmanager
def directory_of(name: str | None = None) -> Iterator[Path]:
    """Give the directory of the model called `name`, as `open_model` finds it, for the length of the block."""
    if _is_shipped(name):
        with _shipped(name or DEFAULT) as directory:
            yield directory
    else:
        yield Path(name or "")


def _is_shipped(name: str | None) -> bool:
    return name is None or (name.isidentifier() and not Path(name).exists())


@contextmanager
def _shipped(name: str) -> Iterator[Path]:
    directory = resources.files("oversight_models") / name
    if not name.isidentifier() or not directory.is_dir():
        raise ModelError("there is no shipped model of that name", mend="leave --model out, or name a model directory")
    with resources.as_file(directory) as path:
        yield path


def _quantiles(values: object) -> NDArray[np.float64]:
    quantiles = np.asarray(values, dtype=np.float64)
    if quantiles.ndim != 1 or quantiles.size < 2 or not np.isfinite(quantiles).all() or (np.diff(quantiles) < 0).any():
        raise ValueError("quantiles are finite numbers in ascending order")
    return quantiles


def _edges(values: object) -> Edges:
    edges = np.asarray(values, dtype=np.float64)
    if edges.ndim != 2 or edges.shape[0] != len(PROFILE) or edges.shape[1] < 2:
        raise ValueError("a scale has two edges or more for each number of a profile")
    if not (np.abs(edges) < _LARGEST_LOG).all() or (np.diff(edges, axis=1) < 0).any():
        raise ValueError("edges are logarithms of numbers in single precision, in ascending order")
    return edges.astype(np.float32)


def _platt(entry: dict[str, Any]) -> Platt:
    slope, intercept = float(entry["slope"]), float(entry["intercept"])
    if not (np.isfinite(intercept) and np.isfinite(slope) and slope > 0):
        raise ValueError("calibration never reorders")
    return Platt(slope, intercept)
