"""The loop of one agent: what was said so far, a request, what was answered, a tool; until it proposes or concludes.

Each step is decided by the last record of the round alone, and is on disk before the next one begins:

    nothing            what came of the last round, or an opening         -> said
    said, asked        a request, if its dearest outcome fits             -> answered, lost or ended
    answered           the tool that was called                           -> said, proposed, passed or ended
    lost               no more of this round                              -> passed or ended

So a round that was killed anywhere goes on there, and one that is over says again what it said. An agent that fails
passes the round, and nothing of that is in its next conversation; one that failed three rounds in a row asks nothing
more in this run, and neither does one whose requests no longer fit under the cap. The next run may think better of it,
unless the agent itself has concluded.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from oversight.errors import UsageError
from oversight.research.model import Proposal, as_json
from oversight.research.proposers import Known
from oversight.research.proposers.claude import prompt, tools
from oversight.research.proposers.claude.dialogue import (
    ANSWERED,
    ASKED,
    ENDED,
    LOST,
    OUTCOMES,
    PASSED,
    PROPOSED,
    SAID,
    Content,
    Dialogue,
    Record,
)
from oversight.research.proposers.claude.tools import Concluded, RefusedError, Toolbox
from oversight.research.proposers.telling import told
from oversight.research.space import from_json
from oversight.research.study import Plan, Result
from oversight.reviewers.claude.budget import Budget
from oversight.reviewers.claude.prices import Price, Size
from oversight.reviewers.claude.replies import ClaudeError, Reply, UncertainError

TURNS = 10
"""Requests of one round, at most."""

MAX_TOKENS = 12_000
"""Of one answer, thinking included. The longest methods of this package take 2,500."""

ROUND_TOKENS = 40_000
"""Of all answers of one round."""

FAILURES = 3
"""Rounds in a row without a proposal, after which an agent asks nothing more."""

LONGEST = 40_000
"""Bytes of a conversation, after which a round begins another one."""

_FEWEST = 1_000  # tokens that an answer has to have
_KEPT = {"type": "ephemeral"}
_NUDGE = "Use one of the tools: read, write a finding, propose, or conclude."
_ONE = "One call at a time: this one was not obeyed."
_FORM = "Claude's answer is not of its own form"
_UNFINISHED = {
    "refusal": "Claude declined to go on",
    "max_tokens": "Claude's answer was cut off",
    "model_context_window_exceeded": "Claude's answer was cut off",
}


class Asking(Protocol):
    """What an agent wants of a client."""

    def ask(self, params: Mapping[str, Any]) -> Reply:
        """Ask at once."""
        ...


@dataclass(frozen=True)
class Service:
    """Who is asked, at what price, under the cap that all agents share. `tell` hears after every answer."""

    client: Asking
    price: Price
    budget: Budget
    tell: Callable[[], None] = lambda: None


class Agent:
    """A researcher called `name`, one of `prompt.DIRECTIONS`. `note` writes (experiment, researcher, text) into the
    notebook, the same entry once; `grounds` is how many there are.
    """

    def __init__(
        self,
        name: str,
        service: Service,
        dialogue: Dialogue,
        plan: Plan,
        grounds: int,
        note: Callable[[str, str, str], None],
    ) -> None:
        self.name = name
        self._service, self._dialogue = service, dialogue
        self._plan, self._grounds, self._note = plan, grounds, note
        self._begun = len(dialogue.records)

    def propose(self, known: Known) -> Proposal | None:
        """Return what the agent wants tried; None where it passes the round, has concluded, or is out of time."""
        while (outcome := self._dialogue.outcome(known.round)) is None:
            if known.deadline is not None and time.monotonic() > known.deadline:
                return None  # a later run goes on with the round
            ends = [(place, one) for place, one in enumerate(self._dialogue.records) if one["kind"] == ENDED]
            if any(one["concluded"] for _, one in ends):
                return None
            if ends and ends[-1][0] >= self._begun:
                # Of each round, so that it is the same round when a later run plans it again.
                self._end(known, ends[-1][1]["reason"])
            else:
                self._step(known)
        return _proposal(outcome) if outcome["kind"] == PROPOSED else None

    def learn(self, result: Result, known: Known) -> str:
        """Say where a result stands; what it teaches the agent writes itself, when it has heard of it."""
        return told(result, known.results)

    def _step(self, known: Known) -> None:
        records = self._dialogue.of(known.round)
        last = records[-1]["kind"] if records else None
        if last is None:
            self._begin(known)
        elif last == ANSWERED:
            self._hear(records[-1], known)
        elif last == LOST:
            self._pass(known, records[-1]["reason"])
        else:
            self._ask(known, records)

    def _begin(self, known: Known) -> None:
        """Say what a round begins with: what came of the last proposal, or all there is to know in a new
        conversation.
        """
        version, messages = self._version(), self._dialogue.messages()
        opened = next((one["opens"] for one in reversed(self._dialogue.records) if one.get("opens")), None)
        last = self._dialogue.newest(*OUTCOMES)
        if last is None or last["kind"] != PROPOSED or opened != version or len(json.dumps(messages)) > LONGEST:
            words = prompt.opening(self._plan, self._grounds, self.name, known)
            self._say(known, [_text(words)], opens=version)
            return
        first, *others = _calls(messages[-1]["content"])
        words, failed = self._came_of(last, known)
        # In the result itself: text behind a result teaches the model to wait for more of it.
        result = _result(first["id"], f"{words}\n\n{prompt.next_round(known)}", failed)
        self._say(known, [result, *(_refusal(one["id"], _ONE) for one in others)])

    def _came_of(self, proposed: Record, known: Known) -> tuple[str, bool]:
        """Return what came of a proposal, and whether that is an error."""
        for one in known.results:
            if one.experiment.researcher == self.name and one.experiment.round == proposed["round"]:
                return prompt.outcome(one, known), one.screen is None
        return "It was not carried out: the run ended before. Propose it again if it is still worth it.", True

    def _ask(self, known: Known, records: list[Record]) -> None:
        answers = [one for one in records if one["kind"] == ANSWERED]
        left = ROUND_TOKENS - sum(one["output"] for one in answers)
        if len(answers) >= TURNS or left < _FEWEST:
            self._pass(known, "it did not come to a proposal within the round")
            return
        params = self._params(min(MAX_TOKENS, left))
        try:
            most = self._service.price.most(_size(params), batch=False)
        except UsageError as error:
            self._pass(known, error.message)
            return
        if not self._service.budget.hold(self.name, most):
            self._end(known, "the cap holds no further request")
            return
        self._dialogue.add(ASKED, known.round, usd=most[0], tokens=most[1])
        self._send(known, params, most)

    def _send(self, known: Known, params: Mapping[str, Any], most: tuple[float, int]) -> None:
        """Make a request, and write down what came of it."""
        usd, tokens = most
        try:
            reply = self._service.client.ask(params)
            json.dumps(reply.content, allow_nan=False)
        except ClaudeError as error:
            if not isinstance(error, UncertainError):
                usd, tokens = 0.0, 0
            self._dialogue.add(LOST, known.round, reason=error.message, usd=usd, tokens=tokens)
        except ValueError:  # numbers that JSON does not have
            self._dialogue.add(LOST, known.round, reason=_FORM, usd=usd, tokens=tokens)
        else:
            usd, tokens = self._service.price.cost(reply.usage, batch=False), reply.usage.tokens
            self._dialogue.add(
                ANSWERED,
                known.round,
                model=reply.model,
                stop=reply.stop_reason,
                content=[block for block in reply.content if block.get("text") != ""],  # it takes none back
                usd=usd,
                tokens=tokens,
                output=reply.usage.output_tokens,
            )
        self._service.budget.spend(self.name, usd, tokens)
        self._service.tell()

    def _hear(self, answered: Record, known: Known) -> None:
        """Do what an answer asks for."""
        stop, calls = answered["stop"], _calls(answered["content"])
        if stop not in ("tool_use", "end_turn") or not all(map(_well_formed, calls)):
            self._pass(known, _UNFINISHED.get(stop, _FORM))
            return
        if not calls:
            self._say(known, [_text(_NUDGE)])
            return
        first, *others = calls
        refused = [_refusal(one["id"], _ONE) for one in others]
        try:
            done = self._toolbox(known).use(first["name"], first["input"])
        except RefusedError as error:
            self._say(known, [_refusal(first["id"], str(error)), *refused], tool=first["name"])
            return
        if isinstance(done, Proposal):
            configuration = as_json(done.configuration)
            self._dialogue.add(PROPOSED, known.round, configuration=configuration, reason=done.reason)
        elif isinstance(done, Concluded):
            self._end(known, done.learned, concluded=True)
        else:
            self._say(known, [_result(first["id"], done, False), *refused], tool=first["name"], obeyed=True)

    def _toolbox(self, known: Known) -> Toolbox:
        records = self._dialogue.of(known.round)
        written = sum(bool(one.get("obeyed")) and one["tool"] == "write_finding" for one in records)
        return Toolbox(self.name, known, lambda experiment, text: self._note(experiment, self.name, text), written)

    def _say(self, known: Known, content: Content, **told: Any) -> None:
        self._dialogue.add(SAID, known.round, content=content, **told)

    def _pass(self, known: Known, reason: str) -> None:
        """Give the round up, and in time the run."""
        row = [one["kind"] for one in self._dialogue.records[self._begun :] if one["kind"] in OUTCOMES]
        if row[1 - FAILURES :] == [PASSED] * (FAILURES - 1):
            self._end(known, f"{FAILURES} rounds in a row came to nothing, the last because {reason}")
            return
        self._dialogue.add(PASSED, known.round, reason=reason)

    def _end(self, known: Known, reason: str, *, concluded: bool = False) -> None:
        self._dialogue.add(ENDED, known.round, reason=reason, concluded=concluded)

    def _params(self, max_tokens: int) -> dict[str, Any]:
        """Return the request: the rules and the tools are cached for all agents, the conversation for this one."""
        messages = self._dialogue.messages()
        messages[-1]["content"][-1] = {**messages[-1]["content"][-1], "cache_control": _KEPT}
        price = self._service.price
        return {
            "model": price.model,
            "max_tokens": max_tokens,
            "system": [
                {"type": "text", "text": prompt.system(), "cache_control": _KEPT},
                {"type": "text", "text": prompt.direction(self.name)},
            ],
            "tools": tools.definitions(),
            "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
            "messages": messages,
            **({"output_config": {"effort": "medium"}} if price.effort else {}),
        }

    def _version(self) -> str:
        """Return a hash of all that a conversation depends on beside itself: with another one, another begins."""
        told = [prompt.system(), prompt.direction(self.name), tools.definitions(), self._service.price.model]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]


def _size(params: Mapping[str, Any]) -> Size:
    """Return what the price of a request depends on. All of it may have to be written into the cache."""
    sent = {name: value for name, value in params.items() if name != "max_tokens"}
    return Size(len(json.dumps(sent, ensure_ascii=False).encode()), 0, 0, params["max_tokens"])


def _proposal(record: Mapping[str, Any]) -> Proposal:
    return Proposal(from_json(record["configuration"]), record["reason"])


def _calls(content: Content) -> list[dict[str, Any]]:
    return [block for block in content if block.get("type") == "tool_use"]


def _well_formed(call: Mapping[str, Any]) -> bool:
    return all(isinstance(call.get(name), str) for name in ("id", "name")) and isinstance(call.get("input"), dict)


def _text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def _result(call: str, words: str, failed: bool) -> dict[str, Any]:
    block = {"type": "tool_result", "tool_use_id": call, "content": words}
    return {**block, "is_error": True} if failed else block


def _refusal(call: str, words: str) -> dict[str, Any]:
    return _result(call, words, failed=True)
