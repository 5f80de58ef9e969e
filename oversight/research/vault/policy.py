"""How much a vault tells: settled before its first query, and in the first entry of its ledger."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from oversight.audit import fields
from oversight.audit.fields import Fields
from oversight.errors import VaultError
from oversight.research.vault import files


@dataclass(frozen=True, slots=True)
class Policy:
    """`queries` of a study and of `each` researcher; `seals` of a study.

    The best so far is beaten by more than `margin`, in PGR over the open half, and by more than `errors` standard
    errors of the paired difference over the `shown` share of its blocks, others for each query. Every best makes the
    next one dearer, by `steeper` times as many errors: whoever climbs on luck needs many, a better method few. Scores
    are told in steps of `rounding`. One error is what the Ladder without parameters takes (Blum & Hardt 2015,
    arXiv:1502.04585).
    """

    queries: int = 120
    each: int = 40
    seals: int = 3
    margin: float = 0.02
    errors: float = 1.0
    steeper: float = 0.5
    rounding: float = 0.05
    shown: float = 0.75


_FIELDS: Fields = {
    "queries": fields.whole(),
    "each": fields.whole(),
    "seals": fields.whole(),
    "margin": fields.positive(1),
    "errors": fields.number(0, 10),
    "steeper": fields.number(0, 10),
    "rounding": fields.positive(1),
    "shown": fields.positive(1),
}


def limit(vault: Path, policy: Policy) -> None:
    """Settle what a vault tells; `VaultError` where that makes no sense or a query has been answered already."""
    untouched(vault)
    _checked(asdict(policy))
    files.write(vault / files.POLICY, json.dumps(asdict(policy), indent=2).encode() + b"\n")


def policy_of(vault: Path) -> Policy:
    """Return what was settled, else the defaults."""
    path = vault / files.POLICY
    if not path.exists():
        return Policy()
    try:
        return _checked(fields.load(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError) as error:
        raise VaultError("the vault's policy cannot be read", mend="start the study again") from error


def untouched(vault: Path) -> None:
    """Raise `VaultError` where the vault has a ledger: what it was asked under must stay what it was."""
    if (vault / files.LEDGER).exists():
        raise VaultError("this vault has been opened already", mend="start another study")


def _checked(told: object) -> Policy:
    if not isinstance(told, dict):
        raise ValueError("no object")
    if reason := fields.amiss(told, _FIELDS):
        raise VaultError(f"the vault's policy {reason}", mend="see oversight research start --help")
    return Policy(**told)
