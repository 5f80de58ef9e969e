"""Who somebody is: a code and its verifier become a name, once, and nothing else is left of it."""

from __future__ import annotations

import base64
import hashlib
import traceback
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from oversight.errors import UsageError
from oversight_github.client import Forbidden, GitHubError, Unavailable
from oversight_github.oauth import OAuth
from tests.github.double import Double, Fault
from tests.github.exchange import Reply
from tests.github.routes_app import Installed, Registered, install

CALLBACK = "https://oversight.example.com/login/github/callback"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
EXCHANGE = "/login/oauth/access_token"


@pytest.fixture
def registered(github: Double) -> Registered:
    """The App as people log in by it; ann may write in the repository."""
    found = install(github, Installed()).oauth
    found.callback = CALLBACK
    github.world.permissions["ann"] = "write"
    return found


@pytest.fixture
def oauth(github: Double, registered: Registered) -> OAuth:
    return OAuth(registered.client_id, registered.client_secret, server_url=github.host, api_url=github.url)


def code_of(oauth: OAuth) -> str:
    """What somebody's browser brings back from GitHub."""
    address = oauth.address(callback=CALLBACK, state="s", challenge=CHALLENGE)
    back = httpx.get(address, trust_env=False, timeout=60).headers["location"]
    assert back.startswith(CALLBACK)
    return dict(parse_qsl(urlsplit(back).query))["code"]


def test_a_code_becomes_a_name_and_the_token_is_gone(github: Double, registered: Registered, oauth: OAuth):
    """GitHub tells who it is and in how much of the App's they have a part; then it forgets the token."""
    who = oauth.identity(code_of(oauth), callback=CALLBACK, verifier=VERIFIER)
    assert (who.login, who.account, who.installations) == ("ann", github.world.user("ann")["id"], 1)
    assert registered.tokens == {}


def test_of_who_has_a_role_in_nothing_that_is_known(registered: Registered, oauth: OAuth):
    """That all the world may read a repository does not make it theirs."""
    registered.viewer = "stranger"
    assert oauth.identity(code_of(oauth), callback=CALLBACK, verifier=VERIFIER).installations == 0


@pytest.mark.parametrize(
    "spoilt", [{"verifier": "w" * 43}, {"callback": "https://evil.example.com/"}, {"code": "f" * 20}], ids=str
)
def test_a_code_is_good_for_who_began_alone(registered: Registered, oauth: OAuth, spoilt: dict[str, str]):
    """With another verifier, another address to lead back to, or guessed, it opens nothing."""
    code = code_of(oauth)
    with pytest.raises(Forbidden):
        oauth.identity(spoilt.get("code", code), callback=spoilt.get("callback", CALLBACK),
                       verifier=spoilt.get("verifier", VERIFIER))  # fmt: skip
    assert registered.tokens == {}


def test_a_code_is_good_once(oauth: OAuth):
    """Whoever sends it again is refused."""
    code = code_of(oauth)
    oauth.identity(code, callback=CALLBACK, verifier=VERIFIER)
    with pytest.raises(Forbidden, match="bad_verification_code"):
        oauth.identity(code, callback=CALLBACK, verifier=VERIFIER)


@pytest.mark.parametrize(
    ("template", "reply"),
    [
        (EXCHANGE, Reply(b"no JSON")),
        (EXCHANGE, Reply(["a"])),
        (EXCHANGE, Reply({})),
        (EXCHANGE, Reply({"access_token": "two words"})),
        (EXCHANGE, Reply({"access_token": "ghu_\r\nX: y"})),
        (EXCHANGE, Reply({"error": "\x1b[31m" + "x" * 10_000})),
        (EXCHANGE, Reply(b"[" * 100_000)),
        (EXCHANGE, Reply(b" " * (1 << 20) + b"{}")),
        (EXCHANGE, Reply(None, 302, {"location": "/elsewhere"})),
        (EXCHANGE, Reply({"message": "secrets: {secret}"}, 500)),
        ("/user", Reply({"login": "ann"})),
        ("/user", Reply({"login": "", "id": 1})),
        ("/user", Reply({"login": "ann", "id": True})),
        ("/user", Reply({"message": "Bad credentials"}, 401)),
        ("/user/installations", Reply({"installations": []})),
    ],
)
def test_answers_that_are_none_let_nobody_in(
    github: Double, registered: Registered, oauth: OAuth, template: str, reply: Reply
):
    """One line says what is wrong, without the client's secret and without a token, which is gone all the same."""
    code = code_of(oauth)
    github.faults.append(Fault("*", template, reply, 1))
    with pytest.raises(GitHubError) as caught:
        oauth.identity(code, callback=CALLBACK, verifier=VERIFIER)
    told = "".join(traceback.format_exception(caught.value))
    assert registered.client_secret not in told
    assert "ghu_" not in told
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 1_000
    assert template != "/user" or registered.tokens == {}


def test_a_github_that_is_away_is_told_apart(github: Double, oauth: OAuth):
    """It may answer the next time."""
    code = code_of(oauth)
    github.fail("POST", EXCHANGE, drop=True)
    with pytest.raises(Unavailable):
        oauth.identity(code, callback=CALLBACK, verifier=VERIFIER)


def test_a_token_that_cannot_be_revoked_is_let_go(github: Double, oauth: OAuth):
    """It ends by itself, and nobody has kept it."""
    github.fail("DELETE", "/applications/{client_id}/token", 500)
    assert oauth.identity(code_of(oauth), callback=CALLBACK, verifier=VERIFIER).login == "ann"


@pytest.mark.parametrize("name", ["server_url", "api_url"])
def test_secrets_go_nowhere_in_the_clear(name: str):
    """An address without https is refused before anything is sent; no `repr` shows the secret."""
    good = {"server_url": "https://github.example.com", "api_url": "https://github.example.com/api/v3"}
    assert "hush" not in repr(OAuth("Iv1.client", "hush", **good))
    with pytest.raises(UsageError):
        OAuth("Iv1.client", "hush", **{**good, name: "http://github.example.com"})


def test_on_ghes_the_pages_are_on_the_server():
    """The browser goes to the server's own name, not to its interface."""
    oauth = OAuth("Iv1.client", "hush", server_url="https://ghes.test", api_url="https://ghes.test/api/v3")
    address = oauth.address(callback=CALLBACK, state="s", challenge=CHALLENGE)
    assert address.startswith("https://ghes.test/login/oauth/authorize?client_id=Iv1.client&")
    assert "hush" not in address
