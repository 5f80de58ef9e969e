"""Reviews of the server: the same as everywhere, whatever becomes of git, GitHub, tokens, disks and children."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from oversight.config import Settings
from oversight.errors import DiffError, RepositoryError, UsageError
from oversight.reports import RiskReport, render
from oversight.reports.model import Status
from oversight.review import Reviewer
from oversight.reviewers.principles import Principles, parse_named
from oversight.students.runtime import open_model
from oversight_github.client import Forbidden, NotFound, Unavailable
from oversight_github.code import clone as clone_module
from oversight_github.code.clone import GoneError
from oversight_github.code.wanted import Wanted
from oversight_server.children.pool import NoChildError, Pool
from oversight_server.reviewing import How
from tests.server.forge import INSTALLATION, NAME, UNSAFE, Forge, pool_of

LARGE = 10_000_000
SMALL = b"--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+b\n"
MAKE = "/app/installations/{installation_id}/access_tokens"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of git take no time."""
    monkeypatch.setattr(clone_module, "_PAUSE", 0.0)


@pytest.fixture
def own(model: Path) -> Iterator[Pool]:
    """Children of one test, to do with as it likes."""
    children = pool_of(model, children=1)
    yield children
    children.close()


def reviewed(forge: Forge, reviews: Any = None, **options: Any) -> RiskReport:
    found: RiskReport = (reviews or forge.reviews()).pull(
        forge.pull(**options), repository=NAME, installation=INSTALLATION
    )
    return found


def paths(report: RiskReport) -> list[str]:
    return [file.path for file in report.change.files]


def test_a_pull_request_is_reviewed(forge: Forge) -> None:
    """Against the merge base, with its history, under the name that GitHub has for it."""
    report = reviewed(forge)
    assert (report.status, paths(report), report.change.repository) == (Status.SCORED, ["a.py"], NAME)
    assert report.coverage.context == "full"
    assert report.flagged
    assert report.findings


@pytest.mark.parametrize("size", [1, LARGE, None])
def test_the_report_is_that_of_a_checkout(forge: Forge, size: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the last digit: the child reads what `oversight review` reads, also where contents come as needed."""
    report = reviewed(forge, kilobytes=size)
    checkout = forge.origin.clone(forge.home / "checkout")
    command = Path(sys.executable).with_name("oversight")
    asked = ["review", f"main...{forge.pull().head_sha}", "--format", "json", "--repo", str(checkout.path)]
    environment = {**os.environ, "OVERSIGHT_MODEL": str(forge.pool.first["model"])}
    done = subprocess.run([command, *asked], env=environment, capture_output=True, check=True)
    theirs, ours = json.loads(done.stdout), json.loads(render(report, "json"))
    theirs["change"]["repository"] = ours["change"]["repository"]
    notes = [note for note in ours["notes"] if not note.startswith("This repository is large")]
    assert {**ours, "notes": notes} == theirs
    assert (len(notes) < len(ours["notes"])) is (size != 1)


def test_the_base_says_how_and_the_change_does_not(forge: Forge) -> None:
    """Settings and principles come from the tip of the base, also those that had to be fetched first."""
    principle = 'id = "notes"\ntitle = "Notes"\nseverity = "high"\n'
    forge.origin.commit("Settings", {"oversight.toml": "budget = 37\n"})
    forge.origin.switch("topic")
    forge.origin.commit("Mine", {"oversight.toml": "budget = 1\n"})
    forge.origin.switch("main")
    for size in (1, LARGE):
        assert reviewed(forge, kilobytes=size).budget == 37
    assert reviewed(forge, forge.reviews(budget=12.5)).budget == 12.5
    forge.origin.commit("Wrong", {"oversight.toml": 'principles = "rules"\n', "rules/x.toml": principle})
    report = reviewed(forge, kilobytes=LARGE)
    assert report.status is Status.UNSCORED, "the principle has no examples, which is told and not passed over"
    assert report.flagged
    assert report.change.head == forge.pull().head_sha


def test_the_head_of_a_fork_is_fetched_by_its_sha(forge: Forge) -> None:
    """It is under refs/pull of the base's repository; nothing is fetched from the fork."""
    forge.origin.branch("fork", "main")
    head = forge.origin.commit("From a fork", {"f.py": UNSAFE})
    forge.origin.git("update-ref", "refs/pull/7/head", head)
    forge.origin.switch("main")
    forge.origin.git("branch", "-D", "fork")
    assert paths(reviewed(forge, head=head)) == ["f.py"]
    assert not list(forge.home.rglob("f.py"))


def test_a_head_that_is_gone_is_unscored(forge: Forge) -> None:
    """Pushed over before anybody looked: said, flagged, without a risk; of a pull request the queue looks again first,
    since git's servers may not know yet what was pushed a moment ago.
    """
    reviews, options = forge.reviews(), {"repository": NAME, "installation": INSTALLATION}
    with pytest.raises(GoneError):
        reviews.pull(replace(forge.pull(), head_sha="d" * 40), **options)
    report = reviews.of_github(Wanted("d" * 40), **options)
    assert (report.status, report.risk, report.flagged) == (Status.UNSCORED, None, True)
    assert "no longer on the server" in (report.error or "")


def test_where_git_is_away_the_api_serves_with_a_receipt(forge: Forge) -> None:
    """The report says so, knows no history, and is one all the same."""
    forge.compared()
    forge.server.broken = True
    report = reviewed(forge)
    assert (report.status, paths(report)) == (Status.SCORED, ["a.py"])
    assert report.coverage.context == "none"
    assert any("GitHub's API" in note for note in report.notes)


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 503}, {"status": 502, "drop": True}])
def test_where_github_is_down_it_is_asked_again_later(forge: Forge, fault: dict[str, Any]) -> None:
    """Neither git nor the API: an error that says nothing of the change, and no report that looks like one."""
    forge.server.broken = True
    status = fault.pop("status")
    forge.github.fail("GET", "/repos/{owner}/{repo}/compare/{basehead}", status, times=99, **fault)
    with pytest.raises(Unavailable):
        reviewed(forge)


def test_an_app_that_is_not_there_any_more_is_said(forge: Forge) -> None:
    """Neither retried nor published: there is nowhere to publish it."""
    forge.pull()
    with pytest.raises(NotFound):
        forge.reviews().pull(forge.pull(), repository=NAME, installation=78)


def test_a_token_that_ends_midway_is_replaced(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the history and the contents: git is refused, gets a new token, and goes on."""
    reviews = forge.reviews()
    reviewed(forge, reviews, kilobytes=LARGE)
    forge.origin.switch("topic")
    forge.origin.commit("More", {"b.py": "b\n"})
    asked = forge.pool.ask

    def end(message: Any, **options: Any) -> Any:
        if message["do"] == "revision" and not ended.is_set():
            ended.set()
            forge.installed.end_all()
        return asked(message, **options)

    ended = threading.Event()
    monkeypatch.setattr(forge.pool, "ask", end)
    report = reviewed(forge, reviews, kilobytes=LARGE)
    assert (report.status, sorted(paths(report))) == (Status.SCORED, ["a.py", "b.py"])
    assert report.coverage.context != "none", "it did not have to take the API"
    assert forge.server.refused > 0
    assert len(set(forge.server.admitted)) >= 2


def test_the_token_is_in_no_file_no_argument_and_no_child(
    forge: Forge, own: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Children read hostile text; other processes read arguments, and backups files."""
    messages: list[str] = []
    asked = own.ask
    monkeypatch.setattr(
        own, "ask", lambda message, **options: messages.append(json.dumps(message)) or asked(message, **options)
    )  # type: ignore[func-returns-value]
    started: list[list[str]] = []
    popen = subprocess.Popen

    class Noted(popen):  # type: ignore[type-arg,misc,valid-type]
        def __init__(self, command: Any, *arguments: Any, **options: Any) -> None:
            started.append([str(part) for part in command])
            super().__init__(command, *arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    reviewed(forge, forge.reviews(pool=own), kilobytes=LARGE)
    (token,) = forge.installed.ends
    secret = forge.server.admitted[0]
    assert token == secret
    files = b"".join(path.read_bytes() for path in forge.home.rglob("*") if path.is_file())
    texts = [*messages, *(part for command in started for part in command), files.decode("latin-1")]
    import base64

    spelled = (token, base64.b64encode(f"x-access-token:{token}".encode()).decode())
    assert len(started) > 3
    assert messages
    assert not [one for one in spelled for text in texts if one in text]


def test_a_child_that_is_killed_is_replaced_once(forge: Forge, own: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first time it may have been another's memory; the second time it is the change, and unscored."""
    reviews, asked = forge.reviews(pool=own), own.ask
    left = 0

    def deadly(message: Any, **options: Any) -> Any:
        nonlocal left
        if left:
            left -= 1
            own.warm()
            os.kill(own.pids[0], signal.SIGSTOP)  # so that it cannot be quicker than its end
            threading.Timer(0.2, os.kill, (own.pids[0], signal.SIGKILL)).start()
        return asked(message, **options)

    monkeypatch.setattr(own, "ask", deadly)
    for left, status in ((1, Status.SCORED), (2, Status.UNSCORED)):  # noqa: B007  # deadly counts it down
        report = reviews.diff(SMALL)
        assert report.status is status
    assert "ended before it was done" in (report.error or "")
    assert report.flagged


def test_a_hostile_diff_that_takes_too_long_is_unscored(forge: Forge, model: Path) -> None:
    """And is ended in time; the next one is reviewed."""
    children = pool_of(model, children=1, seconds=0.05)
    try:
        reviews = forge.reviews(pool=children)
        children.warm()
        deep = b"".join(b"+" + b"f(" * 30 + b")" * 30 + b";\n" for _ in range(40_000))
        report = reviews.diff(b"--- a/x.js\n+++ b/x.js\n@@ -0,0 +1,40000 @@\n" + deep)
        assert report.status is Status.UNSCORED
        assert "took longer than" in (report.error or "")
        children.bounds = replace(children.bounds, seconds=120.0)
        assert reviews.diff(SMALL).status is Status.SCORED
    finally:
        children.close()


def test_a_review_that_takes_too_much_memory_is_no_crash(forge: Forge, model: Path) -> None:
    """The child meets its limit; the report says so, one way or the other."""
    children = pool_of(model, children=1, megabytes=256)
    try:
        many = b"".join(b"+x = %d\n" % number for number in range(2_000_000))
        report = forge.reviews(pool=children).diff(b"--- a/x.py\n+++ b/x.py\n@@ -0,0 +1,2000000 @@\n" + many)
        assert report.status is not Status.SCORED
        assert report.flagged
        assert report.risk is None
        assert forge.reviews(pool=children).diff(SMALL).status is Status.SCORED
    finally:
        children.close()


def test_a_disk_that_is_full_costs_the_history_and_not_the_review(
    forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git cannot write: the API serves, and the report says why."""
    forge.compared()
    reviews = forge.reviews()
    run = clone_module.bounded.run

    def full(command: Any, **options: Any) -> Any:
        shell = ["prlimit", "--fsize=0", *command]
        return run(shell if "fetch" in command else command, **options)

    monkeypatch.setattr(clone_module.bounded, "run", full)
    report = reviewed(forge, reviews)
    assert report.status is Status.SCORED
    assert any("git could not" in note for note in report.notes)
    monkeypatch.undo()
    assert reviewed(forge, reviews).coverage.context == "full"


def test_a_git_server_that_never_answers_costs_the_history_and_not_the_review(forge: Forge) -> None:
    """It has its time, and then the API serves."""
    forge.compared()
    reviews = forge.reviews()
    reviews._clones._limits = clone_module.Limits(seconds=1.0)
    with forge.server.stalled():
        report = reviewed(forge, reviews)
    assert report.status is Status.SCORED
    assert any("took more than 1 seconds" in note for note in report.notes)


def test_a_folder_that_cannot_be_written_costs_the_history_and_not_the_review(forge: Forge) -> None:
    """As above, before git has even begun."""
    forge.compared()
    forge.home.write_text("no folder")
    report = reviewed(forge, forge.reviews())
    assert report.status is Status.SCORED
    assert any("cannot be written" in note for note in report.notes)


def test_a_revision_and_names_are_found_on_the_server(forge: Forge) -> None:
    """Branches and tags are asked for there; what is none is the caller's mistake."""
    reviews = forge.reviews()
    options: dict[str, Any] = {"repository": NAME, "installation": INSTALLATION}
    assert paths(reviews.of_github(Wanted("topic"), **options)) == ["a.py"]
    assert paths(reviews.of_github(Wanted("topic", ("main",)), **options)) == ["a.py"]
    for name in ("nowhere", "--upload-pack=touch evil", "refs/heads/none"):
        with pytest.raises(UsageError, match="no branch or tag"):
            reviews.of_github(Wanted(name), **options)
    with pytest.raises(UsageError, match="no GitHub App"):
        type(reviews)(forge.pool, forge.clones()).of_github(Wanted("topic"), **options)


def test_names_of_repositories_lead_nowhere_else(forge: Forge) -> None:
    """Neither out of the folder of clones nor into another's."""
    for name in ("../x", "x/..", "a/b/c", "", "/etc", "a\\b/c", "a b/c", "octo/re\npo"):
        with pytest.raises((UsageError, NotFound, Forbidden)):
            forge.reviews().of_github(Wanted("topic"), repository=name, installation=INSTALLATION)
        with pytest.raises(UsageError):
            forge.clones().forget(name)


def test_repositories_of_this_machine_are_those_that_were_listed(forge: Forge) -> None:
    """By their names alone; their paths are nobody's business."""
    reviews = forge.reviews(local={"mine": forge.origin.path})
    report = reviews.of_machine("mine", "main..topic")
    assert (report.status, paths(report), report.change.repository) == (Status.SCORED, ["a.py"], "mine")
    assert reviews.of_machine("mine", "topic", how=How(budget=3)).budget == 3
    for name in ("other", str(forge.origin.path), "../mine"):
        with pytest.raises(UsageError):
            reviews.of_machine(name, "HEAD")
    with pytest.raises(RepositoryError) as caught:
        reviews.of_machine("mine", "nowhere")
    assert str(forge.home.parent) not in str(caught.value)


def test_a_diff_is_reviewed_as_the_command_does(forge: Forge, model: Path) -> None:
    """Bytes that are no text included."""
    diff = b"--- a/\xff.py\n+++ b/\xff.py\n@@ -1 +1 @@\n-a\n+requests.get(x, verify=False) # \xfe\n"
    ours = forge.reviews().diff(diff)
    theirs = Reviewer(open_model(str(model)), Principles(parse_named(())), Settings()).diff(diff)
    assert render(ours, "json") == render(theirs, "json")
    with pytest.raises(DiffError):
        forge.reviews().diff(b"@@ nothing\n")


def test_the_version_is_that_of_the_model(forge: Forge, model: Path) -> None:
    """So that another model reviews again."""
    assert forge.reviews().version == open_model(str(model)).info.sha256


def test_a_server_that_stops_loses_no_review(forge: Forge, own: Pool) -> None:
    """What was under way is not unscored but to be done again."""
    reviews = forge.reviews(pool=own)
    own.warm()
    threading.Timer(0.3, reviews.close).start()
    large = b"".join(b"+x = %d\n" % number for number in range(500_000))
    with pytest.raises(NoChildError):
        reviews.diff(b"--- a/x.py\n+++ b/x.py\n@@ -0,0 +1,500000 @@\n" + large)


def test_what_a_child_asks_for_is_checked(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was taken over by what it read gets nothing fetched but contents, and no end of rounds."""
    evil: Any
    for evil in (["--upload-pack=evil"], "a" * 40, [1], None, [["a"]]):
        monkeypatch.setattr(forge.pool, "ask", lambda *_, evil=evil, **__: {"lacking": evil})
        assert reviewed(forge).status is Status.UNSCORED
    for answer in ({}, {"report": []}, {"report": "x"}, {"report": [None] * 14}):
        monkeypatch.setattr(forge.pool, "ask", lambda *_, answer=answer, **__: answer)
        assert reviewed(forge).status is Status.UNSCORED
    monkeypatch.setattr(forge.pool, "ask", lambda *_, **__: {"lacking": []})
    assert "did not come to an end" in (reviewed(forge, kilobytes=LARGE).error or "")
