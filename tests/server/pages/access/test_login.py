"""Logging in through GitHub: nobody gets in who did not begin it, and nothing but a name is left of it."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

import pytest
from fastapi import Depends
from sqlalchemy import select

from oversight.audit.store.engine import reading
from oversight_server.pages.access import Person, viewer
from oversight_server.tables import sessions
from tests.server.pages.access.conftest import Place
from tests.server.visitor import text_of

SESSION, LOGIN = "__Host-oversight", "__Host-oversight-login"


@pytest.fixture(scope="module", autouse=True)
def page(place: Place) -> None:
    """A page that asks who looks at it."""

    @place.served.app.get("/who")
    def who(person: Annotated[Person, Depends(viewer)]) -> dict[str, str]:
        return {"login": person.login, "via": person.via}


def stored(place: Place) -> list[dict[str, object]]:
    """All that the database holds of sessions."""
    with reading(place.served.app.state.access.sessions.engine) as connection:
        return [dict(row) for row in connection.execute(select(sessions)).mappings()]


def test_the_way_in_and_out(place: Place):
    """Who GitHub names is in, under a key that the database does not have, and out for good with the logout."""
    browser = place.browser()
    answer = place.log_in(browser, path="/login/github?next=/who")
    assert (answer.status, answer.headers["location"]) == (303, "/who")
    assert browser.open("/who").json == {"login": "ann", "via": "github"}
    key = browser.cookies[SESSION]
    (row,) = [row for row in stored(place) if row["key"] == hashlib.sha256(key.encode()).hexdigest()]
    assert (row["login"], row["account"]) == ("ann", place.github.world.user("ann")["id"])
    assert key not in str(stored(place))

    stolen = dict(browser.cookies)
    assert browser.send("/logout").headers["location"] == "/login"
    assert browser.cookies == {}
    thief = place.browser()
    thief.cookies = stolen
    assert thief.open("/who").status == 303


def test_the_cookies_are_for_this_host_alone(place: Place):
    """Over https alone, out of reach of scripts and of forms of other sites, and not to be set by subdomains."""
    browser = place.browser()
    place.log_in(browser)
    for name in (SESSION, LOGIN):
        attributes = set(browser.attributes[name].lower().split("; "))
        assert attributes >= {"httponly", "secure", "samesite=lax", "path=/"}
        assert not any(one.startswith("domain") for one in attributes)


def test_nothing_is_left_of_the_token(place: Place):
    """GitHub has forgotten it, and the database never knew it."""
    place.log_in(place.browser())
    assert place.app.oauth.tokens == {}
    assert "ghu_" not in str(stored(place))


def test_the_address_at_github_asks_for_a_name_and_no_more(place: Place):
    """No scope; state and challenge are new each time, and neither tells what is in the cookie."""
    browser = place.browser()
    answers = [browser.open("/login/github") for _ in range(2)]
    asked = [dict(parse_qsl(urlsplit(answer.headers["location"]).query)) for answer in answers]
    assert "scope" not in asked[0]
    for name in ("state", "code_challenge"):
        assert asked[0][name] != asked[1][name]
        assert asked[1][name] not in browser.cookies[LOGIN]


@pytest.mark.parametrize("state", ["", "&state=", "&state=x", "&state=%00", "&state=%F0%9F%92%A9", "other"], ids=ascii)
def test_a_login_that_was_begun_elsewhere_ends_nowhere(place: Place, state: str):
    """Without the state of this browser GitHub is not even asked; neither is it for a browser that never left."""
    browser, other = place.browser(), place.browser()
    browser.open("/login/github")
    back = place.back(other.open("/login/github").headers["location"])
    code = dict(parse_qsl(urlsplit(back).query))["code"]
    before = len(place.github.calls)
    answer = browser.open(back if state == "other" else f"/login/github/callback?code={code}{state}")
    assert answer.status == 400
    assert place.browser().open(back).status == 400
    assert len(place.github.calls) == before
    assert SESSION not in browser.cookies


def test_a_code_that_is_sent_again_lets_nobody_in(place: Place):
    """Neither from the browser that came with it, nor from one that has copied its cookie beforehand."""
    browser, copy = place.browser(), place.browser()
    back = place.back(browser.open("/login/github").headers["location"])
    copy.cookies = dict(browser.cookies)
    assert browser.open(back).status == 303
    assert LOGIN not in browser.cookies
    assert browser.open(back).status == 400
    assert copy.open(back).status == 403
    assert SESSION not in copy.cookies


def test_who_says_no_stays_out(place: Place):
    """And has to begin anew."""
    browser = place.browser()
    answer = place.log_in(browser, viewer=None)
    assert (answer.status, browser.cookies) == (403, {})
    assert "GitHub was told not to say who you are" in text_of(answer)


def test_who_has_a_role_nowhere_gets_no_session(place: Place):
    """GitHub has a hundred million users."""
    browser, before = place.browser(), len(stored(place))
    assert place.log_in(browser, viewer="stranger").status == 403
    assert (browser.cookies, len(stored(place))) == ({}, before)


def test_a_github_that_is_away_is_no_refusal(place: Place):
    """503: it is worth trying again."""
    browser = place.browser()
    back = place.back(browser.open("/login/github").headers["location"])
    place.github.fail("GET", "/user", 500)
    answer = browser.open(back)
    assert (answer.status, browser.cookies) == (503, {})


def test_the_key_is_a_new_one_with_each_login(place: Place):
    """One that somebody has planted in the browser beforehand opens nothing afterwards, and the old one is over."""
    browser = place.browser()
    planted = browser.cookies[SESSION] = "p" * 43
    place.log_in(browser)
    first = browser.cookies[SESSION]
    place.log_in(browser)
    assert len({planted, first, browser.cookies[SESSION]}) == 3
    for key in (planted, first):
        other = place.browser()
        other.cookies[SESSION] = key
        assert other.open("/who").status == 303


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example.com/", "//evil.example.com", "/\\evil.example.com", "\\/evil.example.com",
        "/%09/evil.example.com", "javascript:alert(1)", "%0d%0aSet-Cookie:%20a=b", "/who%0d%0aX:%20y",
        "/login/github", "/logout", "",
    ],
)  # fmt: skip
def test_a_login_leads_nowhere_else(place: Place, target: str):
    """Not to other sites, not into headers, not in circles."""
    browser = place.browser()
    answer = place.log_in(browser, path=f"/login/github?next={target}")
    assert (answer.status, answer.headers["location"]) == (303, "/queue")
    assert set(browser.cookies) == {SESSION}
    assert browser.open(f"/login?next={target}").headers["location"] == "/queue"


def test_pages_are_at_their_own_address_alone(place: Place):
    """A name of somebody else's that is made to point here shows nothing, whether somebody is logged in or not."""
    browser = place.browser()
    place.log_in(browser)
    for host in ("evil.example.com", f"127.0.0.1:{place.served.port}", "oversight.example.com:8000", "[", "a b", ""):
        browser.host = host
        for path in ("/login", "/login/github", "/login/github/callback", "/who"):
            assert browser.open(path).status in (400, 421), (host, path)


def test_strangers_cannot_have_github_asked_for_ever(place: Place, monkeypatch: pytest.MonkeyPatch):
    """With a state of their own making they may try some codes, and then have to wait."""
    monkeypatch.setattr(place.served.app.state.access.attempts, "_spent", OrderedDict())
    browser = place.browser()
    statuses = []
    for _ in range(40):
        state = dict(parse_qsl(urlsplit(browser.open("/login/github").headers["location"]).query))["state"]
        statuses.append(browser.open(f"/login/github/callback?code=guessed&state={state}"))
    assert {answer.status for answer in statuses[:5]} == {403}
    assert statuses[-1].status == 429
    assert int(statuses[-1].headers["retry-after"]) >= 1


def test_the_log_tells_who_came_in_and_no_secret(place: Place, caplog: pytest.LogCaptureFixture):
    """Names yes; neither codes, states, keys nor tokens."""
    browser = place.browser()
    with caplog.at_level("INFO"):
        place.log_in(browser)
    lines = [str(vars(record)) for record in caplog.records if record.name.startswith("oversight")]
    assert any("ann" in line for line in lines)
    assert not any(secret in line for secret in (*browser.cookies.values(), *place.app.oauth.made) for line in lines)
