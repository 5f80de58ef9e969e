"""A repository with changes of every kind, reports on them, and a queue in which they wait."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from oversight.audit.budget.spending import parse
from oversight.audit.store import Store
from oversight.audit.store.queue import Scope, fill
from oversight.changes.repository import Repository
from oversight.reports import as_json
from tests.builders import GitRepository
from tests.reports.examples import flagged_by_principle

NAME = "octo/repo"
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
REPORT = json.loads(as_json.render(flagged_by_principle()))
HOSTILE = "</h1><script>hit()</script> \u202egnp.exe {{ 7 * 7 }} \"'&"
CODE = "def f(user):\n    if not user.allowed:\n        raise PermissionError('no')\n    return render(user)\n"
TOLD = "a door was left open"
"""What the principle's finding on the first change says."""


@dataclass(frozen=True)
class Scene:
    """`commits` are by what they do, the riskiest first."""

    repository: GitRepository
    commits: dict[str, str]

    def path(self, what: str, rest: str = "") -> str:
        """The path of a change's page."""
        return f"/changes/{NAME}/{self.commits[what]}{rest}"


def made(folder: Path) -> Scene:
    """Make the repository."""
    git = GitRepository.create(folder / "project")
    git.commit("Start", {"app.py": CODE, "notes.md": "Notes\n", "logo.png": b"\x89PNG\0\0", "run.sh": "echo hi\n"})
    git.commit("Fix the view", {"app.py": CODE + "\n\nX = 1\n"}, author="Bo Chen <bo@example.org>")
    commits = {}
    dropped = "def f(user):\n    return render(user, verify=False)\n\n\nX = 1\n"
    commits["check"] = git.commit("Drop a check\n\nIt was slow.", {"app.py": dropped})
    odd = f"a = '\x1b[31m{HOSTILE}'\r\nb = '\u200b'\n\tp\u0430ss = 1\n" + "x" * 9_000
    commits["hostile"] = git.commit(
        HOSTILE, {"<img src=x onerror=hit()>.py": odd}, author='Eve "<b>" <eve@example.org>'
    )
    (git.path / "logo.png").write_bytes(b"\x89PNG\0\1")
    git.git("mv", "run.sh", "start.sh")
    (git.path / "start.sh").chmod(0o755)
    git.git("add", "-A")
    commits["moved"] = git.commit("Move a script, and draw the logo anew")
    table = "".join(f"value_{number} = {number}\n" for number in range(3_200))
    commits["large"] = git.commit("Add a table", {"table.py": table})
    commits["notes"] = git.commit("Describe it", {"notes.md": "Notes, and more\n"}, author="Bo Chen <bo@example.org>")
    return Scene(git, commits)


def told(scene: Scene, url: str) -> None:
    """Put reports on all changes on record, and all of them into the queue, the last one drawn."""
    with Repository.open(scene.repository.path) as repository, Store.open(url) as store:
        for place, (what, commit) in enumerate(scene.commits.items()):
            report = _report(repository, commit, 0.5 - place / 10, finding=what == "check")
            store.add_report(report, source="import", repository=NAME, number=7 + place, at=NOW)
        fill(store.engine, parse("100%", 0.2), Scope(), now=NOW, seed="a")


def _report(repository: Repository, commit: str, risk: float, *, finding: bool) -> dict[str, Any]:
    change = repository.change(repository.span(commit))
    hunks = [
        {"path": file.path, "start": hunk.span[0], "end": hunk.span[1], "risk": risk / (place + 1), "weight": None,
         "reasons": ["adds a call of `render`"]}
        for file in change.files
        for place, hunk in enumerate(file.hunks)
    ]  # fmt: skip
    about = {"id": commit, "head": commit, "base": change.base, "title": change.title, "author": change.author,
             "provenance": {"kind": "agent" if finding else "human", "name": None},
             "added": change.added, "deleted": change.deleted}  # fmt: skip
    said = {"principle": "no-open-door", "severity": "high", "path": "app.py", "line": 2, "message": TOLD}
    return {
        **REPORT,
        "id": commit,
        "change": {**REPORT["change"], **about},
        "risk": risk,
        "percentile": 90.0,
        "flagged": finding,
        "flagged_by": ["principle"] if finding else [],
        "hunks": hunks,
        "findings": [said] if finding else [],
    }
