"""A whole history labelled through the Message Batches API: interrupted at will, and nothing paid for twice.

    look      which requests have no answer yet, and what they cost at most
    hand in   as many as the budget holds, in batches; on disk before is which, and the account's newest batch: what is
              newer than that and has our names in it is ours, should the answer get lost
    read      when a batch has ended, all of its answers in one step; then look again, for what they lead to

Between any two of these steps the process may be killed. Only one thing cannot be known at once: whether a batch was
handed in when its answer got lost. Then the account's batches are looked through, after a pause, in case it is still on
its way; and a batch of the same size that is not ours has to end before it can be told from ours.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from oversight.changes.model import Change
from oversight.history.context import MEASURES
from oversight.history.model import Completeness, Context
from oversight.reviewers.claude.budget import Budget
from oversight.reviewers.claude.client import Client
from oversight.reviewers.claude.prices import Price, Size
from oversight.reviewers.claude.prompt import ADDRESSED
from oversight.reviewers.claude.replies import Batch, ClaudeError, Reply, Result, UncertainError
from oversight.reviewers.claude.requests import Needed, Recipe, State, criticised, params_of, state_of
from oversight.reviewers.claude.store import Kept, Member, Open, Store
from oversight.reviewers.claude.verdict import Label, join, unasked, unfinished
from oversight.reviewers.principles import Principles

BATCH = 500
"""Requests handed in together: few enough for the running cost to be known now and then."""

BATCH_BYTES = 100_000_000
"""Largest batch; the service takes 256 MB."""

ATTEMPTS = 2
"""How often a request that failed without being charged is handed in during one run."""

NO_CONTEXT = Context(np.full(len(MEASURES), np.nan, dtype=np.float32), Completeness.NONE)
"""What principles are told of the past: nothing, since those that matter here read the change alone."""

Read = Callable[[Sequence[str]], Iterable[Change]]
"""Reads the changes of these commits, in any order; one that cannot be read is left out."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two looks at a batch, and before a lost one is looked for; `sleep` is for tests."""

    poll: float = 30.0
    settle: float = 60.0
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is to be asked: requests, and dollars and tokens that they are likely to take and can take at most; and what
    the answers that are there have cost.
    """

    requests: int
    changes: int
    likely: tuple[float, int]
    most: tuple[float, int]
    spent: tuple[float, int]


@dataclass(slots=True)
class Waiting:
    """A request without an answer, without its text, which can be made again: its size, and the commits it is about."""

    size: Size
    changes: list[str] = field(default_factory=list)


@dataclass
class Labelling:
    """One run over some commits. `tell` hears of changes that need nothing more. After a run, `failed` counts requests
    that failed by key, and `stopped` says that the budget did not hold all of them.
    """

    read: Read
    recipe: Recipe
    price: Price
    store: Store
    budget: Budget
    tell: Callable[[int], None] = lambda _changes: None
    pace: Pace = field(default_factory=Pace)
    stopped: bool = False
    failed: Counter[str] = field(default_factory=Counter)
    _counted: set[str] = field(default_factory=set)
    _waiting: dict[str, Waiting] = field(default_factory=dict)

    def states(self, shas: Sequence[str]) -> Iterator[State]:
        """Yield what is known of these commits."""
        for change in self.read(shas):
            yield state_of(change, self.recipe, self.store.answer)

    def outlook(self, shas: Sequence[str], *, batch: bool = True, again: bool = False) -> Outlook:
        """Say what there is to ask and what it costs, critiques of answers that are not there yet included; `again` as
        if `ask_again` had been called, which would change what is kept.
        """
        needed: dict[str, Size] = {}
        spent: dict[str, tuple[float, int]] = {}
        changes = 0
        for change in self.read(shas):
            state = state_of(change, self.recipe, self.store.answer)
            spent.update((one.key, (one.usd, one.tokens)) for one in state.answers)
            spent.update((f"wasted on {key}", self.store.wasted(key)) for key in state.keys)
            if again and state.unusable:
                state = state_of(change, self.recipe, lambda _key: None)
            for one in state.needed:
                needed[one.key] = one.size
                if self.recipe.critique and not one.revised:
                    needed[f"critique of {one.key}"] = criticised(one.size)
            changes += bool(state.needed)
        likely = [self.price.likely(size, batch=batch) for size in needed.values()]
        most = [self.price.most(size, batch=batch) for size in needed.values()]
        return Outlook(len(needed), changes, _sum(likely), _sum(most), _sum(list(spent.values())))

    def ask_again(self, shas: Sequence[str]) -> None:
        """Forget the answers that cannot be used, so that they are paid for once more; a refusal stays one. What they
        have cost still counts.
        """
        for state in self.states(shas):
            if state.unusable:
                self.store.drop(state.answers)

    def labels(self, shas: Sequence[str]) -> Iterator[Label]:
        """Yield what the answers on these commits add up to. A change with an answer missing has none."""
        principles = Principles()
        for change in self.read(shas):
            state = state_of(change, self.recipe, self.store.answer)
            if state.needed:
                failed = any(self.failed[one.key] for one in state.needed)
                yield unfinished(change.id, state.shown, failed=failed)
                continue
            if not state.shown.parts:
                yield unasked(change.id)
                continue
            found = {opinion.principle for opinion in principles.review(change, NO_CONTEXT)}
            yield join(change.id, state.shown, state.votes, addressed=not found.isdisjoint(ADDRESSED))

    def run(self, shas: Sequence[str], client: Client) -> None:
        """Ask all that is missing, in batches. Raises ClaudeError; what was handed in until then is not lost."""
        self._take_up(client)
        self._look(shas)
        while True:
            self._hand_in(client)
            if not self.store.open_batches():
                break
            self._look(self._collect(client))
        self.stopped = any(self.failed[key] < ATTEMPTS for key in self._waiting)

    def run_now(self, shas: Sequence[str], client: Client) -> None:
        """Ask all that is missing at once, one after another, at the full price. Raises ClaudeError.

        What an earlier run handed in is waited for, since it has to be paid, and what the answers on all of the changes
        have cost is counted first. An answer that got lost is not asked for again in this run: it may have to be paid.
        """
        self._take_up(client)
        while self.store.open_batches():
            self._collect(client)
        for state in self.states(shas):
            self._count(state)
        answered = self.store.answer
        for change in self.read(shas):
            while (state := state_of(change, self.recipe, answered)).needed and not self.failed[state.needed[0].key]:
                self._count(state)
                if not self._ask_now(state.needed[0], client):
                    self.stopped = True
                    return
            self._count(state)
            self.tell(1)

    def _ask_now(self, one: Needed, client: Client) -> bool:
        """Make one request; False where the budget does not hold it. On disk before is what it can cost."""
        most = self.price.most(one.size, batch=False)
        if not self.budget.hold(one.key, most):
            return False
        number = self.store.waste(one.key, most)
        try:
            reply = client.ask(params_of(one, self.recipe, batch=False))
        except UncertainError:
            self.failed[one.key] += 1
            self.budget.spend(one.key, *most)
            return True
        except ClaudeError:
            self.store.keep([], number=number)  # refused, so that nothing has to be paid
            raise
        self.store.keep([kept(one.key, reply, self.price, batch=False)], number=number)
        return True

    def _take_up(self, client: Client) -> None:
        """Take up what an earlier run handed in: it counts before anything else is asked."""
        for batch in self.store.open_batches():
            for member in batch.members:
                self.budget.hold(member.key, member.most, anyway=True)
        for batch in self.store.open_batches():
            if batch.id is None and not self._find(batch, client):
                for member in batch.members:
                    self.budget.release(member.key)

    def _look(self, shas: Sequence[str]) -> None:
        """Find out what is missing on these commits, and count what their answers have cost."""
        for state in self.states(shas):
            self._count(state)
            missing = [one for one in state.needed if self.failed[one.key] < ATTEMPTS]
            for one in missing:
                waiting = self._waiting.setdefault(one.key, Waiting(one.size))
                waiting.changes.append(state.change_id)
            if not missing:
                self.tell(1)

    def _count(self, state: State) -> None:
        for answer in state.answers:
            if answer.key not in self._counted:
                self._counted.add(answer.key)
                self.budget.spend(answer.key, answer.usd, answer.tokens)
        for key in state.keys:
            # Once: what gets lost from here on is spent when that happens.
            if (name := f"wasted on {key}") not in self._counted:
                self._counted.add(name)
                self.budget.spend(name, *self.store.wasted(key))

    def _hand_in(self, client: Client) -> None:
        """Hand in what the budget holds of all that is waiting."""
        chosen: dict[str, Waiting] = {}
        size = 0
        under_way = {member.key for batch in self.store.open_batches() for member in batch.members}
        for key, waiting in self._waiting.items():
            if key in under_way or self.failed[key] >= ATTEMPTS:
                continue
            if not self.budget.hold(key, self.price.most(waiting.size, batch=True)):
                break
            if chosen and (len(chosen) == BATCH or size + waiting.size.bytes > BATCH_BYTES):
                self._submit(chosen, client)
                chosen, size = {}, 0
            chosen[key] = waiting
            size += waiting.size.bytes
        if chosen:
            self._submit(chosen, client)

    def _submit(self, chosen: Mapping[str, Waiting], client: Client) -> None:
        """Hand in one batch, on disk before."""
        changes = list(dict.fromkeys(waiting.changes[0] for waiting in chosen.values()))
        needed = {one.key: one for state in self.states(changes) for one in state.needed if one.key in chosen}
        for attempt in range(1, ATTEMPTS + 1):
            name = secrets.token_hex(8)
            keys = enumerate(needed)
            members = tuple(Member(n, key, self.price.most(chosen[key].size, batch=True)) for n, key in keys)
            after = client.newest_batch()
            self.store.intend(name, after, members)
            requests = [
                {"custom_id": _custom_id(name, n), "params": params_of(one, self.recipe, batch=True)}
                for n, one in enumerate(needed.values())
            ]
            try:
                self.store.identify(name, client.create_batch(requests).id)
                return
            except UncertainError:
                if self._find(Open(name, after, None, members), client):
                    return
                if attempt == ATTEMPTS:
                    raise
            except ClaudeError:
                self.store.forget(name)  # refused, so that it was not handed in
                raise

    def _find(self, batch: Open, client: Client) -> bool:
        """Find out whether a batch was handed in although nobody told us; forget it where it was not."""
        self.pace.sleep(self.pace.settle)
        known = {one.id for one in self.store.open_batches()}
        for candidate in client.batches_since(batch.after):
            if candidate.size != len(batch.members) or candidate.id in known:
                continue
            self._await(candidate, client)
            if any(result.custom_id.startswith(f"{batch.name}-") for result in client.results(candidate.id)):
                self.store.identify(batch.name, candidate.id)
                return True
        self.store.forget(batch.name)
        return False

    def _await(self, batch: Batch, client: Client) -> None:
        while not batch.ended:
            self.pace.sleep(self.pace.poll)
            batch = client.batch(batch.id)

    def _collect(self, client: Client) -> list[str]:
        """Wait until some batch has ended, and read all that have; the commits that their answers are about."""
        while True:
            ended = [one for one in self.store.open_batches() if one.id is not None and client.batch(one.id).ended]
            if ended:
                return list(dict.fromkeys(sha for batch in ended for sha in self._take(batch, client)))
            self.pace.sleep(self.pace.poll)

    def _take(self, batch: Open, client: Client) -> list[str]:
        """Keep the answers of a batch that has ended; what failed in it is not charged. The commits they are about."""
        members = {_custom_id(batch.name, member.number): member for member in batch.members}
        found = self._results(batch.id or "", members.keys(), client)
        answers: list[Kept] = []
        lost: list[Member] = []
        for custom_id, member in members.items():
            result = found.get(custom_id)
            if result is not None and result.reply is not None:
                answers.append(kept(member.key, result.reply, self.price, batch=True))
                self.budget.release(member.key)  # counted with the change that it is about
                continue
            self.failed[member.key] += 1
            if result is None:
                self.budget.spend(member.key, *member.most)  # nobody says that it was free
                lost.append(member)
            else:
                self.budget.release(member.key)
        self.store.keep(answers, batch=batch.name, lost=lost)
        waiting = (self._waiting.pop(member.key, None) for member in batch.members)
        return [sha for one in waiting if one is not None for sha in one.changes]

    @staticmethod
    def _results(batch_id: str, wanted: Collection[str], client: Client) -> dict[str, Result]:
        """Read the results of a batch, and once more where some are missing: they have been paid for."""
        found: dict[str, Result] = {}
        for _ in range(ATTEMPTS):
            found |= {one.custom_id: one for one in client.results(batch_id) if one.custom_id in wanted}
            if len(found) == len(wanted):
                break
        return found


def kept(key: str, reply: Reply, price: Price, *, batch: bool) -> Kept:
    """Return a reply as it is kept."""
    cost = price.cost(reply.usage, batch=batch)
    return Kept(key, reply.model, reply.stop_reason, reply.text, cost, reply.usage.tokens)


def _custom_id(name: str, number: int) -> str:
    return f"{name}-{number}"


def _sum(pairs: Sequence[tuple[float, int]]) -> tuple[float, int]:
    return sum(usd for usd, _ in pairs), sum(tokens for _, tokens in pairs)
