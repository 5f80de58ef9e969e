"""The dashboard as HTML: a fragment and single tables for the server's pages, and a file that needs nothing else.

Whatever a template writes is made visible and escaped, by the environment and not by whoever writes a template. Nothing
has a style attribute or a script; the file says in a policy of its own that its one style sheet, by its hash, is all
that a browser may load.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from oversight.audit.budget import beside
from oversight.audit.dashboard import tables, trends
from oversight.audit.dashboard.model import Behind, Dashboard
from oversight.audit.dashboard.rows import Cell, Place, Section, Table
from oversight.audit.dashboard.view import view
from oversight.errors import MissingExtraError
from oversight.reports.escape import visible

if TYPE_CHECKING:
    from jinja2 import Environment

STYLE = Path(__file__).parent / "style.css"
"""The style sheet of both pages."""

_TEMPLATES = Path(__file__).parent / "templates"
_MOST_ROWS = 1_000  # of a section in a file, which would otherwise be as large as the store
_LONGEST = 300  # characters of a text of others


class Links(Protocol):
    """Where a page leads."""

    def rows(self, behind: Behind) -> str:
        """Return the address of rows."""

    def change(self, place: Place) -> str | None:
        """Return the address of a change, None where there is no page of it."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a table: of `total` rows those from `start` on, in their sections."""

    table: Table
    sections: tuple[tuple[Section, tuple[tuple[Cell, ...], ...]], ...]
    start: int
    shown: int
    total: int


def fragment(dashboard: Dashboard, links: Links) -> str:
    """Return everything but the rows, as HTML to be put into a page."""
    return _render("fragment.html", **_parts(dashboard), links=links)


def rows(page: Page, links: Links, *, repositories: bool = True) -> str:
    """Return rows as HTML to be put into a page; `repositories`: they say which one they are of."""
    return _render("rows.html", page=page, links=links, repositories=repositories)


def document(dashboard: Dashboard) -> str:
    """Return all of it as one HTML document that loads nothing, and opens from a disk."""
    style = STYLE.read_text(encoding="utf-8")
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    pages = [_beginnings(tables.table(dashboard, key)) for key in tables.names()]
    return _render(
        "document.html",
        **_parts(dashboard),
        links=_Inside(),
        pages=[page for page in pages if page.total],
        repositories=dashboard.repository is None,
        style=_markup(style),
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
    )


def page_of(table: Table, section: str | None, start: int, most: int) -> Page:
    """Return `most` rows of a table from the one at `start` on, counted from 0, of one section or of all."""
    chosen = [one for one in table.sections if section in (None, one.key)]
    shown, passed, found = 0, 0, []
    for one in chosen:
        items = one.items[max(start - passed, 0) : max(start - passed, 0) + most - shown]
        passed += len(one.items)
        shown += len(items)
        if items:
            found.append((one, tuple(table.row(item) for item in items)))
    return Page(table, tuple(found), start, shown, sum(len(one.items) for one in chosen))


def _beginnings(table: Table) -> Page:
    """Return the first rows of each section, so that no figure leads to nothing."""
    there = [one for one in table.sections if one.items]
    found = tuple((one, tuple(table.row(item) for item in one.items[:_MOST_ROWS])) for one in there)
    return Page(table, found, 0, sum(len(rows) for _, rows in found), table.count)


class _Inside:
    """Links of a file, whose rows are in it; of changes it has no pages."""

    def rows(self, behind: Behind) -> str:
        return f"#rows-{behind.table}" + (f"-{behind.section}" if behind.section is not None else "")

    def change(self, place: Place) -> str | None:  # noqa: ARG002  # the protocol's
        return None


def _parts(dashboard: Dashboard) -> dict[str, Any]:
    return {
        "view": view(dashboard),
        "recoveries": trends.recoveries(dashboard),
        "newest": trends.newest_flocks(dashboard),
        "flocks": trends.flocks(dashboard),
        "columns": trends.COLUMNS,
        "over_time": trends.OVER_TIME,
        "everything": dashboard.repository is None,
        "shadows": [
            (line, Behind("the rows", "shadows", str(number)) if one.n else None)
            for number, (one, line) in enumerate(
                zip(dashboard.beside, beside.text(dashboard.beside, str), strict=True), 1
            )
        ],
    }


def _render(template: str, **values: Any) -> str:
    return str(_environment().get_template(template).render(values))


def _markup(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)  # noqa: S704  # ours


@cache
def _environment() -> Environment:
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as error:
        raise MissingExtraError("the dashboard", "audit") from error
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.tests["place"] = lambda value: isinstance(value, Place)
    made.tests["way"] = lambda value: isinstance(value, Behind)
    made.filters["cut"] = lambda text: visible(text, _LONGEST)
    return made


def _shown(value: Any) -> Any:
    """Return a value as a template writes it: text without anything invisible, numbers and markup as they are."""
    return visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
