"""A labelling of many changes: what is asked, what it may cost, and that nothing is paid for twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from oversight.errors import ConfigError, OutputError, UsageError
from oversight.reviewers.claude import bulk
from oversight.reviewers.claude.budget import Budget
from oversight.reviewers.claude.client import Client
from oversight.reviewers.claude.prices import FILE, Size, price_of
from oversight.reviewers.claude.prompt import WORDINGS
from oversight.reviewers.claude.replies import ClaudeError, UncertainError, Usage
from oversight.reviewers.claude.requests import MODEL, Recipe
from oversight.reviewers.claude.store import Alone, Member, Store
from oversight.reviewers.claude.verdict import ABSTAINED, FAULT, LABELLED, UNASKED, Label
from tests.claude_stub import KEY, Fault, Said, Stub, served, text
from tests.reviewers.claude.conversation import answer, asked_about, change_of, labelling, model, with_files
from tests.reviewers.claude.injections import INJECTIONS

CHANGES = [change_of(number, f"    {'unsafe_free' if number % 3 == 0 else 'step'}({number})") for number in range(1, 8)]
SHAS = [change.id for change in CHANGES]


@pytest.fixture(scope="module")
def account() -> Iterator[Stub]:
    with served(lambda params: model(params)) as stub:
        yield stub


@pytest.fixture
def stub(account: Stub) -> Stub:
    account.forget()
    account.reply = model
    return account


@pytest.fixture
def client(stub: Stub) -> Iterator[Client]:
    with Client(KEY, base_url=stub.url, timeout=5.0, sleep=lambda _: None) as client:
        yield client


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "claude.sqlite") as store:
        yield store


def labels(work: bulk.Labelling, shas: list[str] = SHAS) -> list[Label]:
    return list(work.labels(shas))


def test_every_change_is_asked_about_once(stub: Stub, client: Client, store: Store) -> None:
    """In every wording, with a critique of each; a second run asks nothing, another recipe asks anew."""
    recipe = Recipe(wordings=len(WORDINGS), critique=True)
    done: list[int] = []
    work = labelling(store, CHANGES, recipe, tell=done.append)
    work.run(SHAS, client)
    assert sum(stub.paid.values()) == len(SHAS) * len(WORDINGS) * 2
    assert set(stub.paid.values()) == {1}
    assert [round(label.risk or 0, 2) for label in labels(work)] == [0.15, 0.15, 0.8, 0.15, 0.15, 0.8, 0.15]
    assert sum(done) == len(SHAS)
    assert not work.stopped
    asked = len(stub.asked)
    again = labelling(store, CHANGES, recipe)
    again.run(SHAS, client)
    assert len(stub.asked) == asked
    assert (again.budget.usd, again.budget.tokens) == (pytest.approx(work.budget.usd), work.budget.tokens)
    labelling(store, CHANGES[:1], replace(recipe, version="another")).run(SHAS[:1], client)
    assert set(stub.paid.values()) <= {1, 2}
    assert sum(stub.paid.values()) > len(SHAS) * len(WORDINGS) * 2


def test_the_same_change_twice_is_paid_once(stub: Stub, client: Client, store: Store) -> None:
    """A cherry-pick says the same by the same words, and has the same label."""
    twin = replace(CHANGES[2], id="e" * 40)
    work = labelling(store, [CHANGES[2], twin])
    work.run([CHANGES[2].id, twin.id], client)
    assert sum(stub.paid.values()) == 1
    first, second = work.labels([CHANGES[2].id, twin.id])
    assert replace(second, change_id=first.change_id) == first


def test_large_labellings_are_cut_into_batches(
    stub: Stub, client: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the number of requests and by their bytes, and read in whatever order they end."""
    monkeypatch.setattr(bulk, "BATCH", 3)
    stub.looks = 3
    labelling(store, CHANGES).run(SHAS, client)
    assert stub.created == 3
    monkeypatch.setattr(bulk, "BATCH", 500)
    monkeypatch.setattr(bulk, "BATCH_BYTES", 60_000)
    labelling(store, CHANGES, Recipe(wordings=2)).run(SHAS, client)
    assert stub.created == 3 + 4
    assert set(stub.paid.values()) == {1}


def test_a_change_without_rows_is_not_asked_about(stub: Stub, client: Client, store: Store) -> None:
    """There is nothing to judge in it: an abstention that costs nothing."""
    empty = with_files(9, replace(CHANGES[0].files[0], hunks=(), binary=True))
    work = labelling(store, [empty])
    work.run([empty.id], client)
    (label,) = work.labels([empty.id])
    assert (label.status, label.risk) == (ABSTAINED, None)
    assert not stub.asked


OUTCOMES = {
    "declined": (text("I will not.", stop_reason="refusal"), ABSTAINED),
    "cut off": (text('{"reasoning": "Bec', stop_reason="max_tokens"), FAULT),
    "prose": (text("It is safe."), FAULT),
    "nothing": (Said([]), FAULT),
    "thinking alone": (Said([{"type": "thinking", "thinking": "hm", "signature": "s"}]), FAULT),
    "expired": (text("", outcome="expired"), FAULT),
    "canceled": (text("", outcome="canceled"), FAULT),
    "errored": (text("", outcome="errored"), FAULT),
    "overloaded": (text("", outcome="errored", error="overloaded_error"), FAULT),
}


@pytest.mark.parametrize(("said", "status"), OUTCOMES.values(), ids=OUTCOMES)
def test_what_is_no_answer_is_never_safe(stub: Stub, client: Client, store: Store, said: Said, status: str) -> None:
    """One change of a batch goes wrong: it has no risk, and the others have theirs."""
    stub.reply = lambda params: said if "unsafe_free(3)" in json.dumps(params) else model(params)
    work = labelling(store, CHANGES)
    work.run(SHAS, client)
    found = labels(work)
    assert (found[2].status, found[2].risk) == (status, None)
    assert [label.status for label in found[:2] + found[3:]] == [LABELLED] * 6
    assert max(stub.paid.values()) == 1
    assert work.budget.open == 0


def test_what_failed_is_asked_again(stub: Stub, client: Client, store: Store) -> None:
    """What expired is handed in once more by itself, and again by the next run; it costs nothing."""
    said: list[str] = []

    def reply(params: dict[str, Any]) -> Said:
        failing = "unsafe_free(3)" in json.dumps(params) and len(said) < 3
        said.extend(["failed"] * failing)
        return text("", outcome="expired") if failing else model(params)

    stub.reply = reply
    work = labelling(store, CHANGES)
    work.run(SHAS, client)
    assert labels(work)[2].status == FAULT
    assert len(said) == bulk.ATTEMPTS
    work = labelling(store, CHANGES)
    work.run(SHAS, client)
    assert labels(work)[2].status == LABELLED
    assert set(stub.paid.values()) == {1}


def test_unusable_answers_are_paid_for_again_only_where_that_is_wished(
    stub: Stub, client: Client, store: Store
) -> None:
    """They were paid for; `ask_again` forgets those that were cut off or of another form, and no others. An outlook
    forgets nothing, and what the forgotten ones have cost counts as before.
    """
    stub.reply = lambda params: text("no") if "unsafe_free" in json.dumps(params) else model(params)
    labelling(store, CHANGES).run(SHAS, client)
    stub.reply = model
    labelling(store, CHANGES).run(SHAS, client)
    assert sum(stub.paid.values()) == 7
    work = labelling(store, CHANGES)
    spent, outlook = work.outlook(SHAS).spent, work.outlook(SHAS, again=True)
    assert (outlook.requests, outlook.changes, outlook.spent) == (2, 2, spent)
    assert [label.status for label in labels(work)].count(FAULT) == 2
    work.ask_again(SHAS)
    assert work.outlook(SHAS).spent == (pytest.approx(spent[0]), spent[1])
    work.run(SHAS, client)
    assert sum(stub.paid.values()) == 9
    assert {label.status for label in labels(work)} == {LABELLED}
    assert work.budget.usd > spent[0]
    assert work.outlook(SHAS).spent == (pytest.approx(work.budget.usd), work.budget.tokens)


@pytest.mark.parametrize("injection", INJECTIONS[:6], ids=lambda injection: injection.name)
def test_an_injection_reaches_no_other_change(stub: Stub, client: Client, store: Store, injection: Any) -> None:
    """Its request is its own: what is asked about the others is the same to the byte, and so are their labels; and a
    model that obeys it gets no low risk past a principle that found it.
    """
    hostile = injection.change(3)
    obedient = answer(["h1"], 0.0)
    stub.reply = lambda params: (
        text(json.dumps(obedient)) if injection.row in params["messages"][0]["content"] else model(params)
    )
    plain = labelling(store, CHANGES)
    plain.run(SHAS, client)
    before = {asked["messages"][0]["content"] for asked in stub.messages()}
    mixed = [*CHANGES[:2], hostile, *CHANGES[3:]]
    work = labelling(store, mixed)
    work.run(SHAS, client)
    (new,) = {asked["messages"][0]["content"] for asked in stub.messages()} - before
    assert injection.row in new.split("\n")
    found = labels(work)
    assert found[:2] + found[3:] == labels(plain)[:2] + labels(plain)[3:]
    assert found[2].risk is None if injection.found else found[2].risk == pytest.approx(0.0, abs=1e-5)
    assert {tuple(asked) for asked in stub.messages()} == {tuple(stub.messages()[0])}
    assert {asked["max_tokens"] for asked in stub.messages()} == {stub.messages()[0]["max_tokens"]}


def test_the_cap_holds(stub: Stub, client: Client, store: Store) -> None:
    """Nothing is asked whose dearest outcome would break the cap; what is there is a sample, a higher cap goes on."""
    price = price_of(MODEL)
    (state, *_) = labelling(store, CHANGES).states(SHAS)
    most = price.most(state.needed[0].size, batch=True)
    work = labelling(store, CHANGES, budget=Budget(max_usd=most[0] * 1.1))
    work.run(SHAS, client)
    assert work.stopped
    assert work.budget.usd <= most[0] * 1.1
    statuses = [label.status for label in labels(work)]
    assert {LABELLED, UNASKED} == set(statuses)
    paid = sum(stub.paid.values())
    again = labelling(store, CHANGES, budget=Budget(max_tokens=work.budget.tokens + most[1] - 1))
    again.run(SHAS, client)
    assert sum(stub.paid.values()) == paid, "the earlier runs count"
    assert labelling(store, CHANGES, budget=Budget(max_usd=0)).outlook(SHAS).spent[0] == pytest.approx(work.budget.usd)
    labelling(store, CHANGES).run(SHAS, client)
    assert sum(stub.paid.values()) == 7


def test_the_outlook_bounds_what_is_paid(stub: Stub, client: Client, store: Store) -> None:
    """Before anything is sent it says how many requests there are, and at most what they cost; afterwards nothing."""
    work = labelling(store, CHANGES, Recipe(wordings=2, critique=True))
    outlook = work.outlook(SHAS)
    assert (outlook.requests, outlook.changes, outlook.spent) == (28, 7, (0, 0))
    assert outlook.likely[0] < outlook.most[0]
    assert not stub.asked
    work.run(SHAS, client)
    assert 0 < work.budget.usd < outlook.most[0]
    assert work.budget.tokens < outlook.most[1]
    outlook = work.outlook(SHAS)
    assert (outlook.requests, outlook.most) == (0, (0, 0))
    assert outlook.spent == (pytest.approx(work.budget.usd), work.budget.tokens)


def test_asking_at_once_keeps_every_answer(stub: Stub, client: Client, store: Store) -> None:
    """Without batches each answer is kept before the next question; one that got lost is a fault, and held for paid, by
    later runs too.
    """
    stub.faults = {2: Fault(lost=True)}
    work = labelling(store, CHANGES)
    work.run_now(SHAS, client)
    assert [label.status for label in labels(work)].count(FAULT) == 1
    assert not stub.created
    lost, spent = work.budget.usd, sum(answer.usd for state in work.states(SHAS) for answer in state.answers)
    (needed,) = (one for state in work.states(SHAS) for one in state.needed)
    assert lost == pytest.approx(spent + work.price.most(needed.size, batch=False)[0])
    assert work.outlook(SHAS).spent == (pytest.approx(lost), work.budget.tokens)
    work = labelling(store, CHANGES)
    work.run_now(SHAS, client)
    assert {label.status for label in labels(work)} == {LABELLED}
    assert sorted(stub.paid.values()) == [1] * 6 + [2]
    assert work.budget.usd > lost
    short = labelling(store, CHANGES, Recipe(wordings=2), budget=Budget(max_usd=work.budget.usd))
    short.run_now(SHAS, client)
    assert short.stopped


def test_asking_at_once_counts_first_what_was_paid_for_the_changes_to_come(
    stub: Stub, client: Client, store: Store
) -> None:
    """A larger sample holds a smaller one, which may lie behind the first change that has no answer yet."""
    small = labelling(store, CHANGES[1:])
    small.run_now(SHAS[1:], client)
    paid = small.budget.usd
    work = labelling(store, CHANGES, budget=Budget(max_usd=paid))
    work.run_now(SHAS, client)
    assert work.stopped
    assert work.budget.usd == pytest.approx(paid)
    assert sum(stub.paid.values()) == 6


def test_what_is_refused_at_once_costs_nothing(stub: Stub, client: Client, store: Store) -> None:
    """The service did not obey, and says so."""
    stub.faults = {1: Fault(401)}
    with pytest.raises(ClaudeError):
        labelling(store, CHANGES).run_now(SHAS, client)
    assert labelling(store, CHANGES).outlook(SHAS).spent == (0, 0)


def test_what_a_batch_asks_already_is_not_asked_at_once(stub: Stub, client: Client, store: Store) -> None:
    """Whoever loses patience with a batch gets its answers first: they have to be paid."""
    stub.faults = {3: Fault(401)}
    with pytest.raises(ClaudeError):
        labelling(store, CHANGES[:3]).run(SHAS[:3], client)
    stub.looks = 3
    work = labelling(store, CHANGES)
    work.run_now(SHAS, client)
    assert {label.status for label in labels(work)} == {LABELLED}
    assert sorted(stub.paid.values()) == [1] * 7
    assert store.open_batches() == []


@pytest.mark.parametrize("fault", [Fault(lost=True), Fault(dropped=True), Fault(500)], ids=["lost", "dropped", "500"])
def test_a_batch_whose_answer_got_lost_is_found(stub: Stub, client: Client, store: Store, fault: Fault) -> None:
    """It looks through the account, past batches of others, and hands in again only what is not there."""
    stub.foreign(7)
    stub.faults = {2: replace(fault, call=lambda: stub.foreign(7) and None)}
    stub.looks = 2
    work = labelling(store, CHANGES)
    work.run(SHAS, client)
    assert set(stub.paid.values()) == {1}
    assert len(stub.paid) == 7
    assert {label.status for label in labels(work)} == {LABELLED}


def test_what_gets_lost_every_time_is_given_up(stub: Stub, client: Client, store: Store) -> None:
    """It does not go on for ever; the next run begins by looking."""
    stub.faults = {2: Fault(500), 5: Fault(500)}
    with pytest.raises(UncertainError):
        labelling(store, CHANGES).run(SHAS, client)
    assert store.open_batches() == []
    labelling(store, CHANGES).run(SHAS, client)
    assert set(stub.paid.values()) == {1}


def test_what_is_refused_for_good_leaves_nothing_open(stub: Stub, client: Client, store: Store) -> None:
    """A refused batch was not handed in."""
    stub.faults = {2: Fault(400, message="no money")}
    with pytest.raises(ClaudeError, match="no money"):
        labelling(store, CHANGES).run(SHAS, client)
    assert store.open_batches() == []


def test_results_that_are_missing_are_read_again(stub: Stub, client: Client, store: Store) -> None:
    """They have been paid for. Where they do not come, nobody says that they were free: they count as paid."""
    stub.faults = {4: Fault(body=b"")}
    labelling(store, CHANGES).run(SHAS, client)
    assert set(stub.paid.values()) == {1}
    recipe = Recipe(wordings=2)
    stub.faults = {len(stub.asked) + number: Fault(body=b"") for number in (4, 5)}
    work = labelling(store, CHANGES, recipe)
    work.run(SHAS, client)
    answers = sum(answer.usd for state in work.states(SHAS) for answer in state.answers)
    assert work.budget.usd > answers
    assert work.outlook(SHAS).spent == (pytest.approx(work.budget.usd), work.budget.tokens)
    assert {label.status for label in labels(work)} == {LABELLED}


def test_an_answer_that_cannot_be_kept_stops_no_labelling(
    stub: Stub, client: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One with half of a character counts as lost: it is paid, and asked for again."""
    said: list[Said] = []

    def broken(params: dict[str, Any]) -> Said:
        said.append(model(params))
        return text('{"reasoning": "\ud800"}') if len(said) == 1 else said[-1]

    monkeypatch.setattr(stub, "reply", broken)
    work = labelling(store, CHANGES)
    work.run(SHAS, client)
    assert {label.status for label in labels(work)} == {LABELLED}
    assert len(said) == len(CHANGES) + 1
    assert store.open_batches() == []


def test_two_labellings_at_once_are_refused(tmp_path: Path) -> None:
    """Each would pay for what the other has asked; the lock ends with its holder."""
    with Alone(tmp_path / "a"), pytest.raises(OutputError, match="another labelling"), Alone(tmp_path / "a"):
        pass
    with Alone(tmp_path / "a"):
        pass


def test_a_store_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    """A damaged file is not thrown away, since what is in it was paid for; one of another version is not read."""
    (tmp_path / "damaged").write_bytes(b"no database" * 100)
    with pytest.raises(OutputError, match="cannot be kept"):
        Store(tmp_path / "damaged")
    assert (tmp_path / "damaged").read_bytes().startswith(b"no database")
    with Store(tmp_path / "newer") as store:
        store._connection.execute("PRAGMA user_version = 9")
    with pytest.raises(OutputError, match="another version"):
        Store(tmp_path / "newer")


def test_prices_are_of_one_file_and_can_be_replaced(tmp_path: Path) -> None:
    """A model without a price cannot be asked, since no cap would hold; prices bear a date and a source."""
    price = price_of(MODEL)
    assert price.source.startswith("https://")
    assert price.as_of >= "2026-10-07"
    used = Usage.model_validate(
        {
            "input_tokens": 1_000_000, "output_tokens": 1_000_000, "cache_read_input_tokens": 1_000_000,
            "cache_creation_input_tokens": 2_000_000,
            "cache_creation": {"ephemeral_5m_input_tokens": 1_000_000, "ephemeral_1h_input_tokens": 1_000_000},
        }
    )  # fmt: skip
    whole = price.input + price.output + price.cache_read + price.cache_write_5m + price.cache_write_1h
    assert price.cost(used, batch=False) == pytest.approx(whole)
    assert price.cost(used, batch=True) == pytest.approx(whole / 2)
    with pytest.raises(UsageError, match="what claude-next costs"):
        price_of("claude-next")
    file = tmp_path / "prices.toml"
    file.write_text(FILE.read_text(encoding="utf-8").replace("[models.claude-haiku-5-5]", "[models.claude-next]"))
    assert price_of("claude-next", file).input == price.input
    with pytest.raises(UsageError, match="100,000 tokens"):
        price.most(Size(system=20_000, question=90_000, hunks=1, max_tokens=1), batch=True)
    endless = FILE.read_text(encoding="utf-8").replace("[models.claude-haiku-5-5]", "[models.claude-next]")
    endless = endless.replace("prompt = 100_000", "prompt = inf")
    for broken in ("", "x = ", "[models]\nclaude-next = 1", "[models.claude-next]\ninput = -1", endless):
        file.write_text(broken)
        with pytest.raises(ConfigError):
            price_of("claude-next", file)
    with pytest.raises(ConfigError):
        price_of("claude-next", tmp_path / "missing.toml")


def test_what_is_asked_is_never_more_than_it_is_priced_for(stub: Stub, client: Client, store: Store) -> None:
    """The bytes that a price is made of are at least those that are sent."""
    work = labelling(store, CHANGES[:1], Recipe(critique=True))
    outlook = work.outlook(SHAS[:1])
    work.run(SHAS[:1], client)
    sent = sum(len(json.dumps(asked, ensure_ascii=False).encode()) for asked in stub.messages())
    assert outlook.most[1] > sent
    assert asked_about(stub.messages()[0]) == ["h1"]


def test_what_was_never_handed_in_gives_its_money_back(stub: Stub, client: Client, store: Store) -> None:
    """A batch that an earlier run meant to hand in, and did not, takes no room under the cap of the next."""
    price = price_of(MODEL)
    (state, *_) = labelling(store, CHANGES[:1]).states(SHAS[:1])
    most = price.most(state.needed[0].size, batch=True)
    store.intend("0123456789abcdef", None, [Member(0, state.needed[0].key, most)])
    work = labelling(store, CHANGES[:1], budget=Budget(max_usd=most[0] * 1.5))
    work.run(SHAS[:1], client)
    assert not work.stopped
    assert work.budget.open == 0
    assert labels(work, SHAS[:1])[0].status == LABELLED


def test_what_is_under_way_counts_under_the_cap(stub: Stub, client: Client, store: Store) -> None:
    """A batch that an earlier run handed in is held for before anything else is asked, and read when it has ended."""
    first = labelling(store, CHANGES[:1])
    (state, *_) = first.states(SHAS[:1])
    most = first.price.most(state.needed[0].size, batch=True)
    stub.faults = {3: Fault(401)}
    with pytest.raises(ClaudeError):
        first.run(SHAS[:1], client)
    (batch,) = store.open_batches()
    assert [member.most for member in batch.members] == [pytest.approx(most)]
    budget = Budget(max_usd=most[0] * 1.5)
    labelling(store, CHANGES, budget=budget).run(SHAS, client)
    assert budget.usd <= most[0] * 1.5
    assert set(stub.paid.values()) == {1}
