"""Who wrote a change: a person, a bot or a coding agent, as far as names, addresses and trailers tell.

The patterns are data (`provenance.toml`). A name alone hardly ever makes an agent, since people are called
Claude and Devin too: it takes an address, a GitHub account, or a line by which the tool signs its work.
All comparisons are whole-string, prefix or suffix tests on lower-cased text, so that a hostile message costs
time in proportion to its length and no more.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from oversight.changes.model import Provenance, ProvenanceKind

_MESSAGE_CHARACTERS = 100_000
_LINE_CHARACTERS = 1_000
_ORNAMENTS = " \t*_>-~`#([\u2022\u26a1\u2728\ufe0f\U0001f916"


@dataclass(frozen=True, slots=True)
class _Person:
    name: str
    address: str

    @property
    def login(self) -> str:
        """The account of a GitHub no-reply address ("12+name@users.noreply.github.com"), or nothing."""
        local, _, domain = self.address.partition("@")
        return local.rpartition("+")[2] if domain == "users.noreply.github.com" else ""


@dataclass(frozen=True, slots=True)
class _Tools:
    """What tools of one kind leave behind, each pattern with the tool's name. See `provenance.toml`."""

    addresses: Mapping[str, str]
    logins: Mapping[str, str]
    names: Mapping[str, str]
    name_suffixes: Mapping[str, str]
    trailer_keys: Mapping[str, str]
    credits: Mapping[str, str]
    footers: Mapping[str, str]

    @classmethod
    def of(cls, entries: list[dict[str, Any]]) -> _Tools:
        """Turn the entries of the data file around, so that looking one up does not walk over all tools."""

        def owners(field: str) -> dict[str, str]:
            found: dict[str, str] = {}
            for entry in entries:
                for pattern in entry.get(field, ()):
                    found.setdefault(pattern.lower(), entry["name"])
            return found

        fields = ("addresses", "logins", "names", "name_suffixes", "trailer_keys", "credits", "footers")
        return cls(*map(owners, fields))

    def who(self, person: _Person) -> str | None:
        """The tool that a person is: by address, by account, or by a name that no person bears."""
        return (
            self.addresses.get(person.address)
            or self.logins.get(person.login)
            or self.names.get(person.name)
            or next((tool for suffix, tool in self.name_suffixes.items() if person.name.endswith(suffix)), None)
        )


@dataclass(frozen=True, slots=True)
class _Catalogue:
    agents: _Tools
    bots: _Tools
    person_trailers: frozenset[str]
    credit_trailers: frozenset[str]


@functools.cache
def _catalogue() -> _Catalogue:
    text = resources.files("oversight.changes").joinpath("provenance.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    people, credited = frozenset(data["person_trailers"]), frozenset(data["credit_trailers"])
    return _Catalogue(_Tools.of(data["agent"]), _Tools.of(data["bot"]), people, credited)


def provenance_of(author: str, committer: str, message: str) -> Provenance:
    """Say who wrote a commit. `author` and `committer` are "Name <email>", `message` is the whole message.

    An agent counts wherever it signs, since a person often commits its work; a bot counts as the author
    only, since bots also land what people wrote. Without any author the answer is "unknown".
    """
    catalogue = _catalogue()
    wrote = _person(author)
    agent = _agent(catalogue, wrote, _person(committer), message)
    if agent is not None:
        return Provenance(ProvenanceKind.AGENT, agent)
    bot = catalogue.bots.who(wrote) or _self_declared(wrote)
    if bot is not None:
        return Provenance(ProvenanceKind.BOT, bot)
    return Provenance(ProvenanceKind.HUMAN if wrote.name or wrote.address else ProvenanceKind.UNKNOWN)


def together(provenances: Iterable[Provenance]) -> Provenance:
    """The provenance of several commits: an agent in any of them counts, then a person, then a bot."""
    found: dict[ProvenanceKind, Provenance] = {}
    for provenance in provenances:
        found.setdefault(provenance.kind, provenance)
    for kind in (ProvenanceKind.AGENT, ProvenanceKind.HUMAN, ProvenanceKind.BOT):
        if kind in found:
            return found[kind]
    return Provenance(ProvenanceKind.UNKNOWN)


def _agent(catalogue: _Catalogue, wrote: _Person, committed: _Person, message: str) -> str | None:
    """The agent that had a hand in a commit. The first evidence names it: people, then trailers, then footers."""
    agents = catalogue.agents
    lines = [line[:_LINE_CHARACTERS].lower() for line in message[:_MESSAGE_CHARACTERS].splitlines()]
    trailers = list(_trailers(lines))
    # Squashed commits leave the trailers that name people in the middle of a message.
    people = [_person(value) for key, value in trailers if key in catalogue.person_trailers]
    for person in (wrote, committed, *people):
        if tool := agents.who(person):
            return tool
    for key, value in _trailers(_last_block(lines)) if trailers else ():
        if tool := agents.trailer_keys.get(key):
            return tool
        if (
            key in catalogue.credit_trailers
            and "@" not in value
            and (tool := _begun(value, agents.credits, alone=True))
        ):
            return tool
    for line in lines:
        if tool := _begun(line.lstrip(_ORNAMENTS), agents.footers):
            return tool
    return None


def _self_declared(person: _Person) -> str | None:
    """The name of a GitHub app, whose account ends in "[bot]"."""
    for name in (person.name, person.login):
        if name.endswith("[bot]"):
            return name.removesuffix("[bot]").strip() or "bot"
    return None


def _person(text: str) -> _Person:
    name, _, address = text[:_LINE_CHARACTERS].lower().rpartition("<")
    return _Person(name.strip(), address.partition(">")[0].strip())


def _trailers(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Lines of the form "key: value", the key made of letters, digits and dashes."""
    for line in lines:
        key, colon, value = line.partition(":")
        if colon and key.isascii() and key.replace("-", "").isalnum() and value.strip():
            yield key, value.strip()


def _last_block(lines: list[str]) -> list[str]:
    """The paragraphs at the end of a message that consist of trailers for the greater part."""
    block: list[str] = []
    paragraph: list[str] = []
    for line in [*reversed(lines), ""]:
        if line.strip():
            paragraph.append(line)
        elif paragraph:
            if 2 * sum(1 for _ in _trailers(paragraph)) < len(paragraph):
                break
            block += paragraph
            paragraph = []
    return block


def _begun(text: str, patterns: Mapping[str, str], *, alone: bool = False) -> str | None:
    """The tool whose pattern begins `text` as whole words.

    With `alone` no further word may follow: "claude 4.5" is Claude, "claude martin" is not.
    """
    if not text.startswith(tuple(patterns)):
        return None
    for words, tool in patterns.items():
        if text.startswith(words):
            rest = text[len(words) :]
            if not (rest.lstrip()[:1].isalpha() if alone else rest[:1].isalnum()):
                return tool
    return None
