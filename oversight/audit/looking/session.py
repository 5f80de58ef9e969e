"""A person, the changes that wait for them, and what they say. It opens nothing and shows nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

from oversight.audit.budget.entry import Entry
from oversight.audit.looking.dossier import Dossier
from oversight.audit.store.names import is_folder
from oversight.audit.verdict import Decision, Source, Verdict

Append = Callable[[Verdict], int]
"""Puts a verdict on record, and returns how many entries the ledger then has; raises `StoreError` or `LabelError`."""


class Session:
    """Which change is looked at, and by whom.

    `first` is the change to begin with; `waiting` others, in their order. In `blind` mode that order, which tells what
    the model thinks, is replaced by one that tells nothing. `own` says whether the person wrote a change, `saw` whether
    they were shown before what its report says; `place` is a word for where they are.
    """

    def __init__(
        self,
        first: Dossier,
        waiting: Sequence[Entry],
        *,
        who: str,
        own: Callable[[Entry], bool],
        blind: bool,
        gather: Callable[[Entry], Dossier],
        append: Append,
        saw: Callable[[Entry], bool] = lambda _: False,
        place: str = "terminal",
    ) -> None:
        self.dossier = first
        self._who, self._own, self._blind = who, own, blind
        self._gather, self._append, self._saw, self._place = gather, append, saw, place
        listed = shuffled(waiting) if blind else list(waiting)
        names = [(one.repository.lower(), one.commit) for one in listed]
        here = (first.entry.repository.lower(), first.entry.commit)
        self._entries = listed if here in names else [first.entry, *listed]
        self.position = names.index(here) if here in names else 0
        self._seen = {self.position: first}

    @property
    def count(self) -> int:
        """How many changes there are to go through."""
        return len(self._entries)

    @property
    def hidden(self) -> bool:
        """Whether what others think is hidden: in blind mode, until the person has said something of the change.

        Raises `StoreError`.
        """
        said = any(verdict.who == self._who for verdict in self.dossier.said)
        return self._blind and not said and not self._saw(self.dossier.entry)

    def move(self, step: int) -> bool:
        """Go to another change; False where there is none. Raises `StoreError`."""
        position = self.position + step
        if not 0 <= position < len(self._entries):
            return False
        if position not in self._seen:
            self._seen[position] = self._gather(self._entries[position])
        self.position, self.dossier = position, self._seen[position]
        return True

    def judge(self, decision: Decision, note: str) -> str:
        """Put on record what the person says of the change, and return that in words. Errors as of `Append`."""
        dossier = self.dossier
        entry = dossier.entry
        said = Verdict(
            change_id=entry.commit,
            who=self._who,
            decision=decision,
            note=note,
            decided_at=datetime.now(UTC),
            shown=dossier.shown(blind=self.hidden),
            source=self._source(dossier),
            own=self._own(entry),
        )
        place = self._append(said)
        self.dossier = self._seen[self.position] = replace(dossier, said=(*dossier.said, said))
        counts = "" if said.counts else "; it is your own change, so that this does not count"
        return f"On record as {decision.value}, entry {place:,} of the ledger{counts}."

    def _source(self, dossier: Dossier) -> Source:
        """Return where it is said. The folder that a change was found in has a name that others may have as well."""
        entry = dossier.entry
        named = dossier.reported or not is_folder(entry.repository)
        return Source(self._place, entry.repository, entry.number) if named else Source(self._place)


def shuffled(entries: Sequence[Entry]) -> list[Entry]:
    """Return entries in an order that says nothing of them."""
    return sorted(entries, key=lambda one: sha256(f"{one.repository.lower()} {one.commit}".encode()).digest())
