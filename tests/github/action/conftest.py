"""A runner for tests of the Action: a repository on a server, a checkout of it, and steps that run in this process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from oversight_github.action.inputs import variable
from oversight_github.action.run import run
from tests.builders import GitRepository
from tests.github import routes_people  # noqa: F401  # registers itself
from tests.github.action.server import GitServer
from tests.github.double import TOKEN, Double

NAME = "octo/repo"
PLAIN = "def f(x):\n    return x\n"
UNSAFE = "def f(x):\n    return requests.get(x, verify=False)\n"
"""What a principle of high severity finds something in."""


@dataclass(frozen=True)
class Outcome:
    """How a step ended, and what it left behind."""

    code: int
    log: str
    summary: str
    outputs: Mapping[str, str]

    @property
    def report(self) -> dict[str, Any]:
        """The JSON report."""
        value: dict[str, Any] = json.loads(Path(self.outputs["report"]).read_text(encoding="utf-8"))
        return value

    def annotations(self, level: str) -> list[str]:
        """What was annotated at a level, without what stands before the text."""
        lines = [line for line in self.log.splitlines() if line.startswith(f"::{level} ")]
        return [line.split("::", 2)[2] for line in lines]


@dataclass
class Workshop:
    """A repository octo/repo on a server of git and one of the API, and a runner with a checkout of it.

    The branch `topic` adds one commit to `main`; `workspace` is a checkout of its merge, one commit deep.
    """

    origin: GitRepository
    server: GitServer
    github: Double
    home: Path
    capture: pytest.CaptureFixture[str]
    model: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def workspace(self) -> Path:
        return self.home / "workspace"

    @property
    def base(self) -> str:
        return self.origin.git("rev-parse", "main")

    @property
    def head(self) -> str:
        return self.origin.git("rev-parse", "topic")

    def checkout(self, revision: str = "topic", *options: str) -> None:
        """Make the checkout as the checkout action does: by default, one commit deep."""
        self.origin.clone(self.workspace, "--no-checkout", *(options or ("--depth=1",)), "--branch", revision)
        GitRepository(self.workspace).git("checkout", "-q", "--detach", "HEAD")

    def pull_request(self, **changes: Any) -> dict[str, Any]:
        """A payload of `pull_request` for the branch `topic`, as GitHub knows it too."""
        diff = self.origin.git("diff", "main...topic").encode() + b"\n"
        options = {"base_sha": self.base, "head_sha": self.head, "diff": diff} | changes
        pull = self.github.world.pull(7, **options)
        return {"action": "opened", "pull_request": pull, "repository": self.repository()}

    def repository(self, size: int = 1) -> dict[str, Any]:
        return {**self.github.world.about(NAME), "size": size}

    def step(self, event: str, payload: Mapping[str, Any], *, sha: str | None = None, **inputs: str) -> Outcome:
        """Run the step in this process, with inputs by their names with `_` for `-`."""
        for name in ("temp", "workspace", "runner"):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        files = {name: self.home / "runner" / name for name in ("event.json", "output", "summary")}
        for file in files.values():
            file.unlink(missing_ok=True)
        files["event.json"].write_text(json.dumps(payload), encoding="utf-8")
        environment = {
            "GITHUB_REPOSITORY": NAME, "GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": str(files["event.json"]),
            "GITHUB_WORKSPACE": str(self.workspace), "GITHUB_SHA": sha or self.head,
            "GITHUB_API_URL": self.github.url, "GITHUB_SERVER_URL": self.server.url,
            "GITHUB_OUTPUT": str(files["output"]), "GITHUB_STEP_SUMMARY": str(files["summary"]),
            "RUNNER_TEMP": str(self.home / "temp"),
        }  # fmt: skip
        given = {"token": TOKEN} | {name.replace("_", "-"): value for name, value in inputs.items()}
        environment |= {variable(name): value for name, value in given.items()}
        self.capture.readouterr()
        code = run(environment | self.environment)
        log = self.capture.readouterr().out
        summary = files["summary"].read_text(encoding="utf-8") if files["summary"].exists() else ""
        return Outcome(code, log, summary, outputs_of(files["output"]))


def outputs_of(file: Path) -> dict[str, str]:
    """Read what a step has set, as the runner does."""
    found, lines = {}, iter(file.read_text(encoding="utf-8").splitlines() if file.exists() else ())
    for line in lines:
        name, _, mark = line.partition("<<")
        value = []
        while (more := next(lines)) != mark:
            value.append(more)
        found[name] = "\n".join(value)
    return found


@pytest.fixture
def workshop(
    tmp_path: Path,
    github: Double,
    capsys: pytest.CaptureFixture[str],
    model: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Workshop]:
    """A runner, whose checkout is still to be made."""
    monkeypatch.setenv("OVERSIGHT_MODEL", str(model))
    origin = GitRepository.create(tmp_path / "server" / NAME)
    origin.commit("Start", {"a.py": PLAIN, "notes.txt": "one\n"})
    origin.commit("Notes", {"notes.txt": "one\ntwo\n"})
    origin.branch("topic")
    origin.commit("Fetch without looking", {"a.py": UNSAFE})
    origin.switch("main")
    origin.commit("On main", {"notes.txt": "one\ntwo\nthree\n"})
    with GitServer(tmp_path / "server", TOKEN) as server:
        yield Workshop(origin, server, github, tmp_path / "runner", capsys, model)


Configure = Callable[[Mapping[str, str]], None]
