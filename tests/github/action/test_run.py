"""The whole job, from an event's payload to an exit code."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from oversight_github.action import run as module
from oversight_github.code.remote import basic
from tests.github import world
from tests.github.action.conftest import PLAIN, UNSAFE, Workshop
from tests.github.double import TOKEN

COMMENTS = ("POST", "/repos/{owner}/{repo}/issues/{issue_number}/comments")
CHECKS = ("POST", "/repos/{owner}/{repo}/check-runs")
ROOT = Path(__file__).parents[3]


def conclusions(workshop: Workshop) -> list[str]:
    return [check["conclusion"] for check in workshop.github.world.check_runs]


def bodies(workshop: Workshop) -> list[str]:
    return [comment["body"] for comment in workshop.github.world.comments[7]]


def test_a_pull_request_is_reviewed_and_told_of(workshop: Workshop) -> None:
    """Outputs, summary, report, annotation, check run and comment say the same."""
    workshop.checkout()
    outcome = workshop.step("pull_request", workshop.pull_request())
    assert outcome.code == 0
    assert (outcome.outputs["status"], outcome.outputs["flagged"]) == ("scored", "true")
    assert 0 < float(outcome.outputs["risk"]) < 1
    assert outcome.report["change"]["head"] == workshop.head
    assert outcome.report["change"]["repository"] == "repo" or outcome.report["change"]["repository"] == "octo/repo"
    assert outcome.summary.startswith("**Flagged**")
    assert outcome.log.count("::warning file=a.py,line=2,") == 1
    assert conclusions(workshop) == ["neutral"]
    assert len(bodies(workshop)) == 1


def test_a_gate_fails_a_flagged_change(workshop: Workshop) -> None:
    """The exit code is that of a flag, and the check run fails as well."""
    outcome = workshop.step("pull_request", workshop.pull_request(), fail_on="flagged")
    assert outcome.code == 1
    assert conclusions(workshop) == ["failure"]


def test_what_is_not_flagged_is_quiet(workshop: Workshop) -> None:
    """No comment, no annotation: the summary is enough."""
    origin = workshop.origin
    origin.switch("topic")
    origin.commit("Undo", {"a.py": PLAIN, "notes.txt": "one\ntwo\nmore\n"})
    outcome = workshop.step("pull_request", workshop.pull_request(), budget="0.001", fail_on="flagged")
    assert (outcome.code, outcome.outputs["flagged"]) == (0, "false")
    assert bodies(workshop) == []
    assert "::warning" not in outcome.log
    assert outcome.summary.startswith("**Not flagged**")


def test_running_again_repeats_nothing(workshop: Workshop) -> None:
    """A second run of the same head writes nothing new; a push updates what is there."""
    payload = workshop.pull_request()
    workshop.step("pull_request", payload, inline="true", labels="true")
    writes = len(workshop.github.writes)
    workshop.step("pull_request", payload, inline="true", labels="true")
    again = workshop.github.writes[writes:]
    assert not [call for call in again if call.method == "POST" and "check-runs" not in call.template]
    workshop.origin.switch("topic")
    workshop.origin.commit("More", {"b.py": "x = 1\n"})
    workshop.step("pull_request", workshop.pull_request(), inline="true", labels="true")
    assert len(bodies(workshop)) == 1
    assert workshop.head[:12] in bodies(workshop)[0]
    assert len(workshop.github.world.review_comments[7]) == 1


def test_a_token_that_may_not_write_fails_nothing(workshop: Workshop) -> None:
    """That of a fork's pull request: outputs, summary and files are there, and the log says what is not."""
    workshop.github.read_only = True
    outcome = workshop.step("pull_request", workshop.pull_request(), sarif_file="o.sarif", inline="1", labels="1")
    assert (outcome.code, outcome.outputs["status"]) == (0, "scored")
    assert Path(outcome.outputs["sarif"]).is_file()
    assert not outcome.annotations("error")
    assert "check run: " in outcome.log


def test_a_github_that_fails_while_posting_is_told_of(workshop: Workshop) -> None:
    """The review stands; a warning says that nobody was told."""
    workshop.github.fail("POST", CHECKS[1], 400, times=9)
    outcome = workshop.step("pull_request", workshop.pull_request())
    assert outcome.code == 0
    assert any("check run" in text for text in outcome.annotations("warning"))


def test_a_bug_while_posting_is_told_of(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it is: it comes after all that needs no rights."""

    def broken(*_: Any) -> None:
        raise KeyError("bug")

    monkeypatch.setattr(module, "publish", broken)
    outcome = workshop.step("pull_request", workshop.pull_request())
    assert (outcome.code, outcome.outputs["status"]) == (0, "scored")
    assert any("KeyError" in text for text in outcome.annotations("warning"))


def test_the_report_is_valid_and_so_is_the_sarif(workshop: Workshop) -> None:
    """Against our schema and the official one, at the places that were asked for."""
    workshop.checkout()
    outcome = workshop.step("pull_request", workshop.pull_request(), sarif_file="out/o.sarif", report_file="out/r.json")
    assert outcome.outputs["report"] == str(workshop.workspace / "out" / "r.json")
    schema = json.loads((ROOT / "oversight" / "reports" / "schema.json").read_text())
    jsonschema.validate(outcome.report, schema)
    sarif = json.loads(Path(outcome.outputs["sarif"]).read_text())
    jsonschema.validate(sarif, json.loads((ROOT / "tests" / "golden" / "sarif-2.1.0.schema.json").read_text()))
    assert sarif["runs"][0]["results"]


def test_a_change_that_cannot_be_had_is_never_green(workshop: Workshop) -> None:
    """The head was replaced: unscored, exit code 3 whatever the gate says, with a report that says why."""
    outcome = workshop.step("pull_request", workshop.pull_request(head_sha="d" * 40), sarif_file="o.sarif")
    assert (outcome.code, outcome.outputs["status"], outcome.outputs["flagged"]) == (3, "unscored", "true")
    assert outcome.outputs["risk"] == outcome.outputs["percentile"] == ""
    assert "no longer on the server" in outcome.annotations("error")[0]
    assert "no longer on the server" in outcome.summary
    assert outcome.report["risk"] is None
    jsonschema.validate(outcome.report, json.loads((ROOT / "oversight" / "reports" / "schema.json").read_text()))
    assert conclusions(workshop) == ["failure"]


def test_every_mistake_in_the_inputs_is_annotated(workshop: Workshop) -> None:
    """With a mend, exit code 2, and outputs that no later step takes for a pass."""
    outcome = workshop.step("pull_request", workshop.pull_request(), budget="none", inline="perhaps")
    assert outcome.code == 2
    assert [text.split(":")[0] for text in outcome.annotations("error")] == ["input budget", "input inline"]
    assert (outcome.outputs["status"], outcome.outputs["flagged"]) == ("error", "true")
    assert outcome.summary.startswith("**Error**")
    assert workshop.github.calls == []


@pytest.mark.parametrize(
    ("event", "payload"),
    [("release", {}), ("pull_request", {}), ("push", {"ref": "x"}), ("issue_comment", {"comment": []})],
)
def test_an_event_that_is_not_understood_is_told(workshop: Workshop, event: str, payload: dict[str, Any]) -> None:
    """In one line, with exit code 2."""
    outcome = workshop.step(event, payload)
    assert (outcome.code, outcome.outputs["status"]) == (2, "error")
    assert len(outcome.annotations("error")) == 1


@pytest.mark.parametrize("payload", ["not json", "[]", None])
def test_a_payload_that_cannot_be_read_is_told(workshop: Workshop, tmp_path: Path, payload: str | None) -> None:
    """As where this is not run as a step at all."""
    file = tmp_path / "event.json"
    if payload is not None:
        file.write_text(payload)
    workshop.environment["GITHUB_EVENT_PATH"] = str(file)
    assert workshop.step("push", {}).code == 2


@pytest.mark.parametrize("name", ["GITHUB_REPOSITORY", "GITHUB_EVENT_NAME", "GITHUB_WORKSPACE", "RUNNER_TEMP"])
def test_outside_of_a_workflow_it_says_so(workshop: Workshop, name: str) -> None:
    """Nothing is guessed."""
    workshop.environment[name] = ""
    outcome = workshop.step("pull_request", workshop.pull_request())
    assert outcome.code == 2
    assert name in outcome.annotations("error")[0]


def test_a_repository_that_is_none_is_refused(workshop: Workshop) -> None:
    """Its name becomes a folder and an address."""
    for name in ("../..", "a/..", "a/b/c", "a b/c", "-/-\n"):
        workshop.environment["GITHUB_REPOSITORY"] = name
        assert workshop.step("pull_request", workshop.pull_request()).code == 2


def test_without_a_token_a_whole_checkout_is_reviewed(workshop: Workshop) -> None:
    """Nothing is posted, which is said."""
    workshop.checkout("main", "--no-single-branch")
    outcome = workshop.step("pull_request", workshop.pull_request(), token="")
    assert (outcome.code, outcome.outputs["status"]) == (0, "scored")
    assert "no token" in outcome.annotations("warning")[0]
    assert workshop.github.calls == []


def test_without_a_token_a_private_repository_is_unscored(workshop: Workshop) -> None:
    """What has to be fetched cannot be; the mend names the permission."""
    workshop.github.fail("*", "*", 404, times=99)
    outcome = workshop.step("pull_request", workshop.pull_request(), token="")
    assert (outcome.code, outcome.outputs["status"]) == (3, "unscored")
    assert "contents: read" in outcome.annotations("error")[0]


def test_a_closed_pull_request_is_reviewed_in_silence(workshop: Workshop) -> None:
    """Its state is the truth, and nothing is posted to it."""
    outcome = workshop.step("pull_request", workshop.pull_request(state="closed"), comment="always")
    assert (outcome.code, outcome.outputs["status"]) == (0, "scored")
    assert "closed" in outcome.annotations("notice")[0]
    assert bodies(workshop) == []


def test_an_empty_change_is_scored_as_one(workshop: Workshop) -> None:
    """A pull request whose commits add up to nothing."""
    workshop.origin.switch("topic")
    workshop.origin.commit("Undo", {"a.py": PLAIN})
    outcome = workshop.step("pull_request", workshop.pull_request())
    assert (outcome.code, outcome.outputs["status"]) == (0, "scored")
    assert outcome.report["coverage"]["files_total"] == 0
    assert "empty" in outcome.annotations("notice")[0]


def test_the_change_has_no_say_in_its_review(workshop: Workshop) -> None:
    """Its own settings and principles are not read; those at the tip of the base are, also where it is behind that."""
    origin = workshop.origin
    origin.commit("Strict", {"oversight.toml": "budget = 100\n"})
    origin.switch("topic")
    origin.commit(
        "Loose",
        {"oversight.toml": 'budget = 0.001\nprinciples = "x"\n[paths]\nexclude = ["**"]\n', "a.py": PLAIN, "b": "b\n"},
    )
    outcome = workshop.step("pull_request", workshop.pull_request(), fail_on="flagged")
    assert (outcome.code, outcome.report["budget"]) == (1, 100.0)
    assert "budget" in outcome.report["flagged_by"]
    assert outcome.report["coverage"]["skipped"] == []
    assert workshop.step("pull_request", workshop.pull_request(), budget="0.001").report["budget"] == 0.001


def test_settings_of_the_base_that_are_wrong_are_told(workshop: Workshop) -> None:
    """Reviewing without them might leave out what they ask for."""
    workshop.origin.commit("Broken", {"oversight.toml": "budget = many\n"})
    outcome = workshop.step("pull_request", workshop.pull_request())
    assert (outcome.code, outcome.outputs["status"]) == (2, "error")
    assert "oversight.toml" in outcome.annotations("error")[0]


def test_a_model_is_that_of_the_base(workshop: Workshop) -> None:
    """The pull request changes its own judge: the one on the base branch judges that."""
    folder = {f"judge/{path.name}": path.read_bytes() for path in workshop.model.iterdir()}
    workshop.origin.commit("Our model", folder)
    workshop.origin.switch("topic")
    workshop.origin.commit("Mine", {"judge/manifest.json": "{}", "judge/config.json": "{}"})
    outcome = workshop.step("pull_request", workshop.pull_request(), model="judge")
    assert (outcome.code, outcome.report["model"]["name"]) == (0, "small")
    assert workshop.step("pull_request", workshop.pull_request(), model="nothing/there").code == 2


def test_parts_of_a_monorepo_have_comments_of_their_own(workshop: Workshop) -> None:
    """Each leaves out what is another's, and says so in its receipt."""
    workshop.origin.switch("topic")
    workshop.origin.commit("Both", {"x/a.py": UNSAFE, "y/a.py": UNSAFE})
    for part in ("x", "y"):
        outcome = workshop.step("pull_request", workshop.pull_request(), paths=part)
        assert {finding["path"] for finding in outcome.report["findings"]} == {f"{part}/a.py"}
        assert outcome.report["coverage"]["files_scored"] == 1
    assert len(bodies(workshop)) == 2
    assert len({check["name"] for check in workshop.github.world.check_runs}) == 2


@pytest.mark.parametrize("other", ["services/{}/two", "services/{}/one\n!services/{}/one/x"])
def test_reviews_of_other_files_have_other_names(workshop: Workshop, other: str) -> None:
    """However long their paths are: what one part says must not take the place of what another does."""
    long = "/".join(["a-long-way-down"] * 5)
    for paths in ("services/{}/one", other):
        workshop.step("pull_request", workshop.pull_request(), paths=paths.replace("{}", long))
    assert len({check["name"] for check in workshop.github.world.check_runs}) == 2


def push(workshop: Workshop, before: str, after: str, **more: Any) -> dict[str, Any]:
    return {"ref": "refs/heads/topic", "before": before, "after": after, "repository": workshop.repository(), **more}


def test_pushes_groups_and_commits_are_reviewed(workshop: Workshop) -> None:
    """Each of the events names its change, and its check run is on the commit."""
    base, head, nothing = workshop.base, workshop.head, "0" * 40
    group = {"base_sha": base, "head_sha": head, "base_ref": "refs/heads/main", "head_ref": "refs/heads/q/main/pr-7"}
    repository = workshop.repository()
    for event, payload in (
        ("push", push(workshop, workshop.origin.git("rev-parse", "topic~1"), head)),
        ("push", push(workshop, nothing, head)),
        ("push", push(workshop, "d" * 40, head, forced=True)),
        ("merge_group", {"action": "checks_requested", "merge_group": group, "repository": repository}),
        ("workflow_dispatch", {"repository": repository}),
        ("schedule", {"schedule": "0 0 * * *"}),
    ):
        outcome = workshop.step(event, payload)
        assert (event, outcome.code, outcome.log and outcome.outputs.get("flagged")) == (event, 0, "true")
        assert outcome.report["change"]["head"] == head
        assert workshop.github.world.check_runs[-1]["head_sha"] == head
    assert workshop.step("push", push(workshop, head, nothing)).code == 3


def test_by_hand_any_two_revisions_can_be_compared(workshop: Workshop) -> None:
    """Names that there are not are a mistake, and a base that has nothing in common is unscored."""
    payload = {"repository": workshop.repository()}
    assert workshop.step("workflow_dispatch", payload, base="main", head="topic").outputs["flagged"] == "true"
    assert workshop.step("workflow_dispatch", payload, base="main", head="none").code == 2
    workshop.origin.git("checkout", "-q", "--orphan", "other")
    workshop.origin.commit("Unrelated", {"o.py": "o\n"})
    assert workshop.step("workflow_dispatch", payload, base="main", head="other").code == 3


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of the double goes on from now: people answer to what they were shown, by the machine's clock."""
    monkeypatch.setattr(world, "_EPOCH", datetime.now(UTC))


def said(workshop: Workshop, body: str, login: str) -> dict[str, Any]:
    """The payload of a comment of that person, who may write."""
    workshop.github.world.permissions[login] = "write"
    comment = workshop.github.world.comment(7, body, login=login)
    issue = {"number": 7, "pull_request": {"url": "x"}, "user": workshop.github.world.user("ann")}
    return {"action": "created", "issue": issue, "comment": comment, "repository": workshop.repository()}


@pytest.mark.usefixtures("clocks")
def test_people_with_write_access_clear_a_flag(workshop: Workshop) -> None:
    """Their word is kept, the pull request is reviewed again at once, and its next run is green for that head."""
    payload = workshop.pull_request()
    assert workshop.step("pull_request", payload, fail_on="flagged").code == 1
    outcome = workshop.step("issue_comment", said(workshop, "/oversight safe looked at it", "bob"), fail_on="flagged")
    assert (outcome.code, outcome.outputs["flagged"]) == (0, "false")
    assert "looked at it" in outcome.summary
    outcome = workshop.step("pull_request", payload, fail_on="flagged")
    assert (outcome.code, outcome.outputs["flagged"]) == (0, "false")
    workshop.origin.switch("topic")
    workshop.origin.commit("More", {"b.py": "x = 1\n"})
    assert workshop.step("pull_request", workshop.pull_request(), fail_on="flagged").code == 1


@pytest.mark.usefixtures("clocks")
def test_the_author_clears_nothing(workshop: Workshop) -> None:
    """Not even with write access."""
    payload = workshop.pull_request(author="ann")
    workshop.step("pull_request", payload)
    workshop.step("issue_comment", said(workshop, "/oversight safe trust me", "ann"))
    assert workshop.step("pull_request", payload, fail_on="flagged").code == 1


@pytest.mark.usefixtures("clocks")
def test_a_comment_can_ask_for_a_review(workshop: Workshop) -> None:
    """And one that says nothing to us leads to nothing."""
    workshop.pull_request()
    outcome = workshop.step("issue_comment", said(workshop, "/oversight review", "bob"))
    assert (outcome.code, outcome.outputs["flagged"]) == (0, "true")
    outcome = workshop.step("issue_comment", said(workshop, "nice weather", "bob"))
    assert (outcome.code, outcome.outputs) == (0, {})


def test_a_scheduled_run_sums_up_what_people_said(workshop: Workshop) -> None:
    """And reviews the newest commit as well."""
    outcome = workshop.step("schedule", {"repository": workshop.repository()})
    assert "## Verdicts" in outcome.summary
    assert outcome.outputs["status"] == "scored"
    workshop.github.fail("GET", "*", 403, times=3)
    outcome = workshop.step("schedule", {"repository": workshop.repository()})
    assert "Verdicts are left out" in outcome.annotations("warning")[0]
    assert outcome.outputs["status"] == "scored"


def test_a_bug_of_ours_is_no_clean_review(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 3, one line, and the traceback where it is asked for."""

    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("bug")

    monkeypatch.setattr(module, "wanted", broken)
    outcome = workshop.step("pull_request", workshop.pull_request())
    assert (outcome.code, outcome.outputs["status"]) == (3, "error")
    assert "ZeroDivisionError: bug" in outcome.annotations("error")[0]
    assert "Traceback" not in outcome.log
    workshop.environment["OVERSIGHT_DEBUG"] = "1"
    assert "Traceback" in workshop.step("pull_request", workshop.pull_request()).log


def test_the_token_is_nowhere(workshop: Workshop) -> None:
    """But in the lines by which the runner learns what to blot out."""
    outcome = workshop.step("pull_request", workshop.pull_request(), sarif_file="o.sarif", report_file="r.json")
    log = "\n".join(line for line in outcome.log.splitlines() if not line.startswith("::add-mask::"))
    places = [log, outcome.summary, *outcome.outputs.values(), *bodies(workshop)]
    places += [path.read_text("utf-8", "replace") for path in workshop.home.rglob("*") if path.is_file()]
    assert not any(secret in text for text in places for secret in (TOKEN, basic(TOKEN)))
