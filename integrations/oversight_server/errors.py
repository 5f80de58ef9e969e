"""One JSON shape for everything that is refused or goes wrong: problem details, RFC 9457.

    {"title": "Unauthorized", "status": 401, "detail": "the signature does not fit", "mend": "check the secret"}

`application/problem+json`; `title` is HTTP's own phrase, `detail` what is wrong in one line, `mend` what to do about
it. None of them repeats anything of the request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from oversight.errors import OversightError, StoreError

MEDIA_TYPE = "application/problem+json"
DESCRIBED = "see /openapi.json"
"""What programs are told of requests that make no sense."""


class Problem(OversightError):
    """A request that is answered with `status`. `close`: its body was not read, so that the connection has to end."""

    def __init__(
        self, status: int, message: str, *, mend: str, close: bool = False, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, mend=mend)
        self.status = status
        self.headers = {**(headers or {}), **({"Connection": "close"} if close else {})}


def answer(problem: Problem) -> JSONResponse:
    """Return the response for `problem`."""
    shape = {
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.message,
        "mend": problem.mend,
    }
    return JSONResponse(shape, problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


def install(app: FastAPI, answered: Callable[[Request, Problem], Response]) -> None:
    """Let `app` answer every error as `answered` makes a response of it: in the one shape, or as a page for people."""

    async def ours(request: Request, error: Exception) -> Response:
        if isinstance(error, Problem):
            return answered(request, error)
        assert isinstance(error, OversightError)  # noqa: S101  # what it is registered for
        status = 503 if isinstance(error, StoreError) else 422
        return answered(request, Problem(status, error.message, mend=error.mend))

    async def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101  # what it is registered for
        phrase = HTTPStatus(error.status_code).phrase.lower()
        problem = Problem(error.status_code, phrase, mend=DESCRIBED, headers=error.headers)
        return answered(request, problem)

    async def of_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101  # what it is registered for
        count = len(error.errors())
        told = "a field makes no sense" if count == 1 else f"{count} fields make no sense"
        return answered(request, Problem(422, told, mend=DESCRIBED))

    async def unforeseen(request: Request, _: Exception) -> Response:
        # It is raised on after this answer, and uvicorn logs it.
        return answered(request, Problem(500, "internal error", mend="see the server's log"))

    app.add_exception_handler(OversightError, ours)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, of_validation)
    app.add_exception_handler(Exception, unforeseen)
