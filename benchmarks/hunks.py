"""Guilty hunks: `python -m benchmarks.hunks CLONES --output benchmarks/results/hunks.json --table`.

Where the repair of a change names the lines that were wrong, does the student's order of the change's hunks bring a
reader to a guilty one sooner than *largest hunk first* does? CLONES holds one clone of each of
`benchmarks.repositories.SOURCES` under its name; `benchmarks.hunk_rows` says which changes count.

How hunks are ranked is chosen with `--window validation`, which never looks at the test window. What git and the model
said is kept in `--work`, by a hash of what it depends on: a run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import hunk_figures, hunks_table
from benchmarks.command import execute, parser_of
from benchmarks.hunk_rows import FEWEST_HUNKS, read_culprits
from benchmarks.repositories import SOURCES
from benchmarks.student_figures import FEWEST
from oversight.students.runtime import open_model

_PAGE = Path(__file__).parent / "HUNKS.md"


def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Measure what was asked for; all figures as JSON."""
    names = chosen.only.split(",") if chosen.only else [source.name for source in SOURCES]
    known = {source.name: source for source in SOURCES}
    if unknown := [name for name in names if name not in known]:
        raise SystemExit(f"{', '.join(unknown)}: not among {', '.join(known)}")
    model = open_model(chosen.model)
    culprits = {}
    for name in names:
        started = time.perf_counter()
        culprits[name] = read_culprits(
            known[name], chosen.clones, chosen.work, model, window=chosen.window, most=chosen.most
        )
        say = f"{name}: {len(culprits[name])} changes, {time.perf_counter() - started:.0f} s"
        print(f"{time.strftime('%H:%M:%S')} {say}", file=sys.stderr, flush=True)
    # The shipped model learned from the past of what may be shipped; a model of one's own may have seen any.
    seen = [name for name in names if known[name].permissive]
    groups = {"all": names, "seen": seen, "unseen": [name for name in names if name not in seen]}
    found = hunk_figures.results(culprits, groups if model.shipped else {"all": names})
    for name, one in found["repositories"].items():
        one |= {"revision": known[name].revision, "licence": known[name].licence, "kind": known[name].kind}
        if model.shipped:
            one["seen"] = name in seen
    settings = {
        "window": chosen.window, "most": chosen.most, "fewest hunks": FEWEST_HUNKS, "fewest": FEWEST,
        "model": {"name": model.info.name, "version": model.info.version, "sha256": model.info.sha256},
        "shipped": model.shipped,
    }  # fmt: skip
    return {"settings": settings, **found}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write what was found."""
    parser = parser_of("Measure how hunks are ranked, from local clones.", name="hunks", page=_PAGE)
    parser.add_argument("--most", type=int, default=400, help="culprits of a repository whose repairs are blamed")
    parser.add_argument("--window", choices=("test", "validation"), default="test")
    parser.add_argument("--model", help="a model directory; the shipped model by default")
    return execute(parser, arguments, run, _PAGE, hunks_table.page)


if __name__ == "__main__":
    sys.exit(main())
