"""The scale: the quantiles that numpy gives, finite whatever a repository's past holds."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from oversight.students.scale import BLOCK, RECENT, Scales, moving_scales, quantile_edges, signed_log

ANYTHING = arrays(
    np.float32, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.floats(width=32, allow_subnormal=False)
)
"""Profiles as nobody has them: NaN, infinities, the greatest and the least numbers, ties."""


@given(ANYTHING, st.integers(1, 16))
def test_edges_are_finite_and_ascend(profiles: np.ndarray, bins: int) -> None:
    """Whatever the profiles hold, there is a scale of the right shape to place others on."""
    edges = quantile_edges(profiles, bins)
    assert edges.shape == (profiles.shape[1], bins + 1)
    assert edges.dtype == np.float32
    assert np.isfinite(edges).all()
    assert (np.diff(edges, axis=1) >= 0).all()


@given(st.integers(0, 2**32 - 1), st.integers(1, 400), st.floats(0, 1))
def test_edges_are_numpy_s_quantiles_to_the_last_bit(seed: int, rows: int, unknown: float) -> None:
    """Column by column they are `nanquantile` of the logarithms, ties and unknown values or not."""
    random = np.random.default_rng(seed)
    profiles = (random.gamma(0.3, 30, (rows, 6)).astype(np.float32) - 1).round(int(random.integers(0, 4)))
    profiles[random.random(profiles.shape) < unknown] = np.nan
    edges = quantile_edges(profiles, 8)
    for column, own in zip(profiles.T, edges, strict=True):
        known = signed_log(column[~np.isnan(column)])
        expected = np.quantile(known, np.linspace(0, 1, 9)) if known.size else np.zeros(9)
        np.testing.assert_array_equal(own, np.maximum.accumulate(expected.astype(np.float32)))


@given(st.integers(0, 2**32 - 1))
def test_the_order_of_changes_does_not_matter(seed: int) -> None:
    """A scale is of a set of changes."""
    random = np.random.default_rng(seed)
    profiles = random.normal(0, 100, (50, 3)).astype(np.float32)
    np.testing.assert_array_equal(quantile_edges(profiles, 4), quantile_edges(random.permutation(profiles), 4))


def test_what_is_never_known_and_what_never_differs_has_no_width() -> None:
    """A column of NaN gets zeros, a constant one its value at every edge, no rows at all zeros."""
    profiles = np.array([[np.nan, 7], [np.nan, 7]], dtype=np.float32)
    never, always = quantile_edges(profiles, 2)
    assert never.tolist() == [0, 0, 0]
    assert (always == np.log1p(np.float32(7))).all()
    assert not quantile_edges(np.zeros((0, 3), dtype=np.float32), 4).any()


def test_one_absurd_change_moves_no_inner_edge_far() -> None:
    """Among three hundred changes the greatest moves the last edge alone, by no more than one place the others."""
    random = np.random.default_rng(0)
    profiles = random.gamma(1, 30, (300, 4)).astype(np.float32)
    absurd = profiles.copy()
    absurd[-1] = np.float32(np.inf)
    before, after = quantile_edges(profiles, 8), quantile_edges(absurd, 8)
    assert np.isfinite(after).all()
    assert np.abs(before - after)[:, :-1].max() < 0.1


def test_a_scale_moves_on_with_the_history() -> None:
    """Every block is placed among the RECENT before it and nothing later; the first among the first RECENT."""
    profiles = np.random.default_rng(0).gamma(1, 10, (RECENT + 250, 3)).astype(np.float32)
    changes = [str(row) for row in range(len(profiles))]
    scales = moving_scales(changes, profiles, 4)
    for row in (0, BLOCK - 1, BLOCK, RECENT + 249):
        first = row - row % BLOCK
        past = profiles[max(0, first - RECENT) : first] if first else profiles[:RECENT]
        np.testing.assert_array_equal(scales.edges[scales.of[str(row)]], quantile_edges(past, 4))
    later = profiles.copy()
    later[RECENT:] *= 1_000
    moved = moving_scales(changes, later, 4)
    np.testing.assert_array_equal(moved.edges[moved.of[str(RECENT)]], scales.edges[scales.of[str(RECENT)]])


def test_scales_of_several_repositories_are_kept_apart() -> None:
    """Added up, each change is still placed on the scale that it had."""
    first = moving_scales(["a"], np.ones((1, 2), dtype=np.float32), 4)
    second = moving_scales(["b"], np.full((1, 2), 9, dtype=np.float32), 4)
    both = Scales() + first + second
    for change, alone in (("a", first), ("b", second)):
        np.testing.assert_array_equal(both.edges[both.of[change]], alone.edges[0])
