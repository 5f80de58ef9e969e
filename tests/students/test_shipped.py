"""The model that ships: whole, small, of this schema, and described by the figures it was measured with."""

import json
from importlib import resources

import numpy as np
import pytest
from safetensors.numpy import load

from benchmarks.repositories import PERMISSIVE
from benchmarks.ship import card
from oversight.features.example import HISTORY
from oversight.students.runtime import load_named
from tests.synthetic import examples


def test_it_loads_by_its_name() -> None:
    """The default model verifies, and is of the feature schema of this version."""
    model = load_named()
    assert model.info.name == "default"
    assert model.reference.full.size == model.reference.none.size == 1001


def test_it_is_small() -> None:
    """All files together stay under six megabytes: everybody who installs the package downloads them."""
    files = [entry for entry in (resources.files("oversight_models") / "default").iterdir() if entry.is_file()]
    assert sum(len(entry.read_bytes()) for entry in files) < 6_000_000


def test_its_card_is_written_from_its_figures() -> None:
    """The card says what metrics.json says, and names every repository with its licence."""
    directory = resources.files("oversight_models") / "default"
    metrics = json.loads((directory / "metrics.json").read_text(encoding="utf-8"))
    text = (directory / "card.md").read_text(encoding="utf-8")
    assert text == card(metrics)
    for source in PERMISSIVE:
        assert f"| {source.name} | {source.licence} | {source.revision[:12]} " in text


def test_it_scores_with_history_and_without() -> None:
    """A change gets a risk strictly between 0 and 1 whether its history is known or not, and so does each hunk."""
    changes, _ = examples(20)
    bare = [
        type(one)(
            one.change_id, one.schema, np.where(HISTORY, np.nan, one.measures), one.tokens, one.offsets, one.facts,
            one.places,
        )
        for one in changes
    ]  # fmt: skip
    model = load_named()
    found = model.read([*changes, *bare])
    risks = model.risks([one.reading for one in found], model.edges)
    assert ((risks > 0) & (risks < 1)).all()
    for one in found:
        assert ((one.hunk_risks > 0) & (one.hunk_risks < 1)).all()


def test_its_own_scale_is_that_of_its_weights() -> None:
    """The edges in reference.json are those that training left in the weights."""
    weights = (resources.files("oversight_models") / "default" / "model.safetensors").read_bytes()
    np.testing.assert_array_equal(load_named().edges, load(weights)["scale.edges"])


@pytest.mark.parametrize("source", [source.name for source in PERMISSIVE])
def test_it_is_measured_on_every_repository_it_learned_from(source: str) -> None:
    """Each repository has held-out figures, those of a model that never saw it and of plain size included."""
    figures = load_named().metrics["repositories"][source]["test"]
    assert figures["n"] > 0
    assert {"student", "student, bare diff", "student that never saw it", "lines_added"} <= set(figures["scores"])


def test_it_holds_nothing_of_the_machine_that_made_it() -> None:
    """An exporter notes stack traces, with the paths of its machine; the shipped graph has none."""
    graph = resources.files("oversight_models") / "default" / "model.onnx"
    assert b".py" not in graph.read_bytes()
