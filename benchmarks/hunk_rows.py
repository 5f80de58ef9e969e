"""The culprits that `benchmarks.hunks` measures on: which of their hunks a repair named, and what is said of each.

    test window ── named by a `Fixes:` trailer ── at least FEWEST_HUNKS hunks ── thinned at random
        ── `git blame -w` of the code that the repair deletes ── guilty hunks ── some, and not all, of its hunks

A hunk is guilty when it added a line of code that a repair of its change later deleted (`oversight.history.szz`).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.repositories import Source
from benchmarks.student_rows import Flags, Floats, Window, clone_of, split, write_arrays
from oversight.assessment import assess, examine
from oversight.changes.model import Change, Hunk
from oversight.changes.repository import Repository, change_of
from oversight.errors import DiffError
from oversight.experiment.pool import read_pool
from oversight.features.example import SCHEMA
from oversight.features.facts import FACTS
from oversight.history.context import context_of_diff
from oversight.history.mining import mine_repository
from oversight.history.szz import blame_repairs
from oversight.reports.words import in_reading_order
from oversight.reviewers.model import Opinion, Severity
from oversight.reviewers.principles import Principles
from oversight.reviewers.principles.constitution_files import CONSTITUTION
from oversight.students.runtime import Model

FEWEST_HUNKS = 4
"""With fewer hunks than this, three of them are all, or all but none: nothing to rank."""

Place: TypeAlias = tuple[str, int]
"""Path and line in the culprit's own version of a file."""

_EDITION = 1  # of what is kept of repairs
_SAID = 2  # of what is kept of hunks: to be raised when a report puts them in another order
_NOTHING = {
    **dict.fromkeys(("added", "deleted", "risk", "reported", "gravity"), np.zeros(0)),
    "owner": np.zeros(0, dtype=np.int64), "guilty": np.zeros(0, dtype=np.bool_), "facts": np.zeros((0, len(FACTS))),
}  # fmt: skip
_BUDGET = 10.0  # percent; whether a change is flagged has no say in how its hunks are ranked
_GRAVITY = {severity: number for number, severity in enumerate(Severity, 1)}


@dataclass(frozen=True)
class Culprits:
    """C changes of one repository that were repaired, with H hunks in all, in the order of their diffs.

    `times`: (C,) Unix seconds. `owner`: (H,) the change that each hunk belongs to, ascending. `guilty`: (H,).
    `added`, `deleted`: (H,) lines. `risk`: (H,) the student's word on the hunk alone. `reported`: (H,) where the report
    shows it, 0 first. `gravity`: (H,) of the gravest principle that points at it, 1 low to 4 critical, 0 for none.
    `facts`: (H, F) as the student reads them. `counts` tells how many were left out, and why.
    """

    shas: tuple[str, ...]
    times: Floats
    owner: NDArray[np.int64]
    guilty: Flags
    added: Floats
    deleted: Floats
    risk: Floats
    reported: Floats
    gravity: Floats
    facts: NDArray[np.float32]
    counts: dict[str, int]

    def __len__(self) -> int:
        return len(self.shas)


@dataclass(frozen=True)
class Named:
    """What repairs say: the lines that they delete, by the culprit that wrote them, and counts of all on the way."""

    lines: dict[str, frozenset[Place]]
    counts: dict[str, int]


def read_culprits(source: Source, clones: Path, work: Path, model: Model, *, window: Window, most: int) -> Culprits:
    """Return the culprits of one repository. What git said is kept in `work`; so is what `model` said of it."""
    blamed = _key(_EDITION, source.revision, window, most, FEWEST_HUNKS)
    guilt = work / f"guilt-{source.name}-{blamed}.json"
    path = work / f"hunks-{source.name}-{_key(blamed, _SAID, SCHEMA, _constitution(), model.info.sha256)}.npz"
    with Repository.open(clone_of(source, clones)) as repository:
        if not path.exists():
            named = _kept(guilt)
            if named is None:
                named = name_lines(repository, repository.resolve(source.revision), window=window, most=most)
                _keep(guilt, named)
            write_arrays(path, _arrays(repository, named, model))
    with np.load(path) as kept:
        arrays = {name: kept[name] for name in kept.files}
    shas, counts = arrays.pop("shas"), json.loads(str(arrays.pop("counts")))
    return Culprits(shas=tuple(shas.tolist()), counts=counts, **arrays)


def name_lines(repository: Repository, tip: str, *, window: Window, most: int) -> Named:
    """Let the repairs of at most `most` culprits name lines; which culprits, is drawn with a fixed seed."""
    pool = read_pool(repository, tip)
    mined = mine_repository(repository, tip, ("fixes",))
    inside = {pool.shas[row] for row in split(pool, window)[1].tolist()}
    named = [label for label in mined.labels if label.change_id in inside]
    # A repair that the pool excludes (a revert, a bulk change, a merge) does not say which lines were wrong.
    repairs = {label.change_id: tuple(sha for sha in label.evidence if sha not in mined.excluded) for label in named}
    known = [sha for sha, by in repairs.items() if by]
    many = [change.id for _, change in _changes(repository, known) if len(_hunks(change)) >= FEWEST_HUNKS]
    chosen = set(np.random.default_rng(0).permutation(np.array(many, dtype=np.str_))[:most].tolist())
    wanted = list(dict.fromkeys(repair for sha in many if sha in chosen for repair in repairs[sha]))
    counts = Counter(
        {"named": len(named), "by a repair": len(known), "of enough hunks": len(many), "drawn": len(chosen)}
    )
    lines: dict[str, set[Place]] = {sha: set() for sha in many if sha in chosen}
    for blamed in blame_repairs(repository, wanted, jobs=1):
        counts["repairs"] += 1
        counts[f"repairs: {blamed.reason or 'blamed'}"] += 1
        counts["files that git could not blame"] += blamed.unread
        for origin in blamed.origins:
            if blamed.fix in repairs.get(origin.sha, ()) and origin.sha in lines:
                lines[origin.sha].add((origin.path, origin.line))
    return Named({sha: frozenset(found) for sha, found in lines.items()}, dict(counts))


def guilty_hunks(change: Change, lines: frozenset[Place]) -> Flags:
    """Return which hunks (H,) of a change added one of `lines`."""
    return np.array(
        [any((path, line.new_number) in lines for line in hunk.added) for path, hunk in _hunks(change)], dtype=np.bool_
    )


def _arrays(repository: Repository, named: Named, model: Model) -> dict[str, Any]:
    """Read the culprits whose lines were named, and ask the student and the principles about them."""
    principles = Principles()
    counts = Counter(named.counts)
    shas: list[str] = []
    times: list[int] = []
    parts: list[dict[str, Any]] = []
    for moment, change in _changes(repository, [sha for sha, lines in named.lines.items() if lines]):
        guilty = guilty_hunks(change, named.lines[change.id])
        counts["with lines named"] += 1
        if not guilty.any() or guilty.all():
            counts["with all hunks guilty" if guilty.any() else "whose lines no hunk added"] += 1
            continue
        said = _said(change, principles, model)
        parts.append({"guilty": guilty, "owner": np.full(guilty.size, len(parts)), **said})
        shas.append(change.id)
        times.append(moment)
    counts["measured"] = len(parts)
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else _NOTHING
    return {
        **joined,
        "shas": np.array(shas, dtype=np.str_),
        "times": np.array(times, dtype=np.float64),
        "counts": np.array(json.dumps(counts)),
    }


def _said(change: Change, principles: Principles, model: Model) -> dict[str, Any]:
    """Return what is known of each hunk of a change, by the names of `Culprits`."""
    examined = examine(change, context_of_diff(change), principles)
    report = assess(examined, model, None, _BUDGET)
    order = {id(hunk): place for place, hunk in enumerate(in_reading_order(report.hunks))}
    hunks = _hunks(change)
    return {
        "added": np.array([len(hunk.added) for _, hunk in hunks], dtype=np.float64),
        "deleted": np.array([len(hunk.deleted) for _, hunk in hunks], dtype=np.float64),
        "risk": model.read([examined.example])[0].hunk_risks,
        "reported": np.array([order[id(hunk)] for hunk in report.hunks], dtype=np.float64),
        "gravity": _gravity(hunks, examined.opinions),
        "facts": examined.example.facts,
    }


def _gravity(hunks: Sequence[tuple[str, Hunk]], opinions: Iterable[Opinion]) -> Floats:
    """Return how grave the gravest finding on each hunk (H,) is; one on deleted lines counts where they stood."""
    gravest: dict[tuple[str, str], list[tuple[int, int, int]]] = {}
    for opinion in opinions:
        for place in opinion.lines:
            if place.start is not None and opinion.severity is not None:
                span = (place.start, place.end or place.start, _GRAVITY[opinion.severity])
                gravest.setdefault((place.path, place.side), []).append(span)

    def of(path: str, hunk: Hunk) -> int:
        sides = (("new", [line.new_number for line in hunk.lines]), ("old", [line.old_number for line in hunk.lines]))
        return max(
            (
                gravity
                for side, numbers in sides
                for first, last, gravity in gravest.get((path, side), ())
                if any(number is not None and first <= number <= last for number in numbers)
            ),
            default=0,
        )

    return np.array([of(path, hunk) for path, hunk in hunks], dtype=np.float64)


def _hunks(change: Change) -> list[tuple[str, Hunk]]:
    """Every hunk with its path, in the order in which they are featurised and reported."""
    return [(file.path, hunk) for file in change.files for hunk in file.hunks]


def _changes(repository: Repository, shas: Sequence[str]) -> Iterator[tuple[int, Change]]:
    """Each commit with its date; those whose diff cannot be parsed are left out."""
    for patch in repository.patches(shas):
        try:
            yield patch.committed_at or 0, change_of(patch, repository.name)
        except DiffError:
            continue


def _constitution() -> str:
    files = (*sorted(CONSTITUTION.glob("*/*.toml")), CONSTITUTION / "paths.toml")
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _key(*settings: object) -> str:
    return hashlib.sha256(repr(settings).encode()).hexdigest()[:16]


def _kept(path: Path) -> Named | None:
    if not path.exists():
        return None
    kept = json.loads(path.read_text(encoding="utf-8"))
    lines = {sha: frozenset((name, line) for name, line in found) for sha, found in kept["lines"].items()}
    return Named(lines, kept["counts"])


def _keep(path: Path, named: Named) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    lines = {sha: sorted(found) for sha, found in named.lines.items()}
    part.write_text(json.dumps({"counts": named.counts, "lines": lines}), encoding="utf-8")
    part.replace(path)
