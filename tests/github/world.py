"""What there is on the GitHub of the tests: dictionaries in the shape of GitHub's answers, and ways to make them."""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from oversight.changes.diff import parse_diff
from oversight.changes.model import FileChange

JSON = dict[str, Any]
BOT = "github-actions[bot]"
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class World:
    """One repository. Time goes on by a second with whatever is made; numbers of things come from one counter."""

    def __init__(self, repository: str) -> None:
        self.repository = repository
        self.default_branch = "main"
        self.viewer = BOT
        # Whether the token may resolve threads, which takes contents: write of an Action's.
        self.resolves = True
        # An Installed of routes_app, where an App asks.
        self.app: object = None
        self.pulls: dict[int, JSON] = {}
        self.diffs: dict[int, bytes] = {}
        self.comments: dict[int, list[JSON]] = defaultdict(list)
        self.review_comments: dict[int, list[JSON]] = defaultdict(list)
        self.reviews: dict[int, list[JSON]] = defaultdict(list)
        self.threads: dict[int, list[JSON]] = defaultdict(list)
        self.events: dict[int, list[JSON]] = defaultdict(list)
        self.check_runs: list[JSON] = []
        # Whether a check run that is completed once more has been completed then, which GitHub does not promise.
        self.completes_anew = True
        # When GitHub made suites of checks for a commit.
        self.suites: dict[str, list[str]] = {}
        self.annotations: dict[int, list[JSON]] = defaultdict(list)
        self.labels: dict[str, JSON] = {}
        self.permissions: dict[str, str] = {}
        self.compares: dict[str, JSON] = {}
        self.compare_diffs: dict[str, bytes] = {}
        self.artifacts: list[JSON] = []
        self.archives: dict[int, bytes] = {}
        self.refs: dict[str, str] = {}
        self.blobs: dict[str, bytes] = {}
        self.trees: dict[str, dict[str, JSON]] = {}
        self.commits: dict[str, JSON] = {}
        self.made_by: dict[int, list[tuple[str, ...]]] = {}
        self._ids = itertools.count(1001)

    def id(self) -> int:
        return next(self._ids)

    def now(self) -> str:
        return (_EPOCH + timedelta(seconds=self.id())).strftime("%Y-%m-%dT%H:%M:%SZ")

    def user(self, login: str) -> JSON:
        number = int(hashlib.sha256(login.encode()).hexdigest()[:6], 16)
        kind = "Bot" if login.endswith("[bot]") else "User"
        return {"login": login, "id": number, "node_id": f"U_{number}", "type": kind, "site_admin": False}

    def association(self, login: str) -> str:
        return "COLLABORATOR" if self.permissions.get(login) in ("admin", "write") else "NONE"

    def pull(
        self,
        number: int,
        *,
        diff: bytes = b"",
        title: str = "A change",
        base_ref: str = "main",
        base_sha: str = "b" * 40,
        head_ref: str = "topic",
        head_sha: str = "a" * 40,
        head_repository: str | None = "",
        author: str = "ann",
        state: str = "open",
        draft: bool = False,
        labels: tuple[str, ...] = (),
    ) -> JSON:
        """Make a pull request; `head_repository` None: a fork that is gone, "": this repository."""
        head = self.repository if head_repository == "" else head_repository
        self.diffs[number] = diff
        self.made_by[number] = [(author,)]
        made = self.now()
        self.pulls[number] = {
            "id": self.id(),
            "node_id": f"PR_{number}",
            "number": number,
            "state": state,
            "draft": draft,
            "locked": False,
            "title": title,
            "body": None,
            "user": self.user(author),
            "author_association": self.association(author),
            "labels": [self.label(name) for name in labels],
            "html_url": f"https://github.test/{self.repository}/pull/{number}",
            "created_at": made,
            "updated_at": made,
            "merged_at": None,
            "closed_at": None if state == "open" else made,
            "merge_commit_sha": None,
            "base": {
                "ref": base_ref,
                "sha": base_sha,
                "label": f"octo:{base_ref}",
                "repo": self.about(self.repository),
            },
            "head": {
                "ref": head_ref,
                "sha": head_sha,
                "label": f"octo:{head_ref}",
                "repo": None if head is None else self.about(head),
            },
        }
        return self.pulls[number]

    def about(self, name: str) -> JSON:
        owner, _, short = name.partition("/")
        return {
            "id": 1 if name == self.repository else 2,
            "name": short,
            "full_name": name,
            "owner": self.user(owner),
            "fork": name != self.repository,
            "private": False,
            "default_branch": self.default_branch,
            "html_url": f"https://github.test/{name}",
        }

    def files(self, number: int) -> list[FileChange]:
        return list(parse_diff(self.diffs[number])) if self.diffs.get(number) else []

    def comment(self, number: int, body: str, *, login: str = "") -> JSON:
        """Make a comment below an issue or pull request, by the owner of the token where no `login` is given."""
        login = login or self.viewer
        made = self.now()
        identity = self.id()
        comment = {
            "id": identity,
            "node_id": f"IC_{identity}",
            "user": self.user(login),
            "author_association": self.association(login),
            "body": body,
            "created_at": made,
            "updated_at": made,
            "html_url": f"https://github.test/{self.repository}/pull/{number}#issuecomment-{identity}",
            "issue_url": f"https://api.github.test/repos/{self.repository}/issues/{number}",
        }
        self.comments[number].append(comment)
        return comment

    def review_comment(
        self, number: int, body: str, *, login: str = "", reply_to: int | None = None, **place: Any
    ) -> JSON:
        """Make a comment in the diff, and its thread where it replies to none. `place`: path, line, side, …"""
        login = login or self.viewer
        made = self.now()
        identity = self.id()
        comment = {
            "id": identity,
            "node_id": f"PRRC_{identity}",
            "user": self.user(login),
            "author_association": self.association(login),
            "body": body,
            "created_at": made,
            "updated_at": made,
            "commit_id": self.pulls[number]["head"]["sha"],
            "original_commit_id": self.pulls[number]["head"]["sha"],
            "pull_request_review_id": None,
            "diff_hunk": "@@ -1 +1 @@",
            "subject_type": "line",
            "side": "RIGHT",
            "html_url": f"https://github.test/{self.repository}/pull/{number}#discussion_r{identity}",
            "pull_request_url": f"https://api.github.test/repos/{self.repository}/pulls/{number}",
            **({"in_reply_to_id": reply_to} if reply_to is not None else {}),
            **place,
        }
        self.review_comments[number].append(comment)
        if reply_to is None:
            self.threads[number].append({"id": f"PRRT_{identity}", "resolved_by": None, "comments": [comment]})
        else:
            self.thread_of(number, reply_to)["comments"].append(comment)
        return comment

    def thread_of(self, number: int, comment: int) -> JSON:
        return next(t for t in self.threads[number] if any(c["id"] == comment for c in t["comments"]))

    def label(self, name: str, color: str = "ededed", description: str = "") -> JSON:
        if name not in self.labels:
            identity = self.id()
            self.labels[name] = {
                "id": identity,
                "node_id": f"LA_{identity}",
                "url": f"https://api.github.test/repos/{self.repository}/labels/{identity}",
                "name": name,
                "color": color,
                "description": description,
                "default": False,
            }
        return self.labels[name]

    def set_labels(self, number: int, names: list[str], *, login: str = "") -> list[JSON]:
        """Give a pull request the labels `names`, and record who added and removed which."""
        before = [label["name"] for label in self.pulls[number]["labels"]]
        for event, changed in (
            ("labeled", [name for name in names if name not in before]),
            ("unlabeled", [name for name in before if name not in names]),
        ):
            for name in changed:
                label = {"name": name, "color": self.label(name)["color"]}
                actor = self.user(login or self.viewer)
                self.events[number].append(
                    {"id": self.id(), "event": event, "actor": actor, "label": label, "created_at": self.now()}
                )
        self.pulls[number]["labels"] = [self.label(name) for name in dict.fromkeys(names)]
        return list(self.pulls[number]["labels"])

    def artifact(
        self, name: str, archive: bytes, *, expired: bool = False, branch: str = "main", fork: bool = False
    ) -> JSON:
        """Make an artifact, a zip file, of a workflow that ran on `branch` of this repository or of a fork."""
        run = {"id": self.id(), "repository_id": 1, "head_repository_id": 2 if fork else 1, "head_branch": branch}
        artifact = {
            "id": self.id(),
            "node_id": "A_1",
            "name": name,
            "size_in_bytes": len(archive),
            "expired": expired,
            "created_at": self.now(),
            "workflow_run": {**run, "head_sha": "a" * 40},
        }
        self.artifacts.append(artifact)
        self.archives[artifact["id"]] = archive
        return artifact

    def blob(self, content: bytes) -> str:
        sha = _hash("blob", content)
        self.blobs[sha] = content
        return sha

    def tree(self, entries: dict[str, JSON]) -> str:
        """Store a tree, path -> {mode, type, sha}; paths stay whole, as no test asks for the folders between."""
        lines = [f"{e['mode']} {path}\0{e['sha']}" for path, e in sorted(entries.items())]
        sha = _hash("tree", "\n".join(lines).encode())
        self.trees[sha] = entries
        return sha

    def commit(self, tree: str, parents: list[str], message: str) -> str:
        made = self.now()
        sha = _hash("commit", "\n".join([tree, *parents, message, made]).encode())
        who = {"name": "Ann", "email": "ann@example.com", "date": made}
        self.commits[sha] = {"tree": tree, "parents": parents, "message": message, "author": who, "committer": who}
        return sha

    def write(self, ref: str, files: dict[str, bytes], message: str = "Files") -> str:
        """Put a commit with `files` in addition on top of `ref`, such as heads/main; return its sha."""
        parent = self.refs.get(ref)
        entries = dict(self.trees[self.commits[parent]["tree"]]) if parent else {}
        for path, content in files.items():
            entries[path] = {"mode": "100644", "type": "blob", "sha": self.blob(content)}
        self.refs[ref] = self.commit(self.tree(entries), [parent] if parent else [], message)
        return self.refs[ref]

    def read(self, ref: str, path: str) -> bytes | None:
        """The file at `path` of `ref` (heads/main, main or a sha), None where there is none."""
        sha = self.sha_of(ref)
        entry = self.trees[self.commits[sha]["tree"]].get(path) if sha else None
        return None if entry is None else self.blobs[entry["sha"]]

    def sha_of(self, ref: str) -> str | None:
        if ref in self.commits:
            return ref
        return self.refs.get(ref.removeprefix("refs/")) or self.refs.get(f"heads/{ref}")

    def reaches(self, tip: str, ancestor: str) -> bool:
        known = self.commits.get(tip)
        return tip == ancestor or (known is not None and any(self.reaches(p, ancestor) for p in known["parents"]))


def encoded(content: bytes) -> str:
    """Base64 as GitHub wraps it."""
    return base64.encodebytes(content).decode()


def _hash(kind: str, content: bytes) -> str:
    return hashlib.sha1(b"%s %d\0" % (kind.encode(), len(content)) + content, usedforsecurity=False).hexdigest()
