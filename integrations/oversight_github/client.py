"""GitHub's REST and GraphQL interfaces, for one repository: verbs over one request that waits as it is told.

What is sent again: everything that was refused for a rate limit, could not be connected, or met a 503, since nothing
was done; and after any other 5xx or a lost connection GET, PUT, DELETE and GraphQL queries alone, which may be done
twice. A POST or PATCH that got lost may have been obeyed: its caller looks before it tries again.
"""

from __future__ import annotations

import json
import logging
import random
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, Self

import httpx
import tenacity

import oversight
from oversight.errors import UsageError
from oversight.reports.escape import terminal
from oversight_github.addresses import PUBLIC, may_follow, origin, quoted, root, utf8
from oversight_github.errors import (
    LIMITED_PAUSE,
    SHOWN,
    Forbidden,
    GitHubError,
    NotFound,
    RateLimited,
    TooLarge,
    Unavailable,
    Unprocessable,
    failure,
    foreign,
    graphql_failure,
)
from oversight_github.pace import Pace, pace_of

__all__ = [
    "PUBLIC",
    "Client",
    "Forbidden",
    "GitHubError",
    "NotFound",
    "RateLimited",
    "Renewal",
    "TooLarge",
    "Unavailable",
    "Unprocessable",
]

VERSION = "2022-11-28"
ATTEMPTS = 5
HEADERS = {
    "Accept": "application/vnd.github+json",
    "User-Agent": f"oversight-review/{oversight.__version__}",
    "X-GitHub-Api-Version": VERSION,
}
MAX_PAGES = 1_000
MAX_REDIRECTS = 5
MAX_BYTES = 64 * 1024 * 1024
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
# A server that drips one byte now and then never meets the timeout for a read.
ANSWER_SECONDS = 300.0

_TWICE_IS_ONCE = frozenset({"GET", "PUT", "DELETE"})
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_UNAUTHORISED = 401

# Both log addresses and headers, and the address of an archive is as good as a token for a while.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


Renewal = Callable[[str | None], str]
"""Returns a token that is good: called with None before each request, and with one that GitHub has just refused."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: httpx.Headers
    content: bytes
    following: httpx.Request | None
    next_page: str | None


class Client:
    """One repository on one GitHub (github.com or GHES). Not thread-safe; a context manager that closes connections.

    `repository` is "owner/name". `token` None asks as anybody; one that ends before the job does comes as a `Renewal`,
    which is asked once more for a request that met a 401. `api_url` is the API's root, which on GHES ends in
    `/api/v3`. `patience` bounds the seconds that one request spends waiting. `pace` is kept by all clients that GitHub
    counts as one, as those of an installation; where none is given, by those of a token. Proxies and certificates come
    from the environment as httpx reads it (HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE). Raises UsageError for values that
    cannot be.
    """

    def __init__(
        self,
        repository: str,
        token: str | Renewal | None,
        *,
        api_url: str = PUBLIC,
        patience: float = 300.0,
        max_bytes: int = MAX_BYTES,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
        pace: Pace | None = None,
    ) -> None:
        if repository.count("/") != 1 or not all(repository.split("/")):
            raise UsageError(f"{terminal(repository, 100)} is no repository of GitHub", mend="give it as owner/name")
        self.repository = repository
        self.ahead: float | None = None
        """Seconds by which GitHub's clock was ahead of ours at the newest answer, None before the first."""
        self._renewal = token if callable(token) else None
        self._token = None if callable(token) else _usable(token)
        self._root = root(api_url)
        self._max_bytes = max_bytes
        self._clock = clock
        self._sleep = sleep
        self._patience = patience
        self._pace = pace
        self._http = httpx.Client(headers=HEADERS, timeout=TIMEOUT, verify=certificates())
        self._retrying = tenacity.Retrying(
            sleep=sleep,
            retry=tenacity.retry_if_exception(lambda error: isinstance(error, GitHubError) and error.again),
            wait=_pause,
            stop=lambda state: state.attempt_number >= ATTEMPTS or state.idle_for + state.upcoming_sleep > patience,
            reraise=True,
        )

    def __repr__(self) -> str:
        return f"Client({self.repository!r}, api_url={str(self._root)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @property
    def graphql_url(self) -> httpx.URL:
        """GHES has REST at /api/v3 and GraphQL at /api/graphql, github.com both at the root."""
        base = self._root.path.removesuffix("/v3").rstrip("/")
        return self._root.copy_with(path=f"{base}/graphql")

    def here(self, *parts: str | int) -> str:
        """Return the path of something in the repository; each part is quoted, slashes included.

        >>> Client("ann/tools", None).here("contents", "a b/c#.py")
        '/repos/ann/tools/contents/a%20b%2Fc%23.py'
        """
        return "/".join(["/repos", *map(quoted, (*self.repository.split("/"), *parts))])

    def get(self, path: str, /, **params: str | int) -> Any:
        """Return the parsed JSON at `path`, which is below the API's root."""
        return _parsed(self._ask("GET", self._url(path, params)))

    def pages(self, path: str, /, *, key: str | None = None, **params: str | int) -> Iterator[Any]:
        """Yield the items of all pages; `key` names the list where a page is an object. Raises GitHubError."""
        url = self._url(path, {"per_page": 100, **params})
        for _ in range(MAX_PAGES):
            answer = self._ask("GET", url)
            page = _parsed(answer)
            items = page.get(key) if key is not None and isinstance(page, dict) else page
            if not isinstance(items, list):
                raise foreign("a page without a list of items")
            yield from items
            if answer.next_page is None:
                return
            url = self._within(answer.next_page)
        raise foreign(f"more than {MAX_PAGES} pages")

    def raw(self, path: str, accept: str) -> bytes:
        """Return the bytes at `path` in a media type, such as `application/vnd.github.diff`. Raises TooLarge."""
        return self._ask("GET", self._url(path, {}), accept=accept).content

    def post(self, path: str, body: Mapping[str, Any], *, twice: bool = False) -> Any:
        """Send `body` as JSON; the parsed answer, None where it is empty. `twice`: obeyed twice it does no harm."""
        return _parsed(self._ask("POST", self._url(path, {}), body=body, twice=twice))

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """Like `post`, to change what is there."""
        return _parsed(self._ask("PATCH", self._url(path, {}), body=body))

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        """Like `post`, to replace what is there."""
        return _parsed(self._ask("PUT", self._url(path, {}), body=body))

    def delete(self, path: str) -> None:
        """Delete what is there."""
        self._ask("DELETE", self._url(path, {}))

    def graphql(self, query: str, variables: Mapping[str, Any]) -> Any:
        """Return `data` of the answer. Any error in it raises, also where a part of the data came."""
        body = {"query": query, "variables": dict(variables)}
        return self._retrying(self._graphql, body, safe=query.lstrip().startswith(("query", "{")))

    def _graphql(self, body: Mapping[str, Any], *, safe: bool) -> Any:
        answer = self._once("POST", self.graphql_url, None, body, safe=safe)
        said = _parsed(answer)
        if not isinstance(said, dict):
            raise foreign("a GraphQL answer that is no object")
        if errors := said.get("errors"):
            raise graphql_failure(errors, answer.headers, now=self._clock(), mask=self._mask)
        return said.get("data")

    def _url(self, path: str, params: Mapping[str, str | int]) -> httpx.URL:
        if not path.startswith("/") or "?" in path or "#" in path:
            raise ValueError("a path is quoted, begins with a slash and has no query of its own")
        try:
            url = httpx.URL(f"{self._root}{path}")
            return url.copy_merge_params({name: utf8(str(value)) for name, value in params.items()}) if params else url
        except httpx.InvalidURL:
            raise GitHubError("the address would be too long", mend="shorten the name that is in it") from None

    def _within(self, link: str) -> httpx.URL:
        """Return the address of a next page, which is never on another host. Raises GitHubError."""
        try:
            url = self._root.join(link)
        except httpx.InvalidURL:
            raise foreign("a next page without an address") from None
        if origin(url) != origin(self._root):
            raise foreign("a next page on another host")
        return url

    def _ask(
        self,
        method: str,
        url: httpx.URL,
        *,
        accept: str | None = None,
        body: Mapping[str, Any] | None = None,
        twice: bool = False,
    ) -> _Answer:
        return self._retrying(self._once, method, url, accept, body, safe=twice or method in _TWICE_IS_ONCE)

    def _once(
        self, method: str, url: httpx.URL, accept: str | None, body: Mapping[str, Any] | None, *, safe: bool
    ) -> _Answer:
        """Send one request. `safe`: it may be sent again though it may have been obeyed."""
        headers = {} if accept is None else {"Accept": accept}
        content = None if body is None else json.dumps(body, allow_nan=False).encode()
        if content is not None:
            headers["Content-Type"] = "application/json"
        what = f"{method} {terminal(url.path, SHOWN)}"
        if self._renewal is not None:
            self._token = _usable(self._renewal(None))
        self._keep_pace(writes=method != "GET" and not (method == "POST" and safe))
        try:
            answer = self._authorised(method, url, headers, content)
            if answer.status == _UNAUTHORISED and self._renewal is not None:  # which has obeyed nothing
                self._token = _usable(self._renewal(self._token))
                answer = self._authorised(method, url, headers, content)
        except httpx.HTTPError as error:
            # From None: the chain leads to the request, and there is the token.
            raise Unavailable(
                f"{what}: no answer ({type(error).__name__})",
                mend="check the network, the proxy and the API's address",
                again=safe or isinstance(error, _NEVER_SENT),
            ) from None
        if 200 <= answer.status < 300:
            return answer
        raise failure(
            what, answer.status, answer.headers, answer.content, safe=safe, now=self._clock(), mask=self._mask
        )

    def _keep_pace(self, *, writes: bool) -> None:
        pace = self._pace or pace_of(self._token, str(self._root))
        if seconds := pace.take(writes=writes, patience=self._patience):
            self._sleep(seconds)

    def _authorised(self, method: str, url: httpx.URL, headers: Mapping[str, str], content: bytes | None) -> _Answer:
        token = {} if self._token is None else {"Authorization": f"Bearer {self._token}"}
        return self._follow(self._http.build_request(method, url, headers={**headers, **token}, content=content))

    def _follow(self, request: httpx.Request) -> _Answer:
        """Send a request and go where GitHub sends it: httpx takes the token off on the way to another host."""
        for _ in range(MAX_REDIRECTS):
            answer = self._read(request)
            following = answer.following
            if following is None:
                return answer
            if not may_follow(request, following):
                raise foreign("a redirection that is not to be followed")
            request = following
        raise foreign("too many redirections")

    def _read(self, request: httpx.Request) -> _Answer:
        """Return the answer with at most `max_bytes` of content, counted as unpacked."""
        response = self._http.send(request, stream=True)
        try:
            content = bytearray()
            began = time.monotonic()
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > self._max_bytes:
                    raise TooLarge(
                        f"{terminal(request.url.path, SHOWN)}: the answer has more than {self._max_bytes:,} bytes",
                        mend="use a checkout, where git reads it",
                    )
                if time.monotonic() - began > ANSWER_SECONDS:
                    raise httpx.ReadTimeout("the answer does not end", request=request)
        finally:
            response.close()
        self._compare_clocks(response.headers.get("date"))
        next_page = response.links.get("next", {}).get("url")
        return _Answer(response.status_code, response.headers, bytes(content), response.next_request, next_page)

    def _compare_clocks(self, date: str | None) -> None:
        try:
            told = parsedate_to_datetime(date or "")
        except ValueError:
            return
        # The date has lost the fraction of its second, which is half of one on average.
        self.ahead = told.replace(tzinfo=told.tzinfo or UTC).timestamp() + 0.5 - self._clock()

    def _mask(self, text: str) -> str:
        return text if self._token is None else text.replace(self._token, "***")


@cache
def certificates() -> ssl.SSLContext:
    """Read the certificates of the machine once: it takes longer than most requests do."""
    return httpx.create_ssl_context()


def _usable(token: str | None) -> str | None:
    # A line feed in a header's value would end up, token and all, in the message of the refusal.
    if token is not None and not (token and token.isascii() and token.isprintable() and " " not in token):
        raise UsageError("the token is no token of GitHub", mend="check for blanks, line ends and quotes around it")
    return token


def _parsed(answer: _Answer) -> Any:
    if not answer.content:
        return None
    try:
        return json.loads(answer.content)
    except (ValueError, RecursionError):
        raise foreign("something that is no JSON") from None


def _pause(state: tenacity.RetryCallState) -> float:
    """Return the seconds before the next attempt: as GitHub says, else longer each time."""
    error = state.outcome.exception() if state.outcome else None
    doubled = 2.0 ** (state.attempt_number - 1)
    if isinstance(error, RateLimited):
        return error.pause if error.pause is not None else LIMITED_PAUSE * doubled
    if isinstance(error, GitHubError) and error.pause is not None:
        return error.pause
    return doubled + random.uniform(0.0, 1.0)  # noqa: S311  # spreads clients, hides nothing
