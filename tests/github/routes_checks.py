"""REST answers about check runs, labels and people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.github.double import route
from tests.github.exchange import Page, Refusal, Reply, Request
from tests.github.routes import ISSUE, MAX_BODY, REPO, filtered, find, pull_of
from tests.github.world import JSON, World

ANNOTATIONS = 50

ACTIONS = 15368
"""The App that workflows are."""


@route("GET", REPO + "/labels")
def labels(world: World, request: Request) -> Reply:
    return Reply(Page(list(world.labels.values())))


@route("GET", REPO + "/labels/{name}")
def label(world: World, request: Request) -> Reply:
    if request.variables["name"] not in world.labels:
        raise Refusal(404, "Not Found")
    return Reply(world.labels[request.variables["name"]])


@route("POST", REPO + "/labels")
def add_label(world: World, request: Request) -> Reply:
    name = request.body["name"]
    if name in world.labels:
        raise Refusal(422, "Validation Failed", {"resource": "Label", "code": "already_exists", "field": "name"})
    return Reply(world.label(name, request.body.get("color", "ededed"), request.body.get("description", "")), 201)


@route("GET", ISSUE + "/labels")
def labels_of(world: World, request: Request) -> Reply:
    return Reply(Page(pull_of(world, request)["labels"]))


@route("POST", ISSUE + "/labels")
def add_labels(world: World, request: Request) -> Reply:
    found = pull_of(world, request)
    return Reply(world.set_labels(found["number"], [*_names(found), *request.body["labels"]]))


@route("PUT", ISSUE + "/labels")
def replace_labels(world: World, request: Request) -> Reply:
    return Reply(world.set_labels(pull_of(world, request)["number"], request.body["labels"]))


@route("DELETE", ISSUE + "/labels/{name}")
def remove_label(world: World, request: Request) -> Reply:
    found = pull_of(world, request)
    if request.variables["name"] not in _names(found):
        raise Refusal(404, "Label does not exist")
    kept = [name for name in _names(found) if name != request.variables["name"]]
    return Reply(world.set_labels(found["number"], kept))


def _names(found: JSON) -> list[str]:
    return [label["name"] for label in found["labels"]]


@route("POST", REPO + "/check-runs")
def add_check_run(world: World, request: Request) -> Reply:
    identity = world.id()
    run: JSON = {
        "id": identity,
        "node_id": f"CR_{identity}",
        "head_sha": request.body["head_sha"],
        "status": "queued",
        "conclusion": None,
        "started_at": world.now(),
        "completed_at": None,
        "html_url": f"https://github.test/{world.repository}/runs/{identity}",
        "app": {"id": int(getattr(world.app, "app_id", ACTIONS)), "slug": "an-app", "name": "An App"},
        "output": {"title": None, "summary": None, "text": None, "annotations_count": 0},
    }
    _update(world, run, request.body)
    world.check_runs.append(run)
    return Reply(run, 201)


@route("GET", REPO + "/check-runs/{check_run_id}")
def check_run(world: World, request: Request) -> Reply:
    return Reply(find(world.check_runs, request.variables["check_run_id"]))


@route("PATCH", REPO + "/check-runs/{check_run_id}")
def change_check_run(world: World, request: Request) -> Reply:
    run = find(world.check_runs, request.variables["check_run_id"])
    _update(world, run, request.body)
    return Reply(run)


def _update(world: World, run: JSON, body: Mapping[str, Any]) -> None:
    """Change a check run as asked; annotations are appended, at most 50 at a time."""
    output = body.get("output", {})
    found = output.get("annotations", [])
    if len(found) > ANNOTATIONS:
        raise Refusal(422, "Invalid request", "No more than 50 items are allowed.")
    if any(len(output.get(name) or "") > MAX_BODY - 1 for name in ("summary", "text")):
        raise Refusal(422, "Invalid request", "Only 65535 characters are allowed.")
    if body.get("status") == "completed" and "conclusion" not in body:
        raise Refusal(422, "Invalid request", "A completed check run has a conclusion.")
    if any("start_column" in a and a["start_line"] != a["end_line"] for a in found):
        raise Refusal(422, "Invalid request", "Columns are for annotations of one line.")
    if any(a["path"].startswith("/") or a["start_line"] > a["end_line"] for a in found):
        raise Refusal(422, "Invalid request", "An annotation's place makes no sense.")
    run.update({k: v for k, v in body.items() if k not in ("output", "head_sha", "actions")})
    run["output"].update({k: v for k, v in output.items() if k != "annotations"})
    if body.get("conclusion"):
        before = None if world.completes_anew else run["completed_at"]
        run.update(status="completed", completed_at=before or world.now())
    if found:
        world.annotations[run["id"]].extend(found)
        run["output"]["annotations_count"] = len(world.annotations[run["id"]])


@route("GET", REPO + "/check-runs/{check_run_id}/annotations")
def annotations(world: World, request: Request) -> Reply:
    run = find(world.check_runs, request.variables["check_run_id"])
    return Reply(Page(world.annotations[run["id"]]))


@route("GET", REPO + "/commits/{ref}/check-runs")
def check_runs(world: World, request: Request) -> Reply:
    runs = [run for run in world.check_runs if run["head_sha"] == request.variables["ref"]]
    return Reply(Page(filtered(runs, name=request.query.get("check_name")), key="check_runs"))


@route("GET", REPO + "/commits/{ref}/check-suites")
def check_suites(world: World, request: Request) -> Reply:
    made = world.suites.get(request.variables["ref"], [])
    suites = [{"id": number, "head_sha": request.variables["ref"], "created_at": at} for number, at in enumerate(made)]
    return Reply(Page(suites, key="check_suites"))


@route("GET", REPO + "/collaborators/{username}/permission")
def permission(world: World, request: Request) -> Reply:
    login = request.variables["username"]
    role = world.permissions.get(login, "read")
    return Reply({"permission": role, "role_name": role, "user": world.user(login)})
