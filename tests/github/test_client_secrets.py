"""Where the client's token goes and where it does not, and how much the client reads of what comes back."""

from __future__ import annotations

import gzip
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from oversight.errors import UsageError
from oversight_github.client import Client, GitHubError, TooLarge, Unavailable
from tests.github.double import TOKEN, Double

PULL = "/repos/{owner}/{repo}/pulls/{pull_number}"
COMMENTS = "/repos/{owner}/{repo}/issues/{issue_number}/comments"
COMMENT = "/repos/{owner}/{repo}/issues/comments/{comment_id}"


@pytest.fixture(autouse=True)
def one_pull(github: Double) -> None:
    """There is pull request 7."""
    github.world.pull(7)


def test_a_redirection_within_the_host_is_followed(github: Double, api: Client):
    """A renamed repository; the token goes along."""
    github.fail("GET", PULL, 301, headers={"location": f"{github.url}/repos/octo/repo/issues/7"})
    assert api.get(api.here("pulls", 7))["number"] == 7
    assert "authorization" in github.calls[-1].headers


def test_a_redirection_to_another_host_loses_the_token(github: Double, api: Client):
    """An archive is on a host that GitHub names; the double refuses a token there."""
    artifact = github.world.artifact("verdicts", b"PK\x05\x06")
    assert api.raw(api.here("actions", "artifacts", artifact["id"], "zip"), "application/json") == b"PK\x05\x06"
    assert "authorization" not in github.calls[-1].headers


@pytest.mark.parametrize("location", ["http://evil.example/x", "https://evil.example:x/", "ftp://evil.example/"])
def test_a_redirection_into_the_clear_is_not_followed(github: Double, api: Client, location: str):
    """Nor one to no address at all."""
    github.fail("GET", PULL, 302, headers={"location": location}, times=9)
    with pytest.raises(GitHubError):
        api.get(api.here("pulls", 7))


def test_a_redirection_in_a_circle_ends(github: Double, api: Client):
    """After a few."""
    github.fail("GET", PULL, 302, headers={"location": f"{github.url}/repos/octo/repo/pulls/7"}, times=99)
    with pytest.raises(GitHubError, match="too many redirections"):
        api.get(api.here("pulls", 7))


def test_what_writes_is_sent_on_only_as_it_is(github: Double, api: Client):
    """307 within the host keeps verb and body; what would turn it into a reading, or leave the host, is refused."""
    github.fail("POST", COMMENTS, 307, headers={"location": f"{github.url}/repos/octo/repo/issues/7/comments"})
    api.post(api.here("issues", 7, "comments"), {"body": "x"})
    assert len(github.world.comments[7]) == 1
    for status, to in ((302, github.url), (307, github.url.replace("127.0.0.1", "localhost"))):
        github.fail("POST", COMMENTS, status, headers={"location": f"{to}/repos/octo/repo/issues/7/comments"})
        with pytest.raises(GitHubError, match="redirection"):
            api.post(api.here("issues", 7, "comments"), {"body": "y"})
    assert len(github.world.comments[7]) == 1


def test_no_error_repr_or_log_shows_the_token(github: Double, api: Client, caplog: pytest.LogCaptureFixture):
    """Not even where GitHub repeats it, and not at any level of logging."""
    caplog.set_level(logging.DEBUG)
    github.fail("GET", PULL, 403, message=f"Bad token {TOKEN}", errors=[f"really: {TOKEN}"])
    github.fail("POST", COMMENTS, 422, message=f"Bad token {TOKEN}", errors=[f"really: {TOKEN}"])
    shown = [repr(api), str(api)]
    for ask in (
        lambda: api.get(api.here("pulls", 7)),
        lambda: api.post(api.here("issues", 7, "comments"), {"body": "x"}),
    ):
        with pytest.raises(GitHubError) as caught:
            ask()
        error: BaseException | None = caught.value
        while error is not None:
            shown += [str(error), repr(error), repr(vars(error))]
            error = error.__cause__
    archive = github.world.artifact("verdicts", b"PK")["id"]
    api.raw(api.here("actions", "artifacts", archive, "zip"), "application/json")
    assert "sig=" not in caplog.text
    assert not [text for text in [*shown, caplog.text] if TOKEN in text]
    assert "***" in shown[2]


@pytest.mark.parametrize("token", ["", "a b", "ghs_x\n", "ghs_\r\nX-Evil: 1", "\tghs_x", "ghs_é", "ghs_\0"])
def test_what_cannot_be_a_token_is_refused_without_being_shown(token: str):
    """In a header it would be shown by the refusal, or begin a header of its own."""
    with pytest.raises(UsageError, match="no token") as caught:
        Client("octo/repo", token)
    assert not token or token not in str(caught.value)


@pytest.mark.parametrize(
    "api_url",
    [
        "http://ghe.example/api/v3",
        "ftp://ghe.example",
        "https://ann:secret@ghe.example",
        "https://",
        "",
        "ghe.example",
        "https://ghe.example/?x=1",
        "https://ghe.example/#x",
        "http://127.0.0.1.evil.example",
        "\x00",
    ],
)
def test_an_address_that_is_none_is_refused(api_url: str):
    """A token is never sent in the clear, and a password in the address would be shown in errors."""
    with pytest.raises(UsageError, match="the API's address") as caught:
        Client("octo/repo", TOKEN, api_url=api_url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("repository", ["", "octo", "octo/", "/repo", "a/b/c", "octo/\x1b[31m/x"])
def test_a_repository_is_owner_and_name(repository: str):
    """Anything else is refused in one escaped line."""
    with pytest.raises(UsageError, match="owner/name") as caught:
        Client(repository, TOKEN)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("part", "quoted"),
    [("a/b", "a%2Fb"), ("..", "%2E%2E"), (".", "%2E"), ("a?b#c", "a%3Fb%23c"), ("é ", "%C3%A9%20"), ("%2F", "%252F")],
)
def test_a_part_of_a_path_stays_one_part(github: Double, api: Client, part: str, quoted: str):
    """A label or a branch of any name neither climbs nor begins a query."""
    assert api.here("labels", part) == f"/repos/octo/repo/labels/{quoted}"
    github.world.label(part)
    assert api.get(api.here("labels", part))["name"] == part


def test_a_lone_surrogate_is_no_part_of_a_path(api: Client):
    """Of a path that is no UTF-8 GitHub knows nothing."""
    assert api.here("contents", "a\udcff") == "/repos/octo/repo/contents/a%FF"


@pytest.mark.parametrize("path", ["repos", "/x?y=1", "/x#y", "https://evil.example/"])
def test_a_path_is_a_path(api: Client, path: str):
    """Addresses and queries made by hand are mistakes of ours."""
    with pytest.raises(ValueError, match="a path is quoted"):
        api.get(path)


def test_more_than_the_limit_is_not_read(github: Double):
    """Counted while reading, whatever the header says."""
    github.world.diffs[7] = b"diff --git a/x b/x\n" + b"#" * 5_000
    api = github.client(max_bytes=1_000)
    with pytest.raises(TooLarge, match="more than 1,000 bytes"):
        api.raw(api.here("pulls", 7), "application/vnd.github.diff")


@pytest.fixture
def serve() -> Iterator[Any]:
    """A server that answers everything with the same raw bytes; gives its address."""
    servers = []

    def start(headers: dict[str, str], content: bytes) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_limit_counts_what_is_unpacked(serve: Any):
    """A small answer that unpacks to a large one."""
    bomb = gzip.compress(b" " * 10_000_000)
    url = serve({"content-encoding": "gzip", "content-length": str(len(bomb))}, bomb)
    with Client("octo/repo", TOKEN, api_url=url, max_bytes=100_000) as api, pytest.raises(TooLarge):
        api.get("/x")


def test_an_answer_that_is_cut_off_is_none(serve: Any):
    """Half a page of comments would be taken for all of them."""
    slept: list[float] = []
    url = serve({"content-length": "100"}, b"[]")
    with Client("octo/repo", TOKEN, api_url=url, sleep=slept.append) as api, pytest.raises(Unavailable):
        api.get("/x")
    assert len(slept) == 4


def test_an_answer_that_cannot_be_unpacked_is_none(serve: Any):
    """Damaged on the way."""
    url = serve({"content-encoding": "gzip", "content-length": "9"}, b"not gzip!")
    with Client("octo/repo", TOKEN, api_url=url, sleep=lambda _: None) as api, pytest.raises(Unavailable):
        api.get("/x")


def test_a_server_that_drips_is_left(serve: Any, monkeypatch: pytest.MonkeyPatch):
    """Each byte is in time; the whole is not."""
    monkeypatch.setattr("oversight_github.client.ANSWER_SECONDS", -1.0)
    url = serve({"content-length": "2"}, b"[]")
    with Client("octo/repo", TOKEN, api_url=url, sleep=lambda _: None) as api, pytest.raises(Unavailable):
        api.get("/x")


def test_requests_go_through_the_proxy_of_the_environment(serve: Any, monkeypatch: pytest.MonkeyPatch):
    """As runners in companies have it; what is named in NO_PROXY does not."""
    monkeypatch.setenv("HTTP_PROXY", serve({"content-length": "6"}, b'"here"'))
    monkeypatch.setenv("NO_PROXY", "")
    with Client("octo/repo", TOKEN, api_url="http://localhost:1") as api:
        assert api.get("/x") == "here"
    monkeypatch.setenv("NO_PROXY", "localhost")
    with (
        Client("octo/repo", TOKEN, api_url="http://localhost:1", sleep=lambda _: None) as api,
        pytest.raises(Unavailable),
    ):
        api.get("/x")
