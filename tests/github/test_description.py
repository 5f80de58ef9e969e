"""What GitHub says of its own interface: every request of the tests fits it, in our reading and in prism's."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import graphql
import httpx
import pytest
from graphql.utilities import find_breaking_changes

from oversight_github.client import Client, GitHubError
from oversight_github.oauth import OAuth
from tests.github import graph
from tests.github.description import GHES, MODULES, OTHERS, PUBLIC, Description, description
from tests.github.double import Double, registered
from tests.github.exchange import Reply, Request
from tests.github.routes_app import Installed, app_of
from tests.needed import needed, needed_program

HEAD = "a" * 40
DIFF = b"diff --git a/x b/x\nindex 1111111..2222222 100644\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
MEND = "npm ci --prefix tests/github"


@pytest.fixture(params=[PUBLIC, GHES])
def known(request: pytest.FixtureRequest) -> Description:
    """What one GitHub says of itself."""
    found = description(request.param)
    needed(found is not None, "@octokit/openapi", mend=MEND)
    assert found is not None
    return found


@pytest.fixture
def full(github: Double) -> Double:
    """A GitHub with one of everything."""
    world = github.world
    world.pull(7, diff=DIFF)
    world.write("heads/main", {"x": b"a\n"})
    world.app = Installed()
    world.compares["main...topic"] = {"merge_base_commit": {"sha": "b" * 40}, "status": "ahead", "files": []}
    return github


def ask_everything(github: Double, api: Client) -> None:
    """One request of every kind that the double answers, as a client of GitHub would send it."""
    here, world = api.here, github.world
    ask_about_the_pull(api)
    ask_about_checks_and_labels(api)
    ask_about_what_is_stored(github, api)
    api.get(here("installation"))
    api.post("/app/installations/77/access_tokens", {"repositories": ["repo"], "permissions": {"contents": "read"}})
    api.get(here())
    list(api.pages(here("pulls"), state="all", sort="updated", direction="desc"))
    list(api.pages(here("commits", HEAD, "pulls")))
    api.get(here("collaborators", "ann", "permission"))
    api.get(here("compare", "main...topic"))
    artifact = world.artifact("verdicts", b"PK")
    list(api.pages(here("actions", "artifacts"), key="artifacts", name="verdicts"))
    api.raw(here("actions", "artifacts", artifact["id"], "zip"), "application/vnd.github+json")
    api.graphql("{ __typename }", {})
    ask_who_somebody_is(github)


def ask_who_somebody_is(github: Double) -> None:
    registered, callback = app_of(github.world).oauth, "https://oversight.example.com/back"
    registered.callback = callback
    oauth = OAuth(registered.client_id, registered.client_secret, server_url=github.host, api_url=github.url)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(b"verifier").digest()).decode().rstrip("=")
    address = oauth.address(callback=callback, state="s", challenge=challenge)
    back = httpx.URL(httpx.get(address, trust_env=False, timeout=60).headers["location"])
    assert oauth.identity(back.params["code"], callback=callback, verifier="verifier").login == "ann"


def ask_about_the_pull(api: Client) -> None:
    here = api.here
    api.get(here("pulls", 7))
    api.raw(here("pulls", 7), "application/vnd.github.diff")
    list(api.pages(here("pulls", 7, "files")))
    list(api.pages(here("pulls", 7, "commits")))
    api.get(here("issues", 7))
    said = api.post(here("issues", 7, "comments"), {"body": "x"})["id"]
    api.get(here("issues", "comments", said))
    api.patch(here("issues", "comments", said), {"body": "y"})
    list(api.pages(here("issues", 7, "comments"), since="2026-01-01T00:00:00Z"))
    list(api.pages(here("issues", "comments"), sort="updated", direction="asc", since="2026-01-01T00:00:00Z"))
    list(api.pages(here("issues", 7, "events")))
    list(api.pages(here("issues"), labels="oversight: safe", state="all", since="2026-01-01T00:00:00Z"))
    api.post(here("issues", "comments", said, "reactions"), {"content": "+1"})
    place = {"path": "x", "line": 2, "side": "RIGHT"}
    first = api.post(here("pulls", 7, "comments"), {"body": "x", "commit_id": HEAD, **place})["id"]
    api.post(here("pulls", 7, "comments"), {"body": "x", "commit_id": HEAD, "path": "x", "subject_type": "file"})
    api.post(here("pulls", 7, "comments", first, "replies"), {"body": "y"})
    api.post(here("pulls", "comments", first, "reactions"), {"content": "confused"})
    api.get(here("pulls", "comments", first))
    api.patch(here("pulls", "comments", first), {"body": "y"})
    list(api.pages(here("pulls", 7, "comments")))
    list(api.pages(here("pulls", "comments"), sort="updated", since="2026-01-01T00:00:00Z"))
    api.post(
        here("pulls", 7, "reviews"),
        {"commit_id": HEAD, "body": "z", "event": "COMMENT", "comments": [{"body": "x", **place}]},
    )
    list(api.pages(here("pulls", 7, "reviews")))
    api.delete(here("pulls", "comments", first))
    api.delete(here("issues", "comments", said))


def ask_about_checks_and_labels(api: Client) -> None:
    here = api.here
    note = {"path": "x", "start_line": 2, "end_line": 2, "annotation_level": "warning", "message": "m", "title": "t"}
    output = {"title": "t", "summary": "s", "text": "x", "annotations": [note]}
    run = api.post(here("check-runs"), {"name": "oversight", "head_sha": HEAD, "status": "in_progress"})["id"]
    done = {"status": "completed", "conclusion": "neutral", "completed_at": "2026-01-01T00:00:00Z", "output": output}
    api.patch(here("check-runs", run), done)
    api.get(here("check-runs", run))
    list(api.pages(here("check-runs", run, "annotations")))
    list(api.pages(here("commits", HEAD, "check-runs"), key="check_runs", check_name="oversight", filter="latest"))
    list(api.pages(here("commits", HEAD, "check-suites"), key="check_suites"))
    api.post(here("labels"), {"name": "risk: high", "color": "d93f0b", "description": "d"})
    api.get(here("labels", "risk: high"))
    list(api.pages(here("labels")))
    api.post(here("issues", 7, "labels"), {"labels": ["risk: high"]})
    list(api.pages(here("issues", 7, "labels")))
    api.delete(here("issues", 7, "labels", "risk: high"))
    api.put(here("issues", 7, "labels"), {"labels": ["a"]})


def ask_about_what_is_stored(github: Double, api: Client) -> None:
    here, world = api.here, github.world
    main = world.refs["heads/main"]
    content = base64.b64encode(b"b\n").decode()
    blob = api.post(here("git", "blobs"), {"content": content, "encoding": "base64"})["sha"]
    api.get(here("git", "blobs", blob))
    entry = {"path": "v.jsonl", "mode": "100644", "type": "blob", "sha": blob}
    tree = api.post(here("git", "trees"), {"base_tree": world.commits[main]["tree"], "tree": [entry]})["sha"]
    api.get(here("git", "trees", tree), recursive="1")
    commit = api.post(here("git", "commits"), {"message": "m", "tree": tree, "parents": [main]})["sha"]
    api.get(here("git", "commits", commit))
    api.get(here("commits", "main"))
    api.post(here("git", "refs"), {"ref": "refs/heads/data", "sha": main})
    api.patch(here("git", "refs", "heads/data"), {"sha": commit, "force": False})
    api.get(here("git", "ref", "heads/data"))
    api.get(here("git", "matching-refs", "heads/"))
    api.get(here("contents", "v.jsonl"), ref="data")
    api.put(here("contents", "new.txt"), {"message": "m", "content": content, "branch": "data"})
    api.delete(here("git", "refs", "heads/data"))


def test_every_path_of_the_double_is_one_of_github_s(known: Description):
    """The double answers nothing that GitHub would not."""
    for method, template in registered():
        assert template in OTHERS or known.operation(method, template)


def test_there_is_a_request_of_every_kind_and_each_fits(full: Double, api: Client):
    """Whoever teaches the double another path shows here how it is asked for."""
    ask_everything(full, api)
    assert {(call.method, call.template) for call in full.calls} == registered()
    assert not full.broken


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda api: api.post(api.here("issues", 7, "comments"), {"bodi": "x"}), "'body' is a required property"),
        (lambda api: api.post(api.here("issues", 7, "comments"), {"body": "x", "y": 1}), "'y' was unexpected"),
        (lambda api: api.post(api.here("issues", 7, "comments"), {"body": None}), "None is not of type 'string'"),
        (lambda api: api.get(api.here("issues", 7, "comments"), sinc="x"), "no parameter sinc"),
        (lambda api: api.get(api.here("issues", 7, "comments"), since="yesterday"), "is not a 'date-time'"),
        (lambda api: api.get(api.here("issues", 7, "comments"), per_page="many"), "'many' is not of type 'integer'"),
        (lambda api: api.get(api.here("pulls"), state="shut"), "'shut' is not one of"),
        (lambda api: api.get(api.here("pulls", "seven")), "'seven' is not of type 'integer'"),
        (lambda api: api.post(api.here("check-runs"), {"name": "x"}), "'head_sha' is a required property"),
        (lambda api: api.post(api.here("check-runs"), _run(conclusion="great")), "'great' is not one of"),
        (lambda api: api.post(api.here("check-runs"), _run(output={"title": "t"})), "'summary' is a required property"),
        (lambda api: api.post(api.here("check-runs"), _run(output=_output("s" * 65_536))), "is too long"),
        (lambda api: api.post(api.here("check-runs"), _run(output=_output("s", notes=51))), "is too long"),
        (lambda api: api.post(api.here("check-runs"), _run(output=_output("s", sev=1))), "'sev' was unexpected"),
        (lambda api: api.put(api.here("issues", 7, "labels"), {"label": ["x"]}), "'label' was unexpected"),
        (lambda api: api.get(api.here("rulesets")), "the double has no route"),
    ],
)
def test_a_request_that_does_not_fit_fails_its_test(full: Double, api: Client, ask: Callable[[Client], Any], says: str):
    """A misspelled field, a wrong type, one too many: GitHub would refuse some of it and drop the rest in silence."""
    needed(description() is not None, "@octokit/openapi", mend=MEND)
    with pytest.raises(GitHubError):
        ask(api)
    assert says in "\n".join(full.broken)
    full.broken.clear()


def _run(**changes: Any) -> dict[str, Any]:
    return {"name": "x", "head_sha": HEAD, "status": "completed", "conclusion": "neutral", **changes}


def _output(summary: str, notes: int = 1, **changes: Any) -> dict[str, Any]:
    note = {"path": "x", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "m", **changes}
    return {"title": "t", "summary": summary, "annotations": [note] * notes}


@pytest.mark.parametrize(
    "reply",
    [Reply([{"id": "seven"}]), Reply([{"user": {"login": 3}}]), Reply({"id": 7}), Reply([], status=202)],
)
def test_the_double_contradicts_github_nowhere(known: Description, reply: Reply):
    """Its answers may be short, but not of another shape."""
    request = Request("GET", "/repos/{owner}/{repo}/issues/{issue_number}/comments", {}, {}, {}, None, "")
    known.check_reply(request, Reply([{"id": 7, "body": "x"}]))
    with pytest.raises(AssertionError):
        known.check_reply(request, reply)


def test_the_double_s_graphql_is_a_part_of_github_s():
    """Every query that the double answers, GitHub would answer with values of the same types."""
    path = MODULES / "@octokit" / "graphql-schema" / "schema.graphql"
    needed(path.exists(), "@octokit/graphql-schema", mend=MEND)
    theirs = graphql.build_schema(path.read_text(encoding="utf-8"), assume_valid=True, no_location=True)
    assert not find_breaking_changes(graph.SCHEMA, theirs)


# The second opinion: prism stands between the client and the double, and lets us know what it thinks of each request.


@pytest.fixture
def prism(full: Double, tmp_path: Path) -> Iterator[str]:
    """The address of a prism that passes requests on to the double."""
    program = MODULES / "@stoplight" / "prism-cli" / "dist" / "index.js"
    node = needed_program("node", mend="install Node 18.20 or newer")
    known = description()
    needed(program.exists() and known is not None, "@stoplight/prism-cli", mend=MEND)
    assert known is not None
    document = tmp_path / "github.json"
    document.write_text(json.dumps(known.part((m, t) for m, t in registered() if t not in OTHERS)))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [node, str(program), "proxy", str(document), full.url, "--port", port, "--host", "127.0.0.1"]
    log = tmp_path / "prism.log"
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            while b"Prism is listening" not in log.read_bytes():
                assert process.poll() is None, log.read_text(encoding="utf-8")
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def objections(http: httpx.Client, method: str, target: str, body: object) -> list[str]:
    """What prism has to say against a request: its header tells that first, and is cut where it gets long."""
    found = http.request(method, target, json=body).headers.get("sl-violations", "")
    return re.findall(r'\{"location":\["request"[^{}]*\}', found)


def test_prism_has_nothing_against_our_requests(full: Double, api: Client, prism: str):
    """Another reading of the same description, by people who do nothing else; it does object where it has to."""
    ask_everything(full, api)
    calls = [call for call in full.calls if call.template not in OTHERS]
    with httpx.Client(base_url=prism, headers={"authorization": "Bearer x"}, timeout=60.0) as http:
        for call in calls:
            assert not objections(http, call.method, call.target, call.body), call
        for path, body in (("pulls/7/reviews", {"event": "SHRUG"}), ("check-runs", {"name": "x"})):
            assert objections(http, "POST", f"/repos/octo/repo/{path}", body)
    full.broken.clear()
