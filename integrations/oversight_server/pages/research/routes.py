"""`/research`: the studies there are, and `/research/NAME`: one of them, its notebook a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from oversight.errors import OversightError, VaultError
from oversight.research.report import progress
from oversight.research.study import Study
from oversight_server.errors import Problem
from oversight_server.pages.access import Person, viewer
from oversight_server.pages.rendering import page
from oversight_server.pages.research.shelf import Shelf
from oversight_server.pages.research.studies import Studies
from oversight_server.pages.research.view import Board, board_of, share_of

EACH = 20
"""Findings on a page."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A study in the list: what its records tell, or why they cannot be read."""

    name: str
    told: dict[str, Any] | None
    newest: datetime | None
    problem: str


def router(studies: Studies) -> APIRouter:
    """Return the routes of studies."""
    routes = APIRouter(include_in_schema=False)
    shelf = Shelf()

    @routes.get("/research")
    def research(request: Request, person: Annotated[Person, Depends(viewer)]) -> HTMLResponse:
        _check(studies, person)
        return page(request, "research.html", entries=[_entry(*one) for one in studies.found().items()])

    @routes.get("/research/{name}")
    def study(
        request: Request,
        person: Annotated[Person, Depends(viewer)],
        name: str,
        number: Annotated[int, Query(alias="page", ge=1, le=1_000_000)] = 1,
    ) -> HTMLResponse:
        _check(studies, person)
        folder = studies.found().get(name)
        if folder is None:
            raise Problem(404, "there is no such study", mend="choose one of those that are listed")
        return _study(request, shelf, name, folder, number)

    return routes


def _check(studies: Studies, person: Person) -> None:
    if not studies.shown_to(person):
        raise Problem(404, "there is no such page", mend="go back to the queue")


def _entry(name: str, folder: Path) -> Entry:
    try:
        return Entry(name, progress(Study(folder)), _newest(folder), "")
    except (OversightError, OSError) as error:
        return Entry(name, None, None, _why(error))


def _study(request: Request, shelf: Shelf, name: str, folder: Path, number: int) -> HTMLResponse:
    try:
        opened = Study(folder)
        told, records = progress(opened), opened.records()
    except (OversightError, OSError) as error:
        raise Problem(503, f"the study cannot be read: {_why(error)}", mend="see its folder") from error
    board, problem = _board(shelf, folder, records)
    findings = told["findings"][::-1]
    return page(
        request, "study.html", name=name, told=told, newest=_newest(folder), board=board, problem=problem,
        families=share_of(told["all"]["families"]), findings=findings[(number - 1) * EACH : number * EACH],
        number=number, pages=max(1, -(-len(findings) // EACH)),
    )  # fmt: skip


def _board(shelf: Shelf, folder: Path, records: Any) -> tuple[Board | None, str]:
    """Return the leaderboard, or why there is none."""
    try:
        return board_of(shelf.board(folder), records), ""
    except VaultError as error:
        return None, _why(error)


def _newest(folder: Path) -> datetime | None:
    """Return when an experiment last came to an end."""
    try:
        return datetime.fromtimestamp((folder / "experiments.jsonl").stat().st_mtime, UTC)
    except OSError:
        return None


def _why(error: OversightError | OSError) -> str:
    return error.message if isinstance(error, OversightError) else error.strerror or "it cannot be read"
