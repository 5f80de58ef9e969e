"""The App on GitHub: who it says it is, which tokens it gets for that, and what becomes of them."""

from __future__ import annotations

import json
import logging
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from oversight.errors import ConfigError, OversightError
from oversight_github.client import Forbidden, GitHubError, NotFound, RateLimited, Unavailable
from oversight_server.github_app import MARGIN, PERMISSIONS, READING, GitHubApp, UnknownAppError
from tests.github.double import Double
from tests.github.exchange import Refusal, Reply, Request
from tests.github.routes_app import Installed
from tests.server.app_double import app_of, installed, key, pem

MAKE = "/app/installations/{installation_id}/access_tokens"
REPO = "octo/repo"


@pytest.fixture
def there(github: Double) -> Installed:
    """The App as GitHub knows it."""
    return installed(github)


@pytest.fixture
def app(github: Double, there: Installed) -> GitHubApp:
    """The App as the server has it."""
    return app_of(github, there)


def test_all_clients_of_an_installation_keep_one_pace(github: Double, app: GitHubApp) -> None:
    """GitHub counts its requests together, also those of another repository, or with a token made since."""
    github.world.pull(7)
    for number in range(25):
        rights = READING if number == 0 else PERMISSIONS
        with app.client(77, REPO, rights) as client:
            if number:
                client.post(client.here("issues", 7, "comments"), {"body": str(number)})
    assert len(github.slept) == 4
    app.forget(77)
    with app.client(77, REPO) as client:
        client.post(client.here("issues", 7, "comments"), {"body": "another"})
    assert len(github.slept) == 4


def test_a_token_is_for_one_repository_and_no_more_rights_than_are_needed(
    github: Double, there: Installed, app: GitHubApp
) -> None:
    """GitHub is asked for them, whatever else the App may do."""
    with app.client(77, REPO) as client:
        client.get(client.here())
    (token,) = there.ends
    assert there.repositories[token] == ["repo"]
    assert there.permissions[token] == dict(PERMISSIONS)
    assert "issues" not in there.permissions[token]
    assert app.renewal(77, REPO, READING)(None) != token
    assert list(there.permissions.values())[-1] == dict(READING)


def test_the_jwt_is_one_that_github_takes(github: Double, there: Installed, app: GitHubApp) -> None:
    """RS256, issued a minute ago, ending in less than ten minutes, by the id of the App; nothing else is in it."""
    there.clock = lambda: 1_800_000_000.0
    app.renewal(77, REPO)(None)
    (call,) = [call for call in github.calls if call.template == MAKE]
    token = call.headers["authorization"].removeprefix("Bearer ")
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "typ": "JWT"}
    claims = jwt.decode(
        token, key().public_key(), algorithms=["RS256"], options={"verify_exp": False, "verify_iat": False}
    )
    assert set(claims) == {"iat", "exp", "iss"}
    assert claims["iss"] == "12345"
    assert claims["iat"] == 1_800_000_000 - 60
    assert 0 < claims["exp"] - claims["iat"] < 600


def test_a_token_is_kept_until_shortly_before_its_end(github: Double, there: Installed, app: GitHubApp) -> None:
    """One request makes it for as long as it is good; what a job still has to do is done with a new one."""
    there.lifetime = MARGIN + 60
    with app.client(77, REPO) as client:
        client.get(client.here())
        client.get(client.here())
        assert github.count("POST", MAKE) == 1
    there.lifetime = MARGIN - 60
    with app.client(77, REPO, READING) as client:
        client.get(client.here())
        client.get(client.here())
    assert github.count("POST", MAKE) == 3
    assert there.refused == []


def test_a_token_that_ends_midway_is_replaced_and_the_request_sent_again(
    github: Double, there: Installed, app: GitHubApp
) -> None:
    """A 401 in the middle of a job costs one token, and loses and doubles nothing."""
    github.world.pull(7)
    with app.client(77, REPO) as client:
        client.post(client.here("issues", 7, "comments"), {"body": "one"})
        there.end_all()
        client.post(client.here("issues", 7, "comments"), {"body": "two"})
    assert [comment["body"] for comment in github.world.comments[7]] == ["one", "two"]
    assert len(there.refused) == 1
    assert github.count("POST", MAKE) == 2


def test_a_token_that_is_refused_again_is_an_error(github: Double, there: Installed, app: GitHubApp) -> None:
    """GitHub is asked for one new token, not for one after the other."""
    there.good = lambda _token: False  # type: ignore[method-assign]
    with app.client(77, REPO) as client, pytest.raises(Forbidden, match="Bad credentials"):
        client.get(client.here())
    assert github.count("POST", MAKE) == 2


def test_many_threads_that_need_a_token_make_one(github: Double, there: Installed, app: GitHubApp) -> None:
    """Also where it is refused to all of them at once."""
    renewal = app.renewal(77, REPO)
    with ThreadPoolExecutor(8) as threads:
        (token,) = set(threads.map(lambda _: renewal(None), range(32)))
        assert github.count("POST", MAKE) == 1
        (other,) = set(threads.map(lambda _: renewal(token), range(32)))
    assert other != token
    assert github.count("POST", MAKE) == 2


@pytest.mark.parametrize("off", [-3600.0, -75.0, 0.0, 75.0, 3600.0, 86_400.0 * 30])
def test_a_clock_that_is_wrong_is_made_good(github: Double, there: Installed, off: float) -> None:
    """GitHub's answers tell its time: the refusal of the first JWT is enough to make the second one right."""
    app = GitHubApp("12345", pem(), api_url=github.url, sleep=github.slept.append, clock=lambda: time.time() + off)
    renewal = app.renewal(77, REPO)
    token = renewal(None)
    assert there.good(token)
    made = github.count("POST", MAKE)
    assert made <= 2
    assert renewal(None) == token
    app.renewal(77, REPO, READING)(None)
    assert github.count("POST", MAKE) == made + 1, "what was learned is kept"
    assert github.slept == []


def test_what_an_installation_has_not_granted_is_said(github: Double, there: Installed, app: GitHubApp) -> None:
    """New permissions of an App wait until somebody accepts them: the error says where."""
    there.granted["checks"] = "read"
    with pytest.raises(Forbidden, match="not granted") as caught:
        app.renewal(77, REPO)(None)
    assert "accept" in caught.value.mend
    with pytest.raises(Forbidden, match="not exist"):
        app.renewal(77, "octo/other")(None)


def test_an_installation_is_found_by_its_repository(there: Installed, app: GitHubApp) -> None:
    """And where there is none that is what is said, not that something is wrong."""
    assert app.installation_of(REPO) == 77
    with pytest.raises(NotFound, match="not installed"):
        app.installation_of("octo/other")
    with pytest.raises(NotFound):
        app.renewal(78, REPO)(None)


def test_tokens_of_an_installation_that_is_gone_are_dropped(github: Double, there: Installed, app: GitHubApp) -> None:
    """They would be good for up to an hour more."""
    renewal = app.renewal(77, REPO)
    first = renewal(None)
    app.forget(78)
    assert renewal(None) == first
    app.forget(77)
    assert renewal(None) != first


def test_another_apps_key_is_refused_with_what_to_check(github: Double, there: Installed) -> None:
    """Once, without a storm of retries."""
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    app = GitHubApp(12345, text, api_url=github.url, sleep=github.slept.append)
    with pytest.raises(Forbidden) as caught:
        app.renewal(77, REPO)(None)
    assert "OVERSIGHT_GITHUB__PRIVATE_KEY" in caught.value.mend
    assert github.count("POST", MAKE) == 2


@pytest.mark.parametrize(("status", "words"), [(401, "Bad credentials"), (404, "Integration not found")])
def test_an_app_that_github_does_not_know_is_told_and_not_asked_after_all_the_time(
    github: Double, there: Installed, caplog: pytest.LogCaptureFixture, status: int, words: str
) -> None:
    """GitHub shuts out who goes on; when it was mended, that is told as well."""
    now = [time.time()]
    app = GitHubApp(12345, pem(), api_url=github.url, sleep=github.slept.append, clock=lambda: now[0])
    there.clock = lambda: now[0]
    assert app.problem is None
    github.fail("POST", MAKE, status, message=words, times=2 if status == 401 else 1)
    for _ in range(5):
        with pytest.raises(UnknownAppError, match=words):
            app.renewal(77, REPO)(None)
    assert app.problem is not None
    assert github.count("POST", MAKE) <= 2
    now[0] += 61.0
    assert there.good(app.renewal(77, REPO)(None))
    assert app.problem is None
    told = [record.getMessage() for record in caplog.records if record.name == "oversight.server"]
    assert told == ["GitHub does not know the App", "GitHub knows the App again"][: len(told)]
    assert "GitHub does not know the App" in told


@pytest.mark.parametrize("failure", [500, 503, 429, 0])
def test_github_that_is_down_is_waited_for(github: Double, there: Installed, app: GitHubApp, failure: int) -> None:
    """A token that got lost on the way harms nobody, and is asked for again; in the end it is an error."""
    github.fail("POST", MAKE, failure or 503, times=2, drop=failure == 0)
    assert there.good(app.renewal(77, REPO)(None))
    assert len(github.slept) == 2
    github.fail("POST", MAKE, failure or 503, times=9, drop=failure == 0)
    with pytest.raises((Unavailable, RateLimited)):
        app.renewal(77, REPO, READING)(None)


@pytest.mark.parametrize(
    "answer",
    [
        None, [], {}, {"token": 3, "expires_at": "2026-01-01T00:00:00Z"}, {"token": "x", "expires_at": "soon"},
        {"token": "x", "expires_at": "2026-01-01T00:00:00"}, {"token": "a b", "expires_at": "2099-01-01T00:00:00Z"},
        {"token": "a\r\nX-Evil: 1", "expires_at": "2099-01-01T00:00:00Z"},
    ],
)  # fmt: skip
def test_an_answer_that_is_no_token_is_an_error(
    github: Double, there: Installed, app: GitHubApp, answer: object
) -> None:
    """A proxy's page, or another server: nothing of it is sent on."""
    refusal = Refusal(201, "")
    refusal.reply = Reply(answer, 201)

    def other(call: Request) -> None:
        if call.template == MAKE:
            raise refusal

    github.checks.append(other)
    with app.client(77, REPO) as client, pytest.raises(OversightError) as caught:
        client.get(client.here())
    assert "Evil" not in str(caught.value)


def _pem_of(made: object, **options: object) -> str:
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, **options).decode()  # type: ignore[attr-defined,no-any-return]


WRONG: dict[str, Callable[[], str]] = {
    "empty": lambda: "",
    "no key": lambda: "-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0IHdvcmRz\n-----END RSA PRIVATE KEY-----\n",
    "cut": lambda: pem()[:-200],
    "public": lambda: key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
    "another kind": lambda: _pem_of(ec.generate_private_key(ec.SECP256R1()), encryption_algorithm=NoEncryption()),
    "too short": lambda: _pem_of(
        rsa.generate_private_key(public_exponent=65537, key_size=1024),  # noqa: S505  # that is the point
        encryption_algorithm=NoEncryption(),
    ),
    "encrypted": lambda: _pem_of(key(), encryption_algorithm=BestAvailableEncryption(b"word")),
    "a path": lambda: "/run/secrets/key.pem",
    "surrogates": lambda: "\udcff",
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_key_that_is_none_is_refused_at_the_start(kind: str) -> None:
    """With what to do about it, and without a word of it."""
    text = WRONG[kind]()
    with pytest.raises(ConfigError) as caught:
        GitHubApp("1", text)
    assert "OVERSIGHT_GITHUB__PRIVATE_KEY" in caught.value.mend
    told = "".join(traceback.format_exception(caught.value))
    assert not any(
        line in told for line in text.splitlines() if len(line) > 8 and "BEGIN" not in line and "END" not in line
    )


@pytest.mark.parametrize("app_id", ["", "x y", "12;", "-1", "a" * 50])
def test_an_id_that_is_none_is_refused_at_the_start(app_id: str) -> None:
    """It would be signed, sent and refused."""
    with pytest.raises(ConfigError, match="id"):
        GitHubApp(app_id, pem())


@pytest.mark.parametrize(
    "spelled", [lambda text: text.replace("\n", "\\n"), lambda text: f'"{text}"', lambda t: t + "\n\n"]
)
def test_a_key_may_stand_on_one_line(spelled: Callable[[str], str]) -> None:
    """As in files of variables, which know no line ends, and with the quotes that people put around it."""
    assert "1" in repr(GitHubApp("1", spelled(pem())))


def test_nothing_shows_a_token_or_the_key(
    github: Double, there: Installed, app: GitHubApp, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither logs at their most talkative, nor reprs, nor errors with all that led to them, locals included."""
    caplog.set_level(logging.DEBUG)
    renewal = app.renewal(77, REPO)
    tokens = [renewal(None)]
    errors: list[BaseException] = []
    github.fail("GET", "/repos/{owner}/{repo}", 403, message=f"no leave for {tokens[0]}")
    github.fail("POST", MAKE, 401, message="no", times=9)
    with app.client(77, REPO) as client:
        for ask in (lambda: client.get(client.here()), lambda: renewal(tokens[0])):
            with pytest.raises(GitHubError) as caught:
                ask()
            errors.append(caught.value)
        shown = [repr(client)]
    shown += [repr(app), repr(app._tokens), repr(vars(app)["_tokens"]), caplog.text]
    shown += ["".join(traceback.format_exception(error)) for error in errors]
    sent = [call.headers.get("authorization", "").removeprefix("Bearer ") for call in github.calls]
    secrets = [*tokens, *sent, *pem().splitlines()[1:3]]
    assert not [secret for secret in secrets for text in shown if secret in text]


def test_ghes_is_another_address_and_the_same_words(github: Double, there: Installed, app: GitHubApp) -> None:
    """The double lays its paths out as GHES does; plain http is for this machine alone."""
    assert github.url.endswith("/api/v3")
    assert app.installation_of(REPO) == 77
    with pytest.raises(OversightError, match="https"):
        GitHubApp("1", pem(), api_url="http://github.example.org/api/v3").installation_of(REPO)


def test_a_token_that_hangs_does_not_keep_other_repositories_waiting(
    github: Double, there: Installed, app: GitHubApp
) -> None:
    """Each repository waits for its own token alone."""
    first, second = app.renewal(77, REPO), app.renewal(77, REPO, READING)
    gone_on = threading.Event()
    begun = threading.Event()
    made = app._made

    def slow(scope: object) -> object:
        if dict(scope.permissions) == dict(PERMISSIONS):  # type: ignore[attr-defined]
            begun.set()
            assert gone_on.wait(30)
        return made(scope)  # type: ignore[arg-type]

    app._made = slow  # type: ignore[method-assign,assignment]
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(first, None)
        assert begun.wait(30)
        second(None)
        gone_on.set()
        assert waiting.result(30)


def test_ended_tokens_are_not_kept(there: Installed, app: GitHubApp) -> None:
    """A server that runs for years holds as many tokens as it uses."""
    app.renewal(77, REPO)(None)
    app._tokens = {scope: replace(token, ends=0.0) for scope, token in app._tokens.items()}
    app.renewal(77, REPO, READING)(None)
    assert len(app._tokens) == 1


def test_requests_of_the_app_fit_githubs_description(github: Double, there: Installed, app: GitHubApp) -> None:
    """A misspelled permission would be ignored, and the token would have all of them."""
    app.renewal(77, REPO)(None)
    assert github.broken == []
    (call,) = [call for call in github.calls if call.template == MAKE]
    assert json.loads(json.dumps(call.body)) == {"repositories": ["repo"], "permissions": dict(PERMISSIONS)}
