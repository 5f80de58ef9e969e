"""A GitHub with an App on it and a repository behind it: its API, its git over HTTP, and what reviews from there."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oversight_github.events import Pull
from oversight_server.children.pool import Bounds, Pool, environment
from oversight_server.clones import Clones
from oversight_server.github_app import GitHubApp
from oversight_server.reviewing import Reviews
from tests.builders import GitRepository
from tests.github.action.server import GitServer
from tests.github.double import Double
from tests.github.routes_app import Installed
from tests.server.app_double import app_of, installed

NAME = "octo/repo"
INSTALLATION = 77
PLAIN = "def f(x):\n    return x\n"
UNSAFE = "def f(x):\n    return requests.get(x, verify=False)\n"
"""What a principle of high severity finds something in."""


class AppServer(GitServer):
    """Serves git to those who bring a token of the App that has not ended; `admitted` lists them."""

    def __init__(self, root: Path, installed: Installed) -> None:
        super().__init__(root, "of the App")
        self.installed = installed
        self.admitted: list[str] = []
        self.refused = 0

    def admits(self, header: str) -> bool:
        token = base64.b64decode(header.removeprefix("Basic ")).decode().removeprefix("x-access-token:")
        good = self.installed.good(token)
        self.admitted += [token] * good
        self.refused += not good
        return good


@dataclass
class Forge:
    """The branch `topic` adds one commit to `main`. `pool` computes reviews; `reviews` belong to `home`."""

    origin: GitRepository
    server: AppServer
    github: Double
    installed: Installed
    app: GitHubApp
    home: Path
    pool: Pool

    def reviews(self, *, most_bytes: int = 1 << 40, pool: Pool | None = None, **options: Any) -> Reviews:
        return Reviews(pool or self.pool, self.clones(most_bytes=most_bytes), self.app, **options)

    def clones(self, *, most_bytes: int = 1 << 40) -> Clones:
        return Clones(self.home / "clones", server_url=self.server.url, most_bytes=most_bytes)

    def pull(self, head: str | None = None, *, kilobytes: int | None = 1) -> Pull:
        """A pull request of `topic`, which GitHub knows too."""
        base, head = self.origin.git("rev-parse", "main"), head or self.origin.git("rev-parse", "topic")
        diff = self.origin.git("diff", f"main...{head}").encode() + b"\n"
        self.github.world.pull(7, base_sha=base, head_sha=head, diff=diff)
        return Pull(
            number=7, state="open", base_ref="main", base_sha=base, head_ref="topic", head_sha=head,
            head_repository=NAME, fork=False, draft=False, title="A change", author="ann", labels=(),
            kilobytes=kilobytes,
        )  # fmt: skip

    def compared(self) -> None:
        """Let the API know the difference as well."""
        base, head = self.origin.git("rev-parse", "main"), self.origin.git("rev-parse", "topic")
        start = self.origin.git("merge-base", "main", "topic")
        self.github.world.trees[base] = {}
        self.github.world.compares[f"{base}...{head}"] = {
            "base_commit": {"sha": base}, "merge_base_commit": {"sha": start}, "status": "ahead",
            "commits": [{"sha": head, "commit": {"message": "Fetch without looking"}}], "files": [],
        }  # fmt: skip
        self.github.world.compare_diffs[f"{base}...{head}"] = (
            self.origin.git("diff", f"{start}..{head}").encode() + b"\n"
        )


@contextmanager
def forged(tmp_path: Path, github: Double, pool: Pool) -> Iterator[Forge]:
    """Give a forge for as long as the block lasts."""
    origin = GitRepository.create(tmp_path / "server" / NAME)
    origin.git("config", "uploadpack.allowAnySHA1InWant", "true")
    origin.commit("Start", {"a.py": PLAIN, "notes.txt": "one\n"})
    origin.commit("Notes", {"notes.txt": "one\ntwo\n"})
    origin.branch("topic")
    origin.commit("Fetch without looking", {"a.py": UNSAFE})
    origin.switch("main")
    origin.commit("On main", {"notes.txt": "one\ntwo\nthree\n"})
    there = installed(github)
    with AppServer(tmp_path / "server", there) as server:
        yield Forge(origin, server, github, there, app_of(github, there), tmp_path / "home", pool)


def pool_of(model: Path, **bounds: Any) -> Pool:
    """Children with the small model."""
    first = {"do": "start", "model": str(model), "megabytes": bounds.pop("megabytes", 2048)}
    return Pool(first, Bounds(**{"children": 2, "seconds": 120.0} | bounds), environment(os.environ))
