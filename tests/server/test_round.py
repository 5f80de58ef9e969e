"""The whole way: a signed delivery, the inbox, the queue, git, a child process, GitHub, and back by a button."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from oversight.audit.store import Store
from tests.github.exchange import Request
from tests.server.app_double import pem
from tests.server.conftest import settings_of
from tests.server.forge import INSTALLATION, NAME, Forge
from tests.server.process import Process
from tests.server.thread import Served

TOKEN = "a token of the tests"
DEAD = "/api/jobs/dead"


@pytest.fixture
def serving(forge: Forge, model: Path) -> Iterator[Served]:
    """A server as its settings make it, with an App on octo/repo."""
    github = {
        "app_id": "12345", "private_key": pem(), "api_url": forge.github.url, "server_url": forge.server.url,
    }  # fmt: skip
    made = settings_of(
        forge.home, api_token=TOKEN, model=str(model), github=github, reviews={"processes": 1}, queue={"attempts": 1}
    )
    with Served(made, None) as served:
        yield served


def wait(true: Callable[[], object]) -> None:
    end = time.monotonic() + 120
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def told(forge: Forge, event: str, who: str = "ann", **more: Any) -> dict[str, Any]:
    """What GitHub sends of something that somebody did."""
    world = forge.github.world
    origin = {"repository": world.about(NAME), "installation": {"id": INSTALLATION}, "sender": world.user(who)}
    return json.loads(json.dumps({**origin, "action": event, **more}))  # type: ignore[no-any-return]


def test_from_a_delivery_to_a_verdict(serving: Served, forge: Forge) -> None:
    """A change that a principle finds something in is flagged, and a person with write access clears it."""
    world = forge.github.world
    world.permissions = {"bob": "write"}
    head = forge.pull().head_sha
    assert serving.deliver(told(forge, "opened", pull_request=world.pulls[7])).status == 202
    wait(lambda: world.comments[7])
    (run,) = world.check_runs
    assert (run["head_sha"], run["conclusion"]) == (head, "neutral")
    pressed = told(forge, "requested_action", "bob", check_run=run, requested_action={"identifier": "safe"})
    assert serving.deliver(pressed, event="check_run").status == 202
    wait(lambda: run["conclusion"] == "success")
    with Store.open(settings_of(forge.home).database) as store:
        (verdict,) = store.record(NAME, 7).verdicts
        assert (verdict.who, verdict.change_id, verdict.shown.flagged) == ("bob", head, True)
        assert store.verify() is None
    assert (len(world.check_runs), len(world.comments[7])) == (1, 1)
    wait(lambda: 'oversight_reviews_total{outcome="scored"} 2.0' in metrics(serving))
    wait(lambda: "oversight_queue_running 0.0" in metrics(serving))
    assert "oversight_queue_dead 0.0" in metrics(serving)


def metrics(serving: Served) -> str:
    return serving.request("GET", "/metrics").content.decode()


def test_what_was_given_up_is_listed_and_tried_again(serving: Served, forge: Forge) -> None:
    """For who has the token; others learn nothing, not even whether there is anything."""
    world = forge.github.world
    forge.pull()
    forge.github.fail("GET", "/repos/{owner}/{repo}/pulls/{pull_number}", 418)
    serving.deliver(told(forge, "opened", pull_request=world.pulls[7]))
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    wait(lambda: serving.request("GET", DEAD, headers=bearer).json)
    (job,) = serving.request("GET", DEAD, headers=bearer).json
    assert (job["kind"], job["repository"], job["number"]) == ("review", NAME, 7)
    assert "418" in job["error"]
    assert serving.request("GET", DEAD).status == 401
    again = f"{DEAD}/retry?{urlencode({'id': job['id']})}"
    assert serving.request("POST", again).status == 401
    assert serving.request("POST", f"{DEAD}/retry?id=review:none", headers=bearer).status == 404
    assert serving.request("POST", again, headers=bearer).status == 202
    wait(lambda: world.comments[7])
    assert serving.request("GET", DEAD, headers=bearer).json == []
    assert serving.request("POST", f"{DEAD}/retry-all").status == 401
    everything = serving.request("POST", f"{DEAD}/retry-all", headers=bearer)
    assert (everything.status, everything.json) == (202, {"retried": 0})


def test_a_stop_waits_for_nobody_for_ever(
    start: Callable[..., Process], forge: Forge, model: Path, tmp_path: Path
) -> None:
    """A job that waits for GitHub when the time is over goes to the next process, which posts it once."""
    key = tmp_path / "app.pem"
    key.write_text(pem())
    variables = {
        "OVERSIGHT_DATA_DIR": str(tmp_path / "data"), "OVERSIGHT_MODEL": str(model),
        "OVERSIGHT_GITHUB__APP_ID": "12345", "OVERSIGHT_GITHUB__PRIVATE_KEY": str(key),
        "OVERSIGHT_GITHUB__API_URL": forge.github.url, "OVERSIGHT_GITHUB__SERVER_URL": forge.server.url,
        "OVERSIGHT_QUEUE__STOP_SECONDS": "1", "OVERSIGHT_REVIEWS__PROCESSES": "1",
    }  # fmt: skip
    world, reached, over = forge.github.world, threading.Event(), threading.Event()
    forge.pull()

    def hold(_: Request) -> None:
        reached.set()
        assert over.wait(120)

    forge.github.checks.append(hold)
    server = start(**variables)
    assert server.deliver(told(forge, "opened", pull_request=world.pulls[7])).status == 202
    assert reached.wait(60)
    assert server.stop() == 0
    over.set()
    forge.github.checks.clear()
    start(**variables)
    wait(lambda: world.comments[7])
    assert (len(world.check_runs), len(world.comments[7])) == (1, 1)
