"""What a vault keeps, how it is divided, and what settles it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.vault_world import laid, world
from oversight.errors import LabelError, VaultError
from oversight.research.model import Gold
from oversight.research.vault import Policy, keep, limit
from oversight.research.vault.files import GOLD, LEDGER, POLICY
from oversight.research.vault.gold import Ground, grounds_of
from oversight.research.vault.ledger import Ledger
from oversight.research.vault.policy import policy_of

MADE = world(3, {"first": 500})
ONE = MADE.golds["first"]


def ground(folder: Path, gold: Gold = ONE, seed: int = 1) -> Ground:
    keep(folder, gold, seed=seed)
    return grounds_of(folder)[gold.name]


def test_half_of_the_blocks_are_open_and_both_halves_see_all_of_the_window(tmp_path: Path) -> None:
    """Of every two blocks that follow each other one is open and one sealed; a block is never divided."""
    kept = ground(tmp_path)
    blocks = np.unique(kept.blocks)
    opened = np.array([kept.open[kept.blocks == block].all() for block in blocks])
    sealed = np.array([not kept.open[kept.blocks == block].any() for block in blocks])
    assert (opened ^ sealed).all()
    assert opened.reshape(-1, 2).sum(axis=1).tolist() == [1] * (blocks.size // 2)


def test_the_halves_come_from_the_seed_and_the_labels(tmp_path: Path) -> None:
    """The same study divides in the same way; another seed or one other label divides in another."""
    first = ground(tmp_path / "a")
    flipped = ONE.truth.copy()
    flipped[0] = not flipped[0]
    assert (ground(tmp_path / "b").open == first.open).all()
    assert (ground(tmp_path / "c", seed=2).open != first.open).any()
    assert (ground(tmp_path / "d", replace(ONE, truth=flipped)).open != first.open).any()


def test_queries_are_scored_on_other_open_rows_each_time(tmp_path: Path) -> None:
    """A query sees its share of the open blocks, never a sealed row, the same ones when it is asked again."""
    kept = ground(tmp_path)
    shown = [kept.shown(query, 0.75) for query in range(1, 9)]
    assert all(not (rows & ~kept.open).any() for rows in shown)
    assert {np.unique(kept.blocks[rows]).size for rows in shown} == {19}
    assert len({rows.tobytes() for rows in shown}) == len(shown)
    assert (kept.shown(3, 0.75) == shown[2]).all()
    assert all(0 < kept.labels[rows].sum() < rows.sum() for rows in shown)


def test_labels_are_their_owners_alone_and_settled_once_the_vault_was_opened(tmp_path: Path) -> None:
    """Nobody else can read them; before the first query a ground may be laid again, after it nothing may change."""
    vault = laid(tmp_path / "vault", MADE, Policy(queries=3))
    keep(vault, ONE, seed=1)
    for path in (vault / GOLD / "first.npz", vault / POLICY):
        assert path.stat().st_mode & 0o077 == 0
    assert (vault / GOLD).stat().st_mode & 0o077 == 0
    Ledger(vault, write=True).__exit__(None, None, None)
    assert (vault / LEDGER).exists()
    with pytest.raises(VaultError, match="opened already"):
        keep(vault, ONE, seed=1)
    with pytest.raises(VaultError, match="opened already"):
        limit(vault, Policy(queries=10_000))


@pytest.mark.parametrize(
    "gold",
    [
        replace(ONE, name="../elsewhere"),
        replace(ONE, truth=ONE.truth.astype(np.float64)),
        replace(ONE, times=ONE.times[1:]),
        replace(ONE, series={name: runs for name, runs in ONE.series.items() if name != "default"}),
        replace(ONE, series={**ONE.series, "weak": ONE.series["weak"][:, 1:]}),
        replace(ONE, series={**ONE.series, "weak": ONE.series["weak"] + 1}),
        replace(ONE, series={**ONE.series, "weak": ONE.series["weak"] * np.float32("nan")}),
        replace(ONE, truth=np.zeros_like(ONE.truth)),
    ],
)
def test_a_ground_that_measures_nothing_is_refused(tmp_path: Path, gold: Gold) -> None:
    """Names that are no file's, arrays that do not fit, what is no probability, halves without labels of both kinds."""
    with pytest.raises(LabelError):
        keep(tmp_path, gold, seed=1)
    assert not list(tmp_path.rglob("*.npz"))


def test_a_policy_is_read_as_it_was_settled(tmp_path: Path) -> None:
    """Defaults where none was; what makes no sense is refused when it is settled, what is damaged when it is read."""
    assert policy_of(tmp_path) == Policy()
    limit(tmp_path, Policy(queries=7, errors=2.0))
    assert policy_of(tmp_path) == Policy(queries=7, errors=2.0)
    for poor in (Policy(queries=0), Policy(shown=1.5), Policy(rounding=0.0)):
        with pytest.raises(VaultError, match="policy has"):
            limit(tmp_path, poor)
    (tmp_path / POLICY).write_text("[]")
    with pytest.raises(VaultError, match="cannot be read"):
        policy_of(tmp_path)


def test_damaged_labels_are_an_error_of_the_vault(tmp_path: Path) -> None:
    """What is no archive of arrays is not scored with."""
    keep(tmp_path, ONE, seed=1)
    (tmp_path / GOLD / "first.npz").write_bytes(b"nothing")
    with pytest.raises(VaultError, match="cannot be read"):
        grounds_of(tmp_path)
