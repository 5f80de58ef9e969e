"""What Claude costs: prices from one data file, what a reply has cost, and what a request can cost at most."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from oversight.errors import ConfigError, UsageError
from oversight.reviewers.claude.replies import Usage

FILE = Path(__file__).with_name("prices.toml")

_MILLION = 1_000_000
_BYTES = 3.0  # of source code, English or an answer, to a token, roughly
_OVERHEAD = 2_000  # tokens that the service adds for roles, fences of its own and the form of the answer, generously
_ANSWERED = 500  # tokens of an answer, without its hunks
_ANSWERED_HUNK = 60


@dataclass(frozen=True, slots=True)
class Size:
    """The sizes that the price of a request depends on: bytes of the system prompt and of the question, the number of
    hunks asked about, and the most tokens that may be answered.
    """

    system: int
    question: int
    hunks: int
    max_tokens: int

    @property
    def bytes(self) -> int:
        """All bytes that are sent, roughly."""
        return self.system + self.question


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs, in US dollars a million tokens; `batch` is the share of it that batches cost."""

    model: str
    input: float
    cache_write_5m: float
    cache_write_1h: float
    cache_read: float
    output: float
    effort: bool
    prompt: int
    batch: float
    source: str
    as_of: str

    def cost(self, usage: Usage, *, batch: bool) -> float:
        """Return what a reply cost, in dollars."""
        written = usage.cache_creation_input_tokens or 0
        long = usage.cache_creation.ephemeral_1h_input_tokens if usage.cache_creation else written
        total = (
            usage.input_tokens * self.input
            + min(long, written) * self.cache_write_1h
            + max(written - long, 0) * self.cache_write_5m
            + (usage.cache_read_input_tokens or 0) * self.cache_read
            + usage.output_tokens * self.output
        )
        return total * (self.batch if batch else 1.0) / _MILLION

    def most(self, size: Size, *, batch: bool) -> tuple[float, int]:
        """Return the dollars and tokens that a request can take at most: a token is at least a byte, and nothing of it
        may be in the cache. `UsageError` where the prompt may be longer than the prices hold for.
        """
        system, question = size.system, size.question + _OVERHEAD
        if system + question > self.prompt:
            raise UsageError(
                f"the prices of {self.model} hold for prompts of {self.prompt:,} tokens, and one may have more",
                mend="give the prices of longer prompts with --prices FILE",
            )
        dearest = max(self.cache_write_1h, self.cache_write_5m, self.input)
        dollars = system * dearest + question * self.input + size.max_tokens * self.output
        return dollars * (self.batch if batch else 1.0) / _MILLION, system + question + size.max_tokens

    def likely(self, size: Size, *, batch: bool) -> tuple[float, int]:
        """Return the dollars and tokens to expect: three bytes to a token, and the system prompt cached every other
        time.
        """
        system, question = size.system / _BYTES, size.question / _BYTES
        answer = min(_ANSWERED + _ANSWERED_HUNK * size.hunks, size.max_tokens)
        kept = (self.cache_write_1h + self.cache_read) / 2
        dollars = system * kept + question * self.input + answer * self.output
        return dollars * (self.batch if batch else 1.0) / _MILLION, round(system + question + answer)


def price_of(model: str, file: Path | None = None) -> Price:
    """Return the price of a model, from `file` or else from the prices that are shipped.

    Raises ConfigError where the file cannot be read, UsageError where it does not know the model.
    """
    table = _read(FILE if file is None else file)
    try:
        entry = table["models"].get(model)
        if entry is None:
            raise UsageError(
                f"nobody has said what {model[:80]} costs, so that no cap would hold",
                mend=f"use one of {', '.join(table['models'])}, or give its prices with --prices FILE",
            )
        numbers = {name: _amount(entry[name]) for name in _AMOUNTS}
        return Price(
            model=model,
            effort=bool(entry.get("effort", False)),
            prompt=int(entry["prompt"]),
            batch=_amount(table["batch"]),
            source=str(table["source"]),
            as_of=str(date.fromisoformat(str(table["as_of"]))),
            **numbers,
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ConfigError(
            f"the file of prices does not say all that it has to: {type(error).__name__}",
            mend="write it as oversight/reviewers/claude/prices.toml is written",
        ) from error


_AMOUNTS = ("input", "cache_write_5m", "cache_write_1h", "cache_read", "output")


def _amount(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MILLION:
        raise ValueError("not an amount")
    return float(value)


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError("the file of prices cannot be read", mend="name a TOML file with --prices") from error
