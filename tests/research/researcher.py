"""What tests on agents share: a recorded dialogue, agents of a study that ask the stub, and answers as Claude's."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema

from oversight.research.director import Budget, Director
from oversight.research.proposers.claude.agent import Agent
from oversight.research.proposers.claude.hiring import MODEL, agents, budget_of
from oversight.research.proposers.claude.prompt import DIRECTIONS
from oversight.research.study import Study
from oversight.reviewers.claude.client import Client
from oversight.reviewers.claude.prices import price_of
from tests.claude_stub import KEY, Said
from tests.research.doubles import Bench, Box

Reply = Callable[[dict[str, Any]], Said]

DIALOGUE = Path(__file__).with_name("claude_dialogue.json")


def call(tool: str, number: int = 1, /, **given: Any) -> Said:
    """An answer that uses a tool; `number` tells its calls apart."""
    return Said([{"type": "tool_use", "id": f"toolu_{number}", "name": tool, "input": given}], "tool_use")


def turn(params: dict[str, Any]) -> int:
    """How many answers a conversation has had."""
    return sum(message["role"] == "assistant" for message in params["messages"])


def heard(params: dict[str, Any]) -> str:
    """The last message of a request, as text."""
    blocks = params["messages"][-1]["content"]
    return "\n".join(block.get("text") or block.get("content") or "" for block in blocks)


def recorded() -> Reply:
    """A model that says what was recorded, if it hears what it has to."""
    turns = json.loads(DIALOGUE.read_text())["turns"]

    def reply(params: dict[str, Any]) -> Said:
        now = turns[turn(params)]
        assert [words for words in now["hears"] if words not in heard(params)] == [], heard(params)
        for block in now["says"]:
            if block["type"] == "tool_use":
                if isinstance(block["input"].get("code"), list):
                    block["input"]["code"] = "\n".join(block["input"]["code"]) + "\n"
                form = next(tool["input_schema"] for tool in params["tools"] if tool["name"] == block["name"])
                jsonschema.Draft202012Validator(form).validate(block["input"])
        return Said(now["says"], "tool_use")

    return reply


def name_of(params: dict[str, Any]) -> str:
    """Which agent asks."""
    found = re.match(r"Your name is (\w+)\.", params["system"][1]["text"])
    assert found is not None
    return found[1]


def proposing(params: dict[str, Any]) -> Said:
    """A model that proposes another configuration in every round, and nothing else."""
    number = int(re.findall(r"Round (\d+)\.", repr(params["messages"]))[-1])
    weight = 0.1 + number / 100 + list(DIRECTIONS).index(name_of(params)) / 1000
    settings = [{"name": "mixed.weak_weight", "value": round(weight, 4)}]
    return call("propose_configuration", number, parts=["mixed"], settings=settings, why="To see.")


@contextmanager
def hired(one: Study, url: str, count: int = 1, *, max_usd: float = 5.0, model: str = MODEL) -> Iterator[list[Agent]]:
    """Agents of a study that ask the stub through the real client, and wait for nothing."""
    with Client(KEY, base_url=url, timeout=5.0, patience=0.1) as client:
        yield agents(one, count, client, price_of(model), budget_of(one, max_usd))


def ran(one: Study, url: str, experiments: int, count: int = 1, *, max_usd: float = 5.0) -> str:
    """Run a study with agents alone, on a bench, and say why it ended."""
    with hired(one, url, count, max_usd=max_usd) as staff:
        return Director(one, staff, Box(), Bench()).run(Budget(experiments))


def dialogue(one: Study, name: str = "noise") -> list[dict[str, Any]]:
    """What an agent has on record."""
    path = one.folder / "agents" / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def kinds(records: Sequence[dict[str, Any]]) -> list[str]:
    """What records are of."""
    return [one["kind"] for one in records]
