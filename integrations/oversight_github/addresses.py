"""Addresses of GitHub's interface: which are taken, where a redirection may lead, and names made parts of paths."""

from __future__ import annotations

from urllib.parse import quote

import httpx

from oversight.errors import UsageError

PUBLIC = "https://api.github.com"

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def root(api_url: str) -> httpx.URL:
    """Return the API's root without a slash at its end. Raises UsageError."""
    try:
        url = httpx.URL(api_url.rstrip("/"))
    except httpx.InvalidURL:
        raise UsageError("the API's address cannot be read", mend=f"give it like {PUBLIC}") from None
    if url.userinfo or url.query or url.fragment or not url.host:
        raise UsageError("the API's address is no plain address", mend=f"give it like {PUBLIC}")
    # The one exception is for tests and local proxies: what is on loopback crosses no wire.
    if url.scheme != "https" and not (url.scheme == "http" and url.host in _LOOPBACK):
        raise UsageError("the API's address is not https", mend="a token is never sent in the clear")
    return url


def origin(url: httpx.URL) -> tuple[str, str, int | None]:
    """Return what tells one server from another."""
    return url.scheme, url.host, url.port


def may_follow(request: httpx.Request, following: httpx.Request) -> bool:
    """Return whether a redirection keeps what was asked: the verb, and for everything but GET the host as well."""
    if following.method != request.method:
        return False
    if origin(following.url) == origin(request.url):
        return True
    secure = following.url.scheme == "https" or following.url.host in _LOOPBACK
    return request.method == "GET" and secure


def utf8(text: str) -> str:
    """Return text without the lone surrogates that stand for bytes of a path: an address cannot carry them."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def quoted(part: str | int) -> str:
    """Return a name as one part of a path, slashes included."""
    # A part of dots alone would climb up in the path.
    text = quote(str(part), safe="", errors="surrogateescape")
    return text.replace(".", "%2E") if set(text) == {"."} else text
