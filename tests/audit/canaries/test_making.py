"""How canaries are made: from real changes, by seed, each with a control that nobody tells it from by size."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from oversight.audit import lines
from oversight.audit.canaries.classes import REVERSED
from oversight.audit.canaries.giveaways import giveaways, held_out
from oversight.audit.canaries.model import MARKER, Flock
from oversight.audit.canaries.surface import COUNTS, FEATURES, distance, surface
from oversight.changes.diff import parse_diff
from oversight.changes.rendering import render
from oversight.changes.repository import Repository
from oversight.history.pool import CANARY, is_canary
from tests.audit.canaries.conftest import made
from tests.builders import GitRepository


def test_a_canary_has_a_control_of_its_language_and_counts(flock: Flock):
    """By construction: whoever sees lines added and deleted sees the same twice."""
    assert len(flock.pairs) >= 12
    for pair in flock.pairs:
        canary = pair.canary.change
        assert (canary.added, canary.deleted) == (pair.control.added, pair.control.deleted)
        assert {file.language for file in pair.control.files} == {pair.canary.language}


def test_the_counts_of_all_canaries_are_those_of_all_controls(flock: Flock):
    """So any scorer of counts ranks both alike: of all pairs of a canary and a control, half are in its order."""
    canaries = [(pair.canary.change.added or 0, pair.canary.change.deleted or 0) for pair in flock.pairs]
    controls = [(pair.control.added or 0, pair.control.deleted or 0) for pair in flock.pairs]
    assert Counter(canaries) == Counter(controls)
    generator = np.random.default_rng(5)
    for _ in range(50):
        weights = generator.normal(size=5)

        def scores(counts: list[tuple[int, int]], weights: np.ndarray = weights) -> np.ndarray:
            added, deleted = np.array(counts, dtype=float).T
            return np.stack([added, deleted, added * deleted, np.log1p(added), deleted**2], axis=1) @ weights

        high, low = scores(canaries)[:, None], scores(controls)[None, :]
        assert np.mean((high > low + 1e-9) + 0.5 * (np.abs(high - low) <= 1e-9)) == pytest.approx(0.5)


def test_a_fitted_scorer_of_counts_does_no_better_than_chance(flock: Flock):
    """It may learn all it wants from some pairs: on the others it is right in exactly half of them."""
    told = giveaways(flock)
    assert told.counts.value == 0.5
    assert told.counts.low < 0.5 < told.counts.high


def test_a_giveaway_would_be_found():
    """The classifier tells pairs that differ in one of many features, and guesses where nothing differs."""
    generator = np.random.default_rng(1)
    differences = generator.normal(size=(200, len(FEATURES)))
    folds = np.arange(200) % 10
    assert 0.35 < np.mean(held_out(differences, folds) > 0) < 0.65
    differences[:, 5] += 1.5
    assert np.mean(held_out(differences, folds) > 0) > 0.8


def test_features_are_named(flock: Flock):
    """One number for each name, the counts first."""
    seen = surface(flock.pairs[0].control)
    assert len(seen) == len(FEATURES)
    assert seen[: len(COUNTS)] == [flock.pairs[0].control.added, flock.pairs[0].control.deleted]


def test_what_looks_alike_is_near(flock: Flock):
    """A change is at no distance from itself, and equally far from another one both ways."""
    first, second = flock.pairs[0].control, flock.pairs[1].canary.change
    assert distance(first, first) == 0
    assert distance(first, second) == distance(second, first) > 0


def test_the_same_seed_and_history_make_the_same_canaries(history: GitRepository, flock: Flock):
    """And another seed others."""
    assert made(history) == flock
    other = made(history, seed=1)
    assert {pair.canary.change.id for pair in other.pairs} != {pair.canary.change.id for pair in flock.pairs}


def test_no_change_is_used_twice(flock: Flock):
    """Nor is a control the origin of a canary: who has seen one knows nothing of the other."""
    used = [pair.canary.origin for pair in flock.pairs] + [pair.control.id for pair in flock.pairs]
    assert len(set(used)) == len(used)


def test_reversed_repairs_do_not_say_so(history: GitRepository):
    """A repair in reverse wears the message and author of an ordinary change before it, which is not in the flock."""
    flock = made(history, count=4, classes=[REVERSED])
    assert flock.pairs
    with Repository.open(history.path) as repository:
        for pair in flock.pairs:
            canary, repair = pair.canary.change, repository.change(pair.canary.span)
            assert (canary.added, canary.deleted) == (repair.deleted, repair.added)
            assert "Fixes:" in repair.body
            assert canary.title != repair.title
            assert "ix" not in canary.title + canary.body
            assert canary.title not in {one.control.title for one in flock.pairs}
            assert canary.id != pair.canary.origin


def test_mutations_keep_the_words_of_their_host(history: GitRepository, flock: Flock):
    """Title, body, author and time are those of the change that people made; only one file differs."""
    mutations = [pair.canary for pair in flock.pairs if pair.canary.kind != REVERSED]
    assert len({canary.kind for canary in mutations}) >= 4
    with Repository.open(history.path) as repository:
        for canary in mutations:
            host = repository.change(canary.span)
            said = (host.title, host.body, host.author, host.authored_at, host.provenance, host.base)
            change = canary.change
            assert said == (
                change.title, change.body, change.author, change.authored_at, change.provenance, change.base,
            )  # fmt: skip
            differing = [one.path for one, other in zip(change.files, host.files, strict=True) if one != other]
            assert differing == [canary.path]


def test_the_marker_is_in_the_record_and_not_in_the_diff(flock: Flock):
    """Who reads records cannot overlook it, and who reads diffs cannot find it."""
    for pair in flock.pairs:
        change = pair.canary.change
        assert is_canary(change.id)
        assert not is_canary(pair.control.id)
        record = pair.canary.record()
        assert record["marker"] == MARKER
        assert record["change_id"].startswith(CANARY)
        shown = render(change.files).decode() + change.title + change.body
        assert "canary" not in shown.lower()
        assert "oversight" not in shown.lower()
        assert tuple(parse_diff(render(change.files))) == change.files
        assert change.head is None


def test_the_order_tells_nothing(flock: Flock):
    """Pairs are in the order of digests: neither by class nor by time."""
    kinds = [pair.canary.kind for pair in flock.pairs]
    assert kinds != sorted(kinds)
    assert kinds != sorted(kinds, reverse=True)


def test_no_verdict_can_be_on_a_canary(flock: Flock):
    """The ledger takes commits and digests of diffs; the id of a canary is neither."""
    assert not lines.fields.SHA.holds(flock.pairs[0].canary.change.id)
