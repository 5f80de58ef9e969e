"""REST answers about what is stored: comparisons, files, git objects and refs, artifacts."""

from __future__ import annotations

import base64
import re
from urllib.parse import urlsplit

from tests.github.double import route
from tests.github.exchange import Page, Refusal, Reply, Request
from tests.github.world import JSON, World, encoded

REPO = "/repos/{owner}/{repo}"
LARGEST_CONTENT = 1024 * 1024


@route("GET", REPO + "/compare/{basehead}")
def compare(world: World, request: Request) -> Reply:
    """What the test put into `world.compares`, as base...head; its diff from `world.compare_diffs`."""
    basehead = request.variables["basehead"]
    if basehead not in world.compares:
        raise Refusal(404, "Not Found")
    return _diff(world, basehead) if "diff" in request.accept else Reply(world.compares[basehead])


def _diff(world: World, name: str) -> Reply:
    """The diff of a comparison or commit; one that the test has not put there is too large."""
    if name not in world.compare_diffs:
        raise Refusal(406, "Sorry, the diff exceeded the maximum number of files (300).")
    return Reply(world.compare_diffs[name], headers={"content-type": "application/vnd.github.diff"})


@route("GET", REPO + "/commits/{ref}")
def commit(world: World, request: Request) -> Reply:
    sha = _sha(world, request.variables["ref"])
    if "diff" in request.accept:
        return _diff(world, sha)
    known = _git_commit(world, sha)
    stats = {name: world.commits[sha][name] for name in ("stats",) if name in world.commits[sha]}
    return Reply({"sha": sha, "commit": known, "parents": known["parents"], **stats})


def _sha(world: World, ref: str) -> str:
    sha = world.sha_of(ref)
    if sha is None:
        raise Refusal(422 if re.fullmatch("[0-9a-f]{40}", ref) else 404, f"No commit found for SHA: {ref}")
    return sha


@route("GET", REPO + "/contents/{path}")
def contents(world: World, request: Request) -> Reply:
    path = request.variables["path"]
    content = world.read(request.query.get("ref", world.default_branch), path)
    if content is None:
        raise Refusal(404, "Not Found")
    if "raw" in request.accept:
        return Reply(content, headers={"content-type": "application/vnd.github.raw"})
    small = len(content) <= LARGEST_CONTENT
    coded = {"content": encoded(content) if small else "", "encoding": "base64" if small else "none"}
    return Reply(_content(world, path, content) | coded)


def _content(world: World, path: str, content: bytes) -> JSON:
    name = path.rpartition("/")[2]
    return {"type": "file", "name": name, "path": path, "sha": world.blob(content), "size": len(content)}


@route("PUT", REPO + "/contents/{path}")
def put_contents(world: World, request: Request) -> Reply:
    """Write one file in a commit of its own; what was there has to be named, so that no change of others is lost."""
    path = request.variables["path"]
    branch = f"heads/{request.body.get('branch', world.default_branch)}"
    if branch not in world.refs:
        raise Refusal(404, f"Branch {branch} not found")
    before = world.read(branch, path)
    if before is not None and request.body.get("sha") is None:
        raise Refusal(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
    if before is not None and request.body["sha"] != world.blob(before):
        raise Refusal(409, f"{path} does not match {request.body['sha']}")
    content = base64.b64decode(request.body["content"])
    sha = world.write(branch, {path: content}, request.body["message"])
    return Reply({"content": _content(world, path, content), "commit": _git_commit(world, sha)}, 200 if before else 201)


@route("GET", REPO + "/git/ref/{ref}")
def ref(world: World, request: Request) -> Reply:
    name = request.variables["ref"]
    if name not in world.refs:
        raise Refusal(404, "Not Found")
    return Reply(_ref(world, name))


@route("GET", REPO + "/git/matching-refs/{ref}")
def matching_refs(world: World, request: Request) -> Reply:
    return Reply(Page([_ref(world, name) for name in world.refs if name.startswith(request.variables["ref"])]))


def _ref(world: World, name: str) -> JSON:
    sha = world.refs[name]
    url = f"https://api.github.test/repos/{world.repository}/git"
    about = {"type": "commit", "sha": sha, "url": f"{url}/commits/{sha}"}
    return {"ref": f"refs/{name}", "node_id": "REF_1", "url": f"{url}/refs/{name}", "object": about}


@route("POST", REPO + "/git/refs")
def add_ref(world: World, request: Request) -> Reply:
    name = request.body["ref"]
    if not name.startswith("refs/") or name.count("/") < 2:
        raise Refusal(422, "Reference name must start with 'refs/' and have at least two slashes")
    if name.removeprefix("refs/") in world.refs:
        raise Refusal(422, "Reference already exists")
    if request.body["sha"] not in world.commits:
        raise Refusal(422, "Object does not exist")
    world.refs[name.removeprefix("refs/")] = request.body["sha"]
    return Reply(_ref(world, name.removeprefix("refs/")), 201)


@route("PATCH", REPO + "/git/refs/{ref}")
def change_ref(world: World, request: Request) -> Reply:
    name = request.variables["ref"]
    if name not in world.refs:
        raise Refusal(422, "Reference does not exist")
    if request.body["sha"] not in world.commits:
        raise Refusal(422, "Object does not exist")
    if not request.body.get("force") and not world.reaches(request.body["sha"], world.refs[name]):
        raise Refusal(422, "Update is not a fast forward")
    world.refs[name] = request.body["sha"]
    return Reply(_ref(world, name))


@route("DELETE", REPO + "/git/refs/{ref}")
def delete_ref(world: World, request: Request) -> Reply:
    if world.refs.pop(request.variables["ref"], None) is None:
        raise Refusal(422, "Reference does not exist")
    return Reply(status=204)


@route("POST", REPO + "/git/blobs")
def add_blob(world: World, request: Request) -> Reply:
    content = request.body["content"]
    coded = request.body.get("encoding") == "base64"
    sha = world.blob(base64.b64decode(content) if coded else content.encode())
    return Reply({"sha": sha, "url": f"https://api.github.test/repos/{world.repository}/git/blobs/{sha}"}, 201)


@route("GET", REPO + "/git/blobs/{file_sha}")
def blob(world: World, request: Request) -> Reply:
    sha = request.variables["file_sha"]
    if sha not in world.blobs:
        raise Refusal(404, "Not Found")
    content = world.blobs[sha]
    if "raw" in request.accept:
        return Reply(content, headers={"content-type": "application/vnd.github.raw"})
    return Reply(
        {"sha": sha, "node_id": "B_1", "size": len(content), "content": encoded(content), "encoding": "base64"}
    )


@route("POST", REPO + "/git/trees")
def add_tree(world: World, request: Request) -> Reply:
    entries: dict[str, JSON] = {}
    if base := request.body.get("base_tree"):
        # A commit's sha will do for its tree's.
        entries = dict(world.trees[world.commits[base]["tree"] if base in world.commits else base])
    for entry in request.body["tree"]:
        if entry.get("sha", "") is None:
            entries.pop(entry["path"], None)
            continue
        sha = entry["sha"] if "sha" in entry else world.blob(entry["content"].encode())
        if sha not in world.blobs:
            raise Refusal(422, "tree.sha does not exist")
        entries[entry["path"]] = {"mode": entry.get("mode", "100644"), "type": entry.get("type", "blob"), "sha": sha}
    return Reply(_tree(world, world.tree(entries)), 201)


@route("GET", REPO + "/git/trees/{tree_sha}")
def tree(world: World, request: Request) -> Reply:
    name = request.variables["tree_sha"]
    sha = name if name in world.trees else world.commits[_sha(world, name)]["tree"]
    return Reply(_tree(world, sha))


def _tree(world: World, sha: str) -> JSON:
    return {
        "sha": sha,
        "truncated": False,
        "tree": [{"path": path, **entry} for path, entry in world.trees[sha].items()],
    }


@route("POST", REPO + "/git/commits")
def add_commit(world: World, request: Request) -> Reply:
    parents = request.body.get("parents", [])
    if request.body["tree"] not in world.trees or any(parent not in world.commits for parent in parents):
        raise Refusal(422, "Tree SHA or a parent does not exist")
    return Reply(_git_commit(world, world.commit(request.body["tree"], parents, request.body["message"])), 201)


@route("GET", REPO + "/git/commits/{commit_sha}")
def git_commit(world: World, request: Request) -> Reply:
    if request.variables["commit_sha"] not in world.commits:
        raise Refusal(404, "Not Found")
    return Reply(_git_commit(world, request.variables["commit_sha"]))


def _git_commit(world: World, sha: str) -> JSON:
    known = world.commits[sha]
    return {
        "sha": sha,
        "message": known["message"],
        "author": known["author"],
        "committer": known["committer"],
        "tree": {"sha": known["tree"], "url": "https://api.github.test/tree"},
        "parents": [{"sha": parent, "url": "https://api.github.test/commit"} for parent in known["parents"]],
    }


@route("GET", REPO + "/actions/artifacts")
def artifacts(world: World, request: Request) -> Reply:
    name = request.query.get("name")
    newest = sorted(world.artifacts, key=lambda artifact: -artifact["id"])
    return Reply(Page([a for a in newest if name is None or a["name"] == name], key="artifacts"))


@route("GET", REPO + "/actions/artifacts/{artifact_id}/{archive_format}")
def download(world: World, request: Request) -> Reply:
    """The archive is on another host, which must not learn the token."""
    identity = int(request.variables["artifact_id"])
    found = next((artifact for artifact in world.artifacts if artifact["id"] == identity), None)
    if found is None:
        raise Refusal(404, "Not Found")
    if found["expired"]:
        raise Refusal(410, "Artifact has expired")
    port = urlsplit(request.root).port
    return Reply(status=302, headers={"location": f"http://localhost:{port}/_archives/{identity}?sig=secret"})


@route("GET", "/_archives/{id}")
def archive(world: World, request: Request) -> Reply:
    if "authorization" in request.headers:
        raise Refusal(400, "A token was sent to another host")
    return Reply(world.archives[int(request.variables["id"])], headers={"content-type": "application/zip"})
