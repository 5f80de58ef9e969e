"""Style sheets and scripts: a fixed list of files, each under a path that changes with its content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, Response

from oversight.audit.dashboard.html import STYLE
from oversight_server.errors import Problem

_HERE = Path(__file__).parent / "static"
_FILES = {
    "style.css": _HERE / "style.css",
    "dashboard.css": STYLE,
    "keys.js": _HERE / "keys.js",
    "htmx.js": _HERE / "vendor" / "htmx.min.js",
    "icon.svg": _HERE / "icon.svg",
}
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file to be served, its media type, and what tells its content from any other."""

    content: bytes
    media_type: str
    digest: str


@cache
def assets() -> Mapping[str, Asset]:
    """Return all files by their names."""
    found = {}
    for name, path in _FILES.items():
        content = path.read_bytes()
        found[name] = Asset(content, _TYPES[Path(name).suffix], sha256(content).hexdigest()[:12])
    return found


def path_of(name: str) -> str:
    """Return the path under which a file is served; KeyError for one that is not on the list."""
    return f"/static/{assets()[name].digest}/{name}"


def router() -> APIRouter:
    """Return the route of all files; they hold nothing of anybody, and need no login."""
    routes = APIRouter()

    @routes.get("/static/{digest}/{name}", include_in_schema=False)
    def static(digest: str, name: str) -> Response:
        asset = assets().get(name)
        if asset is None or asset.digest != digest:
            raise Problem(404, "there is no such file", mend="reload the page")
        return Response(asset.content, media_type=asset.media_type, headers={"Cache-Control": _FOR_EVER})

    return routes
