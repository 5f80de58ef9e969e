"""What strangers may try: some attempts at once, then one now and then; a link once, whoever is how quick."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight_github.oauth import Identity, OAuth
from oversight_server.errors import Problem
from oversight_server.pages.access.attempts import Attempts
from oversight_server.pages.access.github import GitHubLogin
from oversight_server.pages.access.roles import Everything
from oversight_server.pages.access.tokens import TokenLogin

LIMIT, SECONDS = 5, 60.0


def may(attempts: Attempts, caller: str) -> bool:
    try:
        attempts.check(caller)
    except Problem:
        return False
    return True


@given(st.lists(st.floats(0.0, 30.0), max_size=60))
def test_nobody_gets_more_than_the_limit_and_what_time_gives_back(pauses: list[float]):
    """However the attempts are spread."""
    now = 0.0
    attempts = Attempts(LIMIT, SECONDS, clock=lambda: now)
    made = 0
    for pause in pauses:
        now += pause
        if may(attempts, "a"):
            attempts.failed("a")
            made += 1
        assert made <= LIMIT + now * LIMIT / SECONDS + 1e-6


def test_others_are_not_held_up_and_nobody_for_ever():
    """The answer says how long to wait, and after that there is another attempt."""
    now = 0.0
    attempts = Attempts(LIMIT, SECONDS, clock=lambda: now)
    for _ in range(LIMIT):
        attempts.failed("a")
    assert may(attempts, "b")
    with pytest.raises(Problem) as caught:
        attempts.check("a")
    assert caught.value.status == 429
    now += float(caught.value.headers["Retry-After"])
    assert may(attempts, "a")


def test_a_link_lets_in_one_of_many_at_once():
    """Whoever comes first, in whatever thread."""
    login = TokenLogin("ann")
    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(lambda _: login.admits(login.token), range(50))) == 1


@given(st.text())
def test_a_token_is_itself_alone(given_text: str):
    """Of any text, also where a database or a header could not hold it."""
    assert TokenLogin("ann", "a-token").admits(given_text) == (given_text == "a-token")


class _Nobody(OAuth):
    """A GitHub that says yes to everything."""

    def identity(self, code: str, *, callback: str, verifier: str) -> Identity:  # noqa: ARG002  # as the real one
        return Identity("ann", 1, 1)


@given(st.text(alphabet="ABCxyz012-_", max_size=30))
def test_a_cookie_that_a_browser_has_changed_leads_to_a_page(target: str):
    """Whatever it says of where to go."""
    oauth = _Nobody("Iv1.client", "hush", "https://github.example.com", "https://github.example.com/api/v3")
    login = GitHubLogin(oauth, "https://oversight.example.com", Everything())
    cookie, _ = login.begin("/dashboard")
    assert login.finish(cookie, "c0de")[1] == "/dashboard"
    assert login.finish(f"{cookie.partition('.')[0]}.{target}", "c0de")[1].startswith("/")
