"""One JSON shape for everything that is refused or goes wrong: problem details, RFC 9457.

    {"title": "Unauthorized", "status": 401, "detail": "the signature does not fit", "mend": "check the secret"}

`application/problem+json`; `title` is HTTP's own phrase, `detail` what is wrong in one line, `mend` what to do about
it. None of them repeats anything of the request.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from oversight.errors import OversightError

MEDIA_TYPE = "application/problem+json"


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


def install(app: FastAPI) -> None:
    """Let `app` answer every error in the one shape."""

    async def ours(_: Request, error: Exception) -> JSONResponse:
        if isinstance(error, Problem):
            return answer(error)
        assert isinstance(error, OversightError)  # noqa: S101  # what it is registered for
        return answer(Problem(422, error.message, mend=error.mend))

    async def of_http(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101  # what it is registered for
        phrase = HTTPStatus(error.status_code).phrase.lower()
        return answer(Problem(error.status_code, phrase, mend="see /openapi.json", headers=error.headers))

    async def of_validation(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101  # what it is registered for
        return answer(Problem(422, f"{len(error.errors())} fields make no sense", mend="see /openapi.json"))

    async def unforeseen(_: Request, __: Exception) -> JSONResponse:
        # It is raised on after this answer, and uvicorn logs it.
        return answer(Problem(500, "internal error", mend="see the server's log"))

    app.add_exception_handler(OversightError, ours)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, of_validation)
    app.add_exception_handler(Exception, unforeseen)
