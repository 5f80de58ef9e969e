"""The workflows that train, run as GitHub would run them: a model of one's own, and PGR in the weekly audit.

What a runner brings along stands in for itself: `python` makes environments, in which `pip` notes what it is asked for
and `oversight` is this checkout's, and `gh` notes what it is told. All else is real, the training too, with few labels
and one weak reviewer.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from oversight.students import runtime
from oversight_github.verdicts.places import RefPlace
from tests.builders import GitRepository
from tests.experiment.histories import learnable
from tests.github import world as clock
from tests.github.action.conftest import Workshop
from tests.github.action.runner import ROOT, run_workflow
from tests.github.action.test_act import action, documented

__all__ = ["action"]

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="act needs bash as on Linux")]

PYTHON = """\
#!/bin/sh
# Only `-m venv FOLDER` is asked of it.
mkdir -p "$3/bin"
printf '#!/bin/sh\\necho "$*" >> "{log}/pip"\\n' > "$3/bin/pip"
printf '#!/bin/sh\\necho "$*" >> "{log}/oversight"\\nexec "{oversight}" "$@"\\n' > "$3/bin/oversight"
chmod +x "$3/bin/pip" "$3/bin/oversight"
"""
GH = """\
#!/bin/sh
echo "$*" >> "{log}/gh"
"""
WITHOUT_TORCH = """\
#!/bin/sh
exec "{python}" -I -c '
import runpy, sys
sys.modules["torch"] = None
runpy.run_path(sys.argv[1], run_name="__main__")' "$2"
"""


class Tools:
    """What the machine has on its PATH, and what was asked of it."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._log = place / "log"
        self._log.mkdir(parents=True)
        named = {"log": self._log, "oversight": Path(sys.executable).with_name("oversight"), "python": sys.executable}
        texts = {"python": PYTHON, "python3": PYTHON, "gh": GH, "without-torch": WITHOUT_TORCH}
        for name, text in texts.items():
            (place / name).write_text(text.format(**named), encoding="utf-8")
            (place / name).chmod(0o755)

    def asked(self, name: str) -> list[str]:
        log = self._log / name
        return log.read_text(encoding="utf-8").splitlines() if log.exists() else []


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    """They come first on the PATH of the workflow."""
    found = Tools(tmp_path / "tools")
    monkeypatch.setenv("PATH", f"{found.place}{os.pathsep}{os.environ['PATH']}")
    return found


@pytest.fixture
def history(workshop: Workshop) -> GitRepository:
    """A checkout with a history to learn from, and somewhere to push to."""
    checkout = learnable(workshop.workspace)
    checkout.git("reset", "--quiet", "--hard")
    there = GitRepository.create(workshop.home / "remote")
    checkout.git("remote", "add", "origin", str(there.path))
    return checkout


def installed(extra: str) -> list[str]:
    """What pip has to be asked for, by what the project declares."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert extra in project["optional-dependencies"]
    return ["install torch --index-url https://download.pytorch.org/whl/cpu", f"install {project['name']}[{extra}]"]


def test_the_model_workflow(workshop: Workshop, action: Path, tools: Tools, history: GitRepository) -> None:
    """A model is trained, goes from job to job, and is proposed as a pull request with its card for a description."""
    options = "--weak lexical --method human-only --human 60 --jobs 1"
    payload = {"inputs": {"options": options}, "repository": workshop.repository()}
    ran = run_workflow(
        workshop, action, documented("own-model.yml"), "workflow_dispatch", payload,
        OMP_NUM_THREADS="1", OVERSIGHT_DATA_DIR=str(workshop.home / "data"),
    )  # fmt: skip
    assert ran.code == 0, ran.text
    assert tools.asked("pip") == installed("train")
    (trained,) = tools.asked("oversight")
    assert trained.endswith(f"--output model {options}")
    (branch,) = history.git("ls-remote", "--heads", "origin").splitlines()
    name = branch.split("refs/heads/")[1]
    assert name.startswith("oversight-model-")
    history.git("fetch", "-q", "origin", name)
    listed = history.git("diff", "--name-only", "FETCH_HEAD~", "FETCH_HEAD").splitlines()
    assert {Path(path).parent for path in listed} == {Path(".oversight/model")}
    assert tools.asked("gh") == [
        "auth setup-git",
        f"pr create --head {name} --title Retrain the oversight model --body-file .oversight/model/card.md",
    ]
    model = runtime.load(workshop.home / "act" / "artifacts" / "model")
    assert model.metrics["human_labels"]["risky"] > 0


def test_the_weekly_audit(
    workshop: Workshop, action: Path, tools: Tools, history: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It installs what can train, gathers the verdict that no event brought, and has PGR measured with it."""
    world = workshop.github.world
    payload = {"schedule": "23 5 * * 1", "repository": workshop.repository()}
    workshop.step("pull_request", workshop.pull_request())
    monkeypatch.setattr(clock, "_EPOCH", datetime.now(UTC))  # people answer to what was shown, by the machine's clock
    world.permissions["bob"] = "write"
    world.comment(7, "/oversight safe read it", login="bob")
    ran = run_workflow(
        workshop, action, documented("audit.yml"), "schedule", payload, OMP_NUM_THREADS="1",
        OVERSIGHT_PYTHON=str(tools.place / "without-torch"), OVERSIGHT_DATA_DIR=str(workshop.home / "data"),
    )  # fmt: skip
    assert ran.code == 0, ran.text
    assert tools.asked("pip") == installed("train")
    measured = tools.asked("oversight")
    assert measured
    assert all(re.match(r"pgr --repo \S+ --labels \S+ --human \d+ --json ", line) for line in measured)
    (verdict,) = RefPlace(workshop.github.client()).read().verdicts
    assert (verdict.who, verdict.note) == ("bob", "read it")
    assert "| PGR (auroc) | none | | none of the 1 labels that 1 verdicts amount to" in ran.summary
