"""The panel: it finds out whom to trust, abstentions move nothing, and faults stay apart."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oversight.changes.model import Change, Provenance, ProvenanceKind
from oversight.errors import LabelError
from oversight.history.context import context_of_diff
from oversight.history.model import Context
from oversight.measurement.metrics import auroc
from oversight.reviewers import panel
from oversight.reviewers.model import Fault, Opinion
from oversight.reviewers.panel import Said
from oversight.reviewers.size import Size

COUNT = 1500


def votes(seed: int, reliabilities: Sequence[float]) -> tuple[list[Said], np.ndarray]:
    """What independent principles say of changes a third of which is risky, each right as often as given."""
    random = np.random.default_rng(seed)
    risky = random.random(COUNT) < 0.3
    said = []
    for row in range(COUNT):
        opinions = tuple(
            Opinion("principles", 0.5, "", principle=f"p{number}")
            for number, right in enumerate(reliabilities)
            if (random.random() < right) == risky[row]
        )
        said.append(Said(f"c{row}", opinions))
    return said, risky


def test_it_learns_whom_to_trust_without_gold() -> None:
    """Of five voters, the reliable ones are found out by how they agree, and the joint label beats each of them."""
    said, risky = votes(0, [0.9, 0.85, 0.8, 0.5, 0.5])
    model = panel.learn(said, prior=0.3)
    worth = model.reliability()
    assert min(worth["p0"], worth["p1"], worth["p2"]) > 5 * max(worth["p3"], worth["p4"])
    joint = np.array([model.label(one).risk for one in said])
    single = np.array([any(opinion.principle == "p0" for opinion in one.opinions) for one in said], dtype=float)
    assert auroc(risky, joint).require() > auroc(risky, single).require() + 0.03
    assert joint.mean() == pytest.approx(0.3, abs=0.02)


def test_human_labels_say_which_side_is_risky() -> None:
    """Voters that are always wrong look, among themselves, like voters that are right; people tell them apart."""
    said, risky = votes(1, [0.15, 0.2, 0.2])
    human = {f"c{row}": bool(risky[row]) for row in range(150)}
    model = panel.learn(said, human)
    joint = np.array([model.label(one).risk for one in said])
    assert auroc(risky[150:], joint[150:]).require() > 0.85


def test_graded_risks_are_votes_too() -> None:
    """A reviewer with a graded risk that follows the truth counts; one that does not, does not."""
    random = np.random.default_rng(2)
    risky = random.random(COUNT) < 0.3
    said = [
        Said(
            f"c{row}",
            (
                Opinion("good", float(np.clip(random.normal(0.6 if risky[row] else 0.3, 0.15), 0, 1)), ""),
                Opinion("noise", float(random.random()), ""),
            ),
        )
        for row in range(COUNT)
    ]
    model = panel.learn(said, {f"c{row}": bool(risky[row]) for row in range(200)})
    assert model.reliability()["good"] > 10 * model.reliability()["noise"]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, COUNT - 1))
def test_an_abstention_moves_nothing(row: int) -> None:
    """Adding an opinion without a risk changes neither the label nor the agreement."""
    before = MODEL.label(SAID[row])
    after = MODEL.label(Said(SAID[row].change_id, (*SAID[row].opinions, Opinion("lexical", None, "no text"))))
    assert (after.risk, after.agreement) == (before.risk, before.agreement)


def test_a_fault_is_not_silence() -> None:
    """A principle whose reviewer failed is not counted as one that had nothing to object to."""
    silent = MODEL.label(Said("c", ()))
    failed = MODEL.label(Said("c", (), (Fault("principles", "out of memory"),)))
    assert failed.risk > silent.risk
    assert failed.agreement == 0.0
    assert failed.faults
    assert failed.opinions == ()


def test_agreement_is_between_nothing_and_unanimity() -> None:
    """All evidence one way is 1; evidence both ways is less."""
    labels = [MODEL.label(one) for one in SAID]
    assert all(0 <= label.agreement <= 1 for label in labels)
    assert {round(label.agreement, 6) for label in labels} >= {1.0}
    assert min(label.agreement for label in labels) < 0.9


def test_nobody_said_how_common_risk_is() -> None:
    """Votes alone cannot tell the share of risky changes: it has to come from people or as a number."""
    with pytest.raises(LabelError, match="how common"):
        panel.learn(SAID)
    with pytest.raises(LabelError):
        panel.learn([], prior=0.3)
    with pytest.raises(LabelError):
        panel.learn(SAID, prior=1.0)


def test_one_reviewer_that_raises_does_not_silence_the_others() -> None:
    """A fault is kept beside the opinions of the others."""

    class Broken:
        name = "broken"

        def review(self, _change: Change, _context: Context) -> tuple[Opinion, ...]:
            raise RuntimeError("no answer")

    one = Change("id", None, None, None, None, Provenance(ProvenanceKind.UNKNOWN), None, "", "", ())
    said = panel.ask([Broken(), Size()], one, context_of_diff(one))
    assert [fault.reviewer for fault in said.faults] == ["broken"]
    assert [opinion.reviewer for opinion in said.opinions] == ["size"]


def test_size_grows_with_lines_and_abstains_where_there_are_none_counted() -> None:
    """More lines are more risk; an unknown number of lines is no opinion."""
    risks = [Size().judge(lines, 0.0).risk for lines in (0.0, 10.0, 1000.0)]
    assert risks == sorted(risks)
    assert risks[0] == 0.0
    assert Size().judge(float("nan"), 1.0).risk is None


SAID, RISKY = votes(3, [0.85, 0.75, 0.7])
MODEL = panel.learn(SAID, {f"c{row}": bool(RISKY[row]) for row in range(100)})
