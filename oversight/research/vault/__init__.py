"""The vault: a process of its own that holds the gold labels of the test rows, trains nothing, and scores.

    keep(gold) ──> split by blocks of time: open half (queries), sealed half (promotion)
    predictions ──> detectors (no labels) ──> ladder (open half, rotating rows) ──> ledger ──> answer

What an answer may depend on is layered, so that it can be checked by reading:

- `detectors` see predictions and earlier predictions, never a label. Every refusal and every flag of an answer is
  theirs, so that no refusal, reason or flag tells of a label.
- `scoring` and `ladder` see labels and say one thing: beaten, or not; and a rounded score where it is beaten.
- `ledger` has what was answered and nothing else that depends on labels: who reads it learns what was told anyway.

Files are the owner's alone (0600). That keeps other users out; code of a proposer, which has the same owner, is kept
out by its sandbox, in which the vault's folder does not exist. See `docs/RESEARCH.md` for what this can and cannot do.
"""

from oversight.research.vault.gold import keep
from oversight.research.vault.policy import Policy, limit

__all__ = ["Policy", "keep", "limit"]
