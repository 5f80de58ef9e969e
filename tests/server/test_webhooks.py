"""What becomes of webhooks: only what is signed gets in, all of it is kept before it is answered."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from sqlalchemy import event

from oversight_github.events import MAX_BYTES
from oversight_server import body as bodies
from oversight_server import webhooks
from oversight_server.inbox import Delivery
from oversight_server.signature import sign
from tests.server.client import HOOKS, PULL, SECRET, Answer
from tests.server.conftest import settings_of
from tests.server.recorder import Recorder
from tests.server.thread import Served

OUTCOME = "oversight_deliveries_total"


def problem(answer: Answer) -> tuple[int, str]:
    """Status and detail of a problem in the one shape."""
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json) == {"title", "status", "detail", "mend"}
    assert answer.json["status"] == answer.status
    return answer.status, answer.json["detail"]


def test_a_signed_delivery_is_accepted_and_moved_on(served: Served, recorder: Recorder):
    """What GitHub signed is answered 202 and reaches the queue byte for byte."""
    answer = served.deliver(delivery="d-1")
    assert (answer.status, answer.json) == (202, {"status": "accepted", "delivery": "d-1"})
    assert recorder.wait(1) == ["d-1"]
    delivery = recorder.deliveries["d-1"]
    assert (delivery.event, delivery.payload) == ("pull_request", json.dumps(PULL).encode())
    assert served.metric(OUTCOME, outcome="accepted") == 1


def test_a_form_is_taken_as_well(served: Served, recorder: Recorder):
    """The other content type that GitHub offers carries the same payload, and is signed as it is sent."""
    text = json.dumps({**PULL, "title": "ä & ü = %"}, ensure_ascii=False)
    body = f"payload={quote_plus(text)}".encode()
    answer = served.deliver(body, delivery="d-1", Content_Type="application/x-www-form-urlencoded")
    assert answer.status == 202
    recorder.wait(1)
    assert recorder.deliveries["d-1"].payload == text.encode()


@pytest.mark.parametrize(
    "body", [b"", b"payload=", b"payload=[]", b"payload={}&payload={}", b"other={}", b"payload=%7B%ff%7D", b"{}"]
)
def test_a_form_without_one_payload_is_refused(served: Served, body: bytes):
    """A form that holds no payload, or several, or no text, is no delivery."""
    assert problem(served.deliver(body, Content_Type="application/x-www-form-urlencoded"))[0] == 400


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        "sha256=" + "0" * 64,
        "sha256=" + "0" * 63,
        "sha256=" + "g" * 64,
        "sha1=" + hmac.new(SECRET.encode(), b"{}", hashlib.sha1).hexdigest(),
        sign(b"another secret", b"{}"),
        sign(SECRET.encode(), b"{} "),
        sign(SECRET.encode(), b"{}").upper(),
        sign(SECRET.encode(), b"{}").removeprefix("sha256="),
        "sha256=" + "\u00e9" * 64,
    ],
)
def test_what_is_not_signed_learns_nothing(served: Served, recorder: Recorder, header: str | None):
    """A wrong signature, of whatever form, is 401 in the same words each time, is counted, and reaches nothing."""
    headers = {"X-GitHub-Event": "pull_request", "X-GitHub-Delivery": "d-1"}
    given = {} if header is None else {"X-Hub-Signature-256": header}
    answer = served.request("POST", HOOKS, b"{}", headers | given)
    assert problem(answer) == (401, "the delivery is not signed with the secret")
    assert SECRET not in answer.content.decode()
    assert served.metric(OUTCOME, outcome="rejected") == 1
    assert served.metric(OUTCOME, outcome="accepted") == 0
    assert not recorder.deliveries


def test_sha1_alone_is_refused(served: Served):
    """The older header with a right SHA-1 signature opens nothing."""
    body = b"{}"
    old = "sha1=" + hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()
    assert served.deliver(body, without=("X-Hub-Signature-256",), X_Hub_Signature=old).status == 401


def test_strangers_do_not_fill_the_log(served: Served, caplog: pytest.LogCaptureFixture):
    """Of what is rejected one line a second is logged, with how many there were; the metrics count each."""
    served.secret = "another one"
    with caplog.at_level("INFO", "oversight.server"):
        for _ in range(20):
            served.deliver()
    assert 1 <= len([record for record in caplog.records if record.getMessage() == "delivery rejected"]) < 20
    assert served.metric(OUTCOME, outcome="rejected") == 20


def test_memory_that_strangers_hold_is_no_delivery_lost(
    tmp_path: Path, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
):
    """What is turned away before its signature holds is rejected, and no alarm for what could not be kept."""
    monkeypatch.setattr(webhooks, "SECONDS", 1.0)
    with Served(settings_of(tmp_path, memory_megabytes=26), recorder) as served:
        signature = sign(b"another one", b"")
        head = (
            f"POST {HOOKS} HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: {signature}\r\n"
            f"Content-Length: {MAX_BYTES}\r\n\r\n"
        ).encode()
        answers: list[bytes] = []
        threads = [threading.Thread(target=lambda: answers.append(served.raw(head + bytes(100_000)))) for _ in range(2)]
        for thread in threads:
            thread.start()
        assert served.deliver().status == 202
        for thread in threads:
            thread.join()
        assert {answer.split()[1] for answer in answers} <= {b"408", b"503"}
        assert served.metric("oversight_deliveries_unstored_total") == 0
        assert served.metric(OUTCOME, outcome="rejected") == 2


def test_large_bodies_of_strangers_that_hang_keep_nobody_out(
    tmp_path: Path, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
):
    """They cost what they have sent, and not what they announce: honest deliveries, large ones too, pass them by."""
    monkeypatch.setattr(webhooks, "SECONDS", 600.0)
    monkeypatch.setattr(bodies, "WINDOW", 600.0)
    head = (
        f"POST {HOOKS} HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: {sign(b'another one', b'')}\r\n"
        f"Content-Length: {MAX_BYTES}\r\n\r\n"
    ).encode()
    with Served(settings_of(tmp_path, memory_megabytes=26), recorder) as served, ExitStack() as hanging:
        for _ in range(8):
            stranger = hanging.enter_context(socket.create_connection(("127.0.0.1", served.port), timeout=30))
            stranger.sendall(head + bytes(bodies.FREE + 50_000))
        for size in (300, 300_000, 3_000_000):
            payload = b'{"a": "' + b"x" * size + b'"}'
            assert served.deliver(payload).status == 202
        stranger.setblocking(False)
        with pytest.raises(BlockingIOError):
            stranger.recv(1)


def test_two_secrets_are_valid_while_one_replaces_the_other(tmp_path: Path, recorder: Recorder):
    """Deliveries signed with the new secret and with the one before are both taken; with any other, none is."""
    settings = settings_of(tmp_path, webhook_secret="the newer secret", webhook_secret_previous=SECRET)
    with Served(settings, recorder) as served:
        for secret, status in ((SECRET, 202), ("the newer secret", 202), ("a third secret", 401), ("", 401)):
            served.secret = secret
            assert served.deliver().status == status


def test_nothing_is_asked_of_the_database_before_the_signature_holds(served: Served, recorder: Recorder):
    """Whoever does not know the secret causes no statement, whatever else is right or wrong with the request."""
    served.deliver(delivery="warm")
    recorder.wait(1)
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.lstrip().upper().startswith("INSERT"):
            statements.append(statement)

    from sqlalchemy import Engine

    event.listen(Engine, "before_cursor_execute", note)
    try:
        served.secret = "another one"
        assert {served.deliver().status, served.deliver(b"no json").status, served.deliver(event="!").status} == {401}
        assert not statements
        served.secret = SECRET
        served.deliver()
        assert statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_the_same_delivery_twice_is_a_duplicate(served: Served, recorder: Recorder):
    """A redelivery bears the same id: it is answered 202, counted, and moved on no second time."""
    assert served.deliver(delivery="d-1").json["status"] == "accepted"
    recorder.wait(1)
    assert served.deliver(delivery="d-1").json["status"] == "duplicate"
    assert served.deliver(delivery="d-2").json["status"] == "accepted"
    assert recorder.wait(2) == ["d-1", "d-2"]
    assert recorder.asked == ["d-1", "d-2"]
    assert served.metric(OUTCOME, outcome="duplicate") == 1
    assert served.metric(OUTCOME, outcome="accepted") == 2


def test_of_simultaneous_ones_with_one_id_a_single_one_is_new(served: Served, recorder: Recorder):
    """The same delivery ten times at once is accepted once and a duplicate nine times."""
    answers: list[str] = []
    barrier = threading.Barrier(10)

    def send() -> None:
        barrier.wait()
        answers.append(served.deliver(delivery="d-1").json["status"])

    threads = [threading.Thread(target=send) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["accepted"] + ["duplicate"] * 9
    assert recorder.wait(1) == ["d-1"]


def test_a_body_sent_again_under_another_id_is_another_delivery(served: Served, recorder: Recorder):
    """Reviews are keyed by what they review, so that a replayed body costs at most a look at the books."""
    assert [served.deliver(delivery=name).json["status"] for name in ("d-1", "d-2")] == ["accepted"] * 2
    assert recorder.wait(2) == ["d-1", "d-2"]


@pytest.mark.parametrize("name", ["ping", "star", "an_event_that_github_has_not_thought_of_yet"])
def test_events_that_lead_to_nothing_are_accepted_and_end_there(served: Served, recorder: Recorder, name: str):
    """`ping` and what nobody knows is answered 202 and counted, and never moved on."""
    assert served.deliver({"zen": "…"}, event=name, delivery="d-1").json["status"] == "ignored"
    assert served.deliver({"zen": "…"}, event=name, delivery="d-1").json["status"] == "duplicate"
    served.deliver(delivery="d-2")
    assert recorder.wait(1) == ["d-2"]
    assert served.metric("oversight_deliveries_ignored_total") == 1
    assert served.metric(OUTCOME, outcome="accepted") == 2


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"text"', b"7", b"\xff\xfe{\x00}\x00", b'{"a": "\xff"}', b"[" * 100_000,
     b'{"a": ' + b"9" * 5000 + b"}", b"a=b"],
)  # fmt: skip
def test_what_is_signed_and_no_json_object_is_refused(served: Served, recorder: Recorder, body: bytes):
    """A sender that knows the secret and sends no JSON object is told so."""
    assert problem(served.deliver(body)) == (400, "the payload is no JSON object")
    assert served.metric(OUTCOME, outcome="rejected") == 1
    assert not recorder.asked


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "text/json", "multipart/form-data; boundary=x", "application/json-patch+json"]
)
def test_other_content_types_are_refused(served: Served, kind: str):
    """GitHub sends JSON and forms, nothing else."""
    assert problem(served.deliver(Content_Type=kind))[0] == 415


def test_parameters_of_a_content_type_do_not_matter(served: Served):
    """A charset behind the type, and the case of its letters, change nothing."""
    assert served.deliver(Content_Type="Application/JSON; charset=utf-8").status == 202


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-GitHub-Delivery", None), ("X-GitHub-Delivery", ""), ("X-GitHub-Delivery", "x" * 65),
        ("X-GitHub-Delivery", "a b"), ("X-GitHub-Delivery", "\u00e9"), ("X-GitHub-Event", None),
        ("X-GitHub-Event", ""), ("X-GitHub-Event", "Pull"), ("X-GitHub-Event", "a" * 65), ("X-GitHub-Event", "../x"),
    ],
)  # fmt: skip
def test_a_delivery_has_its_headers(served: Served, header: str, value: str | None):
    """Without the headers that GitHub sends, or with odd ones, a signed body is no delivery."""
    given = {} if value is None else {header.replace("-", "_"): value}
    answer = served.deliver(without=() if value is not None else (header,), **given)
    assert problem(answer)[0] == 400


def test_a_length_beyond_the_limit_is_refused_unread(served: Served):
    """A body that announces itself as too large is answered 413 before a byte of it was sent."""
    head = f"POST {HOOKS} HTTP/1.1\r\nHost: x\r\nContent-Length: {MAX_BYTES + 1}\r\n\r\n"
    received = served.raw(head.encode())
    assert received.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in received.lower()
    assert served.metric(OUTCOME, outcome="rejected") == 1


def test_a_chunked_body_is_read_to_the_limit_and_no_further(served: Served):
    """Where no length is given the bytes are counted as they come."""
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 1
            yield bytes(1024 * 1024)

    headers = {"X-Hub-Signature-256": sign(SECRET.encode(), b""), "Transfer-Encoding": "chunked"}
    answer = served.request("POST", HOOKS, chunks(), headers, encode_chunked=True)
    assert problem(answer)[0] == 413
    assert sent < 60  # what buffers on the way hold comes on top of the 25 that were read


def test_a_body_of_exactly_the_limit_is_taken(served: Served, recorder: Recorder):
    """GitHub's largest payload gets in."""
    body = b'{"a": "' + b"x" * (MAX_BYTES - 9) + b'"}'
    assert len(body) == MAX_BYTES
    assert served.deliver(body, delivery="d-1").status == 202
    recorder.wait(1)
    assert recorder.deliveries["d-1"].payload == body


def test_a_body_shorter_than_it_says_is_no_delivery(served: Served, recorder: Recorder):
    """A body that is cut off is not taken for a whole one, even where what came is signed."""
    import socket

    body = json.dumps(PULL).encode()
    head = (
        f"POST {HOOKS} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body) + 1}\r\nContent-Type: application/json\r\n"
        f"X-GitHub-Event: pull_request\r\nX-GitHub-Delivery: d-1\r\n"
        f"X-Hub-Signature-256: {sign(SECRET.encode(), body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
        connection.sendall(head.encode() + body)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)
    assert served.deliver(delivery="d-2").status == 202
    assert recorder.wait(1) == ["d-2"]


def test_a_body_that_does_not_come_is_not_waited_for(served: Served, monkeypatch: pytest.MonkeyPatch):
    """Who announces a body and sends none is answered 408 and let go."""
    monkeypatch.setattr(webhooks, "SECONDS", 0.2)
    signature = sign(SECRET.encode(), b"{}")
    head = f"POST {HOOKS} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nX-Hub-Signature-256: {signature}\r\n\r\n{{"
    received = served.raw(head.encode())
    assert received.startswith(b"HTTP/1.1 408 ")


def test_a_disk_that_is_slow_is_not_waited_for_beyond_the_deadline(
    served: Served, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
):
    """GitHub is told that a delivery was not kept as long as it listens; the same one later is known or new."""
    monkeypatch.setattr(webhooks, "SECONDS", 0.5)
    gate = threading.Event()

    def slow(_connection: object) -> None:
        gate.wait(30)

    from sqlalchemy import Engine

    event.listen(Engine, "commit", slow)
    try:
        answer = served.deliver(delivery="d-1")
        assert problem(answer) == (503, "the delivery could not be stored")
        assert answer.headers["retry-after"]
    finally:
        gate.set()
        event.remove(Engine, "commit", slow)
    monkeypatch.setattr(webhooks, "SECONDS", 30.0)
    assert served.deliver(delivery="d-1").status == 202
    assert recorder.wait(1) == ["d-1"]
    assert served.metric("oversight_deliveries_unstored_total") == 1


def test_large_payloads_wait_for_each_other_and_small_ones_pass(tmp_path: Path, recorder: Recorder):
    """Bodies that together exceed the memory for bodies are all kept, one after the other."""
    body = b'{"a": "' + b"x" * (4 * 1024 * 1024) + b'"}'
    with Served(settings_of(tmp_path, memory_megabytes=26), recorder) as served:
        statuses: list[int] = []
        threads = [threading.Thread(target=lambda: statuses.append(served.deliver(body).status)) for _ in range(8)]
        for thread in threads:
            thread.start()
        assert served.deliver(delivery="small").status == 202
        for thread in threads:
            thread.join()
        assert statuses == [202] * 8
        recorder.wait(9)


def test_other_methods_and_paths_are_refused_in_the_same_shape(served: Served):
    """404 and 405 are problems like all others, and the start page is none."""
    assert problem(served.get("/"))[0] == 404
    assert problem(served.get(HOOKS))[0] == 405
    assert problem(served.request("POST", "/nothing"))[0] == 404


def test_what_the_queue_does_not_take_is_offered_again(served: Served, recorder: Recorder):
    """A delivery that the queue refuses holds up no other, and is moved on when the queue takes it."""
    refusals = iter([True, False])

    def refuse(delivery: Delivery) -> None:
        if delivery.id == "d-1" and next(refusals):
            raise RuntimeError("not now")

    recorder.before = refuse
    served.deliver(delivery="d-1")
    served.deliver(delivery="d-2")
    assert recorder.wait(2) == ["d-2", "d-1"]
