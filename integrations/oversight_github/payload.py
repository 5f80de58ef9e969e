"""Reading a payload part by part, so that a refusal can say which part is amiss. No I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from oversight.errors import OversightError
from oversight.reports.escape import data
from oversight_github.shas import SHA

MAX_NUMBER = 2**63 - 1

_SHA = re.compile(SHA)
_WORD = re.compile(r"[a-z_]{1,60}")
NAME = re.compile(r"[\w.-]{1,100}", re.ASCII)
"""An owner, or a repository of theirs."""

_REPOSITORY = re.compile(r"[\w.-]{1,100}/[\w.-]{1,100}", re.ASCII)
# What git check-ref-format refuses, and a dash in front, which would make an option of it.
_NO_REF = re.compile(r"^[-/.]|[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|[/.]$|^@?$")


class EventError(OversightError):
    """A payload that is none of an event that is understood here."""

    def __init__(self, message: str) -> None:
        super().__init__(message, mend="pass the name and the payload of one event as GitHub sent them")


class Node:
    """An object of the payload, with the way to it, so that a refusal can say where.

    Its methods give what stands at a key; they raise EventError where that is not what it has to be.
    """

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, Mapping):
            raise EventError(f"{where} is no object")
        self._value = value
        self._where = where

    def has(self, key: str) -> bool:
        """Whether there is anything at `key`."""
        return self._value.get(key) is not None

    def node(self, key: str) -> Node:
        """The object at `key`."""
        return Node(self._value.get(key), f"{self._where}.{key}")

    def maybe(self, key: str) -> Node | None:
        """The object at `key`, None where there is nothing."""
        return self.node(key) if self.has(key) else None

    def nodes(self, key: str) -> list[Node]:
        """The objects of the list at `key`, none where there is no list."""
        values = self._value.get(key) or []
        if not isinstance(values, list):
            raise self._wrong(key, "a list")
        return [Node(value, f"{self._where}.{key}[{number}]") for number, value in enumerate(values)]

    def text(self, key: str) -> str:
        """The string at `key`, empty where there is none."""
        value = self._value.get(key)
        if value is not None and not isinstance(value, str):
            raise self._wrong(key, "text")
        return data(value or "")

    def number(self, key: str) -> int:
        """The number at `key`, from 1 to `MAX_NUMBER`."""
        value = self._value.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_NUMBER:
            raise self._wrong(key, "a number from 1")
        return value

    def count(self, key: str) -> int | None:
        """The number above 0 at `key`, None where there is none."""
        value = self._value.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None

    def moment(self, key: str) -> datetime | None:
        """The moment at `key`, time-zone aware, None where none can be read."""
        value = self._value.get(key)
        try:
            found = datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            return None
        return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)

    def names(self, key: str) -> tuple[str, ...]:
        """The full names of the repositories that are listed at `key`."""
        return tuple(one.fitting("full_name", _REPOSITORY, "owner/name") for one in self.nodes(key))

    def flag(self, key: str) -> bool:
        """Whether it says true at `key`; false where it says nothing."""
        value = self._value.get(key)
        if value is not None and not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return bool(value)

    def fitting(self, key: str, pattern: re.Pattern[str], what: str) -> str:
        """The text at `key`, which is `what` where it fits the pattern."""
        value = self.text(key)
        if not pattern.fullmatch(value):
            raise self._wrong(key, what)
        return value

    def sha(self, key: str) -> str:
        """The full sha at `key`."""
        return self.fitting(key, _SHA, "a commit's sha")

    def action(self) -> str:
        """What was done."""
        return self.word("action", "an action")

    def word(self, key: str, what: str) -> str:
        """The word of small letters at `key`, which is `what`."""
        return self.fitting(key, _WORD, what)

    def ref(self, key: str) -> str:
        """The ref at `key`, as git takes them."""
        value = self.text(key)
        if _NO_REF.search(value):
            raise self._wrong(key, "a name that git takes for a ref")
        return value

    def login(self, key: str) -> str | None:
        """The name of the user at `key`, None where the account is gone."""
        user = self.maybe(key)
        return None if user is None else user.text("login") or None

    def repository(self, key: str) -> str | None:
        """The full name of the repository at `key`, None where it is gone."""
        repository = self.maybe(key)
        return None if repository is None else repository.fitting("full_name", _REPOSITORY, "owner/name")

    def _wrong(self, key: str, wanted: str) -> EventError:
        state = "is not" if self.has(key) else "is missing or not"
        return EventError(f"{self._where}.{key} {state} {wanted}")
