"""Who may come in, and what they may see and do.

    people.py      Role and Person: what every page asks about
    gate.py        `viewer`, `csrf_checked`, `form`: what routes depend on; `Access`, which they ask
    sessions.py    who is logged in: rows of the database, of which a cookie holds the key
    site.py        the pages' own address: the Host, the origin of a POST, and where a login may lead
    github.py      the login through GitHub: state and PKCE, which the browser alone keeps
    tokens.py      the login by a token, where browser and server are one machine
    roles.py       what GitHub says that somebody may do in a repository
    routes.py      /login, /logout
    headers.py     what every answer says to browsers
    problems.py    refusals: a page for people, the one JSON shape for everything else
    attempts.py    how often strangers may try
    setup.py       all of it from the settings

A route asks like this, and is `def`, not `async def`, so that it runs in a thread:

    @routes.get("/queue")
    def queue(request: Request, person: Annotated[Person, Depends(viewer)]) -> HTMLResponse: ...

    @routes.post("/changes/{owner}/{name}/{commit}/verdict")
    def judge(person: Annotated[Person, Depends(csrf_checked)], fields: Annotated[Fields, Depends(form)]) -> ...

`person.role("owner/name")` is None where they may not even know that there is such a repository: answer what would be
answered if there were none. FastAPI's own `Form(...)` reads bodies of strangers before it asks who they are: `form`
does not.
"""

from __future__ import annotations

from fastapi import FastAPI

from oversight_server.pages.access.gate import Access, Fields, csrf_checked, form, viewer
from oversight_server.pages.access.headers import SecurityHeaders
from oversight_server.pages.access.people import Person, Role
from oversight_server.pages.access.problems import answer
from oversight_server.pages.access.routes import router
from oversight_server.pages.access.setup import access_of, local_access


def install(app: FastAPI, access: Access) -> None:
    """Give an application its login; its pages come with routers of their own."""
    app.state.access = access
    app.include_router(router(access))


__all__ = [
    "Access",
    "Fields",
    "Person",
    "Role",
    "SecurityHeaders",
    "access_of",
    "answer",
    "csrf_checked",
    "form",
    "install",
    "local_access",
    "router",
    "viewer",
]
