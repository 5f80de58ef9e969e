"""Where the pages are: one address, requests of their own pages, and no way out of it."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from fastapi import Request
from hypothesis import example, given
from hypothesis import strategies as st

from oversight_server.errors import Problem
from oversight_server.origins import is_loopback, origin_of
from oversight_server.pages.access.site import HOME, Site, from_here, within

PUBLIC = Site("https://oversight.example.com")
LOCAL = Site()


def request(client: str = "127.0.0.1", server: str = "127.0.0.1", **headers: str) -> Request:
    """A request to port 8000."""
    named = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Request({"type": "http", "client": (client, 5), "server": (server, 8000), "headers": named})


def refused(site: Site, asked: Request) -> int | None:
    """The status that a POST gets, None where it may come in."""
    try:
        site.same(asked)
    except Problem as problem:
        return problem.status
    return None


@given(st.text())
@example("/\t/evil.example.com")
@example("/\\evil.example.com")
@example("///evil.example.com")
@example("/%2f/evil.example.com")
@example("/..//evil.example.com")
@example("/login?next=/login")
@example("/ø")
def test_a_login_leads_to_a_path_of_this_site(target: str):
    """Whatever is asked for: as browsers read it, which take tabs and line ends out and turn backslashes."""
    path = within(target)
    assert path.startswith("/")
    assert path.isascii()
    assert path.isprintable()
    as_read = path.replace("\\", "/")
    assert urlsplit(urljoin("https://oversight.example.com/login", as_read)).netloc == "oversight.example.com"
    assert not path.startswith(("//", "/login", "/logout"))


@pytest.mark.parametrize(
    "target", ["/queue?page=2&only=flagged", "/changes/octo/repo/abc#hunk-3", "/dashboard", "/changes/a%20b/c"]
)
def test_pages_are_led_to_as_they_were_asked_for(target: str):
    """Nothing of the path gets lost on the way through the login."""
    assert within(target) == target


def test_without_a_place_to_go_it_is_the_queue():
    """And for what is too long to be one."""
    assert within(None) == within("/" + "a" * 2_000) == HOME


@pytest.mark.parametrize(
    ("site", "host", "fine"),
    [
        (PUBLIC, "oversight.example.com", True), (PUBLIC, "Oversight.Example.com", True),
        (PUBLIC, "oversight.example.com:8000", False), (PUBLIC, "127.0.0.1:8000", False), (PUBLIC, "", False),
        (LOCAL, "127.0.0.1:8000", True), (LOCAL, "localhost:8000", True), (LOCAL, "[::1]:8000", True),
        (LOCAL, "127.0.0.1", False), (LOCAL, "127.0.0.1:8001", False), (LOCAL, "rebound.example.com:8000", False),
        (LOCAL, "127.0.0.1.example.com:8000", False), (LOCAL, "127.0.0.1:8000@example.com", False), (LOCAL, "", False),
    ],
)  # fmt: skip
def test_the_host_is_the_one_that_is_expected(site: Site, host: str, fine: bool):
    """So a name that somebody points at 127.0.0.1 (DNS rebinding) opens nothing."""
    if fine:
        assert site.origin(request(host=host)).partition("://")[2] == host.lower()
        return
    with pytest.raises(Problem) as caught:
        site.origin(request(host=host))
    assert caught.value.status == 421


@pytest.mark.parametrize(
    ("sent", "fine"),
    [
        ({"origin": "https://oversight.example.com"}, True),
        ({"origin": "https://oversight.example.com", "sec_fetch_site": "same-origin"}, True),
        # Forms of a page that sends no referrer.
        ({"origin": "null", "sec_fetch_site": "same-origin"}, True),
        ({"sec_fetch_site": "same-origin"}, True),
        ({}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://oversight.example.com"}, False),
        ({"origin": "https://evil.example.com"}, False),
        ({"origin": "https://evil.example.com", "sec_fetch_site": "same-origin"}, False),
        ({"origin": "https://oversight.example.com", "sec_fetch_site": "same-site"}, False),
        ({"origin": "https://oversight.example.com", "sec_fetch_site": "cross-site"}, False),
        ({"origin": "null", "sec_fetch_site": "none"}, False),
        ({"sec_fetch_site": "cross-site"}, False),
    ],
)
def test_forms_come_from_pages_of_this_site(sent: dict[str, str], fine: bool):
    """As browsers say where they come from; without a word of that they come from nowhere."""
    assert refused(PUBLIC, request(host="oversight.example.com", **sent)) == (None if fine else 403)


def test_on_loopback_another_port_is_another_site():
    """Whatever else runs on this machine is not to send forms."""
    own = {"host": "127.0.0.1:8000"}
    assert refused(LOCAL, request(**own, origin="http://127.0.0.1:8000")) is None
    assert refused(LOCAL, request(**own, origin="http://127.0.0.1:3000")) == 403
    assert refused(LOCAL, request(**own, origin="http://localhost:8000")) == 403


@pytest.mark.parametrize(
    ("asked", "here"),
    [
        (request(), True), (request("::1", "::1"), True), (request("::ffff:127.0.0.1", "::ffff:127.0.0.1"), True),
        (request("127.5.5.5", "127.0.0.1"), True),
        (request("192.0.2.1"), False), (request("127.0.0.1", "192.0.2.1"), False), (request("172.17.0.1"), False),
        (request("unix", "127.0.0.1"), False), (request("", ""), False),
        (request(x_forwarded_for="127.0.0.1"), False), (request(forwarded="for=127.0.0.1"), False),
        (request(via="1.1 proxy"), False), (request(x_real_ip="127.0.0.1"), False),
    ],
)  # fmt: skip
def test_here_are_both_ends_and_nothing_in_between(asked: Request, here: bool):
    """A proxy on this machine passes on what others send, and mostly says so."""
    assert from_here(asked) is here


def test_a_connection_without_ends_is_not_from_here():
    """As over a socket of the file system, of which nobody says who is at its other end."""
    assert not from_here(Request({"type": "http", "headers": [], "client": None, "server": ("/run/socket", None)}))


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://a.example", "https://a.example"), ("HTTPS://A.example:443/", "https://a.example"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"), ("http://[::1]:80", "http://[::1]"),
        *((wrong, None) for wrong in (
            "a.example", "ftp://a.example", "https://", "https://a.example/pages", "https://me@a.example",
            "https://a.example?x", "https://a.example#x", "https://a.example:99999", "https://ä.example",
            "javascript:x",
        )),
    ],
)  # fmt: skip
def test_an_origin_is_as_browsers_write_it(url: str, origin: str | None):
    """Scheme, name, and the port where it is not the usual one; an address with more in it is none."""
    if origin is not None:
        assert origin_of(url) == origin
        return
    with pytest.raises(ValueError, match=r"."):
        origin_of(url)


@given(st.ip_addresses())
def test_loopback_is_what_no_other_machine_reaches(address: object):
    """By number, however it is written."""
    assert is_loopback(str(address)) == address.is_loopback or ":ffff:" in str(address)  # type: ignore[attr-defined]
