"""`oversight pgr`: how much of what gold labels would buy do weak labels buy, on this repository."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oversight.cli.answered import heard, tell
from oversight.cli.audit.database import Database, labels_of
from oversight.cli.options import HERE, Readers, Repo, WeakReviewer
from oversight.cli.progress import progress
from oversight.errors import MissingExtraError, OutputError, UsageError

if TYPE_CHECKING:
    from oversight.changes.repository import Repository
    from oversight.experiment.pool import Pool
    from oversight.experiment.protocol import Ground, Protocol
    from oversight.experiment.recovery import Scores
    from oversight.history.model import GoldLabel
    from oversight.students.student import NetworkStudent

_NOTHING = "none"
_TEST = 5 / 13  # of the changes that are read, the rest being the student's: 8,000 and 5,000 of the default


@dataclass(frozen=True)
class _Asked:
    """What to measure and where to write, checked."""

    weak: str
    method: str
    metric: str
    start: str
    json: bool
    plot: Path | None
    predictions: Path | None
    runs: Path | None


@dataclass(frozen=True)
class _Origin:
    """A model that training goes on from, and who it is: name, version, sha256."""

    student: NetworkStudent
    told: dict[str, Any]


_Human = Annotated[int, typer.Option(min=1, help="Human labels: that many are drawn from what history knows.")]
_Method = Annotated[str, typer.Option(help="Method by name, or auto: chosen for each draw, by its human labels alone.")]
_Seeds = Annotated[int, typer.Option(min=1, help="Draws of human labels; 5 at least, 10 for a claim.")]
_Metric = Annotated[
    str, typer.Option(help="What PGR is of: auroc, ap, recall@1%, @2%, @5%, @10%, accuracy, brier or log_loss.")
]
_Since = Annotated[
    str | None,
    typer.Option(
        metavar="DATE",
        help="Leave out changes committed before (UTC): where repairs were not recorded, they only look clean.",
    ),
]
_Labels = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE|store",
        help="People's labels, in place of the history's: a file (labels.jsonl, verdicts), or the verdicts in the "
        "audit store. Where history names nothing, they are all there is.",
    ),
]
_Start = Annotated[
    str,
    typer.Option(
        help="Model that every training goes on from: none, default (the shipped one) or a model directory. It "
        "must not have learned from this history."
    ),
]
_Changes = Annotated[
    int,
    typer.Option(min=300, help="Most changes to read for the student and the test; drawn at random above that."),
]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
_Plot = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Draw PGR against the number of human labels, as .svg or .png; takes 100, 300, 1,000 and 3,000 "
        "of them as well.",
    ),
]
_Predictions = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write what all say of every test change, as JSON Lines, to recompute it."),
]
_Runs = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Record this run there, one line.  [default: a file for this repository in the user's data directory, "
        "or in OVERSIGHT_DATA_DIR]",
    ),
]
_Trend = Annotated[
    bool, typer.Option("--trend", help="Measure nothing: show the recorded runs; with --plot, draw them.")
]


def pgr(
    repo: Repo = HERE,
    human: _Human = 300,
    weak: WeakReviewer = "panel",
    method: _Method = "residual-mixed",
    seeds: _Seeds = 5,
    metric: _Metric = "auroc",
    since: _Since = None,
    labels: _Labels = None,
    start: _Start = _NOTHING,
    changes: _Changes = 13_000,
    jobs: Readers = 0,
    as_json: _Json = False,
    plot: _Plot = None,
    predictions: _Predictions = None,
    runs: _Runs = None,
    trend: _Trend = False,
    database: Database = None,
) -> None:
    """Measure how much of the gap between a weak reviewer and gold labels a student recovers.

    The oldest 35 % of the changes teach the weak reviewer by a few human labels, the next 35 % are labelled by it, the
    next 20 % test, and the newest 10 % are left out. PGR is (student - weak) / (ceiling - weak), the ceiling being the
    same student with gold labels. Where there is no gap to recover no number is printed, but why there is none.
    """
    asked = _Asked(weak, method, metric, start, as_json, plot, predictions, runs)
    _check(asked)
    if trend:
        from oversight.cli.pgr_trend import show

        show(repo, runs, plot, metric=metric, as_json=as_json)
        return
    _check_installed()
    from oversight.changes.repository import Repository

    given = {} if labels is None else labels_of(labels, repo, database)
    protocol = _protocol(human, seeds, since, given, changes, jobs)
    with Repository.open(repo) as repository:
        _measure(repository, protocol, asked)


def _check(asked: _Asked) -> None:
    """Refuse what cannot work, before any work is done."""
    from oversight import methods
    from oversight.experiment import picture
    from oversight.experiment.weak import NAMES
    from oversight.measurement.metrics import METRICS

    if asked.weak not in NAMES:
        raise UsageError("there is no weak reviewer of that name", mend=f"use one of {', '.join(NAMES)}")
    if asked.metric not in METRICS:
        raise UsageError("there is no measure of that name", mend=f"use one of {', '.join(METRICS)}")
    if asked.method != "auto" and any(part not in methods.names() for part in asked.method.split("+")):
        raise UsageError("there is no method of that name", mend=f"use auto or one of {', '.join(methods.names())}")
    if asked.plot is not None:
        picture.check(asked.plot)
    for option, path in (("--plot", asked.plot), ("--predictions", asked.predictions)):
        if path is not None and str(path) != "-" and (path.is_dir() or not path.parent.is_dir()):
            raise OutputError(
                f"{option} names a folder, or a file in one that does not exist", mend="name a file in a folder that is"
            )
    if asked.predictions is not None and str(asked.predictions) == "-":
        raise UsageError(
            "predictions go to a file: standard output has the figures", mend="name one: --predictions FILE"
        )


def _check_installed() -> None:
    try:
        import sklearn  # noqa: F401  # both said before the history is read, not after
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtraError("oversight pgr", "train") from error


def _protocol(
    human: int, seeds: int, since: str | None, labels: Mapping[str, GoldLabel], changes: int, jobs: int
) -> Protocol:
    from oversight.cli.options import moment
    from oversight.experiment.protocol import Protocol
    from oversight.experiment.reading import cores

    first = moment(since, "--since")
    test = round(changes * _TEST)
    return Protocol(
        human=human,
        seeds=seeds,
        student=changes - test,
        test=test,
        since=None if first is None else first.timestamp(),
        labels=labels,
        jobs=jobs or cores(),
    )


def _measure(repository: Repository, protocol: Protocol, asked: _Asked) -> None:
    from dataclasses import replace

    from oversight import methods
    from oversight.experiment import recovery, runs
    from oversight.experiment.choice import AUTO
    from oversight.experiment.pool import read_pool
    from oversight.experiment.protocol import ground_of
    from oversight.measurement.metrics import METRICS
    from oversight.reports import write

    if asked.method != AUTO:
        methods.method(asked.method)
    origin = _origin(asked.start, repository)
    if origin is not None:
        protocol = replace(protocol, start=origin.student)
    protocol = replace(protocol, answered=heard(repository, asked.weak), answered_only=asked.weak == "claude")
    record = asked.runs or runs.path_of(repository.key)
    runs.prepare(record)
    tip = repository.resolve("HEAD")
    with progress("reading the history") as advance:
        pool = read_pool(repository, tip, advance=advance)
    ground = ground_of(repository, pool, protocol, progress)
    tell(protocol.answered, asked.weak)
    with progress("training", recovery.steps(asked.method, protocol.seeds)) as advance:
        scores = recovery.scores_of(ground, asked.weak, asked.method, advance)
    with progress("resampling"):
        figures = recovery.figures(ground, scores, METRICS[asked.metric])
    figures["warnings"] += _doubts(ground, protocol)
    told = _told(repository.name, tip, asked, protocol, origin, ground, figures)
    if asked.plot is not None:
        told["curve"] = _plotted(repository, pool, ground, scores, protocol, asked, asked.plot)
    if asked.predictions is not None:
        rows = (json.dumps(row) + "\n" for row in recovery.predictions(ground, scores))
        write("".join(rows), asked.predictions, option="--predictions")
    runs.append(record, _record(told, ground))
    _show(told, as_json=asked.json)


def _origin(name: str, repository: Repository) -> _Origin | None:
    """Return the model to go on from; `UsageError` where it has learned from this history, as far as it says so."""
    from oversight.errors import RepositoryError
    from oversight.students.checkpoint import read
    from oversight.students.export import from_artefact
    from oversight.students.runtime import directory_of

    if name == _NOTHING:
        return None
    with directory_of(name) as directory:
        artefact = read(directory)
    config, metrics = artefact.json("config.json"), artefact.json("metrics.json")
    shipped = metrics.get("repositories")
    revisions = [one.get("revision") for one in shipped.values()] if isinstance(shipped, dict) else []
    for revision in (*revisions, config.get("version")):
        if not isinstance(revision, str) or re.fullmatch("[0-9a-f]{12,64}", revision) is None:
            continue
        try:
            repository.resolve(revision)
        except RepositoryError:
            continue
        raise UsageError(
            "the model to start from has learned from this history, and may know what the test asks",
            mend="use --start none, or a model that other histories taught",
        )
    origin = {"name": config.get("name"), "version": config.get("version"), "sha256": artefact.sha256}
    return _Origin(from_artefact(artefact), origin)


def _doubts(ground: Ground, protocol: Protocol) -> list[str]:
    """Return warnings about the labels."""
    from oversight.experiment.recovery import recorded

    if not protocol.labels:
        return list(recorded(ground.pool))
    named = sum(ground.pool.shas[row] in protocol.labels for row in ground.test.tolist())
    if named == ground.test.size:
        return []
    return [
        f"{named} of the {ground.test.size} test changes have labels of people; the others have those of history, and "
        "count as clean where it names nothing"
    ]


def _told(
    name: str,
    tip: str,
    asked: _Asked,
    protocol: Protocol,
    origin: _Origin | None,
    ground: Ground,
    figures: dict[str, Any],
) -> dict[str, Any]:
    """Return all that is known of this run, as JSON."""
    from oversight.experiment.recovery import described
    from oversight.reports.escape import data

    since = None if protocol.since is None else datetime.fromtimestamp(protocol.since, UTC).isoformat()
    configuration = {
        "weak": asked.weak,
        "human": protocol.human,
        "since": since,
        "labels": len(protocol.labels),
        "changes": protocol.student + protocol.test,
        "start": None if origin is None else origin.told,
        "claude": protocol.answered.recipe,
    }
    where = {"repository": data(name), "tip": tip}
    return {"method": asked.method, **figures, **where, "protocol": {**configuration, **described(ground)}}


def _record(told: dict[str, Any], ground: Ground) -> dict[str, Any]:
    """Return what is recorded of a run."""
    from importlib.metadata import version

    from oversight import __version__
    from oversight.experiment.recovery import data_hash
    from oversight.features.example import SCHEMA

    protocol = told["protocol"]
    configuration = {
        name: protocol[name] for name in ("weak", "human", "since", "labels", "changes", "start", "claude")
    }
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "repository": told["repository"],
        "tip": told["tip"],
        "data": data_hash(ground),
        "configuration": {"method": told["method"], **configuration},
        "seeds": [draw.seed for draw in ground.draws],
        "versions": {"oversight": __version__, "numpy": version("numpy"), "torch": version("torch"), "schema": SCHEMA},
        "figures": {name: value for name, value in told.items() if name not in ("protocol", "repository", "tip")},
    }


def _plotted(
    repository: Repository,
    pool: Pool,
    ground: Ground,
    scores: Scores,
    protocol: Protocol,
    asked: _Asked,
    plot: Path,
) -> dict[str, Any]:
    """Measure with other numbers of human labels, draw the curve, and return its points."""
    from oversight.experiment import curve, picture
    from oversight.measurement.metrics import METRICS
    from oversight.reports.escape import terminal
    from oversight.reports.output import write_bytes

    metric = METRICS[asked.metric]
    here = curve.point(ground, scores, ground.draws[0].rows.size, metric)
    named = (asked.weak, asked.method)
    others, missing = curve.other_points(repository, pool, protocol, named, progress, sizes=curve.SIZES, metric=metric)
    points = sorted((here, *others), key=lambda one: one.human)
    title = (
        f"{terminal(repository.name, 40)}: what labels of the weak reviewer {asked.weak} recover\n"
        f"mean of {protocol.seeds} draws; shaded: 95 % intervals"
    )
    kind = plot.suffix.lower().removeprefix(".")
    write_bytes(picture.curve(points, title, asked.method, asked.metric, kind), plot, option="--plot")
    return {
        "points": [curve.as_json(one) for one in points],
        "missing": [{"human": human, "reason": reason} for human, reason in missing.items()],
    }


def _show(told: dict[str, Any], *, as_json: bool) -> None:
    from shutil import get_terminal_size

    from oversight.cli.pgr_text import page
    from oversight.reports import write

    if as_json:
        write(json.dumps(told, indent=2, allow_nan=False) + "\n", None)
    else:
        write("\n".join(page(told, width=get_terminal_size().columns)) + "\n", None)
