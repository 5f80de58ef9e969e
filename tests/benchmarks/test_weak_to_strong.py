"""The benchmark of weak-to-strong methods, from clones to its page, on two small histories."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import weak_figures, weak_runs, weak_table, weak_to_strong
from benchmarks.repositories import Source
from benchmarks.weak_runs import Place, Site
from oversight import methods
from oversight.changes.repository import Repository
from oversight.measurement.metrics import auroc
from tests.experiment.histories import learnable

ARGUMENTS = ["--seeds", "1", "--student", "80", "--test", "40", "--jobs", "1", "--methods", "naive,mixed,entropy,auto"]


@pytest.fixture(scope="module")
def patch():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(name="clones", scope="module")
def clones_fixture(tmp_path_factory: pytest.TempPathFactory, patch: pytest.MonkeyPatch) -> Path:
    """Two repositories, and a benchmark that knows no others."""
    path = tmp_path_factory.mktemp("clones")
    sources = []
    for name in ("one", "two"):
        learnable(path / name, noise=name == "two")
        with Repository.open(path / name) as repository:
            sources.append(Source(name, repository.resolve("HEAD"), "MIT", "trailers", True))
    for module in (weak_runs, weak_to_strong):
        patch.setattr(module, "SOURCES", tuple(sources))
    patch.setattr(weak_to_strong, "REPOSITORIES", ("one", "two"))
    patch.setattr(weak_to_strong, "CHOOSING", ("one",))
    patch.setattr(weak_to_strong, "MAIN", (8, 60))
    patch.setattr(weak_to_strong, "NUMBERS", (8, 50, 60))
    patch.setattr(weak_to_strong, "FINAL_SEEDS", 2)
    for module in (weak_runs, weak_to_strong, weak_figures):
        patch.setattr(module, "WEAK", ("lexical",))
    patch.setattr(weak_figures, "RESAMPLES", 100)
    patch.setattr(weak_to_strong, "BEST", 1)
    patch.setattr(weak_to_strong, "_PAGE", path / "PAGE.md")
    patch.setenv("OVERSIGHT_CACHE_DIR", str(path / "cache"))
    return path


@pytest.fixture(name="results", scope="module")
def results_fixture(clones: Path) -> dict[str, Any]:
    """What one run writes."""
    assert weak_to_strong.main([*arguments(clones), "--table"]) == 0
    found: dict[str, Any] = json.loads((clones / "found.json").read_text())
    return found


def arguments(clones: Path) -> list[str]:
    return [str(clones), "--work", str(clones / "work"), "--output", str(clones / "found.json"), *ARGUMENTS]


def test_figures_can_be_had_again_from_the_kept_scores(results: dict[str, Any], clones: Path) -> None:
    """Every value is a mean over seeds of an AUROC, and PGR the ratio of their differences."""
    site = Site(weak_runs.SOURCES[0], Place(clones, clones / "work", 80, 40, 1))
    truth = weak_runs.truth_of(site)["labels"]

    def mean(start: str, weak: str, name: str) -> float:
        paths = [site.path(60, start, weak, name, seed) for seed in range(1)]
        return float(np.mean([auroc(truth, np.load(path)["scores"]).require() for path in paths]))

    found = results["repositories"]["one"]["methods"]["others"]["lexical"]
    weak, ceiling = mean("-", "lexical", "weak"), mean("others", "-", "ceiling")
    student = mean("others", "lexical", "mixed")
    assert found["weak"]["value"] == pytest.approx(weak, abs=1e-5)
    assert found["ceiling"]["value"] == pytest.approx(ceiling, abs=1e-5)
    mixed = found["methods"]["mixed"]
    assert mixed["auroc"]["value"] == pytest.approx(student, abs=1e-5)
    if mixed["pgr"]["value"] is None:
        assert "no gap to recover" in mixed["pgr"]["reason"]
    else:
        assert mixed["pgr"]["value"] == pytest.approx((student - weak) / (ceiling - weak), abs=1e-3)
    assert mixed["over"]["human-only"]["value"] == pytest.approx(student - mean("others", "-", "human-only"), abs=2e-5)


def test_too_few_labels_are_refused_and_said_to_be(results: dict[str, Any]) -> None:
    """Eight labels cannot hold six of either kind: the next number is taken, and the page says why."""
    assert set(results["refused"]["one"]) == {"8"}
    assert "a weak reviewer needs 6 of either kind" in results["refused"]["one"]["8"]
    assert results["repositories"]["one"]["main"] == 60
    assert set(results["repositories"]["one"]["cells"]) == {"50", "60"}


def test_the_best_are_chosen_where_choosing_is_allowed(results: dict[str, Any]) -> None:
    """One method, by the repository that may be looked at; it is tried with more seeds everywhere."""
    (best,) = results["settings"]["best"]
    scores = {
        name: sum(
            results["repositories"]["one"]["methods"][start][weak]["methods"][name]["auroc"]["value"]
            for start in weak_runs.STARTS
            for weak in ("lexical",)
        )
        for name in ("mixed", "entropy")
    }
    assert best == max(scores, key=lambda name: scores[name])
    for name in ("one", "two"):
        final = results["repositories"][name]["cells"]["60"]["nothing"]["lexical"]
        assert (final["seeds"], set(final["methods"])) == (2, {"human-only", "naive", best})
    assert set(results["means"]) == {"choosing", "confirming", "all"}


def test_a_start_never_learned_from_its_own_repository(results: dict[str, Any], clones: Path) -> None:
    """That of the one repository is what the rows of the other alone teach."""
    place = Place(clones, clones / "work", 80, 40, 1)
    one, two = (Site(source, place) for source in weak_runs.SOURCES)
    matrix, gold = two.rows()
    own = np.full((len(matrix), 1), 10, dtype=np.float32)
    mean = np.zeros(matrix.shape[1] + 1, dtype=np.float32)
    weights, _ = weak_runs.solve(np.concatenate((matrix, own), axis=1), gold, np.ones(gold.size), mean)
    np.testing.assert_allclose(weak_runs.start_of(one, place), weights[:-1], atol=1e-6)


def test_a_run_goes_on_where_it_was(results: dict[str, Any], clones: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is trained twice, and the same figures come out."""

    def none(name: str) -> None:
        raise AssertionError(name)

    monkeypatch.setattr(methods, "method", none)
    assert weak_to_strong.main(arguments(clones)) == 0
    again = json.loads((clones / "found.json").read_text())
    for found in (again, results):
        found["settings"].pop("seconds")
    assert again == results


def test_the_page_tells_what_the_figures_hold(results: dict[str, Any], clones: Path) -> None:
    """Claims, tables of every method, the curve and what was refused; every row as wide as its head."""
    page = (clones / "PAGE.md").read_text()
    assert page == weak_table.page(results)
    for part in (
        "## What it shows, for the best",
        "| mixed |",
        "human-only",
        "50 labels",
        "## Refused",
        "- one, 8 labels:",
    ):
        assert part in page
    width = 0
    for line in page.splitlines():
        if line.startswith("|"):
            width = width or line.count("|")
            assert line.count("|") == width, line
        else:
            width = 0
