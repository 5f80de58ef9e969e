"""REST answers about what people do: issues that bear a label, and reactions to comments."""

from __future__ import annotations

from tests.github.double import route
from tests.github.exchange import Page, Refusal, Reply, Request
from tests.github.routes import REPO, find, flat
from tests.github.world import JSON, World

_REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")


@route("GET", REPO + "/issues")
def issues(world: World, request: Request) -> Reply:
    """Pull requests are issues; several labels have to be there all at once."""
    wanted = {name.lower() for name in request.query.get("labels", "").split(",") if name}
    state = request.query.get("state", "open")
    kept = ("id", "number", "state", "title", "user", "labels", "html_url", "created_at", "updated_at")
    found = [
        {**{name: pull[name] for name in kept}, "pull_request": {"html_url": pull["html_url"]}}
        for pull in world.pulls.values()
        if wanted <= {label["name"].lower() for label in pull["labels"]} and state in ("all", pull["state"])
    ]
    return Reply(Page(found))


@route("POST", REPO + "/issues/comments/{comment_id}/reactions")
def react(world: World, request: Request) -> Reply:
    return _react(world, find(flat(world.comments), request.variables["comment_id"]), request)


@route("POST", REPO + "/pulls/comments/{comment_id}/reactions")
def react_inline(world: World, request: Request) -> Reply:
    return _react(world, find(flat(world.review_comments), request.variables["comment_id"]), request)


def _react(world: World, comment: JSON, request: Request) -> Reply:
    """The same reaction twice is one."""
    content = request.body["content"]
    if content not in _REACTIONS:
        raise Refusal(422, "Validation Failed", {"resource": "Reaction", "code": "invalid", "field": "content"})
    there = comment.setdefault("reacted", [])
    if content not in there:
        there.append(content)
    identity = world.id()
    user = world.user(world.viewer)
    about = {"id": identity, "node_id": f"REA_{identity}", "user": user, "content": content, "created_at": world.now()}
    return Reply(about, 201)
