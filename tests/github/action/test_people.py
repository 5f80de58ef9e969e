"""What people said is minded as far as they could see what it was about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.github import world
from tests.github.action.conftest import Outcome, Workshop


@pytest.fixture(autouse=True)
def clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of the double goes on from now: people answer to what they were shown, by the machine's clock."""
    monkeypatch.setattr(world, "_EPOCH", datetime.now(UTC))


def review(workshop: Workshop) -> Outcome:
    return workshop.step("pull_request", workshop.pull_request(), inline="true", fail_on="flagged", budget="0.0001")


def dismiss(workshop: Workshop, finding: dict[str, Any]) -> None:
    """Bob, who may write, answers a finding."""
    workshop.github.world.permissions["bob"] = "write"
    reply = workshop.github.world.review_comment(
        7, "/oversight dismiss a fixture", login="bob", reply_to=finding["id"], path=finding["path"]
    )
    pull = {"number": 7}
    payload = {"action": "created", "pull_request": pull, "comment": reply, "repository": workshop.repository()}
    workshop.step("pull_request_review_comment", payload)


def test_a_dismissal_of_a_whole_file_is_of_what_it_held_then(workshop: Workshop) -> None:
    """Its fingerprint has no lines that could change; what is pushed afterwards nobody has seen."""
    workshop.origin.switch("topic")
    workshop.origin.git("reset", "-q", "--hard", "HEAD~1")
    workshop.origin.commit("Data", {"fixture.py": "print(1)\n".encode("utf-16")})
    assert review(workshop).code == 1
    for finding in list(workshop.github.world.review_comments[7]):
        assert finding["subject_type"] == "file"
        dismiss(workshop, finding)
    assert review(workshop).code == 0
    workshop.origin.commit("Other data", {"fixture.py": "eval(input())\n".encode("utf-16")})
    assert review(workshop).code == 1
