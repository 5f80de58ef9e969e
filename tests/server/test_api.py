"""`POST /api/review`: reports for those who may ask, and one shape of refusal for everybody else."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fastapi import Request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oversight_server.children.pool import LostError, NoChildError, Pool
from oversight_server.reviewing import Reviews
from tests.server.app_double import pem
from tests.server.client import Answer
from tests.server.conftest import settings_of
from tests.server.forge import NAME, Forge
from tests.server.recorder import Recorder
from tests.server.thread import Served

TOKEN = "a token of the tests, " + "t" * 20
BEARER = {"Authorization": f"Bearer {TOKEN}"}
DIFF = "--- a/app.py\n+++ b/app.py\n@@ -1 +1 @@\n-verify = True\n+requests.get(x, verify=False)\n"
SCHEMA = json.loads(resources.files("oversight.reports").joinpath("schema.json").read_text(encoding="utf-8"))
SECRET_LOOKING = "NEVER_SHOW_THIS"


@pytest.fixture(scope="module")
def api(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server without an App, with a token and one repository of this machine."""
    from tests.builders import GitRepository

    folder = tmp_path_factory.mktemp("api")
    origin = GitRepository.create(folder / "mine")
    origin.commit("Start", {"a.py": "a = 1\n"})
    origin.commit("Change", {"a.py": "requests.get(x, verify=False)\n"})
    options = {"repositories": {"mine": folder / "mine"}, "megabytes": 1}
    made = settings_of(folder, api_token=TOKEN, model=str(model), api=options)
    with Served(made, Recorder()) as served:
        yield served


def ask(served: Served, body: Any, headers: Mapping[str, str] = BEARER, kind: str = "application/json") -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return served.request("POST", "/api/review", content, {"Content-Type": kind, **headers})


def refused(answer: Answer, status: int) -> dict[str, Any]:
    """The problem, which has the one shape and says how to mend it."""
    assert answer.status == status, answer.content
    assert answer.headers["content-type"] == "application/problem+json"
    said: dict[str, Any] = answer.json
    assert set(said) == {"title", "status", "detail", "mend"}
    assert said["status"] == status
    assert said["mend"]
    return said


def test_a_diff_becomes_a_report(api: Served) -> None:
    """The same JSON as `oversight review` prints, by its own schema."""
    answer = ask(api, {"diff": DIFF})
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    jsonschema.validate(answer.json, SCHEMA)
    assert answer.json["status"] == "scored"
    assert answer.json["flagged"]
    assert answer.json["findings"]


def test_what_cannot_be_scored_is_a_report_as_well(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """With 200, since it is what was asked for; it fails closed by itself."""

    def lost(*_: Any, **__: Any) -> Any:
        raise LostError("the process ended", mend="see why")

    monkeypatch.setattr(Pool, "ask", lost)
    answer = ask(api, {"diff": DIFF})
    assert answer.status == 200
    jsonschema.validate(answer.json, SCHEMA)
    assert (answer.json["status"], answer.json["risk"], answer.json["flagged"]) == ("unscored", None, True)


@pytest.mark.parametrize(
    ("face", "kind"),
    [("json", "application/json"), ("markdown", "text/markdown"), ("sarif", "application/sarif+json")],
)
def test_reports_have_three_faces(api: Served, face: str, kind: str) -> None:
    """Each under its own media type."""
    answer = ask(api, {"diff": DIFF, "format": face, "budget": 42})
    assert answer.status == 200
    assert answer.headers["content-type"].partition(";")[0] == kind
    if face == "json":
        assert answer.json["budget"] == 42
    if face == "sarif":
        assert answer.json["version"] == "2.1.0"


def test_a_listed_repository_is_reviewed_by_its_name(api: Served) -> None:
    """A revision against its parent, or a range; with its history."""
    for wanted in ({"revision": "main"}, {"revision": "HEAD"}, {"range": "HEAD...main"}):
        answer = ask(api, {"repository": "mine", **wanted})
        assert answer.status == 200, answer.content
        jsonschema.validate(answer.json, SCHEMA)
    assert ask(api, {"repository": "mine", "revision": "main"}).json["change"]["repository"] == "mine"
    assert "no commit" in refused(ask(api, {"repository": "mine", "revision": "nowhere"}), 422)["detail"]


def test_nothing_else_of_the_machine_can_be_named(api: Served, tmp_path: Path) -> None:
    """Neither paths nor addresses, nor another's repository: all are answered alike."""
    for name in ("other", "octo/repo", "MINE", "mine.git"):
        assert refused(ask(api, {"repository": name, "revision": "main"}), 404)["detail"].startswith("there is no such")
    odd = (
        "/etc",
        str(tmp_path),
        "../mine",
        "https://example.org/x",
        "file:///etc",
        "a/b/c",
        "",
        "mine\n",
        "mine\0",
        "-x",
    )
    for name in odd:
        answer = ask(api, {"repository": name, "revision": "main"})
        assert answer.status in (404, 422)
        assert str(tmp_path) not in answer.content.decode()
    for revision in (
        "--output=x",
        "HEAD~1",
        "HEAD^",
        "@{1}",
        "a:b",
        "main..topic",
        "a b",
        "",
        "-",
        "main\n",
        "\u0000",
        ":/x",
    ):
        refused(ask(api, {"repository": "mine", "revision": revision}), 422)
    for span in ("main", "..", "..main", "main..", "a....b", "a..b..c", "--x..main", "main..-x", "a..b\n"):
        refused(ask(api, {"repository": "mine", "range": span}), 422)


@pytest.mark.parametrize(
    "body",
    [
        {}, {"diff": None}, {"diff": 1}, {"diff": DIFF, "repository": "mine"}, {"repository": "mine"},
        {"repository": "mine", "revision": "a", "range": "a..b"}, {"revision": "main"},
        {"diff": DIFF, "revision": "main"},
        {"diff": DIFF, "budget": 0}, {"diff": DIFF, "budget": 101}, {"diff": DIFF, "budget": "NaN"},
        {"diff": DIFF, "format": "pickle"}, {"diff": DIFF, SECRET_LOOKING: 1}, {"diff": "@@ " + SECRET_LOOKING}, [], 1,
        "x", None,
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_in_one_line(api: Served, body: Any) -> None:
    """And nothing of it is repeated: it may be code, or a secret in the wrong place."""
    answer = ask(api, body)
    refused(answer, 422)
    assert SECRET_LOOKING not in answer.content.decode()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff", b'{"diff": "\xff"}', b"[" * 100_000, b'{"diff": "\\ud800"}', b"NaN"]
)
def test_what_is_no_json_is_refused(api: Served, content: bytes) -> None:
    """Cut off, wrongly encoded, nested without end."""
    answer = ask(api, content)
    refused(answer, answer.status)
    assert answer.status in (400, 422)


def test_who_may_not_ask_learns_nothing(api: Served, tmp_path: Path) -> None:
    """The same answer for a wrong token and where there is none to know, whatever else is wrong; no body is read."""
    wrong: list[dict[str, str]] = [
        {}, {"Authorization": ""}, {"Authorization": "Bearer"}, {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"}, {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": "Bearer None"},
        {"Authorization": "Bearer \xff"},
    ]  # fmt: skip
    answers = [ask(api, {"diff": DIFF}, headers) for headers in wrong]
    answers += [ask(api, b"x" * 3_000_000, {}), ask(api, b"", {}, "text/plain"), ask(api, {"repository": "mine"}, {})]
    with Served(settings_of(tmp_path), Recorder()) as closed:
        answers += [ask(closed, {"diff": DIFF}, headers) for headers in (BEARER, *wrong)]
    assert {answer.status for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert all(answer.headers["www-authenticate"] == "Bearer" for answer in answers)


def test_bodies_have_a_limit(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Announced or not, and nothing is read beyond it but the piece that goes over it."""
    given: list[int] = []
    stream = Request.stream

    async def counted(self: Request) -> AsyncIterator[bytes]:
        async for piece in stream(self):
            given.append(len(piece))
            yield piece

    def pieces() -> Iterator[bytes]:
        for _ in range(2_000):
            yield b"x" * 10_000

    monkeypatch.setattr(Request, "stream", counted)
    refused(ask(api, {"diff": "x" * 1_100_000}), 413)
    assert given == []
    answer = api.request("POST", "/api/review", pieces(), {"Content-Type": "application/json", **BEARER})
    refused(answer, 413)
    assert answer.headers["connection"] == "close"
    assert sum(given[:-1]) <= 1024 * 1024 < sum(given)
    refused(ask(api, b"diff", kind="text/x-diff"), 415)


def test_no_more_reviews_at_once_than_agreed(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others are told to come again, and when; the places are free again afterwards, also after failures."""
    begun, go_on = threading.Semaphore(0), threading.Event()

    def slow(*_: Any, **__: Any) -> Any:
        begun.release()
        assert go_on.wait(60)
        raise NoChildError("nobody is there", mend="come again")

    answers: list[Answer] = []
    monkeypatch.setattr(Reviews, "diff", slow)
    threads = [threading.Thread(target=lambda: answers.append(ask(api, {"diff": DIFF}))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert begun.acquire(timeout=60)
    busy = ask(api, {"diff": DIFF})
    refused(busy, 429)
    assert int(busy.headers["retry-after"]) > 0
    go_on.set()
    for thread in threads:
        thread.join(60)
    for answer in answers:
        refused(answer, 503)
        assert int(answer.headers["retry-after"]) > 0
    monkeypatch.undo()
    assert ask(api, {"diff": DIFF}).status == 200


def test_reviews_are_counted_and_logged_without_code(api: Served, caplog: pytest.LogCaptureFixture) -> None:
    """How many, how they ended and how long they took."""
    before = api.metric("oversight_reviews_total", outcome="scored") or 0.0
    with caplog.at_level(logging.DEBUG, logger="oversight.server"):
        ask(api, {"diff": DIFF.replace("app.py", f"{SECRET_LOOKING}.py")})
        ask(api, {"diff": SECRET_LOOKING})
    assert api.metric("oversight_reviews_total", outcome="scored") == before + 1
    assert SECRET_LOOKING not in caplog.text
    assert TOKEN not in caplog.text


def test_a_failure_of_ours_is_an_answer_too(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a word of what it was about."""

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError(SECRET_LOOKING)

    monkeypatch.setattr(Reviews, "diff", broken)
    answer = ask(api, {"diff": DIFF})
    refused(answer, 500)
    assert SECRET_LOOKING not in answer.content.decode()


@pytest.fixture
def with_app(forge: Forge, model: Path, pool: Pool) -> Iterator[Served]:
    """A server with an App that is installed on octo/repo."""
    github = {
        "app_id": "12345", "private_key": pem(), "api_url": forge.github.url, "server_url": forge.server.url,
    }  # fmt: skip
    made = settings_of(forge.home, api_token=TOKEN, model=str(model), github=github)
    with Served(made, Recorder()) as served:
        yield served


def test_a_repository_of_the_app_is_reviewed(with_app: Served, forge: Forge) -> None:
    """From its git, by a branch, a tag, a sha or a range of them; others are not to be had."""
    head = forge.origin.git("rev-parse", "topic")
    for wanted in ({"range": "main...topic"}, {"range": f"main..{head}"}, {"revision": "topic"}, {"revision": head}):
        answer = ask(with_app, {"repository": NAME, **wanted})
        assert answer.status == 200, answer.content
        assert answer.json["change"]["head"] == head
        assert answer.json["coverage"]["context"] == "full"
    refused(ask(with_app, {"repository": "octo/other", "revision": "main"}), 404)
    assert "no branch or tag" in refused(ask(with_app, {"repository": NAME, "revision": "nowhere"}), 422)["detail"]
    gone = ask(with_app, {"repository": NAME, "revision": "d" * 40})
    assert (gone.status, gone.json["status"], gone.json["risk"]) == (200, "unscored", None)


@pytest.mark.parametrize(("fault", "status"), [(503, 503), (429, 503), (401, 502), (403, 404), (418, 502)])
def test_github_that_fails_is_told_from_a_repository_that_is_not_there(
    with_app: Served, forge: Forge, fault: int, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Away for now: come again. An App that is not known any more: the operator's, and in the log."""
    monkeypatch.setattr("oversight_github.client.ATTEMPTS", 1)
    forge.github.fail("GET", "/repos/{owner}/{repo}/installation", fault, times=99, message=SECRET_LOOKING)
    answer = ask(with_app, {"repository": NAME, "revision": "main"})
    refused(answer, status)
    assert SECRET_LOOKING not in answer.content.decode()


text = st.text(max_size=60) | st.sampled_from(["mine", "main", "HEAD", "main..main", NAME, DIFF, "json"])
names = st.sampled_from(["diff", "repository", "revision", "range", "budget", "format", "other"])
values = text | st.none() | st.integers() | st.floats() | st.booleans() | st.lists(text, max_size=2)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(names, values, max_size=4))
def test_every_object_gets_a_report_or_a_problem(api: Served, body: dict[str, Any]) -> None:
    """Never a failure of the server, never another shape."""
    answer = ask(api, body)
    if answer.status == 200:
        if answer.headers["content-type"] == "application/json":
            jsonschema.validate(answer.json, SCHEMA)
    else:
        assert answer.status in (400, 404, 422)
        refused(answer, answer.status)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="+-@ \\\nab/0,1", max_size=200).map(lambda text: "--- a/x\n+++ b/x\n" + text))
def test_every_diff_gets_a_report_or_a_problem(api: Served, diff: str) -> None:
    """Also those that are nearly none."""
    answer = ask(api, {"diff": diff})
    assert answer.status in (200, 422)
    if answer.status == 200:
        jsonschema.validate(answer.json, SCHEMA)


def test_the_description_says_all_of_it(api: Served) -> None:
    """Request, answers, who may ask, and examples that hold."""
    document = api.get("/openapi.json").json
    operation = document["paths"]["/api/review"]["post"]
    assert set(operation["responses"]) >= {"200", "400", "401", "404", "413", "415", "422", "429", "503"}
    assert operation["security"] == [{"token": []}]
    assert document["components"]["securitySchemes"]["token"] == {"type": "http", "scheme": "bearer"}
    content = operation["requestBody"]["content"]["application/json"]
    for name, example in content["examples"].items():
        jsonschema.validate(example["value"], content["schema"])
        answer = ask(api, example["value"])
        assert answer.status == (200 if name == "diff" else 404), answer.content
    report = operation["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema.validate(ask(api, {"diff": DIFF}).json, report)
    assert "$ref" not in json.dumps(report)
