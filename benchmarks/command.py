"""The command line that benchmarks of repositories share: clones in, figures as JSON, and a page written from them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from oversight.errors import OversightError

Run = Callable[[argparse.Namespace], dict[str, Any] | None]
"""Measures what was asked for; nothing where this process does a part alone."""


def parser_of(description: str, *, name: str, page: Path) -> argparse.ArgumentParser:
    """Return a parser with the options that all of them have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("clones", type=Path, nargs="?", help="directory with a clone of each repository")
    parser.add_argument("--output", type=Path, default=Path(f"benchmarks/results/{name}.json"))
    parser.add_argument("--work", type=Path, default=Path(f"build/{name}"), help="what a stopped run goes on from")
    parser.add_argument("--only", default="", metavar="NAME,…", help="these repositories alone")
    parser.add_argument("--table", action="store_true", help=f"write {page.name} from OUTPUT; alone: do nothing else")
    return parser


def execute(
    parser: argparse.ArgumentParser,
    arguments: Sequence[str] | None,
    run: Run,
    page: Path,
    table: Callable[[dict[str, Any]], str],
    *,
    adapt: Callable[[argparse.Namespace], None] = lambda _chosen: None,
    add: bool = False,
) -> int:
    """Measure, and write what was found; `adapt` changes what was chosen, and `add` keeps other figures of the file.

    The file has one line, however many thousand figures: each on its own would bury a review of the page.
    """
    chosen = parser.parse_args(arguments)
    adapt(chosen)
    if chosen.clones is None and not chosen.table:
        parser.error("name the directory with the clones, or ask for --table")
    if chosen.clones is not None:
        try:
            found = run(chosen)
        except OversightError as error:
            print(error, file=sys.stderr)
            return 2
        if found is None:
            return 0
        kept = json.loads(chosen.output.read_text(encoding="utf-8")) if add and chosen.output.exists() else {}
        chosen.output.parent.mkdir(parents=True, exist_ok=True)
        chosen.output.write_text(json.dumps(rounded({**kept, **found})) + "\n", encoding="utf-8")
    if chosen.table:
        page.write_text(table(json.loads(chosen.output.read_text(encoding="utf-8"))), encoding="utf-8")
    return 0


def rounded(value: Any) -> Any:
    """Return a JSON value with its numbers to five digits behind the point, which is more than they are worth."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return round(value, 5) if isinstance(value, float) else value
