"""What a ledger says, as a state: everything that a vault knows of the past comes from here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from oversight.research.vault.ledger import Entry
from oversight.research.vault.policy import Policy

DEFAULT = "default"
"""What the ladder begins at, among the names of experiments."""


@dataclass
class Record:
    """Entries by what they are: all `queries` in order; `asked`, the first of each experiment; `sealed` by experiment,
    `confirmed` by experiment and ground.
    """

    asked: dict[str, Entry] = field(default_factory=dict)
    sealed: dict[str, Entry] = field(default_factory=dict)
    confirmed: dict[tuple[str, str], Entry] = field(default_factory=dict)
    queries: list[Entry] = field(default_factory=list)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Record:
        """Read a ledger."""
        record = cls()
        for entry in entries:
            record.take(entry)
        return record

    def take(self, entry: Entry) -> None:
        """Know of one more entry."""
        if entry["kind"] == "asked":
            self.asked.setdefault(entry["experiment"], entry)
            self.queries.append(entry)
        elif entry["kind"] == "sealed":
            self.sealed[entry["experiment"]] = entry
        elif entry["kind"] == "confirmed":
            self.confirmed[entry["experiment"], entry["ground"]] = entry

    @property
    def scored(self) -> list[Entry]:
        """Those that were compared with the best, in order."""
        return [entry for entry in self.asked.values() if entry["answer"]["answer"] != "refused"]

    @property
    def bests(self) -> list[Entry]:
        """Those that beat the best so far, in order."""
        return [entry for entry in self.scored if entry["answer"]["answer"] == "best"]

    @property
    def best(self) -> str:
        """The experiment to beat."""
        return str(self.bests[-1]["experiment"]) if self.bests else DEFAULT

    def left(self, researcher: str, policy: Policy) -> int:
        """Return how many queries a researcher has left."""
        own = [entry["researcher"] for entry in self.queries].count(researcher)
        return max(0, min(policy.each - own, policy.queries - len(self.queries)))
