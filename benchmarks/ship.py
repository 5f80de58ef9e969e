"""Train the shipped model: `python -m benchmarks.ship CLONES` (or `make model CLONES=…`), from local clones alone.

CLONES holds one clone of each of `benchmarks.repositories.PERMISSIVE` under its name, all of them permissively
licensed; what leaves is weights over hashed tokens, no vocabulary and no line of code. The steps, for every repository:

    pool at a fixed revision ── oldest 70 % ─> a weak reviewer's labels and a few of people (`ship_teaching`)
                             └─ next 20 %: held out ─> figures, reference quantiles

Profiles are placed on each repository's own scale, in training and afterwards; bare diffs on the scale of all of them.
Beside what ships stands the same network taught by gold labels of all the oldest 70 %. Each repository is also scored
by models that have seen only the others, on the scale that a review would take from the changes before.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.repositories import PERMISSIVE
from benchmarks.ship_card import BARE, GOLD, GOLD_UNSEEN, LINES, REVIEWER, SHIPPED, VERSION, card
from benchmarks.ship_teaching import BY_GOLD, WEAKLY, Part, Place, Teacher, divide, risks, teach_by_gold, teach_weakly
from benchmarks.student_figures import Held, Scored, means, resample
from benchmarks.student_models import UNSEEN
from benchmarks.student_rows import read_tables, write_arrays
from oversight.experiment.evaluation import Test, evaluate
from oversight.features.example import HISTORY
from oversight.students import checkpoint
from oversight.students.export import to_files
from oversight.students.student import NetworkStudent

Floats = NDArray[np.float64]

_EDITION = 1  # of what is kept of students
_RESAMPLES = 1_000


def unseen(parts: Sequence[Part], teacher: Teacher, work: Path, *, seed: int) -> dict[str, Floats]:
    """Return the risks of each part's rows (t,) by a student that has seen only the others, kept in `work`."""
    found = {}
    for part in parts:
        others = [other for other in parts if other is not part]
        what = (_EDITION, teacher.name, seed, part.fingerprint, *(other.fingerprint for other in others))
        path = work / f"ship-{part.name}-{hashlib.sha256(repr(what).encode()).hexdigest()[:16]}.npz"
        if not path.exists():
            write_arrays(path, {"risks": risks(teacher.teach(others, seed=seed), part)})
            print(f"{part.name}: left out, {teacher.name}", file=sys.stderr, flush=True)
        with np.load(path) as kept:
            found[part.name] = kept["risks"]
    return found


def figures(
    parts: Sequence[Part], student: NetworkStudent, work: Path, *, seed: int
) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Return the figures of every repository and of their means, and risks of held-out changes, as many of each."""
    gold = teach_by_gold(parts, seed=seed)
    weakly_unseen, gold_unseen = (unseen(parts, teacher, work, seed=seed) for teacher in (WEAKLY, BY_GOLD))
    found: dict[str, Any] = {}
    helds: dict[str, Held] = {}
    full: list[Floats] = []
    none: list[Floats] = []
    for part in parts:
        rows, source = part.test, part.test.source
        bare = [replace(one, measures=np.where(HISTORY, np.nan, one.measures)) for one in rows.examples]
        scores = {
            SHIPPED: risks(student, part),
            BARE: student.predict(bare),
            UNSEEN: weakly_unseen[part.name],
            GOLD: risks(gold, part),
            GOLD_UNSEEN: gold_unseen[part.name],
            REVIEWER: part.weak_test,
        }
        found[part.name] = {
            "revision": source.revision,
            "licence": source.licence,
            "learned": _learned_from(part),
            "gold": {"n": len(part.learned), "risky": int(part.learned.labels.sum())},
            "test": evaluate(Test(rows.labels, rows.times, rows.measure("la"), rows.churn), scores),
        }
        compared = {**scores, LINES: rows.measure("la")}
        helds[part.name] = Held(rows, {name: Scored(one[None], False, 0.0) for name, one in compared.items()})
        full.append(np.quantile(scores[SHIPPED], np.linspace(0, 1, 501)))
        none.append(np.quantile(scores[BARE], np.linspace(0, 1, 501)))
        print(f"{part.name}: measured", file=sys.stderr, flush=True)
    reference = {"full": np.concatenate(full), "none": np.concatenate(none)}
    return {"repositories": found, "means": _means(helds)}, reference


def _learned_from(part: Part) -> dict[str, int]:
    said = ~np.isnan(part.weak_past)
    said[part.drawn] = False
    risky = part.past.labels[part.drawn].sum()
    return {"human": int(part.drawn.size), "human_risky": int(risky), "weak": int(said.sum())}


def _means(helds: Mapping[str, Held]) -> dict[str, Any]:
    """Return means over the repositories of each kind, however few risky changes they have, with paired intervals."""
    kinds = {name: held.table.source.kind for name, held in helds.items()}
    resampled = {name: resample(held, resamples=_RESAMPLES) for name, held in helds.items()}
    groups = means(kinds, list(helds), resampled)
    return {kind: group for kind, group in groups.items() if kind != "all"}


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
    teachers = {teacher.name: teacher for teacher in (WEAKLY, BY_GOLD)}
    parser.add_argument("--left-out", choices=teachers, help="train the students of one teacher, and write nothing")
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
        place = Place(chosen.clones, chosen.work, chosen.jobs)
        parts.append(divide(train, test, place, seed=chosen.seed))
        print(f"{source.name}: {parts[-1].drawn.size} labels of people", file=sys.stderr, flush=True)
    if chosen.left_out:
        unseen(parts, teachers[chosen.left_out], chosen.work, seed=chosen.seed)
        return 0
    student = teach_weakly(parts, seed=chosen.seed)
    found, reference = figures(parts, student, chosen.work, seed=chosen.seed)
    text = card(found)
    metrics = {"seed": chosen.seed, **found}
    files = to_files(student, name="default", version=VERSION, reference=reference, metrics=metrics, card=text)
    print(text)
    print(f"sha256 {checkpoint.write(chosen.output, files)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
