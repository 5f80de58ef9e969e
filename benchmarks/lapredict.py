"""LApredict, rank by lines added, on the six tables of Zeng et al. 2021 (doi:10.1145/3460319.3464819).

    python benchmarks/lapredict.py [FOLDER]

Reproduces the published AUC column (newest fifth of each table is the test set; a logistic regression on one
feature with a positive weight ranks as the feature does, so nothing needs to be fitted) and sets it beside what
the study does not print: the interval, the size-matched AUC, and effort. Labels are SZZ labels: weak-ish truth.
"""

from __future__ import annotations

import csv
import gzip
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oversight.measurement.bootstrap import interval
from oversight.measurement.effort import effort_report, lines_added, smallest_first
from oversight.measurement.matching import size_matched_auroc
from oversight.measurement.metrics import auroc, average_precision
from oversight.measurement.splits import newest

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "issta21-jit-dp"

PUBLISHED = {"openstack": 0.749, "qt": 0.744, "gerrit": 0.750, "go": 0.683, "jdt": 0.676, "platform": 0.746}
"""AUC of LApredict as published, by table."""

TEST_SHARE = 0.2


class Table(NamedTuple):
    """One project, rows in order of time: labels (n,), times (n,) in Unix seconds, lines added and deleted (n,)."""

    labels: NDArray[np.bool_]
    times: NDArray[np.float64]
    added: NDArray[np.float64]
    deleted: NDArray[np.float64]


def read(path: Path) -> Table:
    """Read one gzipped table."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        rows = [(row["bug"], row["date"], row["la"], row["ld"]) for row in csv.DictReader(stream)]
    bug, date, added, deleted = np.array(rows, dtype=np.float64).T
    return Table(bug == 1, date, added, deleted)


def main() -> None:
    """Print one line a table."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    print("| table | n (test) | risky | published | AUC | interval | size-matched | AP | recall@20%effort | smallest |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, published in PUBLISHED.items():
        table = read(folder / f"{name}.csv.gz")
        test = newest(table.times, share=TEST_SHARE)
        labels, scores = table.labels[test], lines_added(table.added[test])
        churn = table.added[test] + table.deleted[test]
        found = interval(auroc.bind(labels, scores), labels.size, seed=0, strata=labels)
        print(
            f"| {name} | {labels.size} | {labels.mean():.3f} | {published:.3f} | {found.value:.4f}"
            f" | [{found.low:.3f}, {found.high:.3f}]"
            f" | {size_matched_auroc(labels, scores, churn).require():.3f}"
            f" | {average_precision(labels, scores).require():.3f}"
            f" | {effort_report(labels, scores, churn).recall_at_20_effort.require():.3f}"
            f" | {effort_report(labels, smallest_first(churn), churn).recall_at_20_effort.require():.3f} |"
        )


if __name__ == "__main__":
    main()
