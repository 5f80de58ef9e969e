"""The one module that speaks to Claude, through the `anthropic` package, which is loaded when a client is made.

The package would retry by itself; we do, since it also sends again what may have been obeyed, and waits for as long as
it is told. Here a request is sent again where it was refused for now (429, 503, 529) or never left, and besides that
only where asking twice costs nothing. A message or a batch that got lost is an `UncertainError`: whoever asked looks
before asking again. Waiting follows `retry-after` and ends after `patience` seconds in all.

The key comes from whoever makes the client, and goes into the header of requests to one address: nothing here logs,
redirects are not followed, results are taken from the address we know and not from the one in an answer, and the key is
cut out of whatever the service says before it is repeated.
"""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from oversight.errors import MissingExtraError, UsageError
from oversight.reviewers.claude.replies import Batch, ClaudeError, Reply, Result, UnavailableError, UncertainError

if TYPE_CHECKING:
    import anthropic
    import httpx2

T = TypeVar("T")
Form = TypeVar("Form", bound=BaseModel)

TIMEOUT = 600.0
"""Seconds that one answer may take."""

PATIENCE = 900.0
"""Seconds that one request may wait for its turn, all together."""

_SHOWN = 300  # characters of what the service says
_FIRST, _LONGEST = 1.0, 120.0  # seconds between attempts
_REFUSED_FOR_NOW = frozenset({429, 503, 529})
_LOST = frozenset({408, 409, 500, 502, 504})
_SLUG = re.compile(r"[A-Za-z0-9_-]{1,100}")
_OBJECT = TypeAdapter(dict[str, Any])  # stricter than `json`: what it lets through can be written down as UTF-8


class Client:
    """Messages and batches of one account. A context manager that closes connections; not thread-safe.

    `base_url` None is Anthropic's, or that of ANTHROPIC_BASE_URL. Raises UsageError for a key that cannot be one, and
    MissingExtraError where the package is missing.
    """

    def __init__(
        self,
        key: str,
        *,
        base_url: str | None = None,
        timeout: float = TIMEOUT,
        patience: float = PATIENCE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not (key.isascii() and key.isprintable() and key.strip() == key and key):
            raise UsageError("the key of Claude is not one", mend="set ANTHROPIC_API_KEY to a key of the console")
        self._library = _library()
        self._key = key
        self._patience = patience
        self._sleep = sleep
        http = self._library.DefaultHttpxClient(follow_redirects=False)
        self._service = self._library.Anthropic(
            api_key=key, base_url=base_url, timeout=timeout, max_retries=0, http_client=http, open_telemetry=False
        )

    def __repr__(self) -> str:
        return "Client()"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._service.close()

    def ask(self, params: Mapping[str, Any]) -> Reply:
        """Ask at once. Raises UncertainError where the answer got lost, and ClaudeError."""
        response = self._patiently(partial(self._service.messages.with_raw_response.create, **params), twice=False)
        return self._read(Reply, response.http_response)

    def create_batch(self, requests: Sequence[Mapping[str, Any]]) -> Batch:
        """Hand in requests, each with its `custom_id` and `params`. Raises UncertainError where they may be in all the
        same, and ClaudeError.
        """
        create = self._service.messages.batches.with_raw_response.create
        response = self._patiently(partial(create, requests=requests), twice=False)
        return self._batch(self._json(response.http_response))

    def batch(self, batch_id: str) -> Batch:
        """Look how a batch is doing."""
        retrieve = self._service.messages.batches.with_raw_response.retrieve
        response = self._patiently(partial(retrieve, _slug(batch_id)), twice=True)
        return self._batch(self._json(response.http_response))

    def newest_batch(self) -> str | None:
        """Return the id of the account's newest batch, None where there is none."""
        return next((batch.id for batch in self.batches_since(None)), None)

    def batches_since(self, batch_id: str | None) -> Iterator[Batch]:
        """Yield the account's batches that are newer than this one, newest first; all of them for None."""
        listing = self._service.messages.batches.with_raw_response.list
        after: dict[str, str] = {}
        while True:
            response = self._patiently(partial(listing, limit=100, **after), twice=True)
            page = self._json(response.http_response)
            batches = [self._batch(one) for one in page.get("data", [])]
            for batch in batches:
                if batch.id == batch_id:
                    return
                yield batch
            if not page.get("has_more") or not batches:
                return
            after = {"after_id": batches[-1].id}

    def results(self, batch_id: str) -> list[Result]:
        """Return what became of the requests of a batch that has ended, in any order; a line that cannot be read counts
        as absent.
        """
        from httpx2 import Response

        path = f"/v1/messages/batches/{_slug(batch_id)}/results"
        response = self._patiently(partial(self._service.get, path, cast_to=Response), twice=True)
        return [result for line in response.content.split(b"\n") if (result := _result(line)) is not None]

    def _patiently(self, call: Callable[[], T], *, twice: bool) -> T:
        """Make a request until it is answered; `twice` says that it may be made again after it got lost."""
        waited, attempt = 0.0, 0
        while True:
            try:
                return call()
            except self._library.APIError as error:
                again = self._again(error, twice=twice)
                pause = again + min(_LONGEST, _FIRST * 2**attempt) * random.uniform(0.5, 1.0)  # noqa: S311  # jitter
                if waited + pause > self._patience:
                    raise UnavailableError(
                        f"Claude was out of reach for {waited:.0f} seconds: {self._said(error)}",
                        mend="run it again later: what was answered is kept",
                    ) from None
                self._sleep(pause)
                waited, attempt = waited + pause, attempt + 1

    def _again(self, error: anthropic.APIError, *, twice: bool) -> float:
        """Return how many seconds to wait at least before the next attempt; raise where there must be none."""
        status = error.status_code if isinstance(error, self._library.APIStatusError) else None
        if status in _REFUSED_FOR_NOW and isinstance(error, self._library.APIStatusError):
            return _retry_after(error.response.headers)
        if isinstance(error, self._library.APIConnectionError) and _never_left(error):
            return 0.0
        if status is None or status in _LOST:
            if twice:
                return 0.0
            raise UncertainError(
                f"a request to Claude got lost: {self._said(error)}",
                mend="run it again: what was answered is kept",
            ) from None
        raise ClaudeError(f"Claude refuses: {self._said(error)}", mend=_MENDS.get(status, _MEND)) from None

    def _said(self, error: anthropic.APIError) -> str:
        """Say what the service said, without the key, in case it was repeated to us."""
        body = error.body
        told = body.get("error") if isinstance(body, dict) else None
        message = told.get("message") if isinstance(told, dict) else None
        status = error.status_code if isinstance(error, self._library.APIStatusError) else None
        kind = type(error).__name__ if status is None else str(status)
        text = f"{kind}, {message}" if isinstance(message, str) else kind
        return text.replace(self._key, "[key]")[:_SHOWN]

    def _read(self, form: type[Form], response: httpx2.Response) -> Form:
        try:
            return form.model_validate_json(response.content)
        except ValidationError:
            raise UncertainError("Claude's answer is not of its own form", mend="run it again") from None

    def _json(self, response: httpx2.Response) -> dict[str, Any]:
        try:
            return _OBJECT.validate_json(response.content)
        except ValidationError:
            raise UncertainError("Claude's answer is not of its own form", mend="run it again") from None

    def _batch(self, value: Mapping[str, Any]) -> Batch:
        try:
            counts = value["request_counts"]
            size = sum(int(counts[name]) for name in ("processing", "succeeded", "errored", "canceled", "expired"))
            return Batch(id=_slug(value["id"]), ended=value["processing_status"] == "ended", size=size)
        except (KeyError, TypeError, ValueError) as error:
            raise UncertainError("Claude's answer is not of its own form", mend="run it again") from error


_MEND = "see the message; a newer version may know more"
_MENDS = {
    400: "see the message: the model, or the money of the account",
    401: "set ANTHROPIC_API_KEY to a key that is valid",
    402: "see to the money of the account",
    403: "use a key that may do this",
    404: "check the name of the model",
    413: "report it: a request should never be that large",
}


def structured(form: type[BaseModel]) -> dict[str, Any]:
    """Return what makes the model answer in a form: the value of `output_config.format`."""
    return {"type": "json_schema", "schema": _library().transform_schema(form)}


def _library() -> Any:
    """Load the package. It logs requests with their bodies where the environment asks for it: never ours."""
    try:
        import anthropic
    except ModuleNotFoundError as error:
        raise MissingExtraError("asking Claude", "claude") from error
    for name in ("anthropic", "httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return anthropic


def _slug(batch_id: str) -> str:
    """Return an id that may stand in a path."""
    if not isinstance(batch_id, str) or _SLUG.fullmatch(batch_id) is None:
        raise ValueError("no id of a batch")
    return batch_id


def _retry_after(headers: Mapping[str, str]) -> float:
    try:
        seconds = float(headers.get("retry-after") or 0.0)
    except ValueError:
        return 0.0
    return seconds if 0 <= seconds < float("inf") else 0.0


def _never_left(error: BaseException) -> bool:
    """Whether no connection was made, so that nothing was sent."""
    from httpx2 import ConnectError, ConnectTimeout, PoolTimeout

    return isinstance(error.__cause__, ConnectError | ConnectTimeout | PoolTimeout)


def _result(line: bytes) -> Result | None:
    try:
        value = _OBJECT.validate_json(line)
        outcome = value["result"]
        reply = Reply.model_validate(outcome["message"]) if outcome["type"] == "succeeded" else None
        return Result(custom_id=value["custom_id"], kind=outcome["type"], reply=reply)
    except (ValueError, KeyError, TypeError):
        return None
