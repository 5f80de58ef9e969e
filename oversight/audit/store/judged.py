"""On which changes people agree: those that wait for a verdict no more. It is what `verdict.to_gold` says, as a query.

A change on which as many say risky as safe waits on, and so does one of which its only judge has become unsure. Pages
ask this with every list, so that no ledger is read for it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, not_, or_, select, union

from oversight.audit.store.names import former_names, kept
from oversight.audit.store.tables import changes, landings, repositories, verdicts
from oversight.audit.verdict import Decision

_FAVOUR = (Decision.SAFE.value, Decision.DISMISSED.value)
_SAID = ("who", "finding", "decision", "decided_at")


def judged(connection: Connection) -> frozenset[int]:
    """Return the rows of the changes on which most people say that they are risky, or safe."""
    return frozenset(connection.scalars(agreed(connection)))


def agreed(connection: Connection) -> Select[Any]:
    """Return the query for `judged`."""
    told = _of_changes(connection).cte("told")
    last = _newest(told, told.c.change, told.c.who, told.c.finding).cte("last")
    whole = last.c.finding.is_(None) | (last.c.decision == Decision.RISKY.value)  # in favour, of that finding alone
    people = _newest(last, last.c.change, last.c.who, only=whole).cte("people")
    votes = case(
        (people.c.decision == Decision.RISKY.value, 1), (people.c.decision == Decision.SAFE.value, -1), else_=0
    )
    return select(people.c.change).group_by(people.c.change).having(func.sum(votes) != 0)


def _newest(told: Any, *of: ColumnElement[Any], only: ColumnElement[bool] | None = None) -> Select[Any]:
    """Return the last row of each group, of equally late ones that which was written down last."""
    place = func.row_number().over(partition_by=of, order_by=(told.c.decided_at.desc(), told.c.sequence.desc()))
    ranked = select(told, place.label("place"))
    numbered = (ranked if only is None else ranked.where(only)).subquery()
    kept_columns = [column for column in numbered.c if column.name != "place"]
    return select(*kept_columns).where(numbered.c.place == 1)


def _of_changes(connection: Connection) -> Select[Any]:
    """Return each verdict that has an effect, with each change that it is on: a head, and the commit that it became."""
    place = _places(connection)
    counts = and_(
        not_(and_(verdicts.c.own, verdicts.c.decision.in_(_FAVOUR))),
        or_(verdicts.c.finding.is_not(None), verdicts.c.decision != Decision.DISMISSED.value),
    )
    said = (
        select(verdicts.c.sequence, verdicts.c.change_id, *(verdicts.c[name] for name in _SAID), place(verdicts))
        .where(counts)
        .cte("said")
    )
    landed = select(landings.c.change_id, landings.c.commit, place(landings)).cte("landed")
    head, sibling = landed.alias("head"), landed.alias("sibling")

    def there(one: Any) -> ColumnElement[bool]:
        return or_(said.c.place.is_(None), said.c.place == one.c.place)

    as_head = and_(head.c.change_id == said.c.change_id, there(head))
    as_commit = and_(head.c.commit == said.c.change_id, there(head))
    beside = and_(sibling.c.commit == head.c.commit, sibling.c.place == head.c.place)
    met = union(
        select(said.c.sequence, said.c.change_id.label("commit")),
        select(said.c.sequence, head.c.commit).join(head, as_head),
        select(said.c.sequence, head.c.change_id).join(head, as_commit),
        select(said.c.sequence, sibling.c.change_id).join(head, as_head).join(sibling, beside),
    ).cte("met")
    ours = or_(
        said.c.place.is_(None), said.c.place == repositories.c.key, repositories.c.key.not_like("%/%")
    )  # as `names.said_in`
    return (
        select(changes.c.id.label("change"), said.c.sequence, *(said.c[name] for name in _SAID))
        .select_from(met)
        .join(said, said.c.sequence == met.c.sequence)
        .join(changes, changes.c.commit == met.c.commit)
        .join(repositories, repositories.c.id == changes.c.repository_id)
        .where(ours)
    )


def _places(connection: Connection) -> Any:
    """Return what makes of a table a column: what the repository that a row names is called now, in lower case."""
    known = kept(connection)

    def place(table: Any) -> ColumnElement[Any]:
        name = func.lower(table.c.repository)
        if not known:
            return name.label("place")
        now = select(func.lower(former_names.c.name)).where(former_names.c.key == name).scalar_subquery()
        return func.coalesce(now, name).label("place")

    return place
