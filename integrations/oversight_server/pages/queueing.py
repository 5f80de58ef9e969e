"""`/queue`: what waits for people, why it is there, and what the budget still allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from oversight.audit.budget.entry import Entry, look_first, where, why
from oversight.audit.store import listing
from oversight.audit.store.queue import Scope, fill
from oversight.audit.verdict import Decision
from oversight_server.errors import Problem
from oversight_server.pages.access import Fields, Person, Role, csrf_checked, form, viewer
from oversight_server.pages.access.gate import of as access_to
from oversight_server.pages.access.site import within
from oversight_server.pages.desk import BLIND, EVERYTHING, Chosen, Desk, path_of, wants_blind
from oversight_server.pages.rendering import page

EACH = 25
"""Changes on a page."""

_YEAR = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Item:
    """A change in the list. `look` is where to look first; it and `why` are empty where the opinion is hidden."""

    entry: Entry
    path: str
    why: tuple[str, ...]
    look: str | None
    said: tuple[tuple[str, Decision], ...]


def router(desk: Desk) -> APIRouter:
    """Return the routes of the queue."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    def home() -> RedirectResponse:
        return RedirectResponse("/queue", 303)

    @routes.get("/queue")
    def queue(
        request: Request,
        person: Annotated[Person, Depends(viewer)],
        number: Annotated[int, Query(alias="page", ge=1, le=1_000_000)] = 1,
    ) -> HTMLResponse:
        return _page(desk, request, person, number)

    @routes.post("/queue/fill")
    def filled(
        person: Annotated[Person, Depends(csrf_checked)], fields: Annotated[Fields, Depends(form)]
    ) -> RedirectResponse:
        chosen = Chosen(repository=fields.get("in") or None)
        if not _may_fill(desk.visible(person), chosen.repository, listing.names(desk.store.engine)):
            raise Problem(403, "you may not fill this queue", mend="ask for write access to its repositories")
        done = fill(desk.store.engine, desk.budget, Scope(chosen.repository), now=datetime.now(UTC))
        told = f"{done.considered}-{done.picked}-{done.drawn}"
        return RedirectResponse(f"/queue{chosen.query(filled=told)}", 303)

    @routes.post("/blind", dependencies=[Depends(csrf_checked)])
    def blind(request: Request, fields: Annotated[Fields, Depends(form)]) -> RedirectResponse:
        answer = RedirectResponse(within(fields.get("next")), 303)
        on = fields.get("on") == "1"
        answer.set_cookie(
            BLIND, "1" if on else "", max_age=_YEAR if on else 0, httponly=True, samesite="strict",
            secure=access_to(request).site.secure,
        )  # fmt: skip
        return answer

    return routes


def _page(desk: Desk, request: Request, person: Person, number: int) -> HTMLResponse:
    engine, blind, chosen = desk.store.engine, wants_blind(request), Chosen.of(request)
    visible = desk.visible(person)
    wanted = desk.listed(chosen, visible, blind=blind)
    total = listing.count(engine, wanted)
    pages = max(1, -(-total // EACH))
    number = min(number, pages)
    entries = listing.part(engine, wanted, start=(number - 1) * EACH, most=EACH)
    if not blind:
        listing.note_seen(engine, person.login, [one.commit for one in entries], datetime.now(UTC))
    places = [(one.repository, one.commit) for one in entries]
    said = listing.said_on(engine, places, unnamed=person.via == "token")
    return page(
        request, "queue.html",
        items=[_item(one, chosen, said.get(at, []), hidden=blind) for one, at in zip(entries, places, strict=True)],
        chosen=chosen, blind=blind, total=total, number=number, pages=pages, first=(number - 1) * EACH + 1,
        repositories=sorted(visible, key=str.lower),
        spent=listing.spent(engine, desk.budget, wanted.repositories, now=datetime.now(UTC)), budget=desk.budget,
        may_fill=_may_fill(visible, chosen.repository, listing.names(engine)),
        filled=_filled(request.query_params.get("filled")), here=f"/queue{chosen.query(page=number)}",
        empty=not total and not listing.count(engine, desk.listed(EVERYTHING, visible, blind=blind)),
    )  # fmt: skip


def _item(entry: Entry, chosen: Chosen, said: list[tuple[str, Decision]], *, hidden: bool) -> Item:
    path = path_of(entry.repository, entry.commit) + chosen.query()
    if hidden:
        return Item(entry, path, (), None, ())
    first = look_first(entry)
    return Item(entry, path, tuple(why(entry)), None if first is None else where(first), tuple(said))


def _may_fill(visible: Mapping[str, Role], repository: str | None, known: list[str]) -> bool:
    """Whether somebody may choose what people are asked: who judges in all of the repositories that it is about."""
    about = [name for name in known if repository is None or name.lower() == repository.lower()]
    return bool(about) and all(visible.get(name, 0) >= Role.AUDITOR for name in about)


def _filled(told: str | None) -> tuple[int, int, int] | None:
    """Return what a call of `fill` did, as the address says that it went on from."""
    parts = (told or "").split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        return None
    considered, picked, drawn = map(int, parts)
    return considered, picked, drawn
