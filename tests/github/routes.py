"""REST answers about pull requests, comments and reviews."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from oversight.changes.diff import parse_diff, render
from oversight.changes.model import FileChange, FileStatus, LineKind
from tests.github.double import route
from tests.github.exchange import Page, Refusal, Reply, Request
from tests.github.world import JSON, World

REPO = "/repos/{owner}/{repo}"
ISSUE = REPO + "/issues/{issue_number}"
PULL = REPO + "/pulls/{pull_number}"
MAX_FILES_OF_A_DIFF = 300
MAX_FILES = 3_000
MAX_BODY = 65_536


def pull_of(world: World, request: Request) -> JSON:
    number = int(request.variables.get("pull_number") or request.variables["issue_number"])
    if number not in world.pulls:
        raise Refusal(404, "Not Found")
    return world.pulls[number]


def find(items: list[JSON], identity: str) -> JSON:
    found = next((item for item in items if str(item["id"]) == identity), None)
    if found is None:
        raise Refusal(404, "Not Found")
    return found


def flat(lists: Mapping[int, list[JSON]]) -> list[JSON]:
    return [item for items in lists.values() for item in items]


def body_of(request: Request) -> str:
    body = str(request.body["body"])
    if not body.strip():
        raise Refusal(422, "Validation Failed", {"resource": "IssueComment", "code": "missing_field", "field": "body"})
    if len(body) > MAX_BODY:
        raise Refusal(422, "Validation Failed", "body is too long (maximum is 65536 characters)")
    return body


def filtered(items: list[JSON], **wanted: str | None) -> list[JSON]:
    return [item for item in items if all(value is None or item[name] == value for name, value in wanted.items())]


@route("GET", REPO)
def repository(world: World, request: Request) -> Reply:
    return Reply(world.about(world.repository))


@route("GET", REPO + "/pulls")
def pulls(world: World, request: Request) -> Reply:
    state = request.query.get("state", "open")
    return Reply(Page(filtered(list(world.pulls.values()), state=None if state == "all" else state)))


@route("GET", PULL)
def pull(world: World, request: Request) -> Reply:
    found = pull_of(world, request)
    files = world.files(found["number"])
    if "diff" in request.accept:
        if len(files) > MAX_FILES_OF_A_DIFF:
            too_large = {"resource": "PullRequest", "field": "diff", "code": "too_large"}
            raise Refusal(406, "Sorry, the diff exceeded the maximum number of files (300).", too_large)
        return Reply(world.diffs[found["number"]], headers={"content-type": "application/vnd.github.diff"})
    added = sum(hunk.count(LineKind.ADDED) for file in files for hunk in file.hunks)
    deleted = sum(hunk.count(LineKind.DELETED) for file in files for hunk in file.hunks)
    commits = len(world.made_by[found["number"]])
    counts = {"commits": commits, "changed_files": len(files), "additions": added, "deletions": deleted}
    return Reply({**found, **counts, "merged": False})


@route("GET", PULL + "/files")
def pull_files(world: World, request: Request) -> Reply:
    return Reply(Page(listed(world.diffs[pull_of(world, request)["number"]])))


@cache
def listed(diff: bytes) -> list[JSON]:
    """The files of a diff as GitHub lists them, up to as many as it does."""
    return [described(file) for file in parse_diff(diff)][:MAX_FILES] if diff else []


def described(file: FileChange) -> JSON:
    """A file of a pull request or comparison as GitHub lists it; `patch` begins at the first hunk."""
    added = sum(hunk.count(LineKind.ADDED) for hunk in file.hunks)
    deleted = sum(hunk.count(LineKind.DELETED) for hunk in file.hunks)
    status = {FileStatus.ADDED: "added", FileStatus.DELETED: "removed", FileStatus.RENAMED: "renamed"}
    about = {
        "sha": "c" * 40,
        "filename": file.path,
        "status": status.get(file.status, "modified"),
        "additions": added,
        "deletions": deleted,
        "changes": added + deleted,
    }
    if file.status is FileStatus.RENAMED:
        about["previous_filename"] = file.old_path
    if file.hunks:
        text = render([file]).decode("utf-8", "replace")
        about["patch"] = text[text.index("@@") :].removesuffix("\n")
    return about


@route("GET", PULL + "/commits")
def pull_commits(world: World, request: Request) -> Reply:
    head = pull_of(world, request)["head"]["sha"]
    return Reply(Page([{"sha": head, "commit": {"message": "Change"}, "parents": []}]))


@route("GET", REPO + "/commits/{commit_sha}/pulls")
def pulls_of_commit(world: World, request: Request) -> Reply:
    sha = request.variables["commit_sha"]
    return Reply(Page([p for p in world.pulls.values() if sha in (p["head"]["sha"], p["merge_commit_sha"])]))


@route("GET", ISSUE)
def issue(world: World, request: Request) -> Reply:
    found = pull_of(world, request)
    kept = ("id", "number", "state", "title", "user", "labels", "html_url", "created_at")
    return Reply({**{name: found[name] for name in kept}, "pull_request": {"html_url": found["html_url"]}})


@route("GET", ISSUE + "/comments")
def comments(world: World, request: Request) -> Reply:
    return Reply(Page(_since(world.comments[pull_of(world, request)["number"]], request)))


@route("GET", REPO + "/issues/comments")
def all_comments(world: World, request: Request) -> Reply:
    return Reply(Page(_since(flat(world.comments), request)))


def _since(items: list[JSON], request: Request) -> list[JSON]:
    return [item for item in items if item["updated_at"] >= request.query.get("since", "")]


@route("POST", ISSUE + "/comments")
def add_comment(world: World, request: Request) -> Reply:
    return Reply(world.comment(pull_of(world, request)["number"], body_of(request)), 201)


@route("GET", REPO + "/issues/comments/{comment_id}")
def comment(world: World, request: Request) -> Reply:
    return Reply(find(flat(world.comments), request.variables["comment_id"]))


@route("PATCH", REPO + "/issues/comments/{comment_id}")
def change_comment(world: World, request: Request) -> Reply:
    found = find(flat(world.comments), request.variables["comment_id"])
    found.update(body=body_of(request), updated_at=world.now(), edited_by=world.viewer)
    return Reply(found)


@route("DELETE", REPO + "/issues/comments/{comment_id}")
def delete_comment(world: World, request: Request) -> Reply:
    found = find(flat(world.comments), request.variables["comment_id"])
    for items in world.comments.values():
        items[:] = [item for item in items if item is not found]
    return Reply(status=204)


@route("GET", ISSUE + "/events")
def events(world: World, request: Request) -> Reply:
    return Reply(Page(world.events[pull_of(world, request)["number"]]))


@route("GET", PULL + "/comments")
def review_comments(world: World, request: Request) -> Reply:
    return Reply(Page(_since(world.review_comments[pull_of(world, request)["number"]], request)))


@route("GET", REPO + "/pulls/comments")
def all_review_comments(world: World, request: Request) -> Reply:
    return Reply(Page(_since(flat(world.review_comments), request)))


@route("GET", REPO + "/pulls/comments/{comment_id}")
def review_comment(world: World, request: Request) -> Reply:
    return Reply(find(flat(world.review_comments), request.variables["comment_id"]))


@route("PATCH", REPO + "/pulls/comments/{comment_id}")
def change_review_comment(world: World, request: Request) -> Reply:
    found = find(flat(world.review_comments), request.variables["comment_id"])
    found.update(body=body_of(request), updated_at=world.now(), edited_by=world.viewer)
    return Reply(found)


@route("DELETE", REPO + "/pulls/comments/{comment_id}")
def delete_review_comment(world: World, request: Request) -> Reply:
    found = find(flat(world.review_comments), request.variables["comment_id"])
    for items in [*world.review_comments.values(), *(t["comments"] for ts in world.threads.values() for t in ts)]:
        items[:] = [item for item in items if item is not found]
    return Reply(status=204)


@route("POST", PULL + "/comments")
def add_review_comment(world: World, request: Request) -> Reply:
    found = pull_of(world, request)
    if request.body["commit_id"] != found["head"]["sha"]:
        raise Refusal(422, "Validation Failed", _refused("commit_id is not part of the pull request"))
    if reason := off_diff(world, found["number"], request.body):
        raise Refusal(
            422, "Validation Failed", _refused(f"pull_request_review_thread.{reason} must be part of the diff")
        )
    made = world.review_comment(found["number"], body_of(request), **_place(request.body))
    return Reply(made, 201)


def _refused(message: str) -> JSON:
    return {"resource": "PullRequestReviewComment", "code": "custom", "message": message}


def _place(body: JSON) -> JSON:
    return {k: body[k] for k in ("path", "line", "side", "start_line", "start_side", "subject_type") if k in body}


def off_diff(world: World, number: int, place: JSON) -> str | None:
    """Return which field of a place is outside of the diff, None where none is: both ends are in one hunk."""
    file = next((file for file in world.files(number) if file.path == place["path"]), None)
    if file is None:
        return "path"
    if place.get("subject_type") == "file":
        return None
    ends = [(place.get("side", "RIGHT"), place.get("line"))]
    if place.get("start_line") is not None:
        ends.append((place.get("start_side", "RIGHT"), place["start_line"]))
        if ends[1][0] == ends[0][0] and ends[1][1] >= (ends[0][1] or 0):
            return "start_line"
    for hunk in file.hunks:
        lines = {("LEFT", line.old_number) for line in hunk.lines} | {("RIGHT", line.new_number) for line in hunk.lines}
        if all(number is not None and (side, number) in lines for side, number in ends):
            return None
    return "line"


@route("POST", PULL + "/comments/{comment_id}/replies")
def reply(world: World, request: Request) -> Reply:
    number = pull_of(world, request)["number"]
    parent = find(world.review_comments[number], request.variables["comment_id"])
    made = world.review_comment(number, body_of(request), reply_to=parent["id"], path=parent["path"])
    return Reply(made, 201)


@route("GET", PULL + "/reviews")
def reviews(world: World, request: Request) -> Reply:
    return Reply(Page(world.reviews[pull_of(world, request)["number"]]))


@route("POST", PULL + "/reviews")
def add_review(world: World, request: Request) -> Reply:
    """A review with its comments, all of them or none."""
    found = pull_of(world, request)
    for one in request.body.get("comments", []):
        if reason := off_diff(world, found["number"], one):
            raise Refusal(422, "Unprocessable Entity", f"{reason.capitalize()} could not be resolved")
    identity = world.id()
    review = {
        "id": identity,
        "node_id": f"PRR_{identity}",
        "user": world.user(world.viewer),
        "body": request.body.get("body") or "",
        "state": {"COMMENT": "COMMENTED", "APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED"}.get(
            request.body.get("event", ""), "PENDING"
        ),
        "commit_id": request.body.get("commit_id", found["head"]["sha"]),
        "submitted_at": world.now(),
    }
    world.reviews[found["number"]].append(review)
    for one in request.body.get("comments", []):
        made = world.review_comment(found["number"], one["body"], **_place(one))
        made["pull_request_review_id"] = identity
    return Reply(review)
