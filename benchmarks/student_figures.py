"""Figures of scores, by repository and on the mean, with paired intervals for what one model has over another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.student_models import AGAINST, STUDENTS
from benchmarks.student_rows import Flags, Floats, Names, Table
from oversight.errors import LabelError
from oversight.measurement.arrays import Statistic
from oversight.measurement.bootstrap import Estimate, hierarchical, summarise, time_blocks
from oversight.measurement.calibration import expected_calibration_error
from oversight.measurement.effort import effort_of, recall_at_effort
from oversight.measurement.matching import size_matched, size_strata
from oversight.measurement.metrics import BUDGETS, Metric, auroc, average_precision, brier, recall_at

Figure: TypeAlias = dict[str, Any]
"""A number as JSON: `value`, or None and a `reason`; `low` and `high` where there is an interval."""

COMPARED = ("auroc", "size-matched auroc")
"""What has intervals, and what models are compared by."""

FEWEST = 100
"""Positives from which a repository counts in means."""

FEW = 20
"""Positives from which a repository is in the mean of a kind of which none counts, and a part of one has a figure."""

_PAIRINGS = 5
_STRATA = 5


@dataclass(frozen=True)
class Scored:
    """A model's scores of one repository, `scores` (S, n) by seed, and the seconds that they took."""

    scores: Floats
    probability: bool
    seconds: float


@dataclass(frozen=True)
class Held:
    """What was scored of one repository: its rows, and every model's scores."""

    table: Table
    models: Mapping[str, Scored]

    @property
    def positives(self) -> int:
        """How many of the rows are risky."""
        return int(self.table.labels.sum())

    @property
    def counts(self) -> bool:
        """Whether the repository counts in means."""
        return self.positives >= FEWEST


@dataclass(frozen=True)
class Resampled:
    """Means over seeds of what is compared, by model: `value`, and `draws` (B,), all on the same resamples."""

    value: float
    draws: Floats


def matched(labels: Flags, churn: Floats) -> tuple[NDArray[np.int64], ...]:
    """Return pairings (m, 2) of risky and clean changes of one size, several since the clean ones are drawn."""
    return tuple(size_matched(labels, churn, seed=seed) for seed in range(_PAIRINGS))


def matched_auroc(pairings: Sequence[NDArray[np.int64]], scores: Floats) -> Statistic:
    """AUROC on pairs, the mean over pairings. A pair is drawn with its risky change: resampled are pairs."""
    bound = []
    for pairs in pairings:
        labels = np.repeat([True, False], len(pairs))
        bound.append((pairs[:, 0], auroc.bind(labels, scores[pairs.T.ravel()])))

    def statistic(weights: Floats) -> Floats:
        of_pairs = ((weights[:, risky], one) for risky, one in bound)
        return np.asarray(np.mean([one(np.concatenate((drawn, drawn), axis=1)) for drawn, one in of_pairs], axis=0))

    return statistic


def binders(table: Table) -> dict[str, Callable[[Floats], Statistic]]:
    """Return what is compared, as functions of scores, by name."""
    pairings = matched(table.labels, table.churn)
    return {
        "auroc": lambda scores: auroc.bind(table.labels, scores),
        "size-matched auroc": lambda scores: matched_auroc(pairings, scores),
    }


def resample(held: Held, *, resamples: int) -> dict[str, dict[str, Resampled]]:
    """Bootstrap blocks of time and seeds: what is compared, by metric and model. Without both classes: nothing."""
    table = held.table
    if not 0 < table.labels.sum() < len(table):
        return {}
    blocks = time_blocks(table.times)
    result: dict[str, dict[str, Resampled]] = {}
    for metric, bind in binders(table).items():
        result[metric] = {}
        for model, scored in held.models.items():
            # The rows drawn depend on the seed alone, so that all models see the same resamples.
            series = [[bind(scores) for scores in scored.scores]]
            draws = hierarchical(series, len(table), seed=0, resamples=resamples, groups=blocks)
            result[metric][model] = Resampled(float(draws.values[0]), draws.resampled[:, 0])
    return result


def of_repository(held: Held, resampled: Mapping[str, Mapping[str, Resampled]]) -> Figure:
    """Return all figures of one repository."""
    table = held.table
    return {
        "n": len(table),
        "positives": int(table.labels.sum()),
        "counts": held.counts,
        "models": {model: _of_model(held, model, resampled) for model in held.models},
    }


def _of_model(held: Held, model: str, resampled: Mapping[str, Mapping[str, Resampled]]) -> Figure:
    table, scored = held.table, held.models[model]
    figures: Figure = {}
    for metric in COMPARED:
        one = resampled.get(metric, {}).get(model)
        figures[metric] = _nothing("one class alone") if one is None else told(summarise(one.value, one.draws))
    effort = effort_of(table.churn)
    plain = (average_precision, *(recall_at(share) for share in BUDGETS), recall_at_effort(0.2, effort))
    figures |= {metric.name: over_seeds(metric, table.labels, scored.scores) for metric in plain}
    if scored.probability:
        figures["brier"] = over_seeds(brier, table.labels, scored.scores)
        errors = [expected_calibration_error(table.labels, scores).value for scores in scored.scores]
        figures["ece"] = _mean(errors, "no rows")
    strata = size_strata(table.churn, strata=_STRATA)
    return {
        "seeds": int(scored.scores.shape[0]),
        "seconds": round(scored.seconds, 2),
        "figures": figures,
        "strata": [_in_part(table.labels, scored.scores, strata == number) for number in range(_STRATA)],
        "language": _by(table.language, table.labels, scored.scores),
        "provenance": _by(table.provenance, table.labels, scored.scores),
    }


def over_seeds(metric: Metric, labels: Flags, scores: Floats) -> Figure:
    """Return the mean over seeds of a metric of `scores` (S, n)."""
    measured = [metric(labels, one) for one in scores]
    return _mean([one.value for one in measured], next((one.reason for one in measured if one.reason), ""))


def _mean(values: Sequence[float | None], reason: str) -> Figure:
    known = [value for value in values if value is not None]
    if len(known) < len(values) or not known:
        return _nothing(reason)
    return {"value": float(np.mean(known)), "low": None, "high": None, "reason": None}


def _nothing(reason: str) -> Figure:
    return {"value": None, "low": None, "high": None, "reason": reason}


def _in_part(labels: Flags, scores: Floats, part: Flags) -> Figure:
    size = {"n": int(part.sum()), "positives": int(labels[part].sum())}
    if size["positives"] < FEW:
        return {**_nothing("too few"), **size}
    return {**over_seeds(auroc, labels[part], scores[:, part]), **size}


def _by(names: Names, labels: Flags, scores: Floats) -> Figure:
    return {str(name): _in_part(labels, scores, names == name) for name in np.unique(names)}


def told(estimate: Estimate) -> Figure:
    """Return an estimate as JSON."""
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high, "reason": estimate.reason}


def mean_over(resampled: Sequence[Mapping[str, Resampled]], model: str) -> Resampled | None:
    """Return the mean over repositories, each resampled on its own; None where one of them has no scores."""
    if not resampled or any(model not in one for one in resampled):
        return None
    values = [one[model].value for one in resampled]
    return Resampled(float(np.mean(values)), np.mean([one[model].draws for one in resampled], axis=0))


def means(
    kinds: Mapping[str, str],
    counting: Sequence[str],
    resampled: Mapping[str, Mapping[str, Mapping[str, Resampled]]],
    few: Sequence[str] = (),
) -> Figure:
    """Return means over the repositories that count, of all and of each kind, and what students have over peers.

    Of a kind without one that counts, those in `few` stand in, which is said.
    """
    groups = {"all": list(counting)}
    groups |= {kind: [name for name in counting if kinds[name] == kind] for kind in sorted(set(kinds.values()))}
    short = {kind for kind, names in groups.items() if not names}
    groups |= {kind: [name for name in few if kinds[name] == kind] for kind in short}
    return {
        group: {
            "repositories": names,
            "counts": group not in short,
            **{metric: _compared([resampled[name][metric] for name in names]) for metric in COMPARED},
        }
        for group, names in groups.items()
    }


def _compared(resampled: Sequence[Mapping[str, Resampled]]) -> Figure:
    """Return the models' means, the best peer, and students minus every peer, for one metric."""
    models = list(dict.fromkeys(model for one in resampled for model in one))
    of_all = {model: mean for model in models if (mean := mean_over(resampled, model)) is not None}
    peers = [model for model in of_all if model not in STUDENTS]
    best = max(peers, key=lambda model: of_all[model].value) if peers else None
    return {
        "models": {model: told(summarise(mean.value, mean.draws)) for model, mean in of_all.items()},
        "incomplete": [model for model in models if model not in of_all],
        "best_peer": best,
        "differences": {
            student: {peer: difference(of_all[student], of_all[peer]) for peer in peers}
            for student in STUDENTS
            if student in of_all
        },
    }


def difference(first: Resampled, second: Resampled) -> Figure:
    """Return first - second, both on the same resample each time."""
    if first.draws.shape != second.draws.shape:
        raise LabelError("series differ in their resamples", mend="resample both with the same settings")
    return told(summarise(first.value - second.value, first.draws - second.draws))


def of_ablations(helds: Mapping[str, Held], *, resamples: int) -> list[Figure]:
    """Return each variant's means over all repositories, and what it has over the first, or what it is to be compared
    with.
    """
    resampled = [resample(held, resamples=resamples) for held in helds.values()]
    names = list(next(iter(helds.values())).models) if helds else []
    rows: list[Figure] = []
    for model in names:
        against = AGAINST.get(model, names[0])
        row: Figure = {
            "model": model, "against": against, "seeds": len(next(iter(helds.values())).models[model].scores)
        }  # fmt: skip
        for metric in COMPARED:
            of_all = [one.get(metric, {}) for one in resampled]
            mean, other = mean_over(of_all, model), mean_over(of_all, against)
            if mean is None or other is None:
                row[metric] = row[f"{metric}, difference"] = _nothing("a repository has no scores")
                continue
            row[metric] = told(summarise(mean.value, mean.draws))
            row[f"{metric}, difference"] = difference(mean, other)
        rows.append(row)
    return rows
