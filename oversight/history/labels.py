"""Gold labels that a history itself holds: which commits people later repaired or withdrew, and when.

One pass, oldest first, over messages alone; memory grows by a few hundred bytes a commit. A commit is risky
when a later one names it in a `Fixes:` trailer or reverts it. A revert that is itself reverted lands the
change again: the label follows the last state, and `evidence` keeps every step. `decided_at` is the committer
date of the commit with which the state that the label tells began: the earliest decision not overturned since.

A commit named by several sources has one label, of the source that decided first; risky wins over not risky.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from oversight.history.model import Commit, GoldLabel
from oversight.history.naming import Names, Outcome, handles_of, resolve
from oversight.history.pool import Maturity, clean_since, exclusion
from oversight.history.references import Reference, References, read_references

SOURCES = ("fixes", "reverts", "szz")

_MAX_DATE = 253_402_300_799  # the last second of the year 9999, which is as far as datetime goes


class Merges(Protocol):
    """Merge commits, for reverts that name one: what they brought in counts as withdrawn."""

    def by_prefix(self, prefix: str) -> Sequence[str]:
        """The non-merge commits that a merge brought in; empty where it is none, or brought too many."""
        ...

    def by_number(self, number: int) -> Sequence[str]:
        """The same for the merge of a pull request."""
        ...


@dataclass(frozen=True, slots=True)
class Decision:
    """One later commit's word on an earlier one."""

    source: str
    risky: bool
    at: int
    by: str


@dataclass(slots=True)
class Summary:
    """Counts of everything that `mine` saw; nothing is dropped uncounted."""

    commits: int = 0
    references: Counter[tuple[str, str]] = field(default_factory=Counter)
    labels: Counter[tuple[str, bool]] = field(default_factory=Counter)
    excluded: Counter[str] = field(default_factory=Counter)
    usable: int = 0
    relanded: int = 0
    partial: int = 0
    reverted_merges: int = 0
    picked: int = 0
    candidates: int = 0
    unread: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Mined:
    """Labels in the order of the commits that they are about, who is excluded and why, and the counts.

    `shas` and `committed` list every commit that was read, oldest first, with its committer date.
    """

    labels: tuple[GoldLabel, ...]
    excluded: Mapping[str, str]
    shas: Sequence[str]
    committed: Sequence[int]
    summary: Summary


class Miner:
    """Collects what messages say, commit by commit, oldest first; `finish` turns it into labels."""

    def __init__(self, sources: Collection[str] = ("fixes", "reverts")) -> None:
        self.names = Names()
        self.summary = Summary()
        self._sources = frozenset(sources)
        self._committed = array("q")
        self._excluded: dict[int, str] = {}
        self._decisions: dict[int, list[Decision]] = {}
        self._withdrew: dict[int, tuple[int, ...]] = {}
        self._unresolved: list[tuple[int, Reference]] = []
        self._contents: dict[int, int | list[int]] = {}
        self._picks: set[int] = set()

    def add(self, commit: Commit, references: References | None = None) -> None:
        """Take in the next commit. `references` spares reading the message again."""
        said = references if references is not None else read_references(commit.message)
        position = len(self.names)
        self._committed.append(min(max(commit.committed_at, 0), _MAX_DATE))
        reason = exclusion(commit, references=said)
        for reference in said.fixes:
            self._refer(position, commit, reference)
        undone = tuple(
            found for reference in said.reverts if (found := self._refer(position, commit, reference)) is not None
        )
        if undone and said.is_revert:
            self._withdrew[position] = undone
            if all(target in self._withdrew for target in undone):
                reason = "reland"
        for reference in said.picked:
            if self._refer(position, commit, reference) is not None:
                self._picks.add(position)
        self.names.add(handles_of(commit))
        if reason is not None:
            self._excluded[position] = reason
        elif commit.touches:
            self._remember(position, commit)

    def decide(self, target: str, decision: Decision) -> bool:
        """Add a decision that another source made, such as SZZ; False where `target` is not in the history."""
        found = self.names.by_prefix(target)
        if not found:
            return False
        self._decisions.setdefault(found[0], []).append(decision)
        return True

    def reason(self, sha: str) -> str | None:
        """Why a commit is excluded as far as is known before `finish`; None also where it is not in the history."""
        found = self.names.by_prefix(sha)
        return self._excluded.get(found[0]) if found else None

    def candidates(self) -> list[list[str]]:
        """Groups of two or more commits, oldest first, that change the same files by the same numbers of lines."""
        groups = [group for group in self._contents.values() if isinstance(group, list)]
        self.summary.candidates = sum(map(len, groups))
        return [[self.names.sha(position) for position in group] for group in groups]

    def finish(self, duplicates: Collection[str] = (), merges: Merges | None = None) -> Mined:
        """The labels. `duplicates` are the shas of later commits of one patch-id."""
        self._settle(merges)
        for position in self._picks:
            self._excluded.setdefault(position, "duplicate")
        self.summary.picked = len(self._picks)
        for sha in duplicates:
            self._excluded.setdefault(self.names.by_prefix(sha)[0], "duplicate")
        labels = []
        for position in sorted(self._decisions):
            label = label_of(self.names.sha(position), self._decisions[position])
            labels.append(label)
            self.summary.labels[label.source, label.risky] += 1
            self.summary.usable += label.risky and position not in self._excluded
        self.summary.commits = len(self.names)
        self.summary.excluded.update(self._excluded.values())
        excluded = {self.names.sha(position): reason for position, reason in self._excluded.items()}
        shas = [self.names.sha(position) for position in range(len(self.names))]
        return Mined(tuple(labels), excluded, shas, self._committed, self.summary)

    def _refer(self, position: int, commit: Commit, reference: Reference) -> int | None:
        """Resolve a reference, count what became of it, and keep the decision that it makes."""
        found, outcome = resolve(reference, commit.sha, self.names)
        if outcome is Outcome.OUTSIDE:
            self._unresolved.append((position, reference))
            return None
        self.summary.references[reference.kind, outcome.value] += 1
        if found is not None:
            self._decide(reference, found, self._committed[position], commit.sha)
        return found

    def _decide(self, reference: Reference, target: int, at: int, by: str) -> None:
        if reference.kind not in self._sources:
            return
        self._decisions.setdefault(target, []).append(Decision(reference.kind, True, at, by))
        if reference.kind != "reverts":
            return
        self.summary.partial += reference.partial
        risky, pending = False, self._withdrew.get(target, ())
        while pending:
            for earlier in pending:
                self._decisions[earlier].append(Decision("reverts", risky, at, by))
                self.summary.relanded += not risky
            pending = tuple(further for earlier in pending for further in self._withdrew.get(earlier, ()))
            risky = not risky

    def _remember(self, position: int, commit: Commit) -> None:
        """File the commit under what it changes, for the search for duplicates."""
        key = hash(tuple(sorted((touch.path, touch.added or -1, touch.deleted or -1) for touch in commit.touches)))
        known = self._contents.get(key)
        if known is None:
            self._contents[key] = position
        elif isinstance(known, list):
            known.append(position)
        else:
            self._contents[key] = [known, position]

    def _settle(self, merges: Merges | None) -> None:
        """Say what became of references that no earlier commit answers to: a merge, a newer commit, or nobody."""
        for position, reference in self._unresolved:
            outcome = Outcome.OUTSIDE
            brought = _brought(reference, merges) if reference.kind == "reverts" and merges is not None else ()
            if brought:
                outcome = Outcome.RESOLVED
                self.summary.reverted_merges += 1
                for sha in brought:
                    for target in self.names.by_prefix(sha):
                        self._decide(reference, target, self._committed[position], self.names.sha(position))
            elif reference.sha is not None and self.names.by_prefix(reference.sha):
                outcome = Outcome.NEWER
            self.summary.references[reference.kind, outcome.value] += 1
        self._unresolved.clear()


def _brought(reference: Reference, merges: Merges) -> Sequence[str]:
    brought = merges.by_prefix(reference.sha) if reference.sha is not None else ()
    return brought or (merges.by_number(reference.number) if reference.number is not None else ())


def label_of(sha: str, decisions: Sequence[Decision]) -> GoldLabel:
    """The label that `decisions`, in the order of the commits that made them, come to."""
    begun: dict[str, Decision] = {}
    for decision in decisions:
        state = begun.get(decision.source)
        turned = state is None or state.risky != decision.risky
        if turned or (state is not None and decision.at < state.at):
            begun[decision.source] = decision
    risky = [state for state in begun.values() if state.risky]
    first = min(risky or begun.values(), key=lambda decision: decision.at)
    evidence = tuple(dict.fromkeys(decision.by for decision in decisions))
    return GoldLabel(sha, bool(risky), first.source, datetime.fromtimestamp(first.at, UTC), evidence)


def mine(
    commits: Iterable[Commit],
    *,
    sources: Collection[str] = ("fixes", "reverts"),
    duplicates_of: Callable[[Sequence[Sequence[str]]], Collection[str]] | None = None,
    merges: Merges | None = None,
) -> Mined:
    """Labels of `commits`, which come in the total order of `Repository.commits`, oldest first.

    `duplicates_of` is given groups of commits that may be the same change and returns the later ones of those
    that are (`oversight.history.duplicates`); without it only cherry-picks that say so count as duplicates.
    """
    miner = Miner(sources)
    for commit in commits:
        miner.add(commit)
    duplicates = duplicates_of(miner.candidates()) if duplicates_of is not None else ()
    return miner.finish(duplicates, merges)


def clean(mined: Mined) -> list[GoldLabel]:
    """Labels, source "clean", of the mature commits that no source names. Some of them are risky all the same."""
    mature = Maturity.at(mined.committed)
    named = {label.change_id for label in mined.labels}
    return [
        GoldLabel(sha, False, "clean", datetime.fromtimestamp(min(clean_since(at), _MAX_DATE), UTC), ())
        for sha, at in zip(mined.shas, mined.committed, strict=True)
        if sha not in named and mature(at)
    ]
