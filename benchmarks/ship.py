"""Train the shipped model: `python -m benchmarks.ship CLONES` (or `make model CLONES=…`), from local clones alone.

CLONES holds one clone of each of `SOURCES` under its name. All of them are permissively licensed; what leaves
is weights over hashed tokens, no vocabulary and no line of code. The steps, for every repository:

    pool at a fixed revision ── oldest 70 %: gold as known then ──> train, 15 % of it for calibration alone
                             └─ next 20 %: held out ─────────────> figures, reference quantiles

Repairs are recorded ten times as often in one repository as in another (`Fixes:` trailers here, reverts alone
there). A repository's base rate is therefore given to the network as a constant in training and left out
afterwards, and calibration counts every repository the same. Each repository is also scored by a model that has
seen only the others.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oversight import methods
from oversight.changes.repository import Repository
from oversight.experiment.card import table
from oversight.experiment.evaluation import Test, evaluate
from oversight.experiment.pool import Pool, Rows, read_pool
from oversight.experiment.reading import Reading, read_changes
from oversight.experiment.weak import weak_labels
from oversight.features.example import HISTORY
from oversight.features.model import Example
from oversight.history.model import GoldLabel
from oversight.history.schema import cache_directory
from oversight.measurement.platt import fit_platt, logit
from oversight.reviewers.model import WeakLabel
from oversight.students import checkpoint
from oversight.students.export import to_files
from oversight.students.student import NetworkLearner, Student

VERSION = "1"
METHOD = "mixed"
WEAK = "lexical"
CALIBRATION = 0.15
TAUGHT = 1_500  # labelled changes that the weak reviewer learns from: more cost minutes of cross-validation

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Source:
    """A repository that the model is trained on, at a fixed revision, with its licence."""

    name: str
    revision: str
    licence: str


SOURCES = (
    Source("dpdk", "38f72e500b3b159eca3ba2f4ca0e46a26a7cb057", "BSD-3-Clause"),
    Source("jax", "cec06d116c05f0d52adfceee3d3b730fdbcb0ce5", "Apache-2.0"),
    Source("tinygrad", "a9069c177a9da9cca18593edf55acd2e6073cca6", "MIT"),
    Source("meson", "cd1a097e10d3a16062772c985a0dfdd6f5d824bf", "Apache-2.0"),
    Source("pants", "7f5db53ac90ebc7e62b721697d0e52619c7e9138", "Apache-2.0"),
    Source("rocksdb", "1dfa7297933df05237ac11376d6cb69d32591b1d", "Apache-2.0"),
    Source("ao", "36027d82d1ad9949597ea16002ff4940374b1b94", "BSD-3-Clause"),
)


@dataclass(frozen=True, slots=True)
class Part:
    """What one repository gives: labelled, unlabelled and calibration readings of the oldest 70 %, and the test.

    `labels` and `calibration_labels` are gold as known at the end of the training windows. Risky changes are rare and
    drawn more often than clean ones; `calibration_weights` undo that, and sum to the same for every part.
    """

    source: Source
    tip: str
    pool: Pool
    labelled: list[Reading]
    labels: Flags
    unlabelled: list[Reading]
    weak: list[WeakLabel]
    calibration: list[Reading]
    calibration_labels: Flags
    calibration_weights: Floats
    tested: list[Reading]
    test: Test

    @property
    def prior(self) -> float:
        """Log-odds of a risky change among the labelled ones."""
        return float(logit((self.labels.sum() + 1) / (self.labels.size + 2)))


def prepare(source: Source, clones: Path, *, changes: int, jobs: int, seed: int) -> Part:
    """Read one repository."""
    random = np.random.default_rng(seed)

    def thin(rows: Rows, most: int) -> Rows:
        return np.sort(random.permutation(rows)[:most])

    with Repository.open(clones / source.name) as repository:
        tip = repository.resolve(source.revision)
        pool = replace(read_pool(repository, tip), name=source.name)
        windows = pool.windows()
        known = pool.known_at(windows.test_from)
        before = np.concatenate((windows.weak_train, windows.student_train))
        ripe = before[known.mature[before]]
        risky = thin(ripe[known.risky[ripe]], changes // 3)
        clean = thin(ripe[~known.risky[ripe]], changes - risky.size)
        kept = np.sort(np.concatenate((risky, clean)))
        held = np.sort(random.permutation(kept)[: int(CALIBRATION * kept.size)])
        labelled = np.setdiff1d(kept, held)
        drawn = (risky.size / known.risky[ripe].sum(), clean.size / (~known.risky[ripe]).sum())
        unlabelled = thin(before[~known.mature[before]], changes // 5)
        tested = thin(windows.test[pool.mature[windows.test]], changes)
        rows = np.concatenate((kept, unlabelled, tested))
        readings = read_changes(
            repository,
            {pool.shas[row]: pool.measures[row] for row in np.sort(rows).tolist()},
            jobs=jobs,
            cache_directory=cache_directory(),
            opinions=WEAK != "lexical",
        )

    def read(chosen: Rows) -> Rows:
        return np.array([row for row in chosen.tolist() if pool.shas[row] in readings], dtype=np.int64)

    def of(chosen: Rows) -> list[Reading]:
        return [readings[pool.shas[row]] for row in chosen.tolist()]

    labelled, held, unlabelled, tested = (read(rows) for rows in (labelled, held, unlabelled, tested))
    test = Test(pool.risky[tested], pool.times[tested], pool.lines_added[tested], pool.churn[tested])
    weights = np.where(known.risky[held], 1 / drawn[0], 1 / drawn[1])
    weak = _weak(of(labelled), known.risky[labelled], of(unlabelled), seed)
    return Part(
        source,
        tip,
        pool,
        of(labelled),
        known.risky[labelled],
        of(unlabelled),
        weak,
        of(held),
        known.risky[held],
        weights * 1_000 / weights.sum(),
        of(tested),
        test,
    )


def teach(parts: Sequence[Part], *, seed: int) -> Student:
    """Train one student on all parts, and calibrate it with every part counting the same."""
    examples: list[Example] = []
    weak: list[WeakLabel] = []
    gold: list[GoldLabel] = []
    prior: dict[str, float] = {}
    for part in parts:
        weak.extend(part.weak)
        gold.extend(_gold(part))
        examples.extend(one.example for one in (*part.labelled, *part.unlabelled))
        prior.update((one.example.change_id, part.prior) for one in (*part.labelled, *part.unlabelled))
    learner = NetworkLearner(prior=prior)
    student = methods.method(METHOD)(learner).fit(examples, weak, gold, seed=seed)
    pairs = [student.logits([one.example for one in part.calibration]) for part in parts]
    whole, alone = (np.concatenate(parts_of) for parts_of in zip(*pairs, strict=True))
    labels = np.concatenate([part.calibration_labels for part in parts])
    weights = np.concatenate([part.calibration_weights for part in parts])
    return student.with_calibration(fit_platt(whole, labels, weights), fit_platt(alone, labels, weights))


def _weak(labelled: Sequence[Reading], labels: Flags, unlabelled: Sequence[Reading], seed: int) -> list[WeakLabel]:
    if not unlabelled:
        return []
    chosen = np.random.default_rng(seed).permutation(len(labelled))[:TAUGHT]
    taught = [labelled[row] for row in chosen.tolist()]
    return weak_labels(WEAK, taught, labels[chosen], unlabelled, seed=seed)


def _gold(part: Part) -> list[GoldLabel]:
    return [
        GoldLabel(one.example.change_id, bool(label), "history", datetime.fromtimestamp(0, UTC), ())
        for one, label in zip(part.labelled, part.labels, strict=True)
    ]


def figures(parts: Sequence[Part], student: Student, *, seed: int) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Return the figures of every repository, and risks of held-out changes, as many of each repository."""
    found: dict[str, Any] = {}
    full: list[Floats] = []
    none: list[Floats] = []
    for part in parts:
        examples = [one.example for one in part.tested]
        bare = [replace(one, measures=np.where(HISTORY, np.nan, one.measures)) for one in examples]
        others = teach([other for other in parts if other is not part], seed=seed)
        risk, without = student.predict(examples), student.predict(bare)
        scores = {"student": risk, "student, bare diff": without, "student that never saw it": others.predict(examples)}
        found[part.source.name] = {
            "revision": part.tip,
            "licence": part.source.licence,
            "labelled": {"n": int(part.labels.size), "risky": int(part.labels.sum())},
            "test": evaluate(part.test, scores),
        }
        full.append(np.quantile(risk, np.linspace(0, 1, 501)))
        none.append(np.quantile(without, np.linspace(0, 1, 501)))
    return found, {"full": np.concatenate(full), "none": np.concatenate(none)}


def card(found: dict[str, Any], sizes: dict[str, int]) -> str:
    """Return the card, in Markdown."""
    lines = [
        f"# default {VERSION}",
        "",
        "The model that `oversight` ships. Trained by `make model` on the histories below: the oldest 70 % of each,",
        f"labels as known at the end of them, {sizes['labelled']} labelled changes and {sizes['unlabelled']} weakly",
        f"labelled ones (`{WEAK}`), method `{METHOD}`. It holds weights over hashed tokens: no vocabulary, no code.",
        "",
        "| repository | licence | revision | labelled | risky |",
        "|---|---|---|---|---|",
        *(
            f"| {name} | {one['licence']} | {one['revision'][:12]} "
            f"| {one['labelled']['n']} | {one['labelled']['risky']} |"
            for name, one in found.items()
        ),
        "",
        "## What `risk` means",
        *_RISK,
        "",
        "## What it reaches",
        "On the next 20 % of each history, later than anything it learned from. *student that never saw it* was",
        "trained on the other repositories alone: expect that row, not the first, on a repository of your own.",
        "",
        *_SEEN,
    ]
    for name, one in found.items():
        lines += ["", f"### {name}", *table(one["test"])]
    return "\n".join([*lines, "", "## Limits", *_LIMITS, ""])


_RISK = (
    "`risk` is the probability that people will later repair or withdraw the change, in an average repository of those",
    "above. How often repairs are recorded differs twentyfold between them (`Fixes:` trailers in one, reverts alone",
    "in the others), and the model is not told which kind yours is. In a repository of your own the order of risks",
    "stands, and `percentile` with it; the number becomes a probability there only after `oversight train`.",
)

_SEEN = (
    "The weights saw none of these changes, but their makers did: the network's settings (sizes, rates, dropout,",
    "epochs) were chosen while looking at scores on the test window of dpdk, and measures were looked at on those of",
    "dpdk and jax. The figures of dpdk are therefore flattering, in both rows, and those of jax may be.",
)

_LIMITS = (
    "A change with a low risk is not a safe one. The model reads the code of a change, never the files around it; it",
    "does not run anything. Reverts are not always bugs, and most bugs are never recorded. Bare diffs are scored",
    "without history, and less well.",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure and write the model."""
    parser = argparse.ArgumentParser(description="Train the shipped model from local clones.")
    parser.add_argument("clones", type=Path, help=f"directory with clones of {', '.join(one.name for one in SOURCES)}")
    parser.add_argument("--output", type=Path, default=Path("models/oversight_models/default"))
    parser.add_argument(
        "--changes", type=int, default=3_000, help="most changes of a repository to learn from, and to test on"
    )
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    checkpoint.check_target(chosen.output)
    parts = []
    for source in SOURCES:
        part = prepare(source, chosen.clones, changes=chosen.changes, jobs=chosen.jobs, seed=chosen.seed)
        print(f"{source.name}: {part.labels.size} labelled, {part.labels.sum()} risky", file=sys.stderr, flush=True)
        parts.append(part)
    student = teach(parts, seed=chosen.seed)
    found, reference = figures(parts, student, seed=chosen.seed)
    sizes = {
        "labelled": sum(int(part.labels.size) for part in parts),
        "unlabelled": sum(len(part.unlabelled) for part in parts),
    }
    metrics = {"method": METHOD, "weak": WEAK, "seed": chosen.seed, **sizes, "repositories": found}
    text = card(found, sizes)
    files = to_files(student, name="default", version=VERSION, reference=reference, metrics=metrics, card=text)
    print(text)
    print(f"sha256 {checkpoint.write(chosen.output, files)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
