"""Canaries made, each with its control, the same ones for the same seed and history.

Every candidate is drawn by a digest of the seed and its name. A canary without a control of its language and counts is
none; each ordinary change is used once, as a host, a control, or the giver of a message.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from oversight.audit.canaries.classes import REVERSED, mutations
from oversight.audit.canaries.dialects import DIALECTS
from oversight.audit.canaries.model import Canary, Flock, Pair, draw, marked
from oversight.audit.canaries.mutating import mutated
from oversight.audit.canaries.past import Key, Past, Shape, main_language
from oversight.audit.canaries.reversal import reversed_files
from oversight.audit.canaries.surface import distance
from oversight.changes.model import Change, LineKind
from oversight.changes.repository import Repository, Span, change_of

MOST_LINES = 400
"""Added and deleted together: changes that are larger have no controls of their size, and few readers."""

_CHUNK = 64
_FEW = 6
_CHOICES = 15

Advance = Callable[[int], None]


def make(
    repository: Repository,
    head: str,
    past: Past,
    classes: Sequence[str],
    *,
    count: int,
    seed: int,
    advance: Advance = lambda _steps: None,
) -> Flock:
    """Make `count` canaries, as many of each of the `classes` as of any other where the past has them.

    Where a class finds too few places, the others have its share. `advance` hears of every one that is made.
    """
    making = _Making(repository, past, seed, advance)
    share = -(-count // max(len(classes), 1))
    if REVERSED in classes:
        making.reverse(share if len(classes) > 1 else count)
    kinds = [kind for kind in classes if kind != REVERSED]
    for most in (share, count):
        making.mutate(kinds, most=most, total=count)
    if REVERSED in classes:
        making.reverse(count - len(making.drafts))
    pairs = making.pairs()[:count]
    return Flock(repository.name, head, seed, dict.fromkeys(classes, share), tuple(pairs))


@dataclass(frozen=True, slots=True)
class _Draft:
    """A canary and the commit that is to be its control."""

    canary: Canary
    control: Shape


@dataclass
class _Making:
    repository: Repository
    past: Past
    seed: int
    advance: Advance
    drafts: list[_Draft] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.by_key = self.past.by_key()
        self.made: Counter[str] = Counter()
        self.tried: defaultdict[str, set[str]] = defaultdict(set)

    def reverse(self, wanted: int) -> None:
        """Make up to `wanted` canaries of repairs in reverse, that wear the message of an ordinary change."""
        planned: list[tuple[Shape, Shape, Shape]] = []
        for repair in sorted(self.past.repairs, key=lambda shape: draw(self.seed, REVERSED, shape.sha)):
            if len(planned) >= wanted:
                break
            if repair.sha in self.used or not 0 < repair.added + repair.deleted <= MOST_LINES:
                continue
            control = self._control((repair.language, repair.deleted, repair.added), repair)
            giver = self._giver(repair, control)
            if control is not None and giver is not None:
                self.used |= {repair.sha, control.sha, giver.sha}
                planned.append((repair, control, giver))
        changes = self._changes([shape.sha for plan in planned for shape in (plan[0], plan[2])])
        for repair, control, giver in planned:
            self._add(_reversed(changes[repair.sha], changes[giver.sha], repair.language), control)

    def mutate(self, kinds: Sequence[str], *, most: int, total: int) -> None:
        """Make canaries of ordinary changes, until there are `total` in all or `most` of each of the `kinds`."""
        hosts = [
            shape
            for shape in self.past.ordinary
            if shape.language in DIALECTS and 0 < shape.added + shape.deleted <= MOST_LINES and self._promising(shape)
        ]
        hosts.sort(key=lambda shape: draw(self.seed, "host", shape.sha))
        source = iter(hosts)
        while chunk := list(islice(source, _CHUNK)):
            if len(self.drafts) >= total or all(self.made[kind] >= most for kind in kinds):
                return
            free = {shape.sha: shape for shape in chunk if shape.sha not in self.used}
            for patch in self.repository.patches(list(free)):
                tried = self.tried[patch.sha]
                open_kinds = [kind for kind in kinds if self.made[kind] < most and kind not in tried]
                if not open_kinds or patch.sha in self.used or len(self.drafts) >= total:
                    continue
                tried.update(open_kinds)  # what finds no control now finds none later: they only become fewer
                self._plant(change_of(patch, self.repository.name), free[patch.sha], open_kinds)

    def _plant(self, host: Change, shape: Shape, kinds: Sequence[str]) -> None:
        """Make one canary of a host, of the class of which there are fewest yet."""
        if any(file.lost or file.binary for file in host.files):
            return
        order = sorted(kinds, key=lambda kind: (self.made[kind], draw(self.seed, kind, host.id)))
        chosen = [mutations()[kind] for kind in order]
        canary = mutated(self.repository, host, chosen, self.seed, lambda *key: self._control(key, shape) is not None)
        control = None if canary is None else self._control(_key(canary), shape)
        if control is not None:
            self.used |= {shape.sha, control.sha}
            self._add(canary, control)

    def _promising(self, host: Shape) -> bool:
        """Whether some ordinary change has about as many lines: a defect adds or takes away a few."""
        around = (
            (host.language, host.added + more, host.deleted + gone)
            for more in range(-_FEW, _FEW)
            for gone in range(_FEW)
        )
        return any(key in self.by_key for key in around)

    def _control(self, key: Key | None, near: Shape) -> Shape | None:
        """The ordinary change of these counts that is most like another one in files, and nearest in time."""
        found = [
            shape
            for shape in (self.by_key.get(key, ()) if key is not None else ())
            if shape.sha not in self.used and shape.sha != near.sha
        ]
        return min(
            found, key=lambda shape: (abs(shape.files - near.files), abs(shape.position - near.position)), default=None
        )

    def _giver(self, repair: Shape, control: Shape | None) -> Shape | None:
        """The ordinary change before a repair whose message it is to wear: of its folder and size if any, and near."""
        found = [
            shape
            for shape in self.past.ordinary
            if shape.position < repair.position and shape.sha not in self.used and shape is not control
        ]
        size = repair.added + repair.deleted
        return min(
            found,
            key=lambda shape: (
                shape.folder != repair.folder,
                shape.language != repair.language,
                abs(shape.added + shape.deleted - size) > size,
                repair.position - shape.position,
            ),
            default=None,
        )

    def _add(self, canary: Canary | None, control: Shape) -> None:
        if canary is not None:
            self.made[canary.kind] += 1
            self.drafts.append(_Draft(canary, control))
            self.advance(1)

    def pairs(self) -> list[Pair]:
        """The pairs in an order that tells nothing, each control the one of several that looks most like its canary.

        Without those whose control turns out to be of other counts.
        """
        choices = [(draft, self._choices(draft)) for draft in self.drafts]
        changes = self._changes(sorted({shape.sha for _, shapes in choices for shape in shapes}))
        found = []
        for draft, shapes in choices:
            self.used.remove(draft.control.sha)
            canary = draft.canary.change
            alike = (changes[shape.sha] for shape in shapes if shape.sha not in self.used)
            control = min(alike, key=lambda change: distance(change, canary))
            self.used.add(control.id)
            if (control.added, control.deleted) == (canary.added, canary.deleted):
                found.append(Pair(draft.canary, control, Span(control.base, control.id, single=True)))
        return sorted(found, key=lambda pair: draw(self.seed, "order", pair.canary.change.id))

    def _choices(self, draft: _Draft) -> list[Shape]:
        """The control that a draft has for sure, and those that nobody has, the nearest in files and time."""
        own = draft.control
        free = [shape for shape in self.by_key[own.key] if shape.sha not in self.used]
        files, place = len(draft.canary.change.files), own.position
        free.sort(key=lambda shape: (abs(shape.files - files), abs(shape.position - place)))
        return [own, *free[:_CHOICES]]

    def _changes(self, shas: Sequence[str]) -> dict[str, Change]:
        return {patch.sha: change_of(patch, self.repository.name) for patch in self.repository.patches(shas)}


def _reversed(repair: Change, giver: Change, language: str) -> Canary | None:
    """A repair in reverse, at its place in the history, with who wrote another change and what they said of it."""
    if any(file.lost or file.binary for file in repair.files):
        return None
    worn = replace(
        repair, title=giver.title, body=giver.body, author=giver.author, provenance=giver.provenance
    )  # fmt: skip
    change = marked(worn, reversed_files(repair.files))
    return Canary(change, REVERSED, language, repair.id, Span(repair.base, repair.id, single=True), None)


def _key(canary: Canary) -> Key | None:
    change = canary.change
    weights: Counter[str] = Counter()
    for file in change.files:
        if file.language is not None:
            weights[file.language] += sum(len(hunk.lines) - hunk.count(LineKind.CONTEXT) for hunk in file.hunks)
    if change.added is None or change.deleted is None or main_language(weights) != canary.language:
        return None
    return canary.language, change.added, change.deleted
