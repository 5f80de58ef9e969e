"""The templates' environment, and `page`, by which every route answers.

    page(request, "queue.html", entries=entries)

Text reaches a page in one way alone: `_shown` makes visible what would hide or reorder it, then Jinja2 escapes it. Both
happen to every value that a template writes, whether it asks for that or not; there is no inline script, no inline
style, and a name that is missing is an error.

Each template knows `person` (None before the login) and `csrf`, which go into forms; for the navigation `active`, the
first part of the path, and `research`, whether there are studies that they may see; `asset(name)`, the path of a style
sheet or script; and `version`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from oversight import __version__
from oversight.reports.escape import visible
from oversight.reports.words import counted, percent
from oversight_server.pages.assets import path_of

if TYPE_CHECKING:
    from oversight_server.pages.research.studies import Studies

_TEMPLATES = Path(__file__).parent / "templates"
_LATEST = 253402300799  # seconds: the end of the year 9999, after which no calendar here goes on


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a template as an answer; `values` are its names.

    `request.state.person` is who asks, as the login left it there; without it the page is that of a stranger.
    """
    person = getattr(request.state, "person", None)
    studies: Studies | None = getattr(request.app.state, "studies", None)
    known = {
        "person": person,
        "csrf": "" if person is None else person.csrf,
        "active": request.url.path.strip("/").partition("/")[0],
        "research": person is not None and studies is not None and studies.shown_to(person),
    }
    text = environment().get_template(template).render({**known, **values})
    # What is no character of UTF-8 cannot be left: `_shown` has made all of it visible.
    return HTMLResponse(text, status)


@cache
def environment() -> Environment:
    """Return the environment: everything is escaped, and nothing that is missing is passed over."""
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"asset": path_of, "version": __version__}
    made.filters |= {
        "counted": counted,
        "cut": visible,
        "day": _day,
        "moment": _moment,
        "part": lambda text: quote(str(text).encode("utf-8", "surrogateescape"), safe=""),
        "percent": percent,
        "prose": _prose,
        "unix_day": _unix_day,
    }
    return made


def _shown(value: Any) -> Any:
    """Return a value as a template writes it: text without anything invisible, numbers and markup as they are."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _prose(text: str, limit: int | None = None) -> Markup:
    """Return a sentence as markup, in which names between backticks stand as code."""
    parts = visible(text, limit).split("`")
    if len(parts) % 2 == 0:  # one of them has no other
        return escape("`".join(parts))
    code = Markup("<code>{}</code>")
    return Markup("").join(code.format(part) if place % 2 else escape(part) for place, part in enumerate(parts))


def _day(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d}"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _unix_day(seconds: int) -> str:
    return _day(datetime.fromtimestamp(min(max(seconds, 0), _LATEST), UTC))
