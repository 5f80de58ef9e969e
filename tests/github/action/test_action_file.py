"""`action.yml`, the workflows, the lock and the page: they agree with each other, and with what GitHub allows."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import tomllib
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement

from oversight_github.action import inputs, outputs
from oversight_github.action.install import LOCK
from oversight_github.action.reference import page
from tests.builders import GitRepository, clean_environment
from tests.needed import needed

ROOT = Path(__file__).parents[3]
WORKFLOWS = sorted([*(ROOT / "docs" / "workflows").glob("*.yml"), *(ROOT / ".github" / "workflows").glob("*.yml")])
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
SCRIPTS = sorted((ROOT / "integrations" / "oversight_github" / "action").glob("*.sh"))

SYSTEMS = (("linux", "Linux", "x86_64"), ("linux", "Linux", "aarch64"), ("darwin", "Darwin", "arm64"),
           ("win32", "Windows", "AMD64"))  # fmt: skip
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def checked(tool: str, *arguments: str | Path) -> None:
    program = Path(sys.executable).with_name(tool)
    needed(program.exists() or program.with_suffix(".exe").exists(), tool, mend="make test installs it")
    done = subprocess.run([str(program), *map(str, arguments)], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_github_takes_the_action_and_the_workflows() -> None:
    """By the schemas of both."""
    checked("check-jsonschema", "--builtin-schema", "vendor.github-actions", ROOT / "action.yml")
    checked("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)


def test_the_workflows_make_sense() -> None:
    """Expressions, contexts, events and shells, as actionlint reads them."""
    checked("actionlint", *WORKFLOWS)


def test_the_action_and_the_workflows_are_safe() -> None:
    """No injection, no unpinned action, no permission too many, as far as zizmor sees."""
    checked("zizmor", "--offline", "--no-progress", ROOT / "action.yml", *WORKFLOWS)


def test_every_input_and_output_is_declared_and_used() -> None:
    """What the code reads and sets is what the action says, in the same order, each with a description."""
    assert tuple(ACTION["inputs"]) == inputs.NAMES
    assert tuple(ACTION["outputs"]) == outputs.NAMES == tuple(outputs.of_failure())
    assert all(about["description"] for about in [*ACTION["inputs"].values(), *ACTION["outputs"].values()])
    code = inspect.getsource(inputs.read)
    assert all(code.count(f'"{name}"') for name in inputs.NAMES)
    (step,) = ACTION["runs"]["steps"]
    assert step["env"] == {inputs.variable(name): f"${{{{ inputs.{name} }}}}" for name in inputs.NAMES}
    for name, about in ACTION["outputs"].items():
        assert about["value"] == f"${{{{ steps.{step['id']}.outputs.{name} }}}}"


def test_what_is_left_out_means_its_default() -> None:
    """The defaults of the file are those of the code."""
    given = {inputs.variable(name): str(about.get("default", "")) for name, about in ACTION["inputs"].items()}
    given[inputs.variable("token")] = ""
    assert inputs.read(given) == inputs.read({})


def test_the_action_runs_nothing_but_its_own_script() -> None:
    """No action of others, and no expression in a script: inputs are data."""
    steps = ACTION["runs"]["steps"]
    assert ACTION["runs"]["using"] == "composite"
    assert [set(step) & {"uses"} for step in steps] == [set()]
    assert all("${{" not in step["run"] and step["shell"] == "bash" for step in steps)
    assert all("github.event" not in path.read_text(encoding="utf-8") for path in [ROOT / "action.yml", *SCRIPTS])


def steps_of(path: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_grant_what_they_need_and_pin_what_they_use(path: Path) -> None:
    """Nothing by default, each permission with its job; full shas; no expression of an event in a script."""
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {}
    assert all(job["permissions"] and job["timeout-minutes"] for job in workflow["jobs"].values())
    for step in steps_of(path):
        assert re.fullmatch(r"\./|\S+@[0-9a-f]{40}", step.get("uses", "./"))
        assert "github.event" not in step.get("run", "")
    if "pull_request_target" in workflow.get(True, {}):  # YAML reads `on` as a truth
        assert not [step for step in steps_of(path) if "checkout" in step.get("uses", "") or "run" in step]


def test_the_page_is_what_the_files_say() -> None:
    """Inputs, outputs and workflows on it are copied from where they are, and none is left out."""
    text = (ROOT / "docs" / "ACTION.md").read_text(encoding="utf-8")
    assert text == page()
    for path in (ROOT / "docs" / "workflows").glob("*.yml"):
        assert f"<!-- workflow {path.name} -->" in text
    for name in (*inputs.NAMES, *outputs.NAMES):
        assert f"| `{name}` |" in text


PLACEHOLDER = "OWNER/oversight@0000000000000000000000000000000000000000"


def test_one_placeholder_stands_for_the_action_and_the_page_says_so() -> None:
    """In every workflow to copy, on the page and in the README: it is seen at once that something is to be put in."""
    page_text = (ROOT / "docs" / "ACTION.md").read_text(encoding="utf-8")
    texts = [page_text, (ROOT / "README.md").read_text(encoding="utf-8")]
    texts += [path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "workflows").glob("*.yml")]
    for text in texts:
        used = re.findall(r"uses: (\S*/oversight@\S+)", text)
        assert set(used) <= {PLACEHOLDER}
    assert f"Put a real address in the place of `{PLACEHOLDER}`" in " ".join(page_text.split())


@pytest.mark.parametrize("annotated", [True, False])
def test_the_command_on_the_page_finds_the_commit_of_the_newest_release(tmp_path: Path, annotated: bool) -> None:
    """The commit, not the object of an annotated tag, which GitHub takes for no action; 1.10 is newer than 1.9."""
    text = (ROOT / "docs" / "ACTION.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^ *\$ (git ls-remote .*)$", text, re.MULTILINE)
    repository = GitRepository.create(tmp_path / "oversight")
    for tag in ("v1.9.0", "v1.10.0", "other"):
        newest = repository.commit(tag, {"a": tag})
        repository.git("tag", *(("-a", "-m", tag) if annotated else ()), tag)
    released = repository.git("rev-parse", "v1.10.0^{commit}")
    assert released != newest
    local = command.replace("https://github.com/OWNER/oversight", (tmp_path / "oversight").as_uri())
    assert local != command
    done = subprocess.run(
        ["bash", "-c", local], env=clean_environment({}), capture_output=True, text=True, check=True, cwd=tmp_path
    )
    sha, tag = done.stdout.split()
    assert (sha, tag.removesuffix("^{}")) == (released, "refs/tags/v1.10.0")


def workflow_of(name: str) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load((ROOT / "docs" / "workflows" / name).read_text(encoding="utf-8"))
    return found


def test_no_gate_restores_what_a_pull_request_may_have_written() -> None:
    """Caches of a pull request's own runs come first, and a past that somebody made up lowers a percentile."""
    gates = [path for path in WORKFLOWS if any("fail-on" in step.get("with", {}) for step in steps_of(path))]
    assert [path.name for path in gates] == ["gating.yml"]
    for path in [*gates, ROOT / "docs" / "workflows" / "fork-safe.yml"]:
        assert not [step for step in steps_of(path) if "cache" in step.get("uses", "")]


def test_no_run_for_a_comment_takes_the_place_of_one_for_another() -> None:
    """Of a group GitHub lets one run wait: so a group is one comment, whose later edit is all there is to read."""
    concurrency = workflow_of("audit.yml")["concurrency"]
    assert concurrency["group"] == "oversight-verdicts-${{ github.event.comment.id || 'weekly' }}"
    assert concurrency["cancel-in-progress"] is False


def test_what_the_tests_need_from_others_is_watched() -> None:
    """Each manifest of a package manager has an entry at dependabot."""
    watched = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8"))["updates"]
    found = {(one["package-ecosystem"], one["directory"]) for one in watched}
    assert found == {("github-actions", "/"), ("pip", "/"), ("npm", "/tests/github"), ("docker", "/deploy")}
    assert (ROOT / "tests" / "github" / "package.json").is_file()


def locked() -> list[Requirement]:
    lines = LOCK.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    return [Requirement(line.split(" --hash=")[0].strip()) for line in lines if line.strip()]


def test_the_lock_names_no_place_and_has_a_hash_for_everything() -> None:
    """Where packages come from is for the machine to say; what they are is not."""
    text = LOCK.read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
    for line in filter(str.strip, text.replace("\\\n", " ").splitlines()):
        assert re.fullmatch(r"[\w.-]+==[\w.!+]+(?: ; [^\\#]+?)?(?:\s+--hash=sha256:[0-9a-f]{64})+", line.strip()), line
    assert all(requirement.specifier for requirement in locked())


@pytest.mark.parametrize(("python", "system"), list(product(PYTHONS, SYSTEMS)), ids=str)
def test_the_lock_covers_what_the_action_needs(python: str, system: tuple[str, str, str]) -> None:
    """Each package of the core and of the extra `github`, on each system and Python, once, as new as is asked for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    where = {
        "sys_platform": system[0], "platform_system": system[1], "platform_machine": system[2],
        "os_name": "nt" if system[0] == "win32" else "posix", "python_version": python,
        "python_full_version": f"{python}.0", "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }  # fmt: skip
    pinned: dict[str, str] = {}
    for one in locked():
        if one.marker is None or Marker(str(one.marker)).evaluate(where):
            assert one.name not in pinned
            pinned[one.name] = next(iter(one.specifier)).version
    for text in (*project["dependencies"], *project["optional-dependencies"]["github"]):
        needed_here = Requirement(text)
        if needed_here.marker is None or needed_here.marker.evaluate(where):
            assert needed_here.specifier.contains(pinned[needed_here.name])
