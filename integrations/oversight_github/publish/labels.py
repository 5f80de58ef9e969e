"""Labels that tell the verdict in lists of pull requests. Only the three of ours are ever added or removed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from oversight.reports.model import RiskReport, Status
from oversight_github.client import Client, NotFound, Unprocessable
from oversight_github.publish.model import LABELS, Outcome, Step
from oversight_github.publish.standing import Standing


@dataclass(frozen=True, slots=True)
class Label:
    """A label of ours; `colour` as six hexadecimal digits."""

    name: str
    colour: str
    description: str


FLAGGED = Label("oversight: flagged", "d93f0b", "A person should read this change")
REVIEWED = Label("oversight: reviewed", "0e8a16", "Reviewed by oversight, outside of the review budget")
NOT_SCORED = Label("oversight: not scored", "fbca04", "No risk could be given: treat the change as unread")
OURS = (FLAGGED, REVIEWED, NOT_SCORED)


def label_of(report: RiskReport) -> Label:
    """Return the label that a report asks for."""
    if report.status is not Status.SCORED:
        return NOT_SCORED
    return FLAGGED if report.flagged else REVIEWED


def publish_labels(api: Client, standing: Standing, report: RiskReport) -> Step:
    """Give the pull request the label of its verdict, and take those of other verdicts off. Raises GitHubError."""
    wanted = label_of(report)
    there = {str(label.get("name")) for label in api.pages(api.here("issues", standing.number, "labels"))}
    outdated = [label for label in OURS if label.name in there and label != wanted]
    if wanted.name in there and not outdated:
        return Step(LABELS, Outcome.UNCHANGED, f"“{wanted.name}” is there")
    standing.check()
    if wanted.name not in there:
        _make(api, wanted)
        api.post(api.here("issues", standing.number, "labels"), {"labels": [wanted.name]})
    for label in outdated:
        with suppress(NotFound):  # another run was quicker
            api.delete(api.here("issues", standing.number, "labels", label.name))
    return Step(LABELS, Outcome.DONE, f"“{wanted.name}” set")


def _make(api: Client, label: Label) -> None:
    """Create a label of the repository where it is missing; one that people gave another colour stays as it is."""
    try:
        api.get(api.here("labels", label.name))
    except NotFound:
        body = {"name": label.name, "color": label.colour, "description": label.description}
        with suppress(Unprocessable):  # another run was quicker
            api.post(api.here("labels"), body)
