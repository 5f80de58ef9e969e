"""What the routes of pages share: the store, where changes are looked up, and who may see and say what."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from urllib.parse import quote, urlencode

from fastapi import Request

from oversight.audit.budget.entry import Entry
from oversight.audit.budget.spending import Budget
from oversight.audit.store import Store, listing
from oversight.audit.store.listing import Filter, Judged, Show
from oversight_server.pages.access import Person, Role
from oversight_server.pages.reading.library import Library

BLIND = "oversight_blind"
"""The cookie of those who want to judge blind. It is a wish and no secret: what was shown is in the store."""

Choice = TypeVar("Choice", bound=StrEnum)

_PROVENANCES = ("human", "agent", "bot", "unknown")


@dataclass(frozen=True)
class Desk:
    """The parts that pages work with.

    `names` are those that mean a person. `own` says whether they had a part in a change: it may ask GitHub, and raises
    OversightError. `github` is the address of the GitHub that repositories are on, None where they may be anywhere.
    """

    store: Store
    library: Library
    budget: Budget
    names: Callable[[Person], Sequence[str]]
    own: Callable[[Person, Entry], bool]
    github: str | None = None

    def close(self) -> None:
        """End what reads changes, and let go of the database."""
        self.library.close()
        self.store.close()

    def visible(self, person: Person) -> Mapping[str, Role]:
        """Return the repositories on record that somebody may see, with what they may do there."""
        return person.roles(listing.names(self.store.engine))

    def listed(self, chosen: Chosen, visible: Collection[str], *, blind: bool) -> Filter:
        """Return what is listed for somebody who may see that, in blind mode in an order that tells nothing."""
        one = chosen.repository
        mine = [name for name in visible if one is None or name.lower() == one.lower()]
        whole = len(mine) == len(listing.names(self.store.engine))  # then no row has to be looked at for its repository
        return Filter(None if whole else mine, chosen.provenance, chosen.show, chosen.judged, blind)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What of the queue somebody goes through, as the address of every page says it. None: everything."""

    repository: str | None = None
    provenance: str | None = None
    show: Show = Show.ASKED
    judged: Judged = Judged.NO

    @classmethod
    def of(cls, request: Request) -> Chosen:
        """Return what an address says; what makes no sense there is as if it was not said.

        Nor is in blind mode what would tell for what a change was picked.
        """
        told = request.query_params
        show = _member(Show, told.get("show"), Show.ASKED)
        return cls(
            told.get("in") or None,
            told.get("by") if told.get("by") in _PROVENANCES else None,
            Show.ASKED if wants_blind(request) and show in (Show.PLACES, Show.DRAWN) else show,
            _member(Judged, told.get("judged"), Judged.NO),
        )

    def query(self, **more: str | int | None) -> str:
        """Return the query of an address, with its question mark; nothing where all is as usual."""
        told: dict[str, str | int | None] = {
            "in": self.repository,
            "by": self.provenance,
            "show": None if self.show is Show.ASKED else self.show.value,
            "judged": None if self.judged is Judged.NO else self.judged.value,
            **more,
        }
        known = {name: value for name, value in told.items() if value is not None}
        return f"?{urlencode(known, errors='surrogateescape')}" if known else ""


def wants_blind(request: Request) -> bool:
    """Whether somebody wants to judge blind."""
    return request.cookies.get(BLIND) == "1"


def path_of(repository: str, commit: str) -> str:
    """Return the path of a change's page."""
    return f"/changes/{quote(repository.encode('utf-8', 'surrogateescape'), safe='/')}/{commit}"


def _member(kind: type[Choice], value: str | None, otherwise: Choice) -> Choice:
    return kind(value) if value in {one.value for one in kind} else otherwise


EVERYTHING = Chosen(show=Show.ALL, judged=Judged.ANY)
"""All that was considered."""
