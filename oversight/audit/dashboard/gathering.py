"""Everything that the dashboard shows, out of the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from oversight.audit.budget.outcome import Considered, by
from oversight.audit.budget.summary import Predictions
from oversight.audit.canaries.figures import figures_of
from oversight.audit.dashboard.model import Change, Dashboard, Flock, Group, Said, month
from oversight.audit.dashboard.period import Period, read
from oversight.audit.figures import Labelled
from oversight.audit.store import Store, overview
from oversight.audit.store.canaries import runs
from oversight.audit.store.queue import Scope
from oversight.audit.verdict import Decision, Selection, Verdict, judgements
from oversight.experiment.runs import Run
from oversight.measurement.audited import PERFECT, Auditor

_JUDGED = {Selection.FLAGGED: Group.PICKED, Selection.RANDOM: Group.DRAWN, Selection.REQUEST: Group.KNOWN}
_WRITTEN = ("agent", "bot", "human")


def gather(
    store: Store,
    repository: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    auditor: Auditor = PERFECT,
    predictions: Predictions | None = None,
    measured: Sequence[Run] = (),
    at: datetime | None = None,
) -> Dashboard:
    """Return what there is to show of a repository, or of all, in whichever case it is written.

    Changes count from their first review, as in `oversight audit report`, of which `auditor` and `predictions` are the
    same; so do canaries from the end of their run. `measured` are recorded runs of `oversight pgr`, which no store has;
    `at` is now unless told otherwise. Raises `StoreError`.
    """
    scope = Scope(repository, since, until)
    period = read(store, scope, auditor, predictions)
    by_model = by(period.population, lambda one: one.model, auditor)
    flocks = runs(store.engine, repository=repository, since=since, until=until)
    changes = tuple(_changes(period))
    return Dashboard(
        repository=repository,
        since=since,
        until=until,
        at=at or datetime.now(UTC),
        summary=period.summary,
        months=by(period.population, lambda one: month(one.considered_at), auditor),
        models=by_model,
        names=overview.models(store.engine, [*by_model, *(run.model for run in flocks)]),
        changes=changes,
        said=tuple(_said(period)),
        passed=tuple(overview.passed(store.engine, scope, period.gold, period.landed)),
        flocks=tuple(Flock(run, figures_of(run.reviewed)) for run in flocks),
        measured=tuple(run for run in measured if _inside(run, scope)),
        beside=period.beside,
        predicted=frozenset(_predicted(changes, period, predictions or {})),
    )


def _inside(run: Run, scope: Scope) -> bool:
    """Whether a run was measured in the period; what it says of its time may be anything."""
    try:
        when = datetime.fromisoformat(run.when)
    except ValueError:
        return scope.since is scope.until is None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return (scope.since is None or when >= scope.since) and (scope.until is None or when <= scope.until)


def _changes(period: Period) -> Iterator[Change]:
    """Yield every change once: those that were considered, in order, then those that were judged elsewhere."""
    landed = period.landed
    judged = {one.change_id: one for one in period.summary.labelled}
    votes = {commit: _votes(said) for commit, said in judgements(period.verdicts, landed).items()}
    for one in period.population:
        commit = landed.get(one.commit, one.commit)
        yield _considered(one, judged.pop(commit, None), votes.get(commit, (0, 0, 0)))
    known = {landed.get(one.commit, one.commit) for one in period.population}
    last = {landed.get(one.change_id, one.change_id): one for one in period.verdicts}
    for commit, said in votes.items():
        if commit not in known:
            yield _elsewhere(commit, judged.get(commit), last[commit], said)


def _predicted(changes: Sequence[Change], period: Period, predictions: Predictions) -> Iterator[str]:
    """Yield those of the changes that PGR against the verdicts is of."""
    for one in changes:
        if one.weight is not None and period.landed.get(one.commit, one.commit) in predictions:
            yield one.commit


def _votes(said: Sequence[Verdict]) -> tuple[int, int, int]:
    decisions = [one.decision for one in said]
    risky, safe, unsure = (decisions.count(one) for one in (Decision.RISKY, Decision.SAFE, Decision.UNSURE))
    return risky, safe, unsure


def _considered(one: Considered, label: Labelled | None, votes: tuple[int, int, int]) -> Change:
    if one.risky is not None:
        group = Group.OWN if one.selection is None else _JUDGED[one.selection]
    else:
        group = Group.WAITING if one.selection in (Selection.FLAGGED, Selection.RANDOM) else Group.REST
    said = one if label is None else label.shown
    return Change(
        group=group,
        repository=one.repository,
        commit=one.commit,
        number=one.number,
        title=one.title,
        written=_written(one.provenance),
        considered_at=one.considered_at,
        selection=one.selection,
        propensity=one.propensity,
        flagged=said.flagged,
        risk=said.risk,
        percentile=said.percentile,
        model=one.model,
        risky=one.risky,
        votes=votes,
        weight=None if label is None else label.weight,
    )


def _written(provenance: str | None) -> str:
    """Return who wrote a change; what no report tells is not what one says that it does not know."""
    return "untold" if provenance is None else provenance if provenance in _WRITTEN else "unknown"


def _elsewhere(commit: str, label: Labelled | None, last: Verdict, votes: tuple[int, int, int]) -> Change:
    shown = last.shown if label is None else label.shown
    return Change(
        group=Group.EVEN if label is None else Group.ELSEWHERE,
        repository=last.source.repository or "",
        commit=commit,
        number=last.source.number,
        title=None,
        written="untold",
        considered_at=None,
        selection=shown.selection,
        propensity=shown.propensity,
        flagged=shown.flagged,
        risk=shown.risk,
        percentile=shown.percentile,
        model=shown.model,
        risky=None if label is None else label.risky,
        votes=votes,
        weight=None if label is None else label.weight,
    )


def _said(period: Period) -> Iterator[Said]:
    places: Mapping[str, str] = {one.commit: one.repository for one in period.population}
    known = {period.landed.get(one.commit, one.commit): one for one in period.population}
    for one in period.verdicts:
        commit = period.landed.get(one.change_id, one.change_id)
        repository = one.source.repository or places.get(one.change_id) or places.get(commit) or ""
        asked = commit in known and known[commit].risk is not None
        yield Said(one.decided_at, repository, commit, one.decision.value, one.shown.blind, one.counts, asked)
