"""The pages' own address: which `Host` they answer, where a POST may come from, and where a login may lead.

A name that is made to point at 127.0.0.1 (DNS rebinding) lets a page of others talk to a server on loopback as if it
were their own. The `Host` is then theirs, and is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from oversight_server.errors import Problem
from oversight_server.origins import is_loopback

HOME = "/queue"

_LOCAL = ("127.0.0.1", "localhost", "[::1]")
_LONGEST = 1_000
# Whoever sends one stands between the browser and this server, and is the only one that the server sees.
_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")


@dataclass(frozen=True, slots=True)
class Site:
    """Where the pages are. `url` is their origin, as `origin_of` returns it; None: on loopback alone, at any port."""

    url: str | None = None

    @property
    def secure(self) -> bool:
        """Whether browsers reach it by https."""
        return self.url is not None and self.url.startswith("https:")

    def cookie(self, request: Request) -> str:
        """Return the name of the cookie with the session.

        With `__Host-` browsers take it from this very host alone, and over https alone. Of servers on loopback, whose
        cookies go to all ports alike, each has a name of its own.
        """
        return "__Host-oversight" if self.secure else f"oversight-{_port(request)}"

    def origin(self, request: Request) -> str:
        """Return the origin that a request was sent to. Problem 421 where that is not this site."""
        host = request.headers.get("host", "").lower()
        if self.url is not None:
            if host == self.url.partition("://")[2]:
                return self.url
        elif host in {f"{name}:{_port(request)}" for name in _LOCAL} or (_port(request) == 80 and host in _LOCAL):
            return f"http://{host}"
        raise Problem(421, "the pages are not at this address", mend="open them at the address that they have")

    def same(self, request: Request) -> None:
        """Raise Problem 403 unless a page of this site has sent the request, as browsers tell and no page can forge.

        `Origin` is "null" in forms of pages that send no referrer, as ours; then `Sec-Fetch-Site` has to be there.
        """
        own = self.origin(request)
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
        told = site == "same-origin" and origin in (None, "null")
        if not told and not (origin == own and site in (None, "same-origin")):
            raise Problem(403, "the request comes from another site", mend="reload the page and send it from there")


def from_here(request: Request) -> bool:
    """Whether both ends of the connection are on this machine, and nobody says that they pass on what others sent."""
    ends = (request.scope.get("client"), request.scope.get("server"))
    return all(end is not None and is_loopback(end[0]) for end in ends) and not any(
        name in request.headers for name in _FORWARDED
    )


def within(target: str | None) -> str:
    """Return a path of this site to go on to; `HOME` where `target` is none, or might lead away or back to the login.

    >>> within("/changes/octo/repo/abc?blind=1"), within("//example.com"), within("https://example.com")
    ('/changes/octo/repo/abc?blind=1', '/queue', '/queue')
    """
    if target is None or len(target) > _LONGEST or not target.isascii() or not target.isprintable():
        return HOME
    if not target.startswith("/") or "\\" in target or " " in target:
        return HOME
    # Nothing between two slashes would be the name of another host.
    first = target[1:].partition("/")[0].partition("?")[0].partition("#")[0]
    return HOME if first in ("login", "logout", "") or set(first) == {"."} else target


def _port(request: Request) -> int | None:
    server = request.scope.get("server")
    return server[1] if server is not None else None
