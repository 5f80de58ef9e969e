"""A pull request whose report is to be published, and the paths of GitHub's interface that this goes through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from oversight.changes.diff import render
from oversight.reports.model import RiskReport
from oversight_github.anchors import addressable
from oversight_github.client import Client
from oversight_github.publish import Comment, Outcome, Published, Target, Wishes, publish
from tests.github.double import Double
from tests.github.exchange import Request
from tests.github.routes import ISSUE, PULL, REPO
from tests.github.world import JSON

CHECK_RUNS = REPO + "/check-runs"
CHECK_RUN = CHECK_RUNS + "/{check_run_id}"
COMMENTS = ISSUE + "/comments"
COMMENT = REPO + "/issues/comments/{comment_id}"
REVIEWS = PULL + "/reviews"
INLINE = PULL + "/comments"
INLINE_ONE = REPO + "/pulls/comments/{comment_id}"
LABELS = ISSUE + "/labels"

ALL = Wishes(comment=Comment.AUTO, inline=True, check_run=True, labels=True)
INLINE_ALONE = Wishes(comment=Comment.NEVER, inline=True, check_run=False)
SUMMARY_ALONE = Wishes(check_run=False)
CHECK_ALONE = Wishes(comment=Comment.NEVER)
LABELS_ALONE = Wishes(comment=Comment.NEVER, check_run=False, labels=True)


@dataclass
class Scene:
    """Pull request 7, with the diff and the head of the report that is published."""

    github: Double
    api: Client
    number: int = 7

    def open(self, report: RiskReport, *, diff: bytes | None = None) -> Target:
        """Make the pull request that the report is about; what GitHub takes for its diff may be another."""
        head = report.change.head or "a" * 40
        shown = render([one for one in report.change.files if addressable(one.path)]) if diff is None else diff
        self.github.world.pull(self.number, diff=shown, head_sha=head)
        return Target(head, self.number)

    def push(self, report: RiskReport, head: str = "d" * 40) -> tuple[RiskReport, Target]:
        """Let the author push: the pull request has another head, and the report is about that."""
        report = replace(report, change=replace(report.change, head=head))
        found = self.github.world.pulls[self.number]
        found["head"]["sha"] = head
        self.github.world.diffs[self.number] = render(report.change.files)
        return report, Target(head, self.number)

    def publish(
        self, report: RiskReport, target: Target, wishes: Wishes = ALL, dismissed: Mapping[str, str] | None = None
    ) -> Published:
        return publish(
            report, target, self.api, wishes, dismissed or {}, clock=lambda: datetime(2026, 1, 2, tzinfo=UTC)
        )

    def writes(self) -> list[tuple[str, str]]:
        """What was written since this was last asked, by verb and path."""
        found = [(call.method, call.template) for call in self.github.writes]
        self.github.calls.clear()
        return found

    @property
    def comments(self) -> list[JSON]:
        return self.github.world.comments[self.number]

    @property
    def inline(self) -> list[JSON]:
        return self.github.world.review_comments[self.number]

    @property
    def threads(self) -> list[JSON]:
        return self.github.world.threads[self.number]

    @property
    def labels(self) -> list[str]:
        return [label["name"] for label in self.github.world.pulls[self.number]["labels"]]

    def meanwhile(self, method: str, template: str, act: object) -> None:
        """Do something, once, right before a request of that kind is answered, as somebody else would."""
        left = [act]

        def hook(request: Request) -> None:
            if left and (request.method, request.template) == (method, template):
                left.pop()()  # type: ignore[operator]

        self.github.checks.append(hook)


def outcomes(published: Published) -> dict[str, Outcome]:
    """What came of each step, by its name."""
    return {step.what: step.outcome for step in published.steps}
