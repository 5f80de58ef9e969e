"""Figures of scores on held-out changes, each with its interval, and the plain baselines beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oversight.measurement.arrays import as_rows
from oversight.measurement.bootstrap import Estimate, interval, paired_difference, time_blocks
from oversight.measurement.matching import size_matched_auroc
from oversight.measurement.metrics import METRICS, auroc

RANKING = ("auroc", "ap", "recall@10%")
"""The measures of any score."""

PROBABILITY = (*RANKING, "brier")
"""The measures of a probability."""

_RESAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class Test:
    """Held-out changes (n,): `labels` are gold, `times` in Unix seconds, `churn` lines added and deleted."""

    labels: NDArray[np.bool_]
    times: NDArray[np.float64]
    lines_added: NDArray[np.float64]
    churn: NDArray[np.float64]


def evaluate(test: Test, scores: Mapping[str, NDArray[np.float64]], *, against: str = "lines_added") -> dict[str, Any]:
    """Return the figures of each of `scores` (n,), as JSON; those named in `scores` are probabilities.

    The number of lines added and smallest-first stand beside them under the same measures. Intervals are 95 %
    bootstrap intervals over blocks of time. `differences` are AUROC minus that of `against` on the same
    resamples.
    """
    blocks = time_blocks(test.times)
    figures: dict[str, Any] = {"n": int(test.labels.size), "positives": int(test.labels.sum()), "scores": {}}
    every = {**scores, "lines_added": test.lines_added, "smallest_first": -test.churn}
    for name, score in every.items():
        wanted = PROBABILITY if name in scores else RANKING
        figures["scores"][name] = {metric: _figure(test.labels, score, metric, blocks) for metric in wanted}
        matched = size_matched_auroc(test.labels, score, test.churn)
        figures["scores"][name]["auroc, size-matched"] = {"value": _rounded(matched.value), "reason": matched.reason}
    figures["differences"] = {
        f"auroc, {name} - {against}": _difference(test.labels, score, every[against], blocks)
        for name, score in scores.items()
    }
    return figures


def _figure(
    labels: NDArray[np.bool_], scores: NDArray[np.float64], name: str, blocks: NDArray[np.int64]
) -> dict[str, Any]:
    metric = METRICS[name]
    rows = as_rows(labels, scores)
    reason = metric.check(rows)
    if reason is not None:
        return {"value": None, "low": None, "high": None, "reason": reason}
    statistic = metric.bind(rows.labels, rows.scores)
    return _told(interval(statistic, rows.n, seed=0, resamples=_RESAMPLES, groups=blocks))


def _difference(
    labels: NDArray[np.bool_], first: NDArray[np.float64], second: NDArray[np.float64], blocks: NDArray[np.int64]
) -> dict[str, Any]:
    rows = as_rows(labels, first)
    reason = auroc.check(rows)
    if reason is not None:
        return {"value": None, "low": None, "high": None, "reason": reason}
    one, other = auroc.bind(rows.labels, rows.scores), auroc.bind(rows.labels, second)
    return _told(paired_difference(one, other, rows.n, seed=0, resamples=_RESAMPLES, groups=blocks))


def _told(estimate: Estimate) -> dict[str, Any]:
    return {
        "value": _rounded(estimate.value),
        "low": _rounded(estimate.low),
        "high": _rounded(estimate.high),
        "reason": estimate.reason,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
