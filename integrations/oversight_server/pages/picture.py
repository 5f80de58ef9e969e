"""`/dashboard`: what verdicts, canaries and measurements tell of the reviews, and `/dashboard/rows/…`: the rows behind.

One repository at a time, of those that somebody may see. All together are for the person whose store it is: what is on
record of people's words names repositories that GitHub may keep from others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from typing import Annotated, TypeAlias
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from oversight.audit.dashboard import Dashboard, gather, html, tables
from oversight.audit.dashboard.model import Behind, Group
from oversight.audit.dashboard.rows import Place
from oversight.audit.store import Store, listing
from oversight.experiment.runs import of_repository
from oversight_server.errors import Problem
from oversight_server.pages.access import Person, Role, viewer
from oversight_server.pages.desk import Desk, path_of, wants_blind
from oversight_server.pages.rendering import page

EACH = 100
"""Rows on a page."""

Day: TypeAlias = date | Annotated[str, Query(max_length=0)] | None
"""A day; a form that names none sends an empty text."""

_SECONDS = 60.0  # that a dashboard is shown to others as well, unless somebody gives a verdict
_KEPT = 8
_UNSEEN = (Group.WAITING.value, Group.REST.value)  # tables that say nothing of what a review thinks


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for: a repository, None for all, and a period."""

    repository: str | None
    since: date | None
    until: date | None

    def query(self, **more: str | int | None) -> str:
        """Return the query of an address."""
        told = {"in": self.repository, "since": self.since, "until": self.until, **more}
        known = {name: str(value) for name, value in told.items() if value is not None}
        return f"?{urlencode(known, errors='surrogateescape')}" if known else ""


@dataclass(frozen=True, slots=True)
class Links:
    """Where the dashboard's links lead on a server."""

    asked: Asked

    def rows(self, behind: Behind) -> str:
        """Return the path of rows."""
        return f"/dashboard/rows/{behind.table}{self.asked.query(section=behind.section)}"

    def change(self, place: Place) -> str | None:
        """Return the path of a change's page, None where its repository is unknown."""
        return path_of(place.repository, place.commit) if place.repository else None


class Shelf:
    """Dashboards that were gathered a moment ago. Thread-safe; only one is gathered at a time, since each costs."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[tuple[object, ...], tuple[float, Dashboard]] = {}
        self._lock = threading.Lock()

    def gather(self, asked: Asked, *, by_folder: bool) -> Dashboard:
        """Return a dashboard that knows all verdicts, and reports as they were up to a minute ago.

        `by_folder`: recorded runs of PGR are believed to be of the repository that their folder is called after.
        """
        key = (asked, by_folder, self._store.head())
        with self._lock:
            now = time.monotonic()
            found = self._kept.get(key)
            if found is None or found[0] < now:
                measured = of_repository(asked.repository, by_folder=by_folder)
                since = None if asked.since is None else datetime.combine(asked.since, time_of_day.min, UTC)
                until = None if asked.until is None else datetime.combine(asked.until, time_of_day.max, UTC)
                made = gather(self._store, asked.repository, since, until, measured=measured)
                others = {kept: one for kept, one in self._kept.items() if one[0] >= now and kept != key}
                self._kept = dict(list(others.items())[1 - _KEPT :])
                found = self._kept[key] = time.monotonic() + _SECONDS, made
            return found[1]


@dataclass(frozen=True, slots=True)
class Seat:
    """Who asks, what they may see, and what they ask for."""

    person: Person
    visible: Mapping[str, Role]
    asked: Asked

    @property
    def owner(self) -> bool:
        """Whether the store is theirs."""
        return self.person.via == "token"


def wanted(repository: Annotated[str | None, Query(alias="in")] = None, since: Day = None, until: Day = None) -> Asked:
    """Return what an address says, whether there is such a repository or not."""
    days = (one if isinstance(one, date) else None for one in (since, until))
    return Asked(repository, *days)


def router(desk: Desk) -> APIRouter:
    """Return the routes of the dashboard."""
    routes = APIRouter(include_in_schema=False)
    shelf = Shelf(desk.store)

    @routes.get("/dashboard")
    def dashboard(
        request: Request, person: Annotated[Person, Depends(viewer)], asked: Annotated[Asked, Depends(wanted)]
    ) -> HTMLResponse:
        return _picture(desk, shelf, request, _seat(desk, person, asked))

    @routes.get("/dashboard/rows/{key}")
    def rows(
        request: Request,
        person: Annotated[Person, Depends(viewer)],
        asked: Annotated[Asked, Depends(wanted)],
        key: str,
        section: str | None = None,
        number: Annotated[int, Query(alias="page", ge=1, le=1_000_000)] = 1,
    ) -> HTMLResponse:
        seat = _seat(desk, person, asked)
        if key not in tables.names() or not seat.visible:
            raise Problem(404, "there are no such rows", mend="go back to the dashboard")
        return _rows(desk, shelf, request, seat, Behind("", key, section), number)

    return routes


def _seat(desk: Desk, person: Person, asked: Asked) -> Seat:
    visible = desk.visible(person)
    return Seat(person, visible, replace(asked, repository=_chosen(person, visible, asked.repository)))


def _chosen(person: Person, visible: Mapping[str, Role], repository: str | None) -> str | None:
    """Return the repository that is asked for, None for all; `Problem` where there is none such for this person."""
    known = {name.lower(): name for name in visible}
    if not repository:
        return None if person.via == "token" else min(known.values(), key=str.lower, default=None)
    if repository.lower() not in known:
        raise Problem(404, "there is no such repository", mend="choose one of those that the dashboard lists")
    return known[repository.lower()]


def _picture(desk: Desk, shelf: Shelf, request: Request, seat: Seat) -> HTMLResponse:
    asked, shown = seat.asked, None
    if seat.visible:
        found = _found(shelf, request, seat)
        _note(desk, seat.person, [Place(one.repository, one.commit) for one in found.passed[: tables.MOST_MISSES]])
        shown = Markup(html.fragment(found, Links(asked)))  # noqa: S704  # escaped there
    return page(
        request, "dashboard.html", asked=asked, repositories=sorted(seat.visible, key=str.lower),
        everything=seat.owner, shown=shown,
    )  # fmt: skip


def _rows(desk: Desk, shelf: Shelf, request: Request, seat: Seat, behind: Behind, number: int) -> HTMLResponse:
    asked, key, section = seat.asked, behind.table, behind.section
    table = tables.table(_found(shelf, request, seat), key)
    part = html.page_of(table, section, (number - 1) * EACH, EACH)
    if key not in _UNSEEN:
        cells = [cell for _, rows in part.sections for row in rows for cell in row]
        _note(desk, seat.person, [cell for cell in cells if isinstance(cell, Place)])
    shown = html.rows(part, Links(asked), repositories=asked.repository is None)
    return page(
        request, "rows.html", asked=asked, title=table.title, section=section, number=number, key=key,
        pages=max(1, -(-part.total // EACH)), total=part.total, shown=Markup(shown),  # noqa: S704  # escaped there
    )  # fmt: skip


def _found(shelf: Shelf, request: Request, seat: Seat) -> Dashboard:
    found = shelf.gather(seat.asked, by_folder=seat.owner)
    return _unspoiled(found) if wants_blind(request) else found


def _unspoiled(dashboard: Dashboard) -> Dashboard:
    """Return the dashboard without what would tell somebody who wants to judge blind of changes that wait."""
    waiting = {(one.repository, one.commit) for one in dashboard.group(Group.WAITING)}
    return replace(
        dashboard, passed=tuple(one for one in dashboard.passed if (one.repository, one.commit) not in waiting)
    )


def _note(desk: Desk, person: Person, places: list[Place]) -> None:
    """Remember what somebody was shown of changes: who judges one of them later is not blind."""
    listing.note_seen(desk.store.engine, person.login, [one.commit for one in places], datetime.now(UTC))
