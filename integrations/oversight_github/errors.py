"""What GitHub answers where it does not do what was asked, as one tree.

    GitHubError                    an answer that is none of the below; `status` is HTTP's, None where none came
    ├── Forbidden                  401, or 403 that is no rate limit: the token may not do this
    ├── NotFound                   404, 410: not there, or not for this token to see
    ├── Unprocessable              422: understood and refused; `errors` says why
    ├── TooLarge                   what GitHub does not hand out in one answer, and answers above our own limit
    ├── RateLimited                still limited after waiting, or asked to wait for longer than the client's patience
    └── Unavailable                5xx or no answer, after retries where they are safe

Rate limits: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from oversight.errors import OversightError
from oversight.reports.escape import terminal

# What GitHub asks for where it does not say how long: a minute at least, then longer each time.
LIMITED_PAUSE = 60.0
SHOWN = 300

_BUSY = 503
_LIMITS = ("secondary rate limit", "api rate limit exceeded", "abuse detection")


class GitHubError(OversightError):
    """An answer of GitHub that is no success.

    `again`: to ask once more is safe and may help. `pause`: seconds to wait before that, None where GitHub names none.
    """

    def __init__(
        self, message: str, *, mend: str, status: int | None = None, again: bool = False, pause: float | None = None
    ) -> None:
        super().__init__(message, mend=mend)
        self.status = status
        self.again = again
        self.pause = pause


class Forbidden(GitHubError):
    """The token is missing, wrong, or may not do this; in a fork's pull request it never may write."""


class NotFound(GitHubError):
    """Not there, gone, or hidden from this token."""


class Unprocessable(GitHubError):
    """Understood and refused. `errors`: GitHub's reasons, each one escaped line, possibly none."""

    errors: tuple[str, ...] = ()


class TooLarge(GitHubError):
    """More than GitHub hands out in one answer, or more than the client reads."""


class RateLimited(GitHubError):
    """A primary or secondary rate limit that outlasted the patience of the client."""


class Unavailable(GitHubError):
    """GitHub did not answer, or answered with a failure of its own."""


def foreign(what: str) -> GitHubError:
    """Return the error for an answer that GitHub's interface does not know."""
    return GitHubError(f"GitHub answered with {what}", mend="check the API's address and the proxies on the way to it")


def failure(
    what: str,
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    *,
    safe: bool,
    now: float,
    mask: Callable[[str], str],
) -> GitHubError:
    """Return the error for an answer that is no success.

    `what` is the request in a few words; `headers` know their names in lower case; `safe`: the request may be sent
    again though it may have been obeyed; `now` in seconds since 1970; `mask` hides the token.
    """
    said = _object(content)
    message = mask(_text(said.get("message")))
    head = f"{what}: {status} {terminal(message, SHOWN)}".rstrip()
    if status == 429 or (status == 403 and _limited(headers, message)):
        return RateLimited(
            f"{head}: rate limit",
            mend="run again later, or use a token of an App, which may ask more often",
            status=status,
            again=True,
            pause=_pause(headers, now),
        )
    if status >= 500:
        return Unavailable(
            head,
            mend="run again later; see githubstatus.com",
            status=status,
            again=safe or status == _BUSY,
            pause=_seconds(headers, now),
        )
    reasons = tuple(terminal(mask(reason), SHOWN) for reason in _reasons(said.get("errors")))
    if status == 406 or (status in (403, 422) and any("too_large" in reason for reason in reasons)):
        return TooLarge(head, mend="use a checkout, where git reads it", status=status)
    if status == 422:
        error = Unprocessable(
            ": ".join([head, *reasons[:3]]), mend="see what GitHub says of the request", status=status
        )
        error.errors = reasons
        return error
    if status in (401, 403):
        return Forbidden(head, mend=_rights(headers, status), status=status)
    if status in (404, 410):
        return NotFound(head, mend="check the name, and that the token may read it", status=status)
    return GitHubError(head, mend="see what GitHub says of the request", status=status)


def graphql_failure(
    errors: object, headers: Mapping[str, str], *, now: float, mask: Callable[[str], str]
) -> GitHubError:
    """Return the error for the `errors` of a GraphQL answer, by the type of the first."""
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    kind = first.get("type")
    head = f"GraphQL: {terminal(mask(_text(first.get('message'))), SHOWN)}"
    if kind in ("RATE_LIMITED", "RATE_LIMIT"):
        return RateLimited(f"{head}: rate limit", mend="run again later", again=True, pause=_pause(headers, now))
    if kind in ("FORBIDDEN", "INSUFFICIENT_SCOPES"):
        return Forbidden(head, mend="give the token the permission that is missing")
    if kind == "NOT_FOUND":
        return NotFound(head, mend="check the name, and that the token may read it")
    return GitHubError(head, mend="see what GitHub says of the request")


def _object(content: bytes) -> dict[str, Any]:
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _reasons(errors: object) -> list[str]:
    """Return GitHub's `errors`: a list of lines, or of objects with some of resource, field, code and message."""
    lines = []
    for error in errors if isinstance(errors, list) else []:
        fields = error if isinstance(error, dict) else {"message": error}
        lines.append(" ".join(filter(None, (_text(fields.get(k)) for k in ("resource", "field", "code", "message")))))
    return list(filter(None, lines))


def _limited(headers: Mapping[str, str], message: str) -> bool:
    """Return whether a 403 is a rate limit: it looks like a lack of rights but for its headers and its words."""
    if "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0":
        return True
    return any(words in message.lower() for words in _LIMITS)


def _pause(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds to wait for a rate limit, None where GitHub does not say."""
    seconds = _seconds(headers, now)
    if seconds is not None or headers.get("x-ratelimit-remaining") != "0":
        return seconds
    reset = _number(headers.get("x-ratelimit-reset"))
    # A second more, since the reset is a whole one and clocks differ.
    return None if reset is None else max(0.0, reset - now) + 1.0


def _seconds(headers: Mapping[str, str], now: float) -> float | None:
    """Return what `retry-after` says, a number of seconds or a date."""
    value = headers.get("retry-after")
    if value is None or (seconds := _number(value)) is not None:
        return None if value is None else seconds
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _rights(headers: Mapping[str, str], status: int) -> str:
    if status == 401:
        return "check the token: it is wrong or has expired"
    needed = headers.get("x-accepted-github-permissions")
    return f"give the token {terminal(needed, 100)}" if needed else "give the token the permission that is missing"
