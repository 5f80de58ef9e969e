"""The client of Claude: what it sends again and what it never does, and where its key never shows."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from oversight.errors import UsageError
from oversight.reviewers.claude.client import Client
from oversight.reviewers.claude.replies import ClaudeError, UnavailableError, UncertainError
from oversight.reviewers.claude.requests import params_of
from oversight.reviewers.claude.store import Store
from tests.claude_stub import KEY, Fault, Stub, served
from tests.reviewers.claude.conversation import change_of, labelling, model


@pytest.fixture(scope="module")
def account() -> Iterator[Stub]:
    with served(model) as stub:
        yield stub


@pytest.fixture
def stub(account: Stub) -> Stub:
    account.forget()
    return account


@pytest.fixture
def waits() -> list[float]:
    """How long the client was asked to wait."""
    return []


@pytest.fixture
def client(stub: Stub, waits: list[float]) -> Iterator[Client]:
    with Client(KEY, base_url=stub.url, timeout=2.0, patience=400.0, sleep=waits.append) as client:
        yield client


@pytest.fixture
def params(tmp_path: Path) -> dict[str, Any]:
    """A request as it is really made."""
    with Store(tmp_path / "claude.sqlite") as store:
        work = labelling(store, [change_of(1)])
        (needed,) = next(work.states([change_of(1).id])).needed
        return params_of(needed, work.recipe, batch=False)


Call = Callable[[Client, dict[str, Any]], object]
CALLS: dict[str, Call] = {
    "a message": lambda client, params: client.ask(params),
    "a batch": lambda client, params: client.create_batch([{"custom_id": "a-0", "params": params}]),
    "a look": lambda client, _: client.newest_batch(),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    ("fault", "least"),
    [
        (Fault(429, {"retry-after": "30"}), 30.0),
        (Fault(429, {"retry-after": "soon"}), 0.5),
        (Fault(429, {"retry-after": "-1"}), 0.5),
        (Fault(503), 0.5),
        (Fault(529, message="Overloaded"), 0.5),
    ],
    ids=["429", "429 with words", "429 with less than nothing", "503", "529"],
)
def test_what_is_refused_for_now_is_sent_again(
    stub: Stub, client: Client, params: dict[str, Any], waits: list[float], call: Call, fault: Fault, least: float
) -> None:
    """It waits as long as it is told, and a little by chance, and nothing is done twice."""
    stub.faults = {1: fault, 2: fault}
    call(client, params)
    assert len(stub.asked) == 3
    assert len(waits) == 2
    assert all(least <= wait <= least + 2 for wait in waits)
    assert set(stub.paid.values()) <= {1}


@pytest.mark.parametrize("call", [CALLS["a message"], CALLS["a batch"]], ids=["a message", "a batch"])
@pytest.mark.parametrize(
    "fault",
    [
        Fault(lost=True),
        Fault(dropped=True),
        Fault(500),
        Fault(502),
        Fault(504),
        Fault(body=b'{"id": "msg'),
        Fault(cut=True),
    ],
    ids=["lost", "dropped", "500", "502", "504", "half an answer", "cut"],
)
def test_what_may_have_been_obeyed_is_not_sent_again(
    stub: Stub, client: Client, params: dict[str, Any], call: Call, fault: Fault
) -> None:
    """Whoever asked has to look first, since it may have to be paid."""
    stub.faults = {1: fault}
    with pytest.raises(UncertainError):
        call(client, params)
    assert len(stub.asked) == 1


def test_looking_twice_costs_nothing(stub: Stub, client: Client) -> None:
    """A look at the account that got lost is repeated."""
    stub.faults = {1: Fault(lost=True), 2: Fault(500), 3: Fault(dropped=True), 4: Fault(cut=True)}
    assert client.newest_batch() is None
    assert len(stub.asked) == 5


def test_an_answer_that_takes_too_long_is_lost(stub: Stub, params: dict[str, Any]) -> None:
    """The time that one answer may take is bounded."""
    import threading

    held = threading.Event()
    stub.faults = {1: Fault(lost=True, call=lambda: held.wait(5) and None)}
    with Client(KEY, base_url=stub.url, timeout=0.2) as client, pytest.raises(UncertainError, match="Timeout"):
        client.ask(params)
    held.set()


def test_patience_ends(stub: Stub, client: Client, params: dict[str, Any], waits: list[float]) -> None:
    """A service that asks to wait for days is not waited for; nothing was done, and nothing has to be paid."""
    stub.faults = {1: Fault(429, {"retry-after": "300"}), 2: Fault(429, {"retry-after": "86400"})}
    with pytest.raises(UnavailableError, match=r"out of reach for 30\d seconds"):
        client.ask(params)
    assert len(waits) == 1
    assert not stub.paid


def test_nobody_at_the_address_is_waited_for(params: dict[str, Any], waits: list[float]) -> None:
    """Where no connection can be made nothing was sent."""
    with (
        Client(KEY, base_url="http://127.0.0.1:9", patience=5.0, sleep=waits.append) as client,
        pytest.raises(UnavailableError),
    ):
        client.ask(params)
    assert waits


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422])
def test_a_refusal_ends_it_and_says_what_to_do(stub: Stub, client: Client, params: dict[str, Any], status: int) -> None:
    """What is refused for good is not sent again; what the service says is told, but for a key in it."""
    stub.faults = {1: Fault(status, message=f"no: {KEY}\x1b[31m")}
    with pytest.raises(ClaudeError) as caught:
        client.ask(params)
    assert f"{status}, no: [key]" in caught.value.message
    assert caught.value.mend
    assert len(stub.asked) == 1


def test_the_key_shows_nowhere(
    stub: Stub,
    params: dict[str, Any],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither errors nor their causes, logs, reprs or files hold the key; redirects are not followed with it."""
    monkeypatch.setenv("ANTHROPIC_LOG", "debug")
    logging.getLogger("anthropic").setLevel(logging.DEBUG)
    caplog.set_level(logging.DEBUG)
    stub.faults = {1: Fault(401, message=f"invalid {KEY}"), 2: Fault(307, {"location": "http://127.0.0.1:9/"})}
    told: list[str] = []
    with Client(KEY, base_url=stub.url) as client:
        for _ in range(2):
            try:
                client.ask(params)
            except ClaudeError as error:
                told += traceback.format_exception(error)
                told.append(repr(error))
        told.append(repr(client))
        with Store(tmp_path / "claude.sqlite") as store:
            labelling(store, [change_of(1)]).run([change_of(1).id], client)
    assert len(told) > 3
    assert KEY not in "".join(told) + caplog.text
    assert "anthropic" not in caplog.text
    assert not any(KEY.encode() in file.read_bytes() for file in tmp_path.iterdir())


@pytest.mark.parametrize("key", ["", " ", "sk\nx: y", "schlüssel", "sk "])
def test_what_cannot_be_a_key_is_refused(key: str) -> None:
    """It would break the header that it goes into; the error does not repeat it."""
    with pytest.raises(UsageError) as caught:
        Client(key)
    assert not key.strip() or key.strip() not in str(caught.value)


def test_results_come_from_the_address_we_know(stub: Stub, client: Client, params: dict[str, Any]) -> None:
    """An answer may name another address for the results: no key goes there. Lines that cannot be read are absent."""
    batch = client.create_batch([{"custom_id": f"a-{number}", "params": params} for number in range(3)])
    assert client.batch(batch.id).ended
    (first, *_) = client.results(batch.id)
    assert (first.custom_id, first.kind) == ("a-2", "succeeded")
    stub.faults = {len(stub.asked) + 1: Fault(body=b'{"custom_id": "a-0", "result": {"type": "expired"}}\n{"custom_id')}
    assert [(one.custom_id, one.kind) for one in client.results(batch.id)] == [("a-0", "expired")]


def test_lines_that_could_not_be_kept_are_absent(stub: Stub, client: Client, params: dict[str, Any]) -> None:
    """Half of a character, numbers that fit nowhere, nests without an end, what is no UTF-8; a line ends nowhere but
    at its end.
    """
    batch = client.create_batch([{"custom_id": "a-0", "params": params}])
    assert client.batch(batch.id).ended
    usage = {"input_tokens": 1, "output_tokens": 1}

    def line(text: str, used: dict[str, int]) -> bytes:
        message = {"model": "m", "stop_reason": "end_turn", "content": [{"type": "text", "text": text}], "usage": used}
        told = {"custom_id": "a-0", "result": {"type": "succeeded", "message": message}}
        return json.dumps(told, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"

    poor = [
        line("HERE", usage).replace(b"HERE", b"\\ud800"),
        line("HERE", usage).replace(b"HERE", b"\xff"),
        line("\ud800", usage),
        line("", usage | {"input_tokens": 10**30}),
        b"[" * 100_000 + b"\n",
    ]
    stub.faults = {len(stub.asked) + 1: Fault(body=b"".join(poor))}
    assert client.results(batch.id) == []
    stub.faults = {len(stub.asked) + 1: Fault(body=line("one\u2028two\x85", usage))}
    (found,) = client.results(batch.id)
    assert found.reply is not None
    assert found.reply.text == "one\u2028two\x85"


def test_batches_are_listed_page_by_page(stub: Stub, client: Client) -> None:
    """All batches that are newer than one are found, however many there are."""
    names = [stub.foreign(1) for _ in range(230)]
    assert client.newest_batch() == names[-1]
    assert [batch.id for batch in client.batches_since(names[4])] == names[:4:-1]
    assert len(list(client.batches_since(None))) == 230
    for id_ in ("../x", "a/b", "", "x" * 200):
        with pytest.raises(ValueError, match="no id"):
            client.batch(id_)


def test_a_long_answer_is_not_streamed_nor_bent(client: Client, params: dict[str, Any]) -> None:
    """What is used is counted by what the service says, and the text is as it was written."""
    reply = client.ask(params)
    assert json.loads(reply.text)["reasoning"] == "Because."
    assert reply.usage.tokens > reply.usage.output_tokens > 0
