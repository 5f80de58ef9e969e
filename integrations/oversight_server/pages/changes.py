"""`/changes/…`: one change with its diff, what is said of it, and the form for a verdict.

What counts as blind is what the store knows: nobody is blind who was ever shown what a report says of the change, in
the list or here, whatever they wish for now. A form says how much its person had said when it was made, so that one
that comes twice is one verdict.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import Connection

from oversight.audit.budget.entry import Entry
from oversight.audit.lines import NOTE
from oversight.audit.looking.authors import wrote
from oversight.audit.looking.dossier import Dossier, gather, unreported
from oversight.audit.looking.files import Files
from oversight.audit.looking.placing import placed
from oversight.audit.looking.session import Session
from oversight.audit.store import ledger, listing, reading
from oversight.audit.store.queue import find
from oversight.audit.store.reports import body_of
from oversight.audit.verdict import Decision, Verdict
from oversight.errors import OversightError, RepositoryError
from oversight_github.code.remote import REPOSITORY
from oversight_github.shas import is_sha
from oversight_server.errors import Problem
from oversight_server.pages.access import Fields, Person, Role, csrf_checked, form, viewer
from oversight_server.pages.access.site import within
from oversight_server.pages.desk import Chosen, Desk, path_of, wants_blind
from oversight_server.pages.diff import part_of
from oversight_server.pages.opinion import opinion_of
from oversight_server.pages.reading.library import Reading, Shelf
from oversight_server.pages.rendering import page

DECISIONS = {"safe": Decision.SAFE, "risky": Decision.RISKY, "unsure": Decision.UNSURE, "dismiss": Decision.DISMISSED}
"""What can be said, by the words of the form."""

_PATH = "/changes/{repository:path}/{commit}"
_STALE = (
    "You have judged this change since the form was made: look at what is on record, and send it again to add this."
)


@dataclass(frozen=True)
class Seat:
    """A person before a change."""

    desk: Desk
    person: Person
    role: Role
    session: Session
    reading: Reading

    @property
    def dossier(self) -> Dossier:
        """What is known of the change."""
        return self.session.dossier

    @property
    def said(self) -> int:
        """How much the person has said of it."""
        return sum(one.who == self.person.login for one in self.dossier.said)

    @property
    def last(self) -> Verdict | None:
        """What they said last."""
        return next((one for one in reversed(self.dossier.said) if one.who == self.person.login), None)


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a change is among those that somebody goes through: paths of others, None where there is none."""

    position: int | None
    count: int
    before: str | None
    after: str | None


def router(desk: Desk) -> APIRouter:
    """Return the routes of changes."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(_PATH)
    def change(
        request: Request, repository: str, commit: str, person: Annotated[Person, Depends(viewer)],
        part: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    ) -> HTMLResponse:  # fmt: skip
        seat = _seat(desk, person, repository, commit)
        return _page(request, seat, number=part)

    @routes.post(f"{_PATH}/verdict")
    def verdict(
        request: Request, repository: str, commit: str, person: Annotated[Person, Depends(csrf_checked)],
        fields: Annotated[Fields, Depends(form)],
    ) -> Response:  # fmt: skip
        seat = _seat(desk, person, repository, commit, diff=False)
        if seat.role < Role.AUDITOR:
            raise Problem(403, "you may look at this change, and not judge it", mend="ask for write access to it")
        wrong = _judged(seat, fields)
        if wrong is None:
            return _onward(request, seat, fields)
        # With what was put on record meanwhile.
        return _page(request, _seat(desk, person, repository, commit), wrong=wrong, given=fields, status=422)

    return routes


def _seat(desk: Desk, person: Person, repository: str, commit: str, *, diff: bool = True) -> Seat:
    """Put somebody before a change. Without `diff` nothing is read that a verdict does not need. Raises Problem 404."""
    role = person.role(repository)
    if role is None or not is_sha(commit):
        raise _unknown()
    shelf = Shelf(desk.library, repository)
    found = find(desk.store.engine, commit, repository)
    try:
        lookup = shelf if diff or not found else Files(None, None)
        dossier = (
            gather(desk.store, lookup, found[0])
            if found
            else unreported(desk.store, shelf, commit, repository=repository)
        )
    except RepositoryError:
        raise _unknown() from None
    # A change without a report has the name of the folder that it was found in.
    named = replace(dossier.entry, repository=found[0].repository if found else repository)
    dossier = replace(dossier, entry=named, said=tuple(one for one in dossier.said if _may_read(person, one)))

    def append(said: Verdict) -> int:
        before = sum(one.who == said.who for one in dossier.said)
        if not desk.store.append_unless_said(said, before):
            raise _SaidError
        return desk.store.head().entries

    # Nobody is blind who has seen it; and who has not is, whatever mode they are in.
    seen = listing.has_seen(desk.store.engine, person.login, commit)
    session = Session(
        dossier, (), who=person.login, own=lambda entry: desk.own(person, entry), blind=bool(found),
        gather=lambda _: dossier, append=append, saw=lambda _: seen, place="pages",
    )  # fmt: skip
    return Seat(desk, person, role, session, shelf.reading)


def _may_read(person: Person, said: Verdict) -> bool:
    """Whether somebody who may see a change may read what was said of its commit.

    What names no repository was said somewhere on the machine that the store is on, which may be any: whose store it is
    may read it, and who said it.
    """
    return said.source.repository is not None or person.via == "token" or said.who == person.login


class _SaidError(OversightError):
    """The person has said something of the change since the form was made."""

    def __init__(self) -> None:
        super().__init__("the change was judged since the form was made", mend="look at what is on record")


def _unknown() -> Problem:
    return Problem(404, "there is no such change", mend="choose one from the queue")


def _judged(seat: Seat, fields: Fields) -> str | None:
    """Put on record what a form says, or return what is wrong with it.

    The same form once more is fine, and adds nothing. Raises Problem where nobody can tell whose change it is.
    """
    decision, note = DECISIONS.get(fields.get("decision", "")), " ".join(fields.get("note", "").split())
    if decision is None:
        return "Choose what the change is: safe, risky or unsure."
    if decision is Decision.DISMISSED and not note:
        return "Say why the flag is not wanted."
    if len(note) > NOTE:
        return f"The reason has more than {NOTE:,} characters."
    if fields.get("said") != str(seat.said):
        last = seat.last
        return None if last is not None and (last.decision, last.note) == (decision, note) else _STALE
    try:
        seat.session.judge(decision, note)
    except _SaidError:
        return _STALE
    return None


def _onward(request: Request, seat: Seat, fields: Fields) -> Response:
    """Go on to the next change; whoever was blind is first shown what others think of this one."""
    entry, last, further = seat.dossier.entry, seat.last, fields.get("next")
    stay = not further or (last is not None and last.shown.blind)
    here = f"{path_of(entry.repository, entry.commit)}{Chosen.of(request).query()}"
    target = here if stay else within(further)
    return RedirectResponse(f"{target}{'&' if '?' in target else '?'}done={entry.commit}", 303)


def _page(
    request: Request, seat: Seat, *, number: int = 1, wrong: str | None = None, given: Fields | None = None,
    status: int = 200,
) -> HTMLResponse:  # fmt: skip
    desk, dossier, blind = seat.desk, seat.dossier, wants_blind(request)
    entry, chosen, engine = dossier.entry, Chosen.of(request), desk.store.engine
    hidden = blind and seat.session.hidden
    if dossier.reported and not hidden:
        listing.note_seen(engine, seat.person.login, [entry.commit], datetime.now(UTC))
    everything = placed(dossier, hidden=hidden)
    part = part_of(everything, seat.reading.colours, number)
    path = path_of(entry.repository, entry.commit)
    with reading(engine) as connection:
        body = None if hidden or not dossier.reported else body_of(connection, entry.repository, entry.commit)
        done = _done(connection, seat, request.query_params.get("done"))
    return page(
        request, "change.html", status=status,
        dossier=dossier, entry=entry, change=dossier.change, note=seat.reading.note, hidden=hidden, blind=blind,
        part=part, elsewhere=everything.elsewhere, hunks=everything.hunks,
        opinion=None if hidden or not dossier.reported else opinion_of(entry, body, everything),
        turn=_turn(desk, seat, chosen, blind=blind), here=path + chosen.query(), back=f"/queue{chosen.query()}",
        verdict_path=f"{path}/verdict{chosen.query()}",
        part_path=lambda wanted: path + chosen.query(part=None if wanted == 1 else wanted),
        github=None if hidden else _github(desk, entry), may_judge=seat.role >= Role.AUDITOR, said=seat.said,
        own=wrote(entry, desk.names(seat.person)), wrong=wrong, given=given or {}, done=done, longest=NOTE,
    )  # fmt: skip


def _turn(desk: Desk, seat: Seat, chosen: Chosen, *, blind: bool) -> Turn:
    listed = listing.order(desk.store.engine, desk.listed(chosen, desk.visible(seat.person), blind=blind))
    entry = seat.dossier.entry
    here = (entry.repository, entry.commit)

    def at(place: int) -> str | None:
        return path_of(*listed[place]) + chosen.query() if 0 <= place < len(listed) else None

    if here not in listed:
        return Turn(None, len(listed), None, at(0))
    place = listed.index(here)
    return Turn(place + 1, len(listed), at(place - 1), at(place + 1))


def _done(connection: Connection, seat: Seat, commit: str | None) -> Verdict | None:
    """Return what the person said last of the change that they come from."""
    if commit is None or not is_sha(commit):
        return None
    said = [one for one in ledger.said_of(connection, commit) if one.who == seat.person.login]
    return said[-1] if said else None


def _github(desk: Desk, entry: Entry) -> str | None:
    """Return where the change is on GitHub, None where that is unknown."""
    if desk.github is None or not REPOSITORY.fullmatch(entry.repository):
        return None
    place = f"commit/{entry.commit}" if entry.number is None else f"pull/{entry.number}"
    return f"{desk.github}/{entry.repository}/{place}"
