"""The workflows of the documentation, run as GitHub would run them."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.github import world as clock
from tests.github.action.conftest import UNSAFE, Workshop
from tests.github.action.runner import ROOT, Ran, run_workflow, stage
from tests.github.double import TOKEN

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="act needs bash as on Linux")]

REVIEW = """\
on: [pull_request, pull_request_target, push, workflow_dispatch]
jobs:
  review:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
      - id: oversight
        uses: OWNER/oversight@0000000000000000000000000000000000000000
        with: {inputs}
      - id: after
        if: ${{{{ !cancelled() }}}}
        env:
          FLAGGED: ${{{{ steps.oversight.outputs.flagged }}}}
        run: |
          echo "told=$FLAGGED" >> "$GITHUB_OUTPUT"
          echo "status=$(git status --porcelain)" >> "$GITHUB_OUTPUT"
          if [ -d out ]; then cp out/* "$COPIES"; fi
"""


@pytest.fixture(scope="module")
def action(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The action as it is, at a place of its own."""
    target = tmp_path_factory.mktemp("action") / "oversight"
    stage(target)
    return target


def documented(name: str) -> str:
    return (ROOT / "docs" / "workflows" / name).read_text(encoding="utf-8")


def told(workshop: Workshop) -> list[str]:
    return [comment["body"] for comment in workshop.github.world.comments[7]]


def reviewed(workshop: Workshop, action: Path, event: str, payload: dict[str, Any], inputs: str = "{}") -> Ran:
    copies = workshop.home / "copies"
    copies.mkdir(parents=True, exist_ok=True)
    return run_workflow(workshop, action, REVIEW.format(inputs=inputs), event, payload, COPIES=str(copies))


def test_a_step_sets_its_outputs_and_leaves_the_checkout_as_it_is(workshop: Workshop, action: Path) -> None:
    """Later steps read them; the summary, the annotation, the files and what is posted are there."""
    workshop.checkout()
    inputs = "{sarif-file: out/o.sarif, report-file: out/r.json, inline: true, labels: true, comment: always}"
    ran = reviewed(workshop, action, "pull_request", workshop.pull_request(), inputs)
    assert ran.code == 0
    outputs = ran.outputs("oversight")
    assert (outputs["status"], outputs["flagged"]) == ("scored", "true")
    assert ran.outputs("after") == {"told": "true", "status": "?? out/"}
    assert "**Flagged**" in ran.summary
    (warning,) = ran.commands("warning")
    assert warning["kvPairs"] == {"file": "a.py", "line": "2", "title": "oversight: tls-verification-off"}
    report = json.loads((workshop.home / "copies" / "r.json").read_text(encoding="utf-8"))
    assert report["change"]["head"] == workshop.head
    world = workshop.github.world
    assert [check["conclusion"] for check in world.check_runs] == ["neutral"]
    assert "**Flagged**" in told(workshop)[0]
    assert len(world.review_comments[7]) == 1
    assert world.pulls[7]["labels"]
    assert TOKEN not in ran.text


def test_the_advisory_workflow(workshop: Workshop, action: Path) -> None:
    """Flagged, told of, and green."""
    ran = run_workflow(workshop, action, documented("advisory.yml"), "pull_request", workshop.pull_request())
    assert ran.code == 0
    assert len(told(workshop)) == 1


def test_the_gating_workflow(workshop: Workshop, action: Path) -> None:
    """Flagged, and red; a second run repeats nothing."""
    for _ in range(2):
        ran = run_workflow(workshop, action, documented("gating.yml"), "pull_request", workshop.pull_request())
        assert ran.code == 1
        assert len(told(workshop)) == 1
        assert len(workshop.github.world.review_comments[7]) == 1


def test_the_fork_safe_workflow(workshop: Workshop, action: Path) -> None:
    """A pull request from a fork that is gone, its head nowhere but under the base repository."""
    origin = workshop.origin
    origin.git("update-ref", "refs/pull/7/head", workshop.head)
    payload = workshop.pull_request(head_repository="ann/fork")
    payload["pull_request"] = {**payload["pull_request"], "head": {**payload["pull_request"]["head"], "repo": None}}
    origin.git("branch", "-D", "topic")
    ran = run_workflow(workshop, action, documented("fork-safe.yml"), "pull_request_target", payload)
    assert ran.code == 0
    assert len(told(workshop)) == 1


def test_the_monorepo_workflow(workshop: Workshop, action: Path) -> None:
    """Two parts, two reviews, each of its own files."""
    workshop.origin.switch("topic")
    workshop.origin.commit(
        "Both",
        {"services/billing/a.py": UNSAFE, "services/search/a.py": UNSAFE, "services/search/vendor/b.py": UNSAFE},
    )
    ran = run_workflow(workshop, action, documented("monorepo.yml"), "pull_request", workshop.pull_request())
    assert ran.code == 0
    assert len(told(workshop)) == 2
    assert {line["kvPairs"]["file"] for line in ran.commands("warning")} == {
        "services/billing/a.py", "services/search/a.py",
    }  # fmt: skip


def test_the_sarif_workflow(workshop: Workshop, action: Path) -> None:
    """What the upload is given is there and is valid."""
    workshop.checkout()
    workflow = documented("sarif.yml") + (
        '      - run: cp "$SARIF" "$COPY"\n        env:\n          SARIF: ${{ steps.oversight.outputs.sarif }}\n'
    )
    copy = workshop.home / "copy.sarif"
    ran = run_workflow(workshop, action, workflow, "pull_request", workshop.pull_request(), COPY=str(copy))
    assert ran.code == 0, ran.text
    sarif = json.loads(copy.read_text(encoding="utf-8"))
    jsonschema.validate(sarif, json.loads((ROOT / "tests" / "golden" / "sarif-2.1.0.schema.json").read_text()))
    assert sarif["runs"][0]["results"]
    assert told(workshop) == []


def test_the_audit_workflow(workshop: Workshop, action: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who may write clears a flag, and what stands on the pull request follows."""
    world = workshop.github.world
    workshop.step("pull_request", workshop.pull_request())
    monkeypatch.setattr(clock, "_EPOCH", datetime.now(UTC))  # people answer to what was shown, by the machine's clock
    world.permissions["bob"] = "write"
    comment = world.comment(7, "/oversight safe read it", login="bob")
    issue = {"number": 7, "pull_request": {"url": "x"}, "user": world.user("ann")}
    payload = {"action": "created", "issue": issue, "comment": comment, "repository": workshop.repository()}
    ran = run_workflow(workshop, action, documented("audit.yml"), "issue_comment", payload)
    assert ran.code == 0
    assert "recorded: #7, safe by bob" in ran.text
    assert [check["conclusion"] for check in world.check_runs][-1] == "success"
    assert "**Not flagged**" in told(workshop)[0]


def test_a_gate_is_overruled_by_a_verdict_and_another_run(
    workshop: Workshop, action: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As its workflow says: red, `/oversight safe` by somebody who may, and green when the job runs again."""
    world = workshop.github.world
    world.permissions["bob"] = "write"
    payload = workshop.pull_request()
    assert run_workflow(workshop, action, documented("gating.yml"), "pull_request", payload).code == 1
    monkeypatch.setattr(clock, "_EPOCH", datetime.now(UTC))  # people answer to what was shown, by the machine's clock
    comment = world.comment(7, "/oversight safe read it", login="bob")
    issue = {"number": 7, "pull_request": {"url": "x"}, "user": world.user("ann")}
    said = {"action": "created", "issue": issue, "comment": comment, "repository": workshop.repository()}
    assert "recorded" in run_workflow(workshop, action, documented("audit.yml"), "issue_comment", said).text
    assert run_workflow(workshop, action, documented("gating.yml"), "pull_request", payload).code == 0


def test_the_ghes_workflow(workshop: Workshop, action: Path) -> None:
    """The double is laid out as GHES is; nothing asks another server."""
    ran = run_workflow(workshop, action, documented("ghes.yml"), "pull_request", workshop.pull_request())
    assert ran.code == 0
    assert len(told(workshop)) == 1


def test_a_change_that_cannot_be_had_is_red(workshop: Workshop, action: Path) -> None:
    """And the steps after it that run in any case see why."""
    ran = reviewed(workshop, action, "pull_request", workshop.pull_request(head_sha="d" * 40))
    assert ran.code == 1
    assert ran.outputs("oversight")["status"] == "unscored"
    assert ran.outputs("after") == {"told": "true", "status": ""}
    assert "no longer on the server" in ran.commands("error")[0]["arg"]


def test_a_mistake_in_the_workflow_is_red(workshop: Workshop, action: Path) -> None:
    """Each of them is annotated."""
    ran = reviewed(workshop, action, "pull_request", workshop.pull_request(), "{budget: lots, comment: maybe}")
    assert ran.code == 1
    assert [line["arg"].split(":")[0] for line in ran.commands("error")] == ["input budget", "input comment"]


def test_inputs_are_data_to_the_shell(workshop: Workshop, action: Path, tmp_path: Path) -> None:
    """Whatever an input holds, no shell reads it."""
    evil = tmp_path / "evil"
    hostile = json.dumps(f"$(touch {evil})`touch {evil}`\"; touch {evil}; '\n::set-output name=x::y")
    for name in ("paths", "model", "base", "sarif-file", "budget"):
        ran = reviewed(workshop, action, "pull_request", workshop.pull_request(), f"{{{name}: {hostile}}}")
        assert ran.outputs("oversight").get("x") is None
    assert not evil.exists()
