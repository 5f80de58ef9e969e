"""Which commit a reference means, among those that came before the commit that makes it.

One function decides, `resolve`, over whichever table of earlier commits is at hand: `Names` in memory for a
pass over a whole history, or the index's database for a single change.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from oversight.history.model import Commit
from oversight.history.references import Reference, changelist_of, pull_number, subject_key

PREFIX = 7
"""Hex digits of a sha that the tables are keyed by; git's shortest abbreviation and that of all references."""


class Outcome(StrEnum):
    """What became of a reference."""

    RESOLVED = "resolved"
    BY_SUBJECT = "resolved by subject"
    AMBIGUOUS = "ambiguous"
    SELF = "self-reference"
    NEWER = "newer than its referrer"
    OUTSIDE = "outside the history"


@dataclass(frozen=True, slots=True)
class Handles:
    """The names by which later messages may call a commit."""

    sha: str
    subject: int
    number: int | None
    changelist: int | None


def handles_of(commit: Commit) -> Handles:
    """All names of `commit`."""
    subject = commit.subject
    return Handles(commit.sha, subject_key(subject), pull_number(subject), changelist_of(commit.message))


class Lookup(Protocol):
    """Earlier commits by name. Identifiers are the implementer's own; all lists are oldest first."""

    def by_prefix(self, prefix: str) -> Sequence[int]:
        """Every earlier commit whose sha begins with `prefix`."""
        ...

    def by_subject(self, key: int) -> int | None:
        """The latest earlier commit with this subject key."""
        ...

    def by_number(self, number: int) -> int | None:
        """The latest earlier commit that ends in this pull request's number."""
        ...

    def by_changelist(self, changelist: int) -> int | None:
        """The latest earlier commit of this changelist."""
        ...

    def subject_of(self, identifier: int) -> int:
        """The subject key of a commit."""
        ...


class Names:
    """All commits of a pass so far, in memory: some 150 bytes each."""

    def __init__(self) -> None:
        self._shas: list[bytes] = []
        self._subjects = array("q")
        self._prefixes: dict[int, int | tuple[int, ...]] = {}
        self._latest: dict[int, int] = {}
        self._numbers: dict[int, int] = {}
        self._changelists: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._shas)

    def add(self, handles: Handles) -> int:
        """Let `handles` be known from now on; the commit's position is its identifier."""
        position = len(self._shas)
        self._shas.append(bytes.fromhex(handles.sha))
        self._subjects.append(handles.subject)
        prefix = int(handles.sha[:PREFIX], 16)
        known = self._prefixes.get(prefix)
        if known is None:
            self._prefixes[prefix] = position
        else:
            self._prefixes[prefix] = (*known, position) if isinstance(known, tuple) else (known, position)
        self._latest[handles.subject] = position
        if handles.number is not None:
            self._numbers[handles.number] = position
        if handles.changelist is not None:
            self._changelists[handles.changelist] = position
        return position

    def sha(self, identifier: int) -> str:
        """The full sha of a commit."""
        return self._shas[identifier].hex()

    def by_prefix(self, prefix: str) -> Sequence[int]:
        """See `Lookup`."""
        known = self._prefixes.get(int(prefix[:PREFIX], 16))
        if known is None:
            return ()
        candidates: Iterable[int] = known if isinstance(known, tuple) else (known,)
        return [position for position in candidates if self._shas[position].hex().startswith(prefix)]

    def by_subject(self, key: int) -> int | None:
        """See `Lookup`."""
        return self._latest.get(key)

    def by_number(self, number: int) -> int | None:
        """See `Lookup`."""
        return self._numbers.get(number)

    def by_changelist(self, changelist: int) -> int | None:
        """See `Lookup`."""
        return self._changelists.get(changelist)

    def subject_of(self, identifier: int) -> int:
        """See `Lookup`."""
        return self._subjects[identifier]


def resolve(reference: Reference, referrer: str, lookup: Lookup) -> tuple[int | None, Outcome]:
    """The commit that `reference`, made by the commit `referrer`, means, and how that was found.

    A sha decides; of several commits that an abbreviation fits, the one whose subject is quoted. Where the sha
    is nobody's (a rebased branch, another repository) the rest of the reference decides: the pull request's
    number, then the quoted subject, in both cases the latest earlier commit.
    """
    if reference.sha is not None:
        if referrer.startswith(reference.sha):
            return None, Outcome.SELF
        found = lookup.by_prefix(reference.sha)
        if len(found) > 1 and reference.subject is not None:
            key = subject_key(reference.subject)
            found = [identifier for identifier in found if lookup.subject_of(identifier) == key]
            if len(found) != 1:
                return None, Outcome.AMBIGUOUS
        if len(found) > 1:
            return None, Outcome.AMBIGUOUS
        if found:
            return found[0], Outcome.RESOLVED
    for identifier in _by_other_names(reference, lookup):
        if identifier is not None:
            return identifier, Outcome.BY_SUBJECT if reference.subject or reference.sha else Outcome.RESOLVED
    return None, Outcome.OUTSIDE


def _by_other_names(reference: Reference, lookup: Lookup) -> Iterable[int | None]:
    if reference.changelist is not None:
        yield lookup.by_changelist(reference.changelist)
    if reference.number is not None:
        yield lookup.by_number(reference.number)
    if reference.subject is not None:
        yield lookup.by_subject(subject_key(reference.subject))
