"""A period out of the store: whom people were asked about, what they said, and what all of it tells.

`oversight audit report` and the dashboard both read it here, so that they cannot say two things of one period.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from oversight.audit.budget.beside import Beside, compare
from oversight.audit.budget.outcome import Considered
from oversight.audit.budget.summary import Predictions, Summary, summary
from oversight.audit.store import Store, overview, shadows
from oversight.audit.store.queue import Scope
from oversight.audit.verdict import Verdict, to_gold
from oversight.measurement.audited import PERFECT, Auditor


@dataclass(frozen=True, slots=True)
class Period:
    """A period of one repository, or of all. `population` are the changes that were considered, `verdicts` those on
    them and others of the period, which name repositories as they are called now, `landed` the commits that heads
    became, and `gold` what people say of which commit. `beside` are the models in the shadow, each beside the one in
    use.
    """

    scope: Scope
    population: tuple[Considered, ...]
    verdicts: tuple[Verdict, ...]
    landed: Mapping[str, str]
    gold: Mapping[str, bool]
    summary: Summary
    beside: tuple[Beside, ...]


def read(store: Store, scope: Scope, auditor: Auditor = PERFECT, predictions: Predictions | None = None) -> Period:
    """Return what the store tells of a period. Raises `StoreError`."""
    record = store.said_in(scope.repository)
    landed = record.commits
    gold = {label.change_id: label.risky for label in to_gold(record.verdicts, landed)}
    considered = overview.population(store.engine, scope, gold, landed)
    ours = {landed.get(one.commit, one.commit) for one in considered}
    said = tuple(
        one
        for one in record.verdicts
        if landed.get(one.change_id, one.change_id) in ours or _within(scope, one.source.repository, one.decided_at)
    )
    told = summary(considered, said, landed, auditor, predictions)
    beside = tuple(compare(considered, landed, one) for one in shadows.of_store(store.engine, scope.repository))
    return Period(scope, tuple(considered), said, landed, gold, told, beside)


def _within(scope: Scope, repository: str | None, moment: datetime) -> bool:
    """Whether a verdict on a change that nobody queued is of the repository, and was given in the period."""
    if scope.repository is not None and (repository or "").lower() != scope.repository.lower():
        return False
    return (scope.since is None or moment >= scope.since) and (scope.until is None or moment <= scope.until)
