"""The peers of the student: what the field matches a change's risk with, each trained on the same rows.

A peer is a function (train, evaluation, seed) -> scores (n,) of the evaluation rows, higher is riskier. All learn from
ripe rows alone, with labels as known at the cut-off. None of them draws at random with these settings, so that one
seed is all there is to run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.student_rows import Floats, Table
from oversight.errors import LabelError, MissingExtraError
from oversight.features.facts import FACTS
from oversight.features.model import Example
from oversight.features.tokens import HASH_BUCKETS
from oversight.history.context import MEASURES
from oversight.measurement.effort import smallest_first as by_size
from oversight.students.batch import PROFILE, profiles

Peer: TypeAlias = Callable[[Table, Table, int], Floats]

KAMEI = ("ns", "nd", "nf", "entropy", "la", "ld", "fix", "lt", "ndev", "age", "nuc", "exp", "rexp", "sexp")
"""The fourteen measures of Kamei et al. 2013 (doi:10.1109/TSE.2012.70)."""

BUGBUG = (
    "nf", "nd", "ns", "la", "ld", "entropy", "files_added", "files_deleted", "files_renamed", "files_test",
    "files_documentation", "files_build", "files_binary", "message_words", "message_ticket", "lt", "ndev", "age",
    "exp", "rexp", "sexp", "file_days", "file_changes_mean", "file_changes_max", "file_recent_mean", "author_days",
    "author_gap_days", "author_recent", "own_share", "own_last_share", "directory_changes", "directory_own_share",
    *(f"{fact}, all hunks" for fact in FACTS), *(f"{fact}, largest hunk" for fact in FACTS), "hunks",
)  # fmt: skip
"""What Mozilla's bugbug describes a commit with, as far as it is among our numbers: files and lines by kind, metrics
of the changed functions, the author's experience, age and history of the files; no past repairs of them."""


def lines_added(train: Table, evaluation: Table, seed: int) -> Floats:  # noqa: ARG001  # nothing to learn
    """LApredict (Zeng et al. 2021): more lines, more risk."""
    return evaluation.measure("la")


def smallest_first(train: Table, evaluation: Table, seed: int) -> Floats:  # noqa: ARG001  # nothing to learn
    """Small changes first: the ranking that figures by effort are easily fooled with."""
    return by_size(evaluation.churn)


def kamei(train: Table, evaluation: Table, seed: int) -> Floats:
    """Logistic regression on Kamei's fourteen, signed logarithms, standardised; the mean where unknown."""
    from sklearn.linear_model import LogisticRegression

    learned, labels = _learned(train)
    columns = [MEASURES.index(name) for name in KAMEI]
    known = _signed_log(learned.measures[:, columns])
    mean, spread = np.nanmean(known, axis=0), np.nanstd(known, axis=0)
    spread[~(spread > 0)] = 1.0

    def standard(values: NDArray[np.float32]) -> Floats:
        return np.asarray(np.nan_to_num((_signed_log(values[:, columns]) - mean) / spread))

    model = LogisticRegression(max_iter=1_000, random_state=seed).fit(standard(learned.measures), labels)
    return _probability(model, standard(evaluation.measures))


def boosting_on_measures(train: Table, evaluation: Table, seed: int) -> Floats:
    """Histogram gradient boosting on all measures of context and size."""
    learned, labels = _learned(train)
    return _probability(_boosting(seed).fit(learned.measures, labels), evaluation.measures)


def boosting(train: Table, evaluation: Table, seed: int) -> Floats:
    """The same on all that is known of a change in numbers: measures, and the facts of its hunks summed up."""
    learned, labels = _learned(train)
    return _probability(_boosting(seed).fit(profiles(learned.examples), labels), profiles(evaluation.examples))


def words(train: Table, evaluation: Table, seed: int) -> Floats:
    """TF-IDF logistic regression on the set of marked tokens of a change."""
    from sklearn.linear_model import LogisticRegression

    learned, labels = _learned(train)
    idf = _idf(learned.examples)
    model = LogisticRegression(C=1.0, solver="liblinear", random_state=seed)
    model.fit(_tfidf(learned.examples, idf), labels)
    return _probability(model, _tfidf(evaluation.examples, idf))


def rank_average(train: Table, evaluation: Table, seed: int) -> Floats:
    """Mean of the ranks that boosting on measures and the words give."""
    from scipy.stats import rankdata

    both = (boosting_on_measures(train, evaluation, seed), words(train, evaluation, seed))
    return np.asarray(np.mean([rankdata(scores) for scores in both], axis=0))


def xgboost(train: Table, evaluation: Table, seed: int) -> Floats:
    """XGBoost on what bugbug describes a commit with."""
    try:
        from xgboost import XGBClassifier
    except ModuleNotFoundError as error:
        raise MissingExtraError("the XGBoost peer", "bench") from error
    learned, labels = _learned(train)
    columns = [PROFILE.index(name) for name in BUGBUG]
    model = XGBClassifier(n_estimators=300, learning_rate=0.05, max_depth=4, n_jobs=1, random_state=seed)
    model.fit(profiles(learned.examples)[:, columns], labels)
    return _probability(model, profiles(evaluation.examples)[:, columns])


Numbers: TypeAlias = Callable[[Table], NDArray[np.float32]]
"""What is known of each row in numbers, (N, K), NaN where unknown."""


def all_numbers(table: Table) -> NDArray[np.float32]:
    """Return the profiles of the rows."""
    return profiles(table.examples)


def boosting_pooled(
    trains: Sequence[Table], evaluations: Sequence[Table], seed: int, numbers: Numbers = all_numbers
) -> list[Floats]:
    """Boosting on numbers of several repositories at once, each number as its rank among the repository's own rows."""
    learned, labels, scales = [], [], []
    for train in trains:
        ripe = train.ripe_alone()
        scales.append(_sorted_columns(numbers(train)))
        learned.append(placed(numbers(ripe), scales[-1]))
        labels.append(ripe.labels)
    every = np.concatenate(labels)
    _both_kinds(every)
    model = _boosting(seed).fit(np.concatenate(learned), every)
    return [
        _probability(model, placed(numbers(table), scale)) for table, scale in zip(evaluations, scales, strict=True)
    ]


PEERS: Mapping[str, Peer] = {
    "lines added": lines_added,
    "smallest first": smallest_first,
    "Kamei logistic regression": kamei,
    "gradient boosting": boosting,
    "gradient boosting on measures": boosting_on_measures,
    "TF-IDF logistic regression": words,
    "rank average of the last two": rank_average,
    "XGBoost, bugbug-like": xgboost,
}
"""The peers that learn from one repository, by name."""

POOLED_PEER = "gradient boosting, taught by others too"

NOT_PROBABILITIES = frozenset({"lines added", "smallest first", "rank average of the last two", POOLED_PEER})
"""Peers that give scores alone."""


def placed(values: NDArray[np.float32], scale: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return where `values` (n, K) stand among the sorted values of each column, as shares; NaN where unknown."""
    result = np.full(values.shape, np.nan, dtype=np.float32)
    for column, among in enumerate(scale):
        if among.size:
            one = values[:, column]
            sides = [np.searchsorted(among, one, side=side) for side in ("left", "right")]
            result[:, column] = np.where(np.isnan(one), np.nan, (sides[0] + sides[1]) / (2 * among.size))
    return result


def _sorted_columns(values: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    return [np.sort(column[~np.isnan(column)]) for column in values.T]


def _learned(train: Table) -> tuple[Table, NDArray[np.bool_]]:
    ripe = train.ripe_alone()
    _both_kinds(ripe.labels)
    return ripe, ripe.labels


def _both_kinds(labels: NDArray[np.bool_]) -> None:
    if not 0 < labels.sum() < labels.size:
        raise LabelError("the ripe rows are all of one kind", mend="learn from more rows")


def _boosting(seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=200, learning_rate=0.05, max_leaf_nodes=15, min_samples_leaf=40, l2_regularization=1.0,
        early_stopping=False, random_state=seed,
    )  # fmt: skip


def _probability(model: Any, rows: Any) -> Floats:
    return np.asarray(model.predict_proba(rows)[:, 1], dtype=np.float64)


def _signed_log(values: NDArray[np.float32]) -> Floats:
    wide = values.astype(np.float64)
    return np.asarray(np.sign(wide) * np.log1p(np.abs(wide)))


def _idf(examples: Sequence[Example]) -> Floats:
    seen = np.zeros(HASH_BUCKETS)
    for example in examples:
        seen[np.unique(example.tokens)] += 1
    return np.asarray(np.log((1 + len(examples)) / (1 + seen)) + 1)


def _tfidf(examples: Sequence[Example], idf: Floats) -> Any:
    """Return sets of buckets as a sparse matrix (N, HASH_BUCKETS) of unit rows."""
    from scipy.sparse import csr_matrix

    columns = [np.unique(example.tokens).astype(np.int64) for example in examples]
    values = [idf[row] / max(float(np.linalg.norm(idf[row])), 1e-12) for row in columns]
    starts = np.concatenate(([0], np.cumsum([row.size for row in columns])))
    return csr_matrix((np.concatenate(values), np.concatenate(columns), starts), shape=(len(examples), HASH_BUCKETS))
