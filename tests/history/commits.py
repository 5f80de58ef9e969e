"""Commits and whole repositories for the tests of `oversight.history`."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from pathlib import Path

from oversight.changes.model import FileStatus
from oversight.history.model import Commit, Touch
from tests.builders import EPOCH, HOUR, GitRepository

PEOPLE = ("Ada <ada@example.org>", "Bob <bob@example.org>", "Eve <Eve@Example.org>", " <>")


def modified(path: str, added: int | None = 1, deleted: int | None = 0) -> Touch:
    return Touch(path, path, FileStatus.MODIFIED, added, deleted)


def created(path: str, added: int = 10) -> Touch:
    return Touch(path, None, FileStatus.ADDED, added, 0)


def renamed(old: str, new: str) -> Touch:
    return Touch(new, old, FileStatus.RENAMED, 0, 0)


def sha_of(number: int) -> str:
    return hashlib.sha1(str(number).encode(), usedforsecurity=False).hexdigest()


class Script:
    """Commits one hour apart, each with a sha of its own, oldest first."""

    def __init__(self) -> None:
        self.commits: list[Commit] = []

    def add(
        self,
        message: str = "Change something",
        touches: Sequence[Touch] = (),
        *,
        author: str = "ada@example.org",
        at: int | None = None,
        sha: str | None = None,
        parents: Sequence[str] | None = None,
    ) -> str:
        """Add a commit; its sha. Without touches it changes `src/main.py`."""
        number = len(self.commits)
        before = (self.commits[-1].sha,) if self.commits else ("f" * 40,)
        when = EPOCH + HOUR * number if at is None else at
        commit = Commit(
            sha or sha_of(number),
            before if parents is None else tuple(parents),
            author.partition("@")[0],
            author,
            when,
            when,
            message,
            tuple(touches) or (modified("src/main.py", number + 1, 1),),
        )
        self.commits.append(commit)
        return commit.sha


def synthetic(path: Path, seed: int, commits: int = 45) -> GitRepository:
    """A repository of merges, renames, repairs and reverts, with clocks that go wrong; the same for a seed.

    Written by `git fast-import`, since a process for each commit would take most of the tests' time.
    """
    history = _Random(seed)
    for _ in range(commits):
        history.step()
    repository = GitRepository.create(path)
    repository.git("fast-import", "--quiet", "--force", stdin=history.stream())
    return repository


class _Random:
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  the same history on every run is the point
        self._lines: list[bytes] = []
        self._trees: dict[int, dict[str, str]] = {}
        self._branches: list[int] = []
        self._subjects: list[str] = []

    def stream(self) -> bytes:
        tip = self._merge(self._branches)
        return b"".join([*self._lines, b"reset refs/heads/main\nfrom :%d\n\n" % tip])

    def step(self) -> None:
        chance = self._random.random()
        if not self._branches:
            self._commit([], "Begin", self._edit({}))
        elif chance < 0.1 and len(self._branches) > 1:
            merged = self._merge(self._branches)
            self._branches = [merged]
        else:
            parent = self._random.choice(self._branches)
            if chance > 0.2:
                self._branches.remove(parent)
            self._commit([parent], self._message(), self._edit(self._trees[parent]))

    def _merge(self, parents: list[int]) -> int:
        if len(parents) == 1:
            return parents[0]
        tree = {path: text for parent in parents for path, text in self._trees[parent].items()}
        return self._commit(parents, "Merge", tree)

    def _message(self) -> str:
        choice = self._random.randrange(5)
        earlier = self._random.choice(self._subjects)
        return {
            0: f'Revert "{earlier}"\n\nIt broke.\n',
            1: f'Fix a crash\n\nFixes: 0123456789ab ("{earlier}")\n',
            2: f"Fix {len(self._trees)}",
        }.get(choice, f"Change number {len(self._trees)} for #{choice}")

    def _edit(self, before: dict[str, str]) -> dict[str, str]:
        tree = dict(before)
        for _ in range(self._random.choice((0, 1, 1, 2, 3, 25))):
            paths = sorted(tree)
            action = self._random.random()
            new = f"{self._random.choice(('src/a', 'src/b', 'lib', 'doc'))}/f{self._random.randrange(8)}.py"
            if action < 0.3 or not paths:
                tree[new] = self._text()
            elif action < 0.5:
                tree[new] = tree.pop(self._random.choice(paths))
            elif action < 0.6:
                del tree[self._random.choice(paths)]
            elif action < 0.65 and len(paths) > 1:
                one, other = self._random.sample(paths, 2)
                tree[one], tree[other] = tree[other], tree[one]
            else:
                tree[self._random.choice(paths)] += self._text(3)
        return tree

    def _text(self, lines: int = 12) -> str:
        return "".join(f"line {self._random.random()}\n" for _ in range(lines))

    def _commit(self, parents: list[int], message: str, tree: dict[str, str]) -> int:
        mark = len(self._trees) + 1
        self._trees[mark] = tree
        self._subjects.append(message.partition("\n")[0])
        at = EPOCH + HOUR * mark + self._random.choice((0, 0, 0, -40 * HOUR, 40 * HOUR))
        who = self._random.choice(PEOPLE)
        lines = [f"commit refs/heads/work\nmark :{mark}\nauthor {who} {at} +0000\ncommitter {who} {at} +0000\n"]
        lines.append(f"data {len(message.encode())}\n{message}\n")
        lines += [f"{'merge' if place else 'from'} :{parent}\n" for place, parent in enumerate(parents)]
        lines.append("deleteall\n")
        for path, text in tree.items():
            lines.append(f"M 100644 inline {path}\ndata {len(text.encode())}\n{text}\n")
        if not parents:
            lines.insert(0, "reset refs/heads/work\n\n")
        self._lines.append("".join(lines).encode())
        if message != "Merge":
            self._branches.append(mark)
        return mark
