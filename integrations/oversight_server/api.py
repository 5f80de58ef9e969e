"""`POST /api/review`: a diff, or a revision of a known repository, becomes a report, for other tools.

Off without OVERSIGHT_API_TOKEN, and closed to whoever does not bear it: both are answered alike, before a byte of the
body is read. What may be named is a repository that the App is installed on, or one that the operator has listed; no
address and no path can be. Nothing that comes this way is stored.

A report is answered with 200 whatever it says, also `unscored` and `error`: it is what was asked for, it fails closed
by itself (`flagged`, without a risk), and proxies and clients take the content of other answers away, or ask again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from importlib import resources
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Security
from fastapi.responses import Response
from fastapi.security import HTTPBearer
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from oversight.errors import OversightError
from oversight.reports import RiskReport, render
from oversight_github.client import Forbidden, GitHubError, NotFound, RateLimited, Unavailable
from oversight_github.code.wanted import Wanted
from oversight_server import body
from oversight_server.assembly import Assembly
from oversight_server.children.pool import BusyError, NoChildError
from oversight_server.errors import MEDIA_TYPE, Problem
from oversight_server.health import require_token
from oversight_server.metrics import Metrics
from oversight_server.reviewing import How
from oversight_server.settings import Settings

PATH = "/api/review"
SECONDS = 30.0
"""Seconds in which a body has to be there."""

RETRY_AFTER = 5
_UNAUTHORISED = 401
_MEDIA = {"json": "application/json", "markdown": "text/markdown", "sarif": "application/sarif+json"}
# What git takes for a branch or a tag, or a full sha; nothing that it could take for an option or a calculation.
_NAME = re.compile(r"(?!-)(?:(?!\.\.|@\{|//)[^\x00-\x20\x7f~^:?*\[\\]){1,250}")
_REPOSITORY = re.compile(r"[A-Za-z0-9._-]{1,100}(?:/[A-Za-z0-9._-]{1,100})?")

_log = logging.getLogger("oversight.server")


def _fitting(pattern: re.Pattern[str], value: str) -> str:
    if not pattern.fullmatch(value):
        raise ValueError("it is no such name")
    return value


def _named(pattern: re.Pattern[str]) -> tuple[AfterValidator, WithJsonSchema]:
    schema = {"type": "string", "pattern": f"^{pattern.pattern}$"}
    return AfterValidator(lambda value: _fitting(pattern, value)), WithJsonSchema(schema)


Name = Annotated[str, *_named(_NAME)]
Range = Annotated[str, *_named(re.compile(rf"{_NAME.pattern}\.\.\.?{_NAME.pattern}"))]
Repository = Annotated[str, *_named(_REPOSITORY)]


class ReviewRequest(BaseModel):
    """What to review: a diff, or a revision or range of a repository; and how to answer."""

    model_config = ConfigDict(
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_extra={
            "oneOf": [
                {"required": ["diff"]},
                {"required": ["repository", "revision"]},
                {"required": ["repository", "range"]},
            ],
        },
    )

    diff: str | None = Field(default=None, description="A unified diff, as `git diff` writes it.")
    repository: Repository | None = Field(
        default=None, description="`owner/name` where the App is installed, or a name that the operator has listed."
    )
    revision: Name | None = Field(default=None, description="A commit, branch or tag, against its first parent.")
    range: Range | None = Field(
        default=None, description="`A..B` or `A...B`: from the merge base of the two to B, as one change."
    )
    budget: float | None = Field(
        default=None, gt=0, le=100, description="Percentage of changes to flag, whatever the repository says."
    )
    format: Literal["json", "markdown", "sarif"] = Field(default="json", description="How to write the report.")

    @model_validator(mode="after")
    def _one_thing(self) -> ReviewRequest:
        if self.repository is None:
            named = self.diff is not None and self.revision is None and self.range is None
        else:
            named = self.diff is None and (self.revision is None) != (self.range is None)
        if not named:
            raise ValueError("name a diff, or a repository with either a revision or a range")
        return self


class Desk:
    """Answers requests: `concurrency` reviews at once, and no more."""

    def __init__(self, settings: Settings, parts: Assembly, metrics: Metrics) -> None:
        self._settings = settings
        self._parts = parts
        self._metrics = metrics
        self._limit = settings.api.megabytes * 1024 * 1024
        self._budget = body.Budget(settings.api.concurrency * self._limit)
        self._free = settings.api.concurrency
        # Of its own, so that reviews never keep webhooks and probes from their threads.
        self._threads = ThreadPoolExecutor(settings.api.concurrency, thread_name_prefix="api")

    async def answer(self, request: Request) -> Response:
        """Return the report that is asked for. Raises Problem."""
        require_token(request, self._settings)
        body.refuse_large(request, self._limit)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Problem(415, "the content is no application/json", mend="send JSON, and say so", close=True)
        if not self._free:
            raise _busy(close=True)
        self._free -= 1
        try:
            async with body.read(
                request, limit=self._limit, budget=self._budget, seconds=SECONDS, on_chunk=lambda _: None
            ) as content:
                return await asyncio.get_running_loop().run_in_executor(self._threads, self._reviewed, content)
        finally:
            self._free += 1

    def _reviewed(self, content: bytes) -> Response:
        began = time.monotonic()
        wanted = _parsed(content)
        with _as_problems():
            report = self._report(wanted)
        seconds = time.monotonic() - began
        self._metrics.reviewed(report.status.value, seconds)
        _log.info("review through the API", extra={"duration": seconds, "fields": {"status": report.status.value}})
        return Response(render(report, wanted.format), media_type=_MEDIA[wanted.format])

    def _report(self, wanted: ReviewRequest) -> RiskReport:
        reviews, how = self._parts.reviews, How(budget=wanted.budget, patience=SECONDS)
        if wanted.diff is not None:
            return reviews.diff(wanted.diff.encode(), how=how)
        name, span = wanted.repository or "", wanted.range or wanted.revision or ""
        if reviews.knows(name):
            return reviews.of_machine(name, span, how=how)
        if self._parts.app is None or "/" not in name:
            raise _unknown()
        installation = self._parts.app.installation_of(name, patience=SECONDS)
        if wanted.range is None:
            return reviews.of_github(Wanted(span), repository=name, installation=installation, how=how)
        base, head = _sides(span)
        return reviews.of_github(Wanted(head, (base,)), repository=name, installation=installation, how=how)


def _parsed(content: bytes) -> ReviewRequest:
    """Return what is asked for. Raises Problem, which repeats nothing of it."""
    try:
        return ReviewRequest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise Problem(400, "the body is no JSON", mend="send one JSON object") from None
        # Names of fields that are unknown are the caller's, and may be anything.
        known = [str(part) for part in first["loc"] if part in ReviewRequest.model_fields]
        what = f"{'.'.join(known) or 'the request'} is not as it should be"
        raise Problem(422, what, mend="see /openapi.json for what may be asked") from None


@contextmanager
def _as_problems() -> Iterator[None]:
    """Turn what a review raises into answers. What GitHub says may name what the caller may not see."""
    try:
        yield
    except Problem:
        raise
    except BusyError:
        raise _busy() from None
    except NoChildError as error:
        raise _later(error.message) from None
    except NotFound:
        raise _unknown() from None
    except (Unavailable, RateLimited):
        raise _later("GitHub does not answer") from None
    except GitHubError as error:
        if isinstance(error, Forbidden) and error.status != _UNAUTHORISED:
            raise _unknown() from None
        _log.warning("GitHub answered oddly to a request of the API")
        raise Problem(502, "GitHub answered with something else", mend="see the server's log") from None
    except OversightError as error:
        raise Problem(422, error.message, mend=error.mend) from None


def _sides(span: str) -> tuple[str, str]:
    """Return both sides of a range."""
    left, _, right = span.partition("..")
    return left, right.removeprefix(".")


def _busy(*, close: bool = False) -> Problem:
    headers = {"Retry-After": str(RETRY_AFTER)}
    return Problem(429, "all reviewers are busy", mend="try again in a moment", headers=headers, close=close)


def _later(message: str) -> Problem:
    return Problem(503, message, mend="try again in a moment", headers={"Retry-After": str(RETRY_AFTER)})


def _unknown() -> Problem:
    return Problem(
        404, "there is no such repository here", mend="install the App on it, or list it in OVERSIGHT_API__REPOSITORIES"
    )


def router(settings: Settings, parts: Assembly, metrics: Metrics) -> APIRouter:
    """Return the route."""
    routes, desk = APIRouter(), Desk(settings, parts, metrics)

    @routes.post(
        PATH,
        summary="Review a diff, or a revision of a repository",
        description=__doc__,
        response_class=Response,
        # It describes and refuses nothing: who may ask is decided in one place, with one answer.
        dependencies=[Security(HTTPBearer(scheme_name="token", auto_error=False))],
        responses=_responses(),
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {"schema": _plain(ReviewRequest.model_json_schema()), "examples": _EXAMPLES}
                },
            },
        },
    )
    async def review(request: Request) -> Response:
        return await desk.answer(request)

    return routes


_EXAMPLES: dict[str, Any] = {
    "diff": {
        "summary": "A bare diff",
        "value": {"diff": "--- a/app.py\n+++ b/app.py\n@@ -1 +1 @@\n-verify = True\n+verify = False\n"},
    },
    "range": {"summary": "What a branch adds", "value": {"repository": "octo/repo", "range": "main...topic"}},
    "revision": {
        "summary": "One commit, as Markdown",
        "value": {"repository": "octo/repo", "revision": "main", "format": "markdown", "budget": 5},
    },
}
_PROBLEMS = {
    400: "No JSON, or a body that was cut off", 401: "The token is missing or wrong, or there is none",
    404: "No repository that may be asked for", 408: "The body came too late", 413: "Too large",
    415: "Not JSON", 422: "No diff, no such revision, or fields that make no sense",
    429: "All reviewers are busy: see Retry-After", 502: "GitHub answered with something else",
    503: "GitHub or the reviewers are away: see Retry-After",
}  # fmt: skip
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["title", "status", "detail", "mend"],
    "properties": {
        "title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"},
        "mend": {"type": "string", "description": "What to do about it."},
    },
}  # fmt: skip


def _responses() -> dict[int | str, dict[str, Any]]:
    report = {
        "description": "The report, also where it says that the change could not be scored",
        "content": {
            "application/json": {"schema": _report_schema()},
            "text/markdown": {"schema": {"type": "string"}},
            "application/sarif+json": {"schema": {"type": "object"}},
        },
    }
    problems: dict[int | str, dict[str, Any]] = {
        status: {"description": text, "content": {MEDIA_TYPE: {"schema": _PROBLEM}}}
        for status, text in _PROBLEMS.items()
    }
    return {200: report, **problems}


@cache
def _report_schema() -> dict[str, Any]:
    """Return the schema of the JSON report as a part of another document: definitions stand where they are used."""
    text = resources.files("oversight.reports").joinpath("schema.json").read_text(encoding="utf-8")
    return _plain(json.loads(text))


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema without definitions, which only the whole document could have."""
    definitions = schema.get("$defs", {})

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [plain(one) for one in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            return plain(definitions[value["$ref"].removeprefix("#/$defs/")])
        return {name: plain(one) for name, one in value.items()}

    return {name: plain(one) for name, one in schema.items() if name not in ("$defs", "$schema", "$id")}
