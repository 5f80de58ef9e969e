"""`POST /webhooks/github`: from bytes that anybody may have sent to a delivery that is on disk.

    413   larger than GitHub sends, without reading on           401   not signed with a valid secret
    415   neither JSON nor a form                                 400   no headers of a delivery, or no JSON in it
    408   the body did not come in time                           503   not kept: redeliver it
    202   kept (`accepted`), known already (`duplicate`), or kept as known and leading to nothing (`ignored`)

Before the signature holds, nothing of a body is parsed, stored or logged, and no database is asked: who does not know
the secret costs a digest of what he sends. All of it ends before GitHub stops waiting for an answer.
https://docs.github.com/webhooks/using-webhooks/best-practices-for-using-webhooks
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from oversight.errors import StoreError
from oversight_github.events import MAX_BYTES
from oversight_server import body, signature
from oversight_server.errors import Problem
from oversight_server.handlers import EVENTS
from oversight_server.inbox import Delivery, Inbox, InboxFullError
from oversight_server.logs import bound
from oversight_server.metrics import Metrics
from oversight_server.settings import Settings
from oversight_server.tables import LONGEST_ID

PATH = "/webhooks/github"
SECONDS = 8.0
"""GitHub gives up after ten."""

_QUIET = 1.0  # seconds between two log lines on what was rejected
_LARGE = 256 * 1024  # parsed beside the event loop, which others wait for
_ID = re.compile(rf"[0-9A-Za-z-]{{1,{LONGEST_ID}}}")
_EVENT = re.compile(rf"[a-z_]{{1,{LONGEST_ID}}}")
_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"

_log = logging.getLogger("oversight.server")


class UnstoredError(Problem):
    """A signed delivery is not on disk."""

    def __init__(self) -> None:
        super().__init__(
            503,
            "the delivery could not be stored",
            mend="see the server's log, then redeliver it",
            headers={"Retry-After": "30"},
        )


class Receiver:
    """Answers webhooks."""

    def __init__(self, settings: Settings, inbox: Inbox, metrics: Metrics) -> None:
        self._secrets = settings.secrets
        self._inbox = inbox
        self._metrics = metrics
        self._budget = body.Budget(settings.memory_megabytes * 1024 * 1024)
        self._said = -_QUIET
        self._silent = 0

    async def receive(self, request: Request) -> JSONResponse:
        """Return 202 for a delivery that is on disk. Raises Problem for any other."""
        started = time.monotonic()
        try:
            return await self._received(request, started)
        except UnstoredError:
            self._metrics.unstored()
            raise
        except Problem as problem:
            self._rejected(problem)
            raise

    def _rejected(self, problem: Problem) -> None:
        """Count it, and log one of them a second: strangers cannot fill the disk."""
        self._metrics.delivered("rejected")
        self._silent += 1
        if time.monotonic() - self._said >= _QUIET:
            _log.info("delivery rejected", extra={"fields": {"status": problem.status, "rejected": self._silent}})
            self._said, self._silent = time.monotonic(), 0

    async def _received(self, request: Request, started: float) -> JSONResponse:
        body.refuse_large(request, MAX_BYTES)
        header = request.headers.get(signature.HEADER)
        if header is None or not signature.well_formed(header):
            raise _unsigned(close=True)
        signed = signature.Signature(self._secrets)
        async with body.read(
            request, limit=MAX_BYTES, budget=self._budget, seconds=SECONDS, on_chunk=signed.update
        ) as content:
            if not signed.holds(header):
                raise _unsigned()
            delivery, about = await _delivery(request, content)
            with bound(**about):
                return await self._stored(delivery, started)

    async def _stored(self, delivery: Delivery, started: float) -> JSONResponse:
        wanted = delivery.event in EVENTS
        try:
            async with asyncio.timeout(max(0.0, SECONDS - (time.monotonic() - started))):
                fresh = await self._inbox.put(delivery, wanted=wanted)
        except (StoreError, InboxFullError, TimeoutError) as error:
            _log.error("delivery not stored", extra={"fields": {"error": type(error).__name__}})
            raise UnstoredError from None
        duration = time.monotonic() - started
        status = "duplicate" if not fresh else "accepted" if wanted else "ignored"
        self._metrics.delivered("accepted" if fresh else "duplicate", duration)
        if status == "ignored":
            self._metrics.ignored()
        _log.info("delivery %s", status, extra={"duration": duration, "fields": {"kind": delivery.event}})
        return JSONResponse({"status": status, "delivery": delivery.id}, 202)


def _unsigned(*, close: bool = False) -> Problem:
    return Problem(
        401, "the delivery is not signed with the secret", mend="sign it with the webhook's secret", close=close
    )


async def _delivery(request: Request, content: bytes) -> tuple[Delivery, dict[str, Any]]:
    """Return the delivery of a request whose signature holds, and what log lines say of it."""
    identity, event = request.headers.get("X-GitHub-Delivery", ""), request.headers.get("X-GitHub-Event", "")
    if not _ID.fullmatch(identity) or not _EVENT.fullmatch(event):
        raise Problem(
            400, "X-GitHub-Delivery or X-GitHub-Event is missing or amiss", mend="send the headers that GitHub sends"
        )
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (_JSON, _FORM):
        raise Problem(415, f"the content is neither {_JSON} nor {_FORM}", mend=f"choose {_JSON} for the webhook")
    # At its full size a payload takes a while to parse; the small ones are not worth a thread.
    large = len(content) > _LARGE
    payload, about = await asyncio.to_thread(_parsed, kind, content) if large else _parsed(kind, content)
    return Delivery(identity, event, payload, datetime.now(UTC)), {"delivery": identity, **about}


def _parsed(kind: str, content: bytes) -> tuple[bytes, dict[str, Any]]:
    """Return the JSON of a delivery, and the fields of it that go into the log. Raises Problem."""
    try:
        payload = content if kind == _JSON else _of_form(content)
        found = json.loads(payload.decode("utf-8"))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Problem(400, "the payload is no JSON object", mend="send what GitHub sends")
    repository, pull = found.get("repository"), found.get("pull_request")
    pull = pull if isinstance(pull, dict) else {}
    head = pull.get("head")
    return payload, {
        "repository": _text(repository.get("full_name")) if isinstance(repository, dict) else None,
        "pull": number if isinstance(number := pull.get("number"), int) else None,
        "head": _text(head.get("sha")) if isinstance(head, dict) else None,
    }


def _of_form(content: bytes) -> bytes:
    fields = parse_qs(content.decode("ascii"), strict_parsing=True, max_num_fields=10, errors="strict")
    if len(fields.get("payload", [])) != 1:
        raise ValueError("not one payload")
    return fields["payload"][0].encode("utf-8")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def router(receiver: Receiver) -> APIRouter:
    """Return the route."""
    routes = APIRouter()

    @routes.post(
        PATH,
        status_code=202,
        summary="Receive a webhook of the GitHub App",
        responses={
            status: {"description": description}
            for status, description in (
                (400, "No headers of a delivery, or no JSON"), (401, "Not signed"), (408, "The body came too late"),
                (413, "Too large"), (415, "Neither JSON nor a form"), (503, "Not kept: redeliver it"),
            )
        },
    )  # fmt: skip
    async def receive(request: Request) -> JSONResponse:
        return await receiver.receive(request)

    return routes
