"""Weak-to-strong methods on real histories: `python -m benchmarks.weak_to_strong CLONES --table`.

CLONES holds one clone of each of `benchmarks.repositories.SOURCES` under its name. The protocol is that of `oversight
pgr` (`oversight.experiment.protocol`): every method with 300 human labels, or the least of 1,000 and 3,000 that the
history allows; then the four best ones on `CHOOSING` with more seeds, and with other numbers of labels.

Every training is kept in `--work`: a run that was stopped goes on where it was. `--only` and `--stage` let two
processes share the trainings; a run without them then collects the figures.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import weak_figures, weak_table
from benchmarks.command import execute, parser_of
from benchmarks.repositories import SOURCES
from benchmarks.weak_runs import REFERENCES, STARTS, WEAK, Cell, Place, Site, compute, say
from oversight import methods
from oversight.experiment.choice import AUTO

NUMBERS = (100, 300, 1_000, 3_000)
"""Human labels."""

MAIN = (300, 1_000, 3_000)
"""Numbers of labels that every method is tried with: the first that the history allows."""

CHOOSING = ("dpdk", "networkmanager", "rdma-core")
"""Repositories that settings and methods were chosen on; the others confirm."""

FINAL_SEEDS = 10

BEST = 4
"""How many methods are tried with other numbers of labels."""

REPOSITORIES = ("dpdk", "networkmanager", "rdma-core", "u-boot", "frr", "jax", "tinygrad", "ansible")
"""All with trailers; and those with reverts of which at least 38 lie in the test window."""

_PAGE = Path(__file__).parent / "WEAK_TO_STRONG.md"


def starts_of(site: Site) -> tuple[str, ...]:
    """Return what students of this repository go on from."""
    return STARTS if site.source.kind == "trailers" else STARTS[:1]


def main_cell(site: Site, seeds: int, names: Sequence[str], refused: dict[str, str]) -> Cell | None:
    """Compute the cell that every method is tried in, and return it; `refused` hears why fewer labels were."""
    for human in MAIN:
        cell = Cell(human, starts_of(site), WEAK, names, seeds)
        reason = compute(site, cell)
        if reason is None:
            return cell
        refused[str(human)] = reason
    return None


def further_cells(
    site: Site, main: Cell, names: Sequence[str], numbers: Sequence[int], refused: dict[str, str]
) -> Iterator[Cell]:
    """Compute the best methods with more seeds, then with other `numbers` of labels; yield what is not refused."""

    def cell(human: int, seeds: int) -> Cell:
        return Cell(human, starts_of(site), WEAK, ("naive", *names), seeds)

    final = cell(main.human, FINAL_SEEDS if site.source.kind == "trailers" else main.seeds)
    # One of the further draws may hold too few risky changes; the first ones do not.
    yield final if compute(site, final) is None else cell(main.human, main.seeds)
    for human in numbers:
        if human == main.human:
            continue
        reason = compute(site, cell(human, main.seeds))
        if reason is None:
            yield cell(human, main.seeds)
        else:
            refused[str(human)] = reason


def run(chosen: argparse.Namespace) -> dict[str, Any] | None:
    """Train and measure; nothing is returned where this process does a part alone."""
    place = Place(chosen.clones, chosen.work, chosen.student, chosen.test, chosen.jobs)
    wanted = chosen.only.split(",") if chosen.only else list(REPOSITORIES)
    sites = {source.name: Site(source, place) for source in SOURCES if source.name in wanted}
    asked = tuple(chosen.methods.split(",")) if chosen.methods else (*methods.names(), AUTO)
    names = tuple(name for name in asked if name not in REFERENCES)
    numbers = tuple(int(number) for number in chosen.human.split(",")) if chosen.human else NUMBERS
    began = time.perf_counter()
    refused: dict[str, dict[str, str]] = {name: {} for name in sites}
    cells = {
        name: [cell]
        for name, site in sites.items()
        if (cell := main_cell(site, chosen.seeds, names, refused[name])) is not None
    }
    if chosen.stage == "main":
        return None
    measured = weak_figures.Measured(sites, cells)
    best = tuple(chosen.best.split(",")) if chosen.best else measured.best(CHOOSING, BEST)
    say(f"best on {', '.join(CHOOSING)}: {', '.join(best)}")
    for name in cells:
        cells[name].extend(further_cells(sites[name], cells[name][0], best, numbers, refused[name]))
    if chosen.stage == "further":
        return None
    settings = {
        "human": list(numbers), "seeds": chosen.seeds, "final_seeds": FINAL_SEEDS, "student": chosen.student,
        "test": chosen.test, "choosing": list(CHOOSING), "best": list(best), "resamples": weak_figures.RESAMPLES,
        "seconds": round(time.perf_counter() - began, 1),
    }  # fmt: skip
    return {"settings": settings, "refused": refused, **measured.results(CHOOSING)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure, and write what was found."""
    parser = parser_of("Measure weak-to-strong methods, from local clones.", name="weak-to-strong", page=_PAGE)
    parser.add_argument("--student", type=int, default=8_000, help="most changes that are labelled weakly")
    parser.add_argument("--test", type=int, default=5_000, help="most changes to measure on")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--methods", default="", metavar="NAME,…", help="these methods alone")
    parser.add_argument("--human", default="", metavar="N,…", help="these numbers of human labels alone")
    parser.add_argument("--best", default="", metavar="NAME,…", help="the best methods, if they are known")
    parser.add_argument(
        "--stage", choices=("all", "main", "further"), default="all", help="a part alone, and no figures"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes that read changes")
    return execute(parser, arguments, run, _PAGE, weak_table.page)


if __name__ == "__main__":
    sys.exit(main())
