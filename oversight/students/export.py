"""From a trained student to the files of a model directory.

The weights leave as safetensors, for training on, and as ONNX, for reviewing without torch. The exporter traces
the network itself, so changing the network needs no second description of it; a test compares both on ragged
batches.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from oversight.errors import MissingExtraError, ModelError
from oversight.features.example import SCHEMA
from oversight.measurement.platt import Platt
from oversight.students.batch import INPUTS, OUTPUTS
from oversight.students.checkpoint import Artefact
from oversight.students.network import Architecture, Network
from oversight.students.student import NetworkStudent, Student

QUANTILES = 1001
"""Number of reference quantiles: steps of a tenth of a percent."""


def to_files(
    student: Student,
    *,
    name: str,
    version: str,
    reference: Mapping[str, NDArray[np.float64]],
    metrics: Mapping[str, Any],
    card: str,
    stage: str | None = None,
) -> dict[str, bytes]:
    """Return the files of a model directory, for `oversight.students.checkpoint.write`.

    `reference` has the risks of held-out changes with history ("full") and without ("none"); the network's own scale
    is stored beside their quantiles. `stage` is one of `checkpoint`'s. Raises `ModelError` for a student that is not
    one network, which cannot be stored as one.
    """
    if not isinstance(student, NetworkStudent):
        raise ModelError("the student of this method is not one network", mend="train with another method")
    levels = np.linspace(0, 1, QUANTILES)
    config = {
        "name": name,
        "version": version,
        "schema": SCHEMA,
        "architecture": student.network.architecture.to_json(),
        "calibration": {"change": asdict(student.change_calibration), "hunk": asdict(student.hunk_calibration)},
        **({} if stage is None else {"stage": stage}),
    }
    quantiles = {key: np.quantile(risks, levels).round(7).tolist() for key, risks in reference.items()}
    return {
        "model.safetensors": to_safetensors(student.network),
        "model.onnx": to_onnx(student.network),
        "config.json": _json(config),
        "metrics.json": _json(metrics),
        "reference.json": _json({**quantiles, "edges": _decimals(student.network.scale.edges.numpy())}),
        "card.md": card.encode(),
    }


def to_safetensors(network: Network) -> bytes:
    """Return the weights, the embedding in half precision."""
    state = network.state_dict()
    return save_tensors(
        {key: (value.half() if key == "embedding" else value).contiguous() for key, value in state.items()}
    )


def from_artefact(artefact: Artefact) -> NetworkStudent:
    """Rebuild a student from a verified model directory; `ModelError` where the weights do not fit the
    architecture.
    """
    config = artefact.json("config.json")
    if config.get("schema") != SCHEMA:
        raise ModelError("the model has another feature schema", mend="train it again with `oversight train`")
    try:
        network = Network(Architecture(**config["architecture"]))
        state = load_tensors(artefact.files["model.safetensors"])
        network.load_state_dict({key: value.float() for key, value in state.items()})
        calibration = {key: Platt(**config["calibration"][key]) for key in ("change", "hunk")}
    except Exception as error:  # safetensors and torch raise a class of their own for every defect
        raise ModelError("the weights of the model do not fit its config.json", mend="train it again") from error
    return NetworkStudent(network.eval(), calibration["change"], calibration["hunk"])


def to_onnx(network: Network) -> bytes:
    """Return the network as an ONNX graph over ragged inputs: T tokens, H hunks and N changes, each of them any
    number.
    """
    size = network.architecture
    sample = (
        torch.arange(6) % size.buckets,
        torch.tensor([0, 0, 1, 1, 1, 2]),
        torch.ones(3, size.facts),
        torch.ones(2, size.profile),
        torch.arange(size.bins + 1.0).expand(2, size.profile, -1),
    )
    tokens, hunks, changes = (torch.export.Dim(name) for name in ("T", "H", "N"))
    stored = Network(size)
    stored.load_state_dict(network.state_dict())
    stored.embedding = torch.nn.Parameter(stored.embedding.half(), requires_grad=False)
    with _quiet():
        try:
            program = torch.onnx.export(
                stored.eval(),
                sample,
                dynamo=True,
                dynamic_shapes=({0: tokens}, {0: tokens}, {0: hunks}, {0: changes}, {0: changes}),
                input_names=list(INPUTS),
                output_names=list(OUTPUTS),
                verbose=False,
            )
        except ModuleNotFoundError as error:
            raise MissingExtraError("exporting a model", "train") from error
    # The exporter of old (dynamo=False) gives None; this one always gives a program.
    proto = cast("torch.onnx.ONNXProgram", program).model_proto
    strip_traces(proto)
    content: bytes = proto.SerializeToString()
    return content


def strip_traces(proto: Any) -> None:
    """Take what the exporter notes about its own run out of an ONNX model: stack traces, with paths of the machine."""
    parts = [proto, proto.graph, *proto.functions]
    for graph in (proto.graph, *proto.functions):
        parts += graph.node
    parts += [*proto.graph.input, *proto.graph.output, *proto.graph.value_info, *proto.graph.initializer]
    for part in parts:
        part.ClearField("doc_string")
        part.ClearField("metadata_props")


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's deprecation warnings and its missing optional packages to itself."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def _decimals(values: NDArray[np.float32]) -> list[Any]:
    """Return the shortest decimals that are these very numbers in single precision."""
    shortest: list[Any] = values.astype(str).astype(np.float64).tolist()
    return shortest


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, allow_nan=False) + "\n").encode()
