"""Scoring: torch and ONNX agree, pieces add up, and nothing that is not a number passes for a risk."""

import json
import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from oversight.errors import ModelError, UnscoredError
from oversight.features.model import Example
from oversight.history.model import Completeness
from oversight.history.readings import Reading
from oversight.measurement.platt import Platt
from oversight.students import checkpoint, runtime
from oversight.students.batch import INPUTS, collate, profiles
from oversight.students.export import from_artefact
from oversight.students.scale import Edges, quantile_edges
from oversight.students.student import NetworkStudent
from tests.synthetic import example, examples


def risks(model: runtime.Model, changes: Sequence[Example], edges: Edges | None = None) -> np.ndarray:
    """The risks of changes, on the model's own scale where no other is given."""
    return model.risks([one.reading for one in model.read(changes)], model.edges if edges is None else edges)


def test_torch_and_onnx_agree(directory: Path, student: NetworkStudent) -> None:
    """Risks of changes and of hunks are the same to 1e-4, for ragged changes and for empty ones."""
    random = np.random.default_rng(5)
    changes = [*examples(80, seed=4)[0], example(random, "no hunks", hunks=0), example(random, "many", hunks=300)]
    model = runtime.load(directory)
    scored = model.read(changes)
    np.testing.assert_allclose(risks(model, changes), student.predict(changes), atol=1e-4)
    other = quantile_edges(profiles(changes[:40]) * 3, model.bins)
    assert np.abs(risks(model, changes, other) - student.predict(changes)).max() > 0.01
    np.testing.assert_allclose(risks(model, changes, other), student.on(other).predict(changes), atol=1e-4)
    batch = collate(changes)
    inputs = (torch.from_numpy(getattr(batch, name)) for name in INPUTS[:-1])
    with torch.no_grad():
        hunk_logit = student.network(*inputs)[0].numpy()
    np.testing.assert_allclose(
        np.concatenate([one.hunk_risks for one in scored]), student.hunk_calibration(hunk_logit), atol=1e-4
    )


def test_weights_survive_storage(directory: Path, student: NetworkStudent) -> None:
    """A student rebuilt from its model directory says the same."""
    changes, _ = examples(20, seed=6)
    again = from_artefact(checkpoint.read(directory))
    np.testing.assert_allclose(again.predict(changes), student.predict(changes), atol=1e-6)


def test_pieces_add_up(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change cut into many pieces gets the risks of one that fits into a single piece."""
    model = runtime.load(directory)
    random = np.random.default_rng(8)
    changes = [example(random, str(hunks), hunks=hunks) for hunks in (0, 40, 0, 1, 7, 0)]
    whole = model.read(changes)
    monkeypatch.setattr(runtime, "_TOKENS_AT_ONCE", 50)
    monkeypatch.setattr(runtime, "_HUNKS_AT_ONCE", 4)
    for one, other in zip(whole, model.read(changes), strict=True):
        assert one.reading.pooled == pytest.approx(other.reading.pooled, abs=1e-6)
        np.testing.assert_array_equal(one.reading.profile, other.reading.profile)
        np.testing.assert_allclose(one.hunk_risks, other.hunk_risks, atol=1e-6)


def test_no_changes_give_no_risks(directory: Path) -> None:
    """Reading nothing is not an error, and neither is asking for the risks of nothing."""
    model = runtime.load(directory)
    assert model.read([]) == []
    assert model.risks([], model.edges).size == 0


def test_a_risk_is_that_of_its_reading_and_its_scale(directory: Path) -> None:
    """Whatever else is asked for in one go; without a reading there is no number."""
    model = runtime.load(directory)
    known = [one.reading for one in model.read(examples(9)[0])]
    among = model.risks([None, *known, None, *known[::-1]], model.edges)
    assert np.flatnonzero(np.isnan(among)).tolist() == [0, 10]
    np.testing.assert_allclose(among[1:10], among[11:][::-1], atol=1e-6)
    np.testing.assert_allclose(
        among[1:10], [*model.risks(known[:1], model.edges), *model.risks(known[1:], model.edges)]
    )
    other = [Reading(99.0, one.profile) for one in known[1:]]
    assert model.risks([known[0], *other], model.edges)[0] == model.risks(known, model.edges)[0]


def test_its_own_scale_is_that_of_its_weights(directory: Path, student: NetworkStudent) -> None:
    """What reference.json holds are the edges of the network, to the last bit."""
    np.testing.assert_array_equal(runtime.load(directory).edges, student.network.scale.edges.numpy())


def test_an_example_of_another_schema_is_refused(directory: Path) -> None:
    """Numbers of other features are not fed to a network that would take them."""
    random = np.random.default_rng(0)
    with pytest.raises(ModelError, match="schema"):
        runtime.load(directory).read([example(random, "foreign", schema="0" * 16)])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_unscored(directory: Path, value: float) -> None:
    """A network that gives NaN or infinity leaves the change unscored; it never gets a low risk."""
    model = runtime.load(directory)
    changes, _ = examples(1)
    model.__dict__["_session"] = _Broken(value)
    with pytest.raises(UnscoredError):
        model.read(changes)
    assert np.isnan(model.risks([Reading(0.0, profiles(changes)[0])], model.edges)).all()


class _Broken:
    """A session of a network whose weights have gone astray."""

    def __init__(self, value: float) -> None:
        self.value = value

    def run(self, _outputs: list[str], inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        hunks, changes = len(inputs["facts"]), len(inputs["profile"])
        return [np.full(hunks, self.value), np.full(changes, self.value), np.zeros(changes)]


def test_a_graph_that_is_no_graph_is_refused(tmp_path: Path, files: dict[str, bytes]) -> None:
    """Bytes that onnxruntime cannot run are a ModelError, not a crash."""
    checkpoint.write(tmp_path / "model", {**files, "model.onnx": b"\x00not a graph"})
    model = runtime.load(tmp_path / "model")
    with pytest.raises(ModelError, match=r"model\.onnx"):
        model.read(examples(1)[0])


def test_a_scale_that_the_graph_does_not_take_is_refused(tmp_path: Path, files: dict[str, bytes]) -> None:
    """A scale of another model's number of bins is a ModelError, not a crash."""
    reference = json.loads(files["reference.json"])
    reference["edges"] = [[*row, row[-1]] for row in reference["edges"]]
    checkpoint.write(tmp_path / "model", {**files, "reference.json": json.dumps(reference).encode()})
    with pytest.raises(ModelError, match="scale"):
        runtime.load(tmp_path / "model").read(examples(1)[0])


def test_a_model_reaches_worker_processes(directory: Path) -> None:
    """A model that has scored can be sent to another process, which makes a session of its own."""
    model = runtime.load(directory)
    changes, _ = examples(3)
    expected = risks(model, changes).tolist()
    copy = pickle.loads(pickle.dumps(model))  # noqa: S301  # what joblib does between our own processes
    assert risks(copy, changes).tolist() == expected


def test_percentiles_come_from_changes_known_as_well() -> None:
    """A bare diff is placed among bare diffs; ties stand in the middle of their equals."""
    reference = runtime.Reference(np.array([0.1, 0.2, 0.2, 0.4]), np.array([0.6, 0.7]))
    assert reference.percentile(0.2, Completeness.FULL) == 50.0
    assert reference.percentile(0.5, Completeness.PARTIAL) == 100.0
    assert reference.percentile(0.5, Completeness.NONE) == 0.0


def test_unknown_names_are_refused() -> None:
    """A shipped model is found by its name and by nothing else."""
    for name in ("nonesuch", "../oversight", "", "__pycache__/x"):
        with pytest.raises(ModelError, match="shipped"):
            runtime.load_named(name)


def test_scoring_needs_no_torch(directory: Path) -> None:
    """Loading a model and scoring with it imports neither torch nor scikit-learn nor scipy."""
    code = (
        "import sys; from pathlib import Path; from oversight.students.runtime import load; "
        "from tests.synthetic import examples; "
        f"model = load(Path({str(directory)!r})); "
        "model.risks([one.reading for one in model.read(examples(2)[0])], model.edges); "
        "print(sorted({'torch', 'sklearn', 'scipy', 'transformers', 'onnx'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_calibration_keeps_the_order(directory: Path) -> None:
    """Whatever the slope, a higher logit gives a higher probability."""
    assert (np.diff(Platt(0.05, -3.0)(np.linspace(-20, 20, 50))) > 0).all()


def test_a_graph_says_nothing_of_the_machine_that_exported_it(files: dict[str, bytes]) -> None:
    """Neither file names nor stack traces are in what users publish."""
    assert b".py" not in files["model.onnx"]
    assert str(Path.cwd()).encode() not in files["model.onnx"]
