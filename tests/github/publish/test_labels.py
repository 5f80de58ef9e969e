"""Labels: one of three of ours, and nobody else's is touched."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from oversight.reports.model import RiskReport
from oversight_github.publish import Outcome
from oversight_github.publish.labels import FLAGGED, NOT_SCORED, OURS, REVIEWED
from tests.github.publish.scene import LABELS, LABELS_ALONE, Scene, outcomes
from tests.github.routes import REPO
from tests.reports.examples import error, flagged_by_budget, flagged_by_principle, not_flagged, unscored

CREATE = ("POST", REPO + "/labels")
ADD = ("POST", LABELS)
REMOVE = ("DELETE", LABELS + "/{name}")


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (not_flagged, REVIEWED.name),
        (flagged_by_budget, FLAGGED.name),
        (flagged_by_principle, FLAGGED.name),
        (unscored, NOT_SCORED.name),
        (error, NOT_SCORED.name),
    ],
)
def test_verdict(scene: Scene, make: Callable[[], RiskReport], wanted: str) -> None:
    """Each verdict has its label, which is made with a colour and a description where it is missing."""
    target = scene.open(make())
    scene.publish(make(), target, LABELS_ALONE)
    assert scene.labels == [wanted]
    assert scene.writes() == [CREATE, ADD]
    label = scene.github.world.labels[wanted]
    assert label["color"] != "ededed"
    assert label["description"]
    published = scene.publish(make(), target, LABELS_ALONE)
    assert outcomes(published) == {"labels": Outcome.UNCHANGED}
    assert scene.writes() == []


def test_change_of_verdict(scene: Scene) -> None:
    """Another verdict takes our label off and leaves those of others."""
    target = scene.open(flagged_by_budget())
    scene.github.world.set_labels(scene.number, ["bug", FLAGGED.name, "oversight: safe"])
    report, target = scene.push(not_flagged())
    scene.publish(report, target, LABELS_ALONE)
    assert scene.labels == ["bug", "oversight: safe", REVIEWED.name]


def test_a_label_that_people_changed(scene: Scene) -> None:
    """A label that is there keeps the colour that people gave it."""
    scene.github.world.label(FLAGGED.name, "123456")
    scene.publish(flagged_by_budget(), scene.open(flagged_by_budget()), LABELS_ALONE)
    assert scene.github.world.labels[FLAGGED.name]["color"] == "123456"
    assert scene.writes() == [ADD]


def test_two_runs_at_once(scene: Scene) -> None:
    """Another run that makes or removes a label first is no fault."""
    target = scene.open(not_flagged())
    scene.github.world.set_labels(scene.number, [FLAGGED.name])
    scene.meanwhile("POST", REPO + "/labels", lambda: scene.github.world.label(REVIEWED.name))
    scene.meanwhile("DELETE", LABELS + "/{name}", lambda: scene.github.world.set_labels(7, [REVIEWED.name]))
    published = scene.publish(not_flagged(), target, LABELS_ALONE)
    assert outcomes(published) == {"labels": Outcome.DONE}
    assert scene.labels == [REVIEWED.name]


def test_names_fit_github() -> None:
    """GitHub takes names of 50 characters and descriptions of 100."""
    assert all(len(label.name) <= 50 and len(label.description) <= 100 for label in OURS)
