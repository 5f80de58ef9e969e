"""The random slice: which of the changes that nobody suspects people are asked to judge all the same. No I/O.

What is flagged tells nothing of what was missed. Of the other pull requests a fixed share is drawn, by their number
alone: not by anything that an author has a hand in, the same on every run, and without anything to be remembered. A
change stands in the slice or not before anybody has seen it, so its propensity is `SHARE`, known and never 0, which is
what weighting by its inverse needs (`oversight.measurement.audited`).
"""

from __future__ import annotations

from hashlib import sha256

SHARE = 0.05
"""Of twenty pull requests that are not flagged, one."""


def in_slice(repository: str, number: int, share: float = SHARE) -> bool:
    """Whether a pull request of "owner/name" belongs to the slice.

    >>> sum(in_slice("octo/repo", number) for number in range(10_000))
    503
    """
    digest = sha256(f"oversight slice\0{repository.lower()}\0{number}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64
