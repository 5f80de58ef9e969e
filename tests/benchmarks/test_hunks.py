"""Hunk attribution measured: which hunks are guilty, how soon an order finds one, and what the page says of it."""

from __future__ import annotations

import json
import math
import subprocess
from itertools import pairwise, permutations
from pathlib import Path

import numpy as np
import pytest

from benchmarks import hunk_figures, hunk_rows, hunks, hunks_table
from benchmarks.hunk_figures import METRICS, PEER, RANKINGS, REPORTED, STUDENT, measure, measured, then
from benchmarks.hunk_rows import Culprits, guilty_hunks, read_culprits
from benchmarks.repositories import Source
from oversight.changes.diff import change_from_diff
from oversight.changes.repository import Repository
from oversight.features.facts import FACTS
from oversight.reports.words import in_reading_order
from oversight.students.runtime import open_model
from tests.builders import GitRepository, clean_environment, file_diff
from tests.experiment.histories import DAY, START

CHANGES = 200
PLACES = (5, 20, 35, 50)


def is_repaired(number: int) -> bool:
    return number % 4 == 1


@pytest.fixture(scope="module")
def clones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history in which every fourth change of four hunks is repaired, in its second hunk."""
    path = tmp_path_factory.mktemp("clones")
    repository = GitRepository.create(path / "small")
    files = {f"src/part_{part}.py": [f"row_{part}_{line} = {line}" for line in range(60)] for part in range(20)}
    stream = [_commit("Begin", START - 30 * DAY, files)]
    for number in range(CHANGES):
        name = f"src/part_{number % 20}.py"
        for place in PLACES:
            files[name][place] = f"value_{number}_{place} = compute({number}, {place})"
        stream.append(_commit(f"Rework step {number}", START + number * 30 * DAY, {name: files[name]}))
        if is_repaired(number):
            files[name][PLACES[1]] = f"value_{number} = compute({number})"
            message = f'Mend it\n\nFixes: 0000000 ("Rework step {number}")'
            stream.append(_commit(message, START + (number * 30 + 2) * DAY, {name: files[name]}))
    subprocess.run(
        ["git", "fast-import", "--quiet"], cwd=repository.path, input="".join(stream).encode(),
        env=clean_environment({}), check=True, capture_output=True,
    )  # fmt: skip
    return path


def _commit(message: str, when: int, files: dict[str, list[str]]) -> str:
    author = f"Ada <ada@example.org> {when} +0000"
    changed = (f"M 100644 inline {name}\n{_data(chr(10).join(body) + chr(10))}" for name, body in files.items())
    return f"commit refs/heads/main\nauthor {author}\ncommitter {author}\n{_data(message)}{''.join(changed)}"


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"


@pytest.fixture(scope="module")
def source(clones: Path) -> Source:
    with Repository.open(clones / "small") as repository:
        return Source("small", repository.resolve("main"), "MIT", "trailers", True)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OVERSIGHT_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "work"


def read(source: Source, clones: Path, work: Path, most: int = 100, window: hunk_rows.Window = "test") -> Culprits:
    return read_culprits(source, clones, work, open_model(), window=window, most=most)


def made(guilty: list[list[bool]], added: list[list[int]], risk: list[list[float]] | None = None) -> Culprits:
    """Changes by hand, one list of hunks each; without a word of the student's, all hunks are alike to it."""
    size = sum(map(len, guilty))
    flat = np.concatenate([np.array(one, dtype=np.float64) for one in added])
    said = np.concatenate([np.array(one) for one in risk]) if risk else np.full(size, 0.5)
    return Culprits(
        shas=tuple(f"{row:040x}" for row in range(len(guilty))),
        times=np.arange(len(guilty), dtype=np.float64),
        owner=np.repeat(np.arange(len(guilty)), [len(one) for one in guilty]),
        guilty=np.concatenate([np.array(one) for one in guilty]),
        added=flat,
        deleted=np.zeros(size),
        risk=said,
        reported=np.concatenate([np.argsort(np.argsort(-np.array(one), kind="stable")) for one in risk or added]),
        gravity=np.zeros(size),
        facts=np.zeros((size, len(FACTS)), dtype=np.float32),
        counts={"named": len(guilty)},
    )


@pytest.mark.parametrize("seed", range(20))
def test_figures_are_means_over_all_orders_of_what_is_equal(seed):
    """In closed form what going through every order gives."""
    generator = np.random.default_rng(seed)
    size = int(generator.integers(2, 7))
    scores, lines = generator.integers(0, 3, size).astype(float), generator.integers(1, 9, size).astype(float)
    guilty = generator.random(size) < 0.4
    guilty[generator.integers(size)] = True
    found = []
    for order in permutations(range(size)):
        if any(scores[one] < scores[other] for one, other in pairwise(order)):
            continue
        first = next(place for place, hunk in enumerate(order) if guilty[hunk])
        found.append([first < 1, first < 3, 1 / (first + 1), lines[list(order[: first + 1])].sum() / lines.sum()])
    assert measure(scores, guilty, lines) == pytest.approx(np.mean(found, axis=0))


def test_at_random_in_closed_form():
    """One guilty hunk of ten: three picks of ten find it, and half of the lines are read, and half of its own."""
    guilty = np.arange(10) == 4
    once, thrice, reciprocal, read = measure(np.zeros(10), guilty, np.ones(10))
    assert (once, thrice, read) == pytest.approx((0.1, 0.3, 0.55))
    assert reciprocal == pytest.approx(sum(1 / place for place in range(1, 11)) / 10)
    assert measure(np.zeros(20_000), np.arange(20_000) == 4, np.ones(20_000))[1] == pytest.approx(3 / 20_000)


def test_one_order_then_another():
    """The second decides among equals of the first, and equals of both stay equal."""
    assert then(np.array([1.0, 0, 0, 1, 0]), np.array([1.0, 9, 8, 2, 8])).tolist() == [2, 1, 0, 3, 0]


def test_guilty_is_who_added_the_line():
    """By path and number in the culprit's version; context and other files with that number are innocent."""
    added = file_diff("a.py", ["one", "two"], ["one", "2"]) + file_diff("b.py", [], ["one", "2"])
    change = change_from_diff(added.encode())
    assert guilty_hunks(change, frozenset({("a.py", 2)})).tolist() == [True, False]
    assert guilty_hunks(change, frozenset({("b.py", 1), ("a.py", 9)})).tolist() == [False, True]
    assert not guilty_hunks(change, frozenset({("c.py", 2)})).any()


def test_the_repaired_hunk_is_guilty(clones, source, work):
    """The second of each change's four, of changes of the test window alone."""
    rows = read(source, clones, work)
    assert len(rows) == rows.counts["named"] == rows.counts["drawn"] > 5
    assert rows.guilty.reshape(-1, 4).tolist() == [[False, True, False, False]] * len(rows)
    assert rows.added.tolist() == rows.facts[:, FACTS.index("lines_added")].tolist()
    assert rows.counts["files that git could not blame"] == 0
    earlier = read(source, clones, work, window="validation")
    assert max(earlier.times) < min(rows.times)


def test_the_order_is_that_of_the_report(clones, source, work):
    """What the benchmark ranks as reported is what a report lists."""
    from oversight.assessment import assess, examine
    from oversight.history.context import context_of_diff
    from oversight.reviewers.principles import Principles

    rows, model = read(source, clones, work), open_model()
    with Repository.open(clones / "small") as repository:
        change = repository.change(repository.span(rows.shas[0]))
    report = assess(examine(change, context_of_diff(change), Principles()), model, None, 10.0)
    shown = in_reading_order(report.hunks)
    assert [shown.index(hunk) for hunk in report.hunks] == rows.reported[rows.owner == 0].tolist()
    assert [hunk.risk for hunk in report.hunks] == pytest.approx(rows.risk[rows.owner == 0])


def test_thinned_and_read_once(clones, source, work, monkeypatch):
    """At most as many as asked for; the second time neither git nor the model is asked."""
    few = read(source, clones, work, most=3)
    assert (len(few), few.counts["drawn"]) == (3, 3)
    for name in ("name_lines", "_arrays"):
        monkeypatch.setattr(hunk_rows, name, None)
    again = read(source, clones, work, most=3)
    assert (again.shas, again.counts) == (few.shas, few.counts)


def test_a_history_of_reverts_has_none(source, clones, work, monkeypatch):
    """Where no repair names lines there is nothing to measure, and the counts say so."""
    monkeypatch.setattr(hunk_rows, "name_lines", lambda *_, **__: hunk_rows.Named({}, {"named": 0}))
    rows = read(source, clones, work)
    assert (len(rows), rows.counts["measured"], rows.owner.size) == (0, 0, 0)
    found = hunk_figures.results({"small": rows}, {"all": ["small"]})
    assert found["repositories"]["small"]["n"] == 0
    assert found["means"] == {}


def settings(**changed: object) -> dict[str, object]:
    model = {"name": "default", "version": "1", "sha256": "0" * 64}
    return {"window": "test", "most": 400, "fewest hunks": 4, "fewest": 100, "model": model, "shipped": True, **changed}


@pytest.mark.parametrize(("right", "verdict"), [(True, "**Met**"), (False, "**Missed**")])
def test_the_verdict_is_computed(right, verdict):
    """A student that knows the guilty hunk beats the largest; one that knows the innocent ones does not."""
    guilty = [[False, False, False, False, True]] * 120
    rows = made(guilty, [[9, 8, 7, 6, 5]] * 120, [[0.1, 0.2, 0.3, 0.4, 0.9 if right else 0.0]] * 120)
    found = hunk_figures.results({"one": rows}, {"all": ["one"], "unseen": []})
    recall = found["means"]["all"]["figures"]["recall@3"]
    assert recall["rankings"][PEER]["value"] == 0.0
    assert recall["over peer"][REPORTED]["value"] == float(right)
    assert list(found["means"]) == ["all"]
    one = found["repositories"]["one"] | {"licence": "MIT", "revision": "0", "kind": "trailers", "seen": False}
    page = hunks_table.page({"settings": settings(), "repositories": {"one": one}, "means": found["means"]})
    assert verdict in page
    assert "| one | fewer than 10 | 120 |" in page


def test_all_orders_are_measured():
    """Every order has every figure, of every change; the student alone is not the largest first."""
    rows = made([[True, False], [False, True, False]], [[1, 2], [3, 2, 1]], [[0.9, 0.1], [0.1, 0.9, 0.2]])
    values = measured(rows)
    assert values.shape == (2, len(RANKINGS), len(METRICS))
    names = list(RANKINGS)
    assert values[:, names.index(STUDENT), 0].tolist() == [1.0, 1.0]
    assert values[:, names.index(PEER), 0].tolist() == [0.0, 0.0]
    assert values[1, names.index("in the order of the diff"), 2] == 0.5


def test_from_clones_to_the_page(clones, source, work, tmp_path, monkeypatch):
    """One command measures and writes; `--table` alone writes the same page again; unknown names are refused."""
    monkeypatch.setattr(hunks, "SOURCES", (source,))
    monkeypatch.setattr(hunks, "_PAGE", tmp_path / "HUNKS.md")
    output = tmp_path / "out" / "hunks.json"
    given = [str(clones), "--output", str(output), "--work", str(work)]
    assert hunks.main([*given, "--table"]) == 0
    page = (tmp_path / "HUNKS.md").read_text()
    found = json.loads(output.read_text())["repositories"]["small"]
    assert math.isclose(found["figures"]["recall@3"]["rankings"]["at random"]["value"], 0.75)
    assert (found["seen"], found["counted"]) == (True, False)
    assert "**Cannot be told**" in page
    assert hunks.main(["--output", str(output), "--table"]) == 0
    assert (tmp_path / "HUNKS.md").read_text() == page
    with pytest.raises(SystemExit):
        hunks.main([*given, "--only", "other"])
    assert hunks.main([str(tmp_path), "--work", str(work), "--output", str(output)]) == 2
