"""Which changes wait no more: those on which people agree, each in its own repository. On both databases."""

from __future__ import annotations

import random
from typing import Any

from sqlalchemy import select

from oversight.audit.budget.spending import parse
from oversight.audit.store import Store, reading
from oversight.audit.store.judged import judged
from oversight.audit.store.ledger import said_of
from oversight.audit.store.listing import Filter, Judged, count, order, said_on
from oversight.audit.store.queue import Scope, entries, fill
from oversight.audit.store.tables import changes, repositories
from oversight.audit.verdict import Decision, Landing, Record, Source, Verdict, to_gold
from tests.audit.builders import verdict
from tests.audit.store.test_queue import HERE, NOW, filled

COMMITS = [f"{number:040x}" for number in range(4)]
FINDING = "a" * 32 + ":1"


def queued(store: Store, number: int, *names: str) -> None:
    """Put so many changes of each repository into the queue; they are the same commits."""
    for name in names:
        filled(store, number, repository=name)
    fill(store.engine, parse("100%", 0.5), Scope(), now=NOW)


def waiting(store: Store) -> list[str]:
    """What is in the queue still, as every list of it says."""
    found = [one.commit for one in entries(store.engine, Scope())]
    assert [commit for _, commit in order(store.engine, Filter())] == found
    assert count(store.engine, Filter()) + count(store.engine, Filter(judged=Judged.YES)) == len(
        entries(store.engine, Scope(), waiting=False)
    )
    return sorted(found)


def said(decision: str, commit: str, who: str = "ann", hours: float = 0.0, **other: Any) -> Verdict:
    return verdict(decision, who=who, hours=hours, change_id=commit, **{"source": HERE, **other})


def test_a_change_on_which_people_are_even_waits(store: Store):
    """For one more, who settles it."""
    queued(store, 2, "o/r")
    store.append([said("risky", COMMITS[0]), said("safe", COMMITS[0], "bob"), said("safe", COMMITS[1])])
    assert waiting(store) == [COMMITS[0]]
    store.append([said("safe", COMMITS[0], "eve", 1)])
    assert waiting(store) == []


def test_a_word_that_is_taken_back_leaves_the_change_waiting(store: Store):
    """Of the change, or of the only finding that was called risky."""
    queued(store, 3, "o/r")
    store.append([said("safe", COMMITS[0]), said("risky", COMMITS[1], finding=FINDING), said("risky", COMMITS[2])])
    assert waiting(store) == []
    store.append([said("unsure", COMMITS[0], hours=1), said("dismissed", COMMITS[1], hours=1, finding=FINDING)])
    store.append([said("safe", COMMITS[2], hours=1)])
    assert waiting(store) == COMMITS[:2]


def test_what_is_judged_in_one_repository_waits_in_another(store: Store):
    """The same commit is in both; what names no repository counts in both, as it does for a folder's name."""
    queued(store, 3, "o/r", "Secret/One", "folder")
    store.append(
        [
            said("risky", COMMITS[0], source=Source("pages", "secret/ONE")),
            said("safe", COMMITS[1], source=Source("terminal")),
        ]
    )
    gone = {("o/r", COMMITS[1]), *((name, commit) for name in ("Secret/One", "folder") for commit in COMMITS[:2])}
    assert set(order(store.engine, Filter(judged=Judged.YES))) == gone
    places = [("o/r", COMMITS[0]), ("Secret/One", COMMITS[0]), ("o/r", COMMITS[1])]
    risky, safe = [("ann", Decision.RISKY)], [("ann", Decision.SAFE)]
    assert said_on(store.engine, places) == {places[1]: risky, places[2]: safe}
    assert said_on(store.engine, places, unnamed=False) == {places[1]: risky}
    with reading(store.engine) as connection:
        told = {name: len(said_of(connection, COMMITS[0], name)) for name in ("o/r", "SECRET/one", "folder", None)}
    assert told == {"o/r": 0, "SECRET/one": 1, "folder": 1, None: 1}


def test_a_head_is_judged_with_the_commit_that_it_became_in_its_own_repository(store: Store):
    """Whichever of the two people spoke of, and other heads of it with them."""
    queued(store, 4, "o/r", "secret/one")
    landings = [Landing(COMMITS[number], COMMITS[3], "o/r", 7 + number, NOW) for number in range(2)]
    store.append([*landings, said("risky", COMMITS[0])])
    gone = {("o/r", COMMITS[number]) for number in (0, 1, 3)}
    assert set(order(store.engine, Filter(judged=Judged.YES))) == gone
    with reading(store.engine) as connection:
        assert [len(said_of(connection, COMMITS[3], name)) for name in ("o/r", "secret/one")] == [1, 0]


def test_the_query_says_what_labels_are_made_of(store: Store):
    """Whatever people say, in whichever order, and wherever heads land."""
    drawn = random.Random(7)  # noqa: S311  no secret
    names = ("o/r", "secret/one")
    for name in names:
        filled(store, 40, repository=name)
    heads = [f"{number:040x}" for number in range(40)]
    landed = [Landing(heads[number], heads[number // 2 + 20], "O/R", number + 1, NOW) for number in range(12)]
    told = [
        said(
            drawn.choice(["safe", "risky", "unsure", "dismissed"]), drawn.choice(heads), drawn.choice(["a", "b", "c"]),
            number, own=drawn.random() < 0.2, finding=drawn.choice([None, None, FINDING]),
            source=Source("pages", drawn.choice(names)),
        )
        for number in range(300)
    ]  # fmt: skip
    store.append([*landed, *told])
    expected = set[tuple[str, str]]()
    for name in names:
        became = Record(landings=tuple(one for one in landed if one.repository.lower() == name)).commits
        here = [one for one in told if one.source.repository == name]
        gold = {label.change_id for label in to_gold(here, became)}
        expected |= {(name, head) for head in heads if became.get(head, head) in gold}
    rows = select(changes.c.id, repositories.c.name, changes.c.commit).join(repositories)
    with reading(store.engine) as connection:
        found = judged(connection)
        agreed = {(row.name, row.commit) for row in connection.execute(rows) if row.id in found}
    assert agreed == expected
    assert 10 < len(agreed) < 70
