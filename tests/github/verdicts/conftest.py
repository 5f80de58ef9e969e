"""Pull requests that were reviewed, as the reviews left them on GitHub."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from oversight_github.markers import FindingMark, SummaryMark, key_of
from oversight_github.shown import Shown, dated, marks
from tests.github.double import Double
from tests.github.world import JSON

KEY = key_of("oversight")
MODEL = "a" * 64
FINDING = "f" * 32 + ":1"


@dataclass
class Reviewed:
    """What is on GitHub after reviews, and what people do next."""

    github: Double

    @property
    def world(self) -> Any:
        return self.github.world

    def now(self) -> datetime:
        return datetime.fromisoformat(self.world.now())

    def person(self, login: str, permission: str = "write") -> str:
        self.world.permissions[login] = permission
        return login

    def shown(self, head: str, *, flagged: bool = True, risk: float = 0.5) -> Shown:
        return Shown(head, self.now().astimezone(UTC), flagged, risk, 97.25, MODEL)

    def summary(self, number: int, head: str, *, login: str = "", flagged: bool = True, risk: float = 0.5) -> JSON:
        """The summary comment that tells of a head, made or changed."""
        shown = self.shown(head, flagged=flagged, risk=risk)
        there = [one for one in self.world.comments[number] if one["body"].startswith("<!-- oversight:summary")]
        before = dated(there[0]["body"], there[0]["updated_at"]) if there and not login else ""
        body = f"{SummaryMark(KEY, head)}{marks(shown, before)}**Flagged**\n"
        if not before:
            made: JSON = self.world.comment(number, body, login=login)
            return made
        there[0].update(body=body, updated_at=self.world.now(), edited_by=self.world.viewer)
        return there[0]

    def check(self, head: str, *, flagged: bool = False, app: int = 15368, text: str | None = None) -> None:
        """A check run on a head, made by an App, with what it showed unless `text` says something else."""
        told = f"{self.shown(head, flagged=flagged)}\nNothing calls for a reader.\n" if text is None else text
        self.world.check_runs.append(
            {
                "id": self.world.id(),
                "name": "oversight",
                "head_sha": head,
                "status": "completed",
                "conclusion": "success",
                "started_at": "2025-12-01T00:00:00Z",  # as whoever makes one may say
                "completed_at": self.world.now(),
                "app": {"id": app},
                "output": {"title": "x", "summary": "x", "text": told, "annotations_count": 0},
            }
        )

    def finding(self, number: int, *, login: str = "", finding: str = FINDING) -> JSON:
        """An inline comment of ours; of somebody who copied one, with a login."""
        mark = FindingMark(KEY, finding)
        made: JSON = self.world.review_comment(number, f"{mark}Look here", login=login, path="a.py", line=1)
        return made

    def say(self, number: int, body: str, *, login: str) -> JSON:
        made: JSON = self.world.comment(number, body, login=login)
        return made

    def reply(self, number: int, body: str, to: JSON, *, login: str) -> JSON:
        made: JSON = self.world.review_comment(number, body, login=login, reply_to=to["id"], path="a.py", line=1)
        return made

    def edit(self, comment: JSON, body: str, *, by: str = "") -> None:
        by = by or comment["user"]["login"]
        comment.update(body=body, updated_at=self.world.now(), edited_by=by)


@pytest.fixture
def reviewed(github: Double) -> Reviewed:
    """Pull request 7 of ann, whose head was reviewed and flagged; bob and cid may write."""
    made = Reviewed(github)
    for login in ("ann", "bob", "cid"):
        made.person(login)
    made.world.pull(7, author="ann", head_sha="1" * 40)
    made.summary(7, "1" * 40)
    return made
