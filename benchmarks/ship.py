"""Train the shipped model: `python -m benchmarks.ship CLONES` (or `make model CLONES=…`), from local clones alone.

CLONES holds one clone of each of `benchmarks.repositories.PERMISSIVE` under its name, all of them permissively
licensed; what leaves is weights over hashed tokens, no vocabulary and no line of code. The steps, for every repository:

    pool at a fixed revision ── oldest 70 %: gold as known then ──> train, 15 % of it for calibration alone
                             └─ next 20 %: held out ─────────────> figures, reference quantiles

Profiles are placed on each repository's own scale, in training and afterwards; bare diffs on the scale of all of them.
Young changes are learned from as well: most of their repairs are yet to come, and the share that is known by now is
part of the likelihood. Repairs are recorded ten times as often in one repository as in another (`Fixes:` trailers
here, reverts alone there). A repository's base rate is therefore given to the network as a constant in training and
left out afterwards, and calibration counts every repository the same. Each repository is also scored by a model that
has seen only the others, on the scale that a review would take from the changes before.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.repositories import PERMISSIVE
from benchmarks.results_table import shown, signed
from benchmarks.student_figures import COMPARED, Held, Scored, means, resample
from benchmarks.student_models import GENERAL, STARTED, UNSEEN, Variant
from benchmarks.student_rows import Table, read_tables
from oversight.experiment.card import table
from oversight.experiment.evaluation import Test, evaluate
from oversight.features.example import HISTORY
from oversight.measurement.platt import fit_platt, sigmoid
from oversight.students import checkpoint
from oversight.students.export import to_files
from oversight.students.student import NetworkStudent, logits_in_time

VERSION = "3"
CALIBRATION = 0.15

Floats = NDArray[np.float64]

_GENERAL = Variant(architecture=GENERAL[0], budget=GENERAL[1])
_BINS = GENERAL[0].bins
_LINES = "lines added"
_RESAMPLES = 1_000


@dataclass(frozen=True)
class Part:
    """What one repository gives: its `past` (n rows), of which those `put_aside` (n,) are for calibration alone, and
    rows to measure on.
    """

    past: Table
    put_aside: NDArray[np.bool_]
    test: Table

    @cached_property
    def learned(self) -> Table:
        """The rows to learn from."""
        return self.past.take(np.flatnonzero(~self.put_aside))

    @cached_property
    def calibration(self) -> Table:
        """The rows for calibration."""
        return self.past.take(np.flatnonzero(self.put_aside))

    @property
    def name(self) -> str:
        """The repository's name."""
        return self.past.source.name


def divide(train: Table, test: Table, *, seed: int) -> Part:
    """Put a random share of the rows to learn from aside for calibration."""
    place = np.random.default_rng(seed).permutation(len(train))
    return Part(train, place < int(CALIBRATION * len(train)), test)


def teach(parts: Sequence[Part], *, seed: int) -> NetworkStudent:
    """Train one student on all parts, each on its own scale, and calibrate it with every part counting the same."""
    return calibrated(_GENERAL.fit([part.learned for part in parts], seed), parts)


def calibrated(student: NetworkStudent, parts: Sequence[Part]) -> NetworkStudent:
    """Fit both calibrations on rows that were put aside; the risk of a row not known as risky is what the student
    expects of it: some of these will be repaired yet.
    """
    whole: list[Floats] = []
    alone: list[Floats] = []
    targets: list[Floats] = []
    for part in parts:
        rows = part.calibration
        logits, hunks = (found[part.put_aside] for found in logits_in_time(student, (), part.past.examples, _BINS))
        expected = sigmoid(logits + part.learned.prior)
        to_come = expected * (1 - rows.found) / (1 - expected * rows.found)
        whole.append(logits)
        alone.append(hunks)
        targets.append(np.where(rows.labels, 1.0, to_come))
    weights = np.concatenate([np.full(rows.size, 1_000 / rows.size) for rows in targets])
    labels = np.concatenate(targets)
    return student.with_calibration(
        fit_platt(np.concatenate(whole), labels, weights), fit_platt(np.concatenate(alone), labels, weights)
    )


def figures(parts: Sequence[Part], student: NetworkStudent, *, seed: int) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Return the figures of every repository and of their means, and risks of held-out changes, as many of each."""
    found: dict[str, Any] = {}
    helds: dict[str, Held] = {}
    full: list[Floats] = []
    none: list[Floats] = []
    for part in parts:
        rows, source = part.test, part.test.source
        bare = [replace(one, measures=np.where(HISTORY, np.nan, one.measures)) for one in rows.examples]
        others = teach([other for other in parts if other is not part], seed=seed)
        risk, unseen = (_risks(one, part) for one in (student, others))
        without = student.predict(bare)
        scores = {STARTED: risk, "student, bare diff": without, UNSEEN: unseen}
        found[part.name] = {
            "revision": source.revision,
            "licence": source.licence,
            "learned": {"n": len(part.learned), "risky": int(part.learned.labels.sum())},
            "test": evaluate(Test(rows.labels, rows.times, rows.measure("la"), rows.churn), scores),
        }
        compared = {STARTED: risk, UNSEEN: unseen, _LINES: rows.measure("la")}
        helds[part.name] = Held(rows, {name: Scored(one[None], False, 0.0) for name, one in compared.items()})
        full.append(np.quantile(risk, np.linspace(0, 1, 501)))
        none.append(np.quantile(without, np.linspace(0, 1, 501)))
        print(f"{part.name}: measured", file=sys.stderr, flush=True)
    reference = {"full": np.concatenate(full), "none": np.concatenate(none)}
    return {"repositories": found, "means": _means(helds)}, reference


def _means(helds: Mapping[str, Held]) -> dict[str, Any]:
    """Return means over the repositories of each kind, however few risky changes they have, with paired intervals."""
    kinds = {name: held.table.source.kind for name, held in helds.items()}
    resampled = {name: resample(held, resamples=_RESAMPLES) for name, held in helds.items()}
    groups = means(kinds, list(helds), resampled)
    return {kind: group for kind, group in groups.items() if kind != "all"}


def _risks(student: NetworkStudent, part: Part) -> Floats:
    logits, _ = logits_in_time(student, part.past.examples, part.test.examples, _BINS)
    return student.change_calibration(logits)


def card(found: dict[str, Any]) -> str:
    """Return the card, in Markdown."""
    repositories = found["repositories"]
    learned = sum(one["learned"]["n"] for one in repositories.values())
    lines = [
        f"# default {VERSION}",
        "",
        "The model that `oversight` ships. Trained by `make model` on the histories below: of the oldest 70 % of each",
        f"the newest changes, {learned} in all, with the labels that history had given them by the end of those 70 %.",
        "It is trained on gold labels, no weak reviewer took part. It holds weights over hashed tokens: no vocabulary,",
        "no code.",
        "",
        "| repository | licence | revision | learned from | known as risky |",
        "|---|---|---|---|---|",
        *(
            f"| {name} | {one['licence']} | {one['revision'][:12]} "
            f"| {one['learned']['n']} | {one['learned']['risky']} |"
            for name, one in repositories.items()
        ),
        "",
        "## What `risk` means",
        *_RISK,
        "",
        "## What it reaches",
        "On the next 20 % of each history, later than anything it learned from. *student that never saw it* was",
        "trained on the other repositories alone, and measures the changes against the newest ones before them: expect",
        "that row, not the first, on a repository of your own. Bare diffs are measured against all repositories.",
        "",
        *_SEEN,
        "",
        *_on_the_mean(found["means"]),
    ]
    for name, one in repositories.items():
        lines += ["", f"### {name}", *table(one["test"])]
    return "\n".join([*lines, "", "## Limits", *_LIMITS, ""])


def _on_the_mean(groups: Mapping[str, Any]) -> Iterator[str]:
    yield "Means over repositories, differences to lines added with 95 % intervals (blocks of time, paired):"
    yield ""
    yield "| repositories | score | AUROC | minus lines added | size-matched AUROC | minus lines added |"
    yield "|---|---|---|---|---|---|"
    for kind, group in groups.items():
        for name in (STARTED, UNSEEN):
            cells = []
            for metric in COMPARED:
                cells.append(shown(group[metric]["models"][name], interval=False))
                cells.append(signed(group[metric]["differences"][name][_LINES]))
            yield f"| {len(group['repositories'])} with {kind} | {name} | {' | '.join(cells)} |"


_RISK = (
    "`risk` is the probability that people will later repair or withdraw the change, in an average repository of those",
    "above. How often repairs are recorded differs twentyfold between them (`Fixes:` trailers in one, reverts alone",
    "in the others), and the model is not told which kind yours is. In a repository of your own the order of risks",
    "stands, and `percentile` with it; the number becomes a probability there only after `oversight train`.",
)

_SEEN = (
    "Settings were chosen on validation windows, the later part of the 70 %. An earlier version of this model, with",
    "the same measures and facts of hunks, was developed while looking at the test windows of dpdk and jax.",
)

_LIMITS = (
    "A change with a low risk is not a safe one. The model reads the code of a change, never the files around it; it",
    "does not run anything. Reverts are not always bugs, and most bugs are never recorded. Bare diffs are scored",
    "without history, and less well.",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure and write the model."""
    parser = argparse.ArgumentParser(description="Train the shipped model from local clones.")
    names = ", ".join(source.name for source in PERMISSIVE)
    parser.add_argument("clones", type=Path, help=f"directory with clones of {names}")
    parser.add_argument("--output", type=Path, default=Path("models/oversight_models/default"))
    parser.add_argument("--work", type=Path, default=Path("runs/ship"), help="where a stopped run finds its rows again")
    parser.add_argument("--train", type=int, default=10_000, help="most changes of a repository to learn from")
    parser.add_argument("--test", type=int, default=5_000, help="most changes of a repository to measure on")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    checkpoint.check_target(chosen.output)
    parts = []
    for source in PERMISSIVE:
        train, test = read_tables(
            source,
            chosen.clones,
            chosen.work,
            window="test",
            train=chosen.train,
            test=chosen.test,
            jobs=chosen.jobs,
        )
        print(f"{source.name}: {len(train)} changes, {train.labels.sum()} risky", file=sys.stderr, flush=True)
        parts.append(divide(train, test, seed=chosen.seed))
    student = teach(parts, seed=chosen.seed)
    found, reference = figures(parts, student, seed=chosen.seed)
    text = card(found)
    metrics = {"seed": chosen.seed, **found}
    files = to_files(student, name="default", version=VERSION, reference=reference, metrics=metrics, card=text)
    print(text)
    print(f"sha256 {checkpoint.write(chosen.output, files)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
