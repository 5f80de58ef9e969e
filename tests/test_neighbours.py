"""Where a change stands: one scale a block, taken before it, and the same number whoever asks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oversight.history.model import Completeness
from oversight.history.readings import Reading
from oversight.neighbours import Block, Neighbours, anchor_of, first_of, scale_of, standing_alone
from oversight.students.batch import PROFILE
from oversight.students.runtime import Model, load
from oversight.students.scale import BLOCK, ENOUGH, RECENT, quantile_edges

FULL = Completeness.FULL


@pytest.fixture(scope="module")
def loaded(model) -> Model:
    return load(model)


def reading(random: np.random.Generator, *, factor: float = 1.0) -> Reading:
    profile = factor * random.gamma(1.0, 10.0, len(PROFILE)).astype(np.float32)
    profile[random.random(profile.size) < 0.05] = np.nan
    return Reading(float(random.normal(-3, 1)), profile)


def past(count: int, *, seed: int = 0, factor: float = 1.0) -> list[Reading | None]:
    random = np.random.default_rng(seed)
    return [reading(random, factor=factor) for _ in range(count)]


@given(st.integers(0, 10_000))
def test_a_block_is_where_a_change_stands_in_its_history(position: int):
    """Anchors are multiples of BLOCK; what is needed begins at one, RECENT before the anchor or with the history."""
    anchor = anchor_of(position)
    assert anchor % BLOCK == first_of(position) % BLOCK == 0
    assert 0 <= position - anchor < BLOCK
    assert first_of(position) == max(0, anchor - RECENT)


@pytest.mark.parametrize("position", [0, 1, 99, 100, 101, 299, 399, 400, 777])
def test_neighbours_are_divided_at_the_anchor(position: int):
    """The readings before the anchor give the scale, and those since are placed on it with the change."""
    numbers = list(range(first_of(position), position))
    found = Neighbours.of(numbers, position)  # type: ignore[arg-type]
    assert [*found.before, *found.since] == numbers
    assert list(found.since) == list(range(anchor_of(position), position))
    assert len(found.before) == min(RECENT, anchor_of(position))


def test_the_scale_is_that_of_the_changes_before_the_anchor(loaded: Model):
    """With ENOUGH of them; with one fewer the model's own scale stands in."""
    before = past(ENOUGH)
    known = [one.profile for one in before if one is not None]
    np.testing.assert_array_equal(scale_of(before, loaded), quantile_edges(np.stack(known), loaded.bins))
    assert scale_of([*before[1:], None], loaded) is None
    change = reading(np.random.default_rng(1))
    own, fallen_back = (Neighbours(readings).standing(change, FULL, loaded) for readings in (before, before[1:]))
    alone = standing_alone(change, FULL, loaded)
    assert own is not None
    assert fallen_back is not None
    assert alone is not None
    assert (own.own_scale, fallen_back.own_scale, alone.own_scale) == (True, False, False)
    assert fallen_back.risk == pytest.approx(alone.risk, abs=1e-6)
    assert own.risk == pytest.approx(loaded.risks([change], quantile_edges(np.stack(known), loaded.bins))[0], abs=1e-6)
    assert abs(own.risk - alone.risk) > 1e-4


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(st.integers(0, 450), st.sets(st.integers(0, 450)), st.integers(0, 2**32 - 1))
def test_one_change_gets_what_it_gets_among_its_whole_block(loaded: Model, position: int, unread: set[int], seed: int):
    """To the last bit, wherever it stands in its history and whichever changes could not be read."""
    history = past(position + 30, seed=seed)
    for number in unread:
        if number != position and number < len(history):
            history[number] = None
    change = history[position]
    assert change is not None
    anchor = anchor_of(position)
    alone = Neighbours.of(history[first_of(position) : position], position).standing(change, FULL, loaded)
    block = Block(history[max(0, anchor - RECENT) : anchor], history[anchor : anchor + BLOCK], loaded)
    assert block.standing(position - anchor, FULL) == alone
    assert alone is not None
    assert alone.among == sum(one is not None for one in history[max(0, position - RECENT) : position])


def test_a_change_never_moves_its_own_scale(loaded: Model):
    """Nor that of the changes beside it: whatever stands in its profile, the others of its block keep their risks."""
    random = np.random.default_rng(3)
    before, since = past(RECENT), past(20, seed=4)
    expected = Block(before, since, loaded)
    for value in (0.0, -3e38, 3e38, np.nan):
        absurd = Reading(0.0, np.full(len(PROFILE), value, dtype=np.float32))
        block = Block(before, [*since[:10], absurd, *since[11:]], loaded)
        for number in (*range(10), *range(11, 20)):
            one, other = block.standing(number, FULL), expected.standing(number, FULL)
            assert one is not None
            assert other is not None
            assert one.risk == other.risk
    assert Block(before, [reading(random)], loaded).standing(0, FULL) is not None


def test_growing_with_the_whole_repository_changes_nothing(loaded: Model):
    """A change ten times as large stands where it stood, where all others before it are as large."""
    random = np.random.default_rng(5)
    profile = np.expm1(random.gamma(1.0, 1.0, (RECENT + 1, len(PROFILE)))).astype(np.float32)
    # On the logarithmic scale: shifting all by a constant is multiplying one more than each number.
    grown = (10 * (1 + profile) - 1).astype(np.float32)
    standings = []
    for rows in (profile, grown):
        readings = [Reading(-2.0, row) for row in rows]
        standings.append(Neighbours(readings[:-1]).standing(readings[-1], FULL, loaded))
    one, other = standings
    assert one is not None
    assert other is not None
    assert one.risk == pytest.approx(other.risk, abs=1e-4)
    assert one.percentile == pytest.approx(other.percentile, abs=1)


@pytest.mark.parametrize(
    "numbers",
    [
        [np.nan],
        [0.0],
        [7.0],
        [-3e38, 3e38, 0.0, np.nan],
        [1e-45, -1e-45, 0.0],
    ],
    ids=["unknown", "zeros", "ties", "absurd", "tiny"],
)
def test_a_hostile_past_leaves_every_change_a_risk(loaded: Model, numbers: list[float]):
    """Whatever the changes before hold, a risk is a number strictly between 0 and 1, and hunks still order risks."""
    random = np.random.default_rng(6)
    before = [Reading(0.0, random.choice(numbers, len(PROFILE)).astype(np.float32)) for _ in range(RECENT)]
    change = reading(random)
    louder = Reading(change.pooled + 1, change.profile)
    one, other = (Neighbours(before).standing(each, FULL, loaded) for each in (change, louder))
    assert one is not None
    assert other is not None
    assert one.own_scale
    assert 0 < one.risk < other.risk < 1
    assert 0 <= one.percentile <= 100


def test_equal_changes_tie(loaded: Model):
    """A change that is read like all before it stands in the middle of them, to the last bit."""
    same = reading(np.random.default_rng(7))
    standing = Neighbours([same] * RECENT, [same] * 50).standing(same, FULL, loaded)
    assert standing is not None
    assert (standing.percentile, standing.among) == (50, RECENT)
