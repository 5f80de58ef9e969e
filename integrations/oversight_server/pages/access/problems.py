"""Refusals: a page for whoever looks at pages, and the one JSON shape of `oversight_server.errors` for all others."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote, urlsplit

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from oversight_server import errors
from oversight_server.errors import Problem
from oversight_server.pages.access.headers import add
from oversight_server.pages.access.site import within
from oversight_server.pages.rendering import page

LOGIN = "/login"


class LoginNeededError(Problem):
    """Nobody is logged in. It is the same whatever was asked for, whether there is such a thing or not."""

    def __init__(self) -> None:
        super().__init__(401, "nobody is logged in", mend=f"log in at {LOGIN}")


def answer(request: Request, problem: Problem) -> Response:
    """Return the response for `problem`: browsers are led to the login, htmx is told to lead them there."""
    if "hx-request" in request.headers:
        response: Response = errors.answer(problem)
        if isinstance(problem, LoginNeededError):
            response.headers["HX-Redirect"] = _login(_shown(request))
    elif not _reads_pages(request):
        response = errors.answer(problem)
    elif isinstance(problem, LoginNeededError):
        response = RedirectResponse(_login(_asked(request) if request.method == "GET" else None), 303)
    else:
        response = page(
            request, "message.html", status=problem.status, title=HTTPStatus(problem.status).phrase,
            text=_sentence(problem.message), mend="" if problem.mend == errors.DESCRIBED else _sentence(problem.mend),
            login=LOGIN if request.scope["path"].startswith(LOGIN) else None,
        )  # fmt: skip
        response.headers.update(problem.headers)
    # An answer to what nobody foresaw goes around the middleware.
    add(response.headers)
    return response


def _reads_pages(request: Request) -> bool:
    """Whether HTML is asked for by name, as browsers do where a page is to be shown, and programs do not."""
    return "text/html" in request.headers.get("accept", "")


def _shown(request: Request) -> str | None:
    """Return the path that htmx says is in the browser's address line."""
    try:
        parts = urlsplit(request.headers.get("hx-current-url", ""))
    except ValueError:
        return None
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _asked(request: Request) -> str:
    """Return path and query as they were sent. `request.url` would need a `Host` that makes sense."""
    path, query = request.scope.get("raw_path") or b"", request.scope["query_string"]
    return bytes(path + b"?" * bool(query) + query).decode("latin-1")


def _login(asked: str | None) -> str:
    return f"{LOGIN}?next={quote(within(asked), safe='/')}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
