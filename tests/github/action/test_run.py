"""The whole job, from an event's payload to an exit code."""

from __future__ import annotations

from tests.github.action.conftest import Workshop


def test_a_pull_request_is_reviewed_against_its_merge_base(workshop: Workshop) -> None:
    """One commit deep is enough of a checkout: what is missing is fetched beside it."""
    workshop.checkout()
    before = sorted(path for path in (workshop.workspace / ".git").rglob("*"))
    outcome = workshop.step("pull_request", workshop.pull_request())
    assert outcome.code == 0
    assert outcome.outputs["status"] == "scored"
    assert outcome.outputs["flagged"] == "true"
    assert outcome.report["change"]["files"]
    assert sorted(path for path in (workshop.workspace / ".git").rglob("*")) == before
