"""What an agent and Claude have said to each other: a file of lines, each on disk before anything follows from it.

| record | |
|---|---|
| said | our words, or the results of tools; with `opens` a conversation begins, and nothing before it is sent again |
| asked | a request is about to leave, with the most that it can cost |
| answered | what came back, why it ended, and what it cost |
| lost | what came of a request that has no answer |
| proposed, passed, ended | what the round came to, as far as this agent has a part in it |

Everything else follows from the lines: the conversation, what was paid, where a killed run goes on. A request that was
cut off by a kill has a line that it left and none that it was answered: it counts as paid in full, and is made again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from oversight.research.study import append_line, read_lines

Record: TypeAlias = dict[str, Any]
Content: TypeAlias = list[dict[str, Any]]

SAID, ASKED, ANSWERED, LOST = "said", "asked", "answered", "lost"
PROPOSED, PASSED, ENDED = "proposed", "passed", "ended"

OUTCOMES = frozenset({PROPOSED, PASSED, ENDED})

_FOLDER = "agents"


@dataclass(frozen=True)
class Bill:
    """What one agent has cost, and how it stands. `why` is empty while it is at work."""

    agent: str
    answers: int
    usd: float
    tokens: int
    why: str


class Dialogue:
    """The file at `path`, made where there is none, readable by its owner alone."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.records: list[Record] = list(read_lines(path))

    def add(self, kind: str, number: int, **told: Any) -> None:
        """Append a record of round `number`; it is on disk when this returns."""
        record = {"kind": kind, "round": number, **told}
        if not self._path.exists():
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            self._path.touch(mode=0o600)
        append_line(self._path, record)
        self.records.append(record)

    def of(self, number: int) -> list[Record]:
        """Return the records of one round."""
        return [one for one in self.records if one["round"] == number]

    def outcome(self, number: int) -> Record | None:
        """Return what a round came to, None where it has not yet."""
        return next((one for one in self.of(number) if one["kind"] in OUTCOMES), None)

    def newest(self, *kinds: str) -> Record | None:
        """Return the newest record of these kinds."""
        return next((one for one in reversed(self.records) if one["kind"] in kinds), None)

    def messages(self) -> list[dict[str, Any]]:
        """Return the conversation as the Messages API takes it: what follows the last opening, turn by turn."""
        starts = [place for place, one in enumerate(self.records) if one.get("opens")]
        found: list[dict[str, Any]] = []
        for one in self.records[starts[-1] :] if starts else ():
            if one["kind"] not in (SAID, ANSWERED) or not one["content"]:
                continue  # an answer without words is no turn
            role = "user" if one["kind"] == SAID else "assistant"
            if found and found[-1]["role"] == role:
                found[-1]["content"] += one["content"]
            else:
                found.append({"role": role, "content": [*one["content"]]})
        return found

    def cost(self) -> tuple[float, int]:
        """Return the dollars and tokens of all requests; one without an answer counts as its dearest outcome."""
        costs = list(_costs(self.records))
        return sum(usd for usd, _ in costs), sum(tokens for _, tokens in costs)


def path_of(study: Path, agent: str) -> Path:
    """Return where the dialogue of an agent lies in a study's folder."""
    return study / _FOLDER / f"{agent}.jsonl"


def bills(study: Path) -> list[Bill]:
    """Return what the agents of a study have cost so far, by name."""
    found = []
    for path in sorted((study / _FOLDER).glob("*.jsonl")):
        dialogue = Dialogue(path)
        usd, tokens = dialogue.cost()
        answers = sum(one["kind"] == ANSWERED for one in dialogue.records)
        last = dialogue.newest(*OUTCOMES)
        why = str(last["reason"]) if last is not None and last["kind"] == ENDED else ""
        found.append(Bill(path.stem, answers, usd, tokens, why))
    return found


def _costs(records: Sequence[Mapping[str, Any]]) -> Iterator[tuple[float, int]]:
    for place, one in enumerate(records):
        if one["kind"] in (ANSWERED, LOST):
            yield one["usd"], one["tokens"]
        elif one["kind"] == ASKED:
            after = records[place + 1]["kind"] if place + 1 < len(records) else None
            if after not in (ANSWERED, LOST):
                yield one["usd"], one["tokens"]
