"""The student beside its peers: `python -m benchmarks.student CLONES --output benchmarks/results/student.json`.

CLONES holds one clone of each of `benchmarks.repositories.SOURCES` under its name. For every repository:

    history ── windows of the protocol ── newest rows of both training windows: labels as known at the cut-off
                                       └─ mature rows of the test window, thinned at random: labels as known today

Settings are chosen with `--window validation`, which never looks at the test window; so are the `--ablations`.
Everything is kept in `--work`, by a hash of what it depends on: a run that was stopped goes on where it was. With
`--part 1/2` and `--part 2/2` two processes share the trainings; a run without it then collects the figures.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import results_table, student_figures
from benchmarks.command import execute, parser_of
from benchmarks.hunk_vectors import WIDTHS, Vectors, read_vectors
from benchmarks.repositories import SOURCES, Source
from benchmarks.student_figures import Held, Scored
from benchmarks.student_models import POOLED_ROWS, Job, Tables, ablations, jobs, readings
from benchmarks.student_rows import clone_of, read_tables
from benchmarks.touched_lines import Row, read_touched
from oversight.errors import OversightError

_RESAMPLES = 1_000
_PAGE = Path(__file__).parent / "RESULTS.md"


def say(text: str) -> None:
    """Tell how far it is."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def read_all(sources: Iterable[Source], chosen: argparse.Namespace) -> tuple[Tables, Tables]:
    """Read the rows of every repository: to learn from, and to measure on, by name."""
    trains, evaluations = {}, {}
    for source in sources:
        train, evaluation = read_tables(
            source, chosen.clones, chosen.work,
            window=chosen.window, train=chosen.train, test=chosen.test, jobs=chosen.jobs,
        )  # fmt: skip
        say(
            f"{source.name}: {train.labels.sum()} known as risky of {len(train)} ({train.ripe.sum()} ripe); "
            f"{evaluation.labels.sum()} risky of {len(evaluation)} to measure on"
        )
        trains[source.name], evaluations[source.name] = train, evaluation
    return trains, evaluations


def _touched(sources: Iterable[Source], chosen: argparse.Namespace) -> dict[str, Row]:
    """Return what is known of the lines that each change touches, by sha."""
    found: dict[str, Row] = {}
    for source in sources:
        found |= read_touched(source, chosen.clones, chosen.work)
        say(f"{source.name}: touched lines known")
    return found


def _vectors(
    sources: Sequence[Source], trains: Tables, evaluations: Tables, chosen: argparse.Namespace
) -> dict[str, Vectors]:
    """Return what each encoder makes of the hunks, in few components and in many, by title."""
    from oversight.students.pretrained import load

    found = {}
    named = {source.name: source for source in sources}
    for encoder in chosen.encoder:
        title, _, name = encoder.rpartition("=")
        every = read_vectors(load(name), named, trains, evaluations, clones=chosen.clones, work=chosen.work, say=say)
        found |= {f"{title or name} reads them, {width} components": every.first(width) for width in WIDTHS}
    return found


def compute(wanted: Sequence[Job], trains: Tables, evaluations: Tables, work: Path) -> dict[str, list[str]]:
    """Run the jobs that were not run before; return what failed and why, by model."""
    failed: dict[str, list[str]] = {}
    for number, job in enumerate(wanted, 1):
        started = time.perf_counter()
        try:
            job.compute(trains, evaluations, work)
        except OversightError as error:
            failed.setdefault(job.model, []).append(f"{', '.join(job.score)}: {error}")
            say(f"{job.model} ({', '.join(job.score)}): {error}")
        if (seconds := time.perf_counter() - started) > 1:
            say(f"{number}/{len(wanted)} {job.model}, seed {job.seed} ({', '.join(job.score)}): {seconds:.0f} s")
    return failed


def collect(wanted: Iterable[Job], trains: Tables, evaluations: Tables, work: Path) -> dict[str, Held]:
    """Read the scores that there are, by repository."""
    found: dict[str, dict[str, list[tuple[Job, Path]]]] = {name: {} for name in evaluations}
    for job in wanted:
        for name, path in job.paths(trains, evaluations, work).items():
            if path.exists():
                found[name].setdefault(job.model, []).append((job, path))
    return {
        name: Held(evaluations[name], {model: _scored(files) for model, files in models.items()})
        for name, models in found.items()
    }


def _scored(files: Sequence[tuple[Job, Path]]) -> Scored:
    scores, seconds = [], 0.0
    for _, path in files:
        with np.load(path) as kept:
            scores.append(kept["scores"])
            seconds += float(kept["seconds"])
    return Scored(np.stack(scores).astype(np.float64), files[0][0].probability, seconds / len(files))


def results(helds: Mapping[str, Held], trains: Tables, *, resamples: int = _RESAMPLES) -> dict[str, Any]:
    """Return all figures as JSON."""
    resampled = {name: student_figures.resample(held, resamples=resamples) for name, held in helds.items()}
    repositories = {}
    for name, held in helds.items():
        source, train = held.table.source, trains[name]
        repositories[name] = {
            "revision": source.revision,
            "licence": source.licence,
            "kind": source.kind,
            "train": {"n": len(train), "ripe": int(train.ripe.sum()), "positives": int(train.labels.sum())},
            **student_figures.of_repository(held, resampled[name]),
        }
        say(f"{name}: measured")
    kinds = {name: held.table.source.kind for name, held in helds.items()}
    counting = [name for name, held in helds.items() if held.counts and resampled[name]]
    few = [name for name, held in helds.items() if held.positives >= student_figures.FEW and resampled[name]]
    return {"repositories": repositories, "means": student_figures.means(kinds, counting, resampled, few)}


def run(chosen: argparse.Namespace) -> dict[str, Any] | None:
    """Train and measure what was asked for; nothing is returned where this process does a part alone."""
    names = chosen.only.split(",") if chosen.only else [source.name for source in SOURCES]
    known = {source.name: source for source in SOURCES}
    if unknown := [name for name in names if name not in known]:
        raise SystemExit(f"{', '.join(unknown)}: not among {', '.join(known)}")
    sources = [known[name] for name in names if not chosen.ablations or known[name].kind == "trailers"]
    for source in sources:
        clone_of(source, chosen.clones)
    started = time.perf_counter()
    trains, evaluations = read_all(sources, chosen)
    if chosen.encoder:
        wanted = list(readings(trains, _vectors(sources, trains, evaluations, chosen), seeds=chosen.seeds))
    elif chosen.ablations:
        wanted = list(ablations(trains, _touched(sources, chosen), seeds=chosen.seeds))
    else:
        wanted = list(jobs(trains, seeds=chosen.seeds, seeds_left_out=chosen.seeds_left_out))
    part, parts = (int(number) for number in chosen.part.split("/"))
    failed = compute(wanted[part - 1 :: parts], trains, evaluations, chosen.work)
    if parts > 1:
        return None
    helds = collect(wanted, trains, evaluations, chosen.work)
    settings = {
        **{name: getattr(chosen, name) for name in ("window", "train", "test", "seeds", "seeds_left_out")},
        "pooled": POOLED_ROWS, "resamples": _RESAMPLES, "failed": failed, "machine": platform.machine(),
        "seconds": round(time.perf_counter() - started, 1),
    }  # fmt: skip
    if chosen.ablations:
        rows = student_figures.of_ablations(helds, resamples=_RESAMPLES)
        return {
            "encoders" if chosen.encoder else "ablations": {
                "settings": settings,
                "repositories": list(helds),
                "rows": rows,
            }
        }
    return {"settings": settings, **results(helds, trains)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure, and write what was found."""
    parser = parser_of("Measure the student beside its peers, from local clones.", name="student", page=_PAGE)
    parser.add_argument("--train", type=int, default=10_000, help="most changes of a repository to learn from")
    parser.add_argument("--test", type=int, default=5_000, help="most changes of a repository to measure on")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--seeds-left-out", type=int, default=1, help="seeds of the student that never saw it")
    parser.add_argument("--window", choices=("test", "validation"), default="test")
    parser.add_argument("--ablations", action="store_true", help="what each part of the student gives (validation)")
    parser.add_argument(
        "--encoder", action="append", default=[], metavar="[TITLE=]NAME|DIR",
        help="what vectors of hunks from this encoder give in place of tokens (validation); may be given again",
    )  # fmt: skip
    parser.add_argument("--part", default="1/1", metavar="I/N", help="every N-th training alone, and no figures")
    parser.add_argument("--jobs", type=int, default=2, help="processes that read changes")
    return execute(parser, arguments, run, _PAGE, results_table.page, adapt=_validated, add=True)


def _validated(chosen: argparse.Namespace) -> None:
    """Take parts away on the validation window alone: what is kept of them is a choice."""
    chosen.ablations = chosen.ablations or bool(chosen.encoder)
    if chosen.ablations:
        chosen.window = "validation"


if __name__ == "__main__":
    sys.exit(main())
