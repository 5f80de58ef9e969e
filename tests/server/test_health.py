"""How the server is: for those who look after it, and for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import create_engine, text

from oversight_server import health
from oversight_server.github_app import GitHubApp, UnknownAppError
from oversight_server.metrics import Metrics
from oversight_server.settings import Settings
from tests.server.app_double import pem
from tests.server.conftest import settings_of
from tests.server.process import Process
from tests.server.recorder import Recorder
from tests.server.thread import Served

TOKEN = "a token of the tests"


@pytest.fixture(autouse=True)
def always_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked twice is looked at twice."""
    monkeypatch.setattr(health, "_FRESH", 0.0)


def fatal(found: Any) -> list[str]:
    """What keeps a server from working at all."""
    return [one["what"] for one in found["missing"] if one["fatal"]]


def test_a_server_that_answers_is_alive(served: Served):
    """Liveness says nothing but that."""
    answer = served.get("/healthz")
    assert (answer.status, answer.json) == (200, {"status": "alive"})


def test_the_secret_alone_makes_a_limited_server(served: Served):
    """What is missing for full work is listed, each with what to do about it, and nothing of it is fatal."""
    answer = served.get("/readyz")
    assert (answer.status, answer.json["status"]) == (200, "limited")
    assert [one["mend"] for one in answer.json["missing"]] == [
        "set OVERSIGHT_GITHUB__APP_ID",
        "set OVERSIGHT_GITHUB__PRIVATE_KEY",
        "set OVERSIGHT_API_TOKEN",
    ]
    assert fatal(answer.json) == []


def test_with_everything_set_it_is_ready(tmp_path: Path, recorder: Recorder):
    """A server that lacks nothing says so."""
    github = {"app_id": "7", "private_key": pem()}
    with Served(settings_of(tmp_path, api_token=TOKEN, github=github), recorder) as served:
        answer = served.get("/readyz")
    assert (answer.status, answer.json) == (200, {"status": "ready", "missing": []})


def test_an_app_that_github_does_not_know_is_told(tmp_path: Path, recorder: Recorder, monkeypatch: pytest.MonkeyPatch):
    """With what to check. Deliveries are kept meanwhile, so that nobody has to turn them away."""
    monkeypatch.setattr(GitHubApp, "problem", UnknownAppError("401 A JSON web token could not be decoded"))
    github = {"app_id": "7", "private_key": pem()}
    with Served(settings_of(tmp_path, api_token=TOKEN, github=github), recorder) as served:
        answer = served.get("/readyz")
    assert (answer.status, answer.json["status"]) == (200, "limited")
    (missing,) = answer.json["missing"]
    assert missing["what"] == "the GitHub App: 401 A JSON web token could not be decoded"
    assert "OVERSIGHT_GITHUB__PRIVATE_KEY" in missing["mend"]


def test_a_queue_that_died_is_fatal(served: Served, recorder: Recorder):
    """Deliveries that nobody works on are worth an alarm."""
    recorder.alive = False
    answer = served.get("/readyz")
    assert (answer.status, answer.json["status"]) == (503, "unavailable")
    assert fatal(answer.json) == ["the queue does not run"]


def test_a_damaged_model_is_fatal(tmp_path: Path, recorder: Recorder):
    """A model of which a byte is wrong reviews nothing, and its path is not told."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "manifest.json").write_text("{")
    with Served(settings_of(tmp_path, model=str(tmp_path / "model")), recorder) as served:
        answer = served.get("/readyz")
    assert answer.status == 503
    assert fatal(answer.json)[0].startswith("model: ")
    assert str(tmp_path) not in answer.content.decode()


def test_a_model_in_the_shadow_is_fatal(tmp_path: Path, shadow: Path, recorder: Recorder):
    """It flags nothing, so that no review can come of it; the way out of the shadow is told."""
    with Served(settings_of(tmp_path, model=str(shadow)), recorder) as served:
        answer = served.get("/readyz")
    assert answer.status == 503
    assert any("oversight research adopt" in one["mend"] for one in answer.json["missing"] if one["fatal"])


def test_tables_of_another_version_are_fatal(served: Served, settings: Settings):
    """A newer server may have changed the tables under this one."""
    engine = create_engine(settings.database)
    with engine.begin() as connection:
        connection.execute(text("UPDATE server_version SET version_num = '9999'"))
    engine.dispose()
    answer = served.get("/readyz")
    assert answer.status == 503
    assert fatal(answer.json) == ["database: its tables are those of another version"]


def test_deliveries_that_are_not_moved_on_are_fatal(
    served: Served, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
):
    """A delivery that waits for minutes has met something that does not mend itself."""
    monkeypatch.setattr(health, "_OLDEST", 0.0)

    def refuse(_: object) -> None:
        raise RuntimeError("never")

    recorder.before = refuse
    served.deliver()
    assert fatal(served.get("/readyz").json) == ["database: 1 deliveries are not moved on"]


def test_without_git_nothing_is_reviewed(start: Callable[..., Process]):
    """A machine without git is told so."""
    answer = start(PATH="/nowhere").get("/readyz")
    assert answer.status == 503
    assert fatal(answer.json) == ["git: git is not installed"]


def test_however_many_ask_the_checks_run_once_in_a_while(served: Served, monkeypatch: pytest.MonkeyPatch):
    """Anybody may ask, and cannot keep the database busy by it."""
    monkeypatch.setattr(health, "_FRESH", 3600.0)
    looked = 0
    look = health.Health._look

    def count(self: health.Health) -> Any:
        nonlocal looked
        looked += 1
        return look(self)

    monkeypatch.setattr(health.Health, "_look", count)
    for _ in range(5):
        assert served.get("/readyz").status == 200
    assert looked == 1


def test_checks_that_hang_are_not_waited_for(served: Served, monkeypatch: pytest.MonkeyPatch):
    """A database that does not answer makes no probe hang."""
    monkeypatch.setattr(health, "_PATIENCE", 0.05)
    monkeypatch.setattr(health.Health, "_git", lambda _: time.sleep(0.5))
    answer = served.get("/readyz")
    assert answer.status == 503
    assert fatal(answer.json) == ["the checks take too long"]


def test_metrics_have_the_names_that_others_rely_on(served: Served, recorder: Recorder):
    """Counters exist from the start, so that a rate can be taken of the first one too."""
    for outcome in ("accepted", "duplicate", "rejected"):
        assert served.metric("oversight_deliveries_total", outcome=outcome) == 0
    assert served.metric("oversight_reviews_total", outcome="scored") == 0
    served.deliver()
    recorder.wait(1)
    assert served.metric("oversight_delivery_seconds_count") == 1
    assert served.metric("oversight_queue_queued") == 1
    assert served.metric("oversight_queue_dead") == 0
    assert served.get("/metrics").headers["content-type"].startswith("text/plain; version=0.0.4")


def test_what_waits_is_a_gauge_with_its_age(tmp_path: Path):
    """Without an App deliveries wait; how many, and for how long, can be watched."""
    with Served(settings_of(tmp_path), None) as served:
        assert served.metric("oversight_inbox_waiting") == 0
        assert served.metric("oversight_inbox_oldest_seconds") == 0
        served.deliver()
        assert served.metric("oversight_inbox_waiting") == 1
        age = served.metric("oversight_inbox_oldest_seconds")
        assert age is not None
        assert age > 0
        assert served.metric("oversight_queue_queued") is None
        assert served.get("/readyz").status == 200


def test_metrics_can_be_kept_from_strangers(tmp_path: Path, recorder: Recorder):
    """Where the operator says so, figures are for who has the API token."""
    with Served(settings_of(tmp_path, api_token=TOKEN, metrics_protected=True), recorder) as served:
        assert served.get("/metrics", {"Authorization": f"Bearer {TOKEN}"}).status == 200
        for header in (
            {},
            {"Authorization": TOKEN},
            {"Authorization": f"Bearer {TOKEN}x"},
            {"Authorization": "Bearer"},
        ):
            answer = served.get("/metrics", header)
            assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
            assert answer.headers["content-type"] == "application/problem+json"


def test_reviews_are_counted_with_their_durations():
    """Whoever reviews counts what came of it; what was not computed has no duration."""
    metrics = Metrics()
    metrics.reviewed("scored", 1.5)
    metrics.reviewed("dead")
    families = {family.name: family for family in text_string_to_metric_families(metrics.text().decode())}
    reviews = {sample.labels["outcome"]: sample.value for sample in families["oversight_reviews"].samples}
    assert (reviews["scored"], reviews["dead"], reviews["error"]) == (1, 1, 0)
    durations = {sample.name: sample.value for sample in families["oversight_review_seconds"].samples}
    assert durations["oversight_review_seconds_count"] == 1
    assert durations["oversight_review_seconds_sum"] == 1.5


def test_a_gauge_that_is_not_known_is_not_told():
    """Unknown is left out and never 0."""
    metrics = Metrics()
    metrics.watch(lambda: {"oversight_known": ("Known.", 0), "oversight_unknown": ("Unknown.", None)})
    assert b"oversight_known 0.0" in metrics.text()
    assert b"oversight_unknown" not in metrics.text()
