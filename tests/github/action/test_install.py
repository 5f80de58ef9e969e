"""From the step's script to the job: which Python runs, with which packages, and that no workspace has a say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import pytest

from oversight_github.action import install
from tests.github.action.conftest import NAME, Workshop, outputs_of
from tests.github.action.runner import ROOT
from tests.needed import needed

pytestmark = pytest.mark.skipif(os.name == "nt", reason="scripts of POSIX stand in for Python here")
START = ROOT / "integrations" / "oversight_github" / "action" / "start.sh"
EVIL = "import pathlib; pathlib.Path({place!r}).touch()\n"


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    """What the runner gives to a step."""
    for name in ("temp", "tools", "bin"):
        (tmp_path / name).mkdir()
    return {
        "RUNNER_TEMP": str(tmp_path / "temp"),
        "RUNNER_TOOL_CACHE": str(tmp_path / "tools"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }


def started(places: Mapping[str, str], cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR", "PIP_CERT")}
    return subprocess.run(
        ["bash", str(START)], cwd=cwd, env={**kept, **places, **variables}, capture_output=True, text=True, check=False
    )


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_nothing_of_the_workspace_is_imported_or_obeyed(workshop: Workshop, tmp_path: Path) -> None:
    """Modules with the names of ours, of the standard library's and of packages', and files that choose a Python."""
    evil = tmp_path / "evil"
    names = ["oversight", "oversight_github", "sitecustomize", "usercustomize", "json", "httpx", "numpy", "git", "pip"]
    hostile = {f"{name}.py": EVIL.format(place=str(evil)) for name in names}
    hostile |= {f"{name}/__init__.py": EVIL.format(place=str(evil)) for name in ("oversight_models", "venv", "src")}
    hostile |= {
        ".python-version": "2.7.18\n",
        ".tool-versions": "python 2.7.18\n",
        "pip.conf": "[global]\nindex-url = http://127.0.0.1:9/evil\n",
        "pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = 'oversight'\nbackend-path = ['.']\n",
        "setup.cfg": "[install]\nuser = 1\n", "python3": "#!/bin/sh\ntouch " + str(evil) + "\n",
        "git": "#!/bin/sh\ntouch " + str(evil) + "\n", "evil.pth": "import oversight\n",
    }  # fmt: skip
    workshop.origin.switch("topic")
    workshop.origin.commit("Hostile", hostile)
    workshop.checkout()
    for name in ("python3", "git"):
        (workshop.workspace / name).chmod(0o755)
    # An environment that is there already, which the installation finds.
    place = workshop.home / "tools" / "oversight" / _key_of_path_python()
    script(place / "bin" / "python", f'exec "{sys.executable}" "$@"')
    (place / "complete").touch()
    done = started(job_of(workshop, tmp_path), workshop.workspace)
    assert done.returncode == 0, done.stdout + done.stderr
    assert outputs_of(tmp_path / "output")["status"] == "scored"
    assert not evil.exists()
    assert not list(workshop.workspace.rglob("__pycache__"))


def job_of(workshop: Workshop, tmp_path: Path) -> dict[str, str]:
    """The variables of a job that reviews the pull request of the workshop."""
    (workshop.home / "temp").mkdir(parents=True)
    event = tmp_path / "event.json"
    event.write_text(json.dumps(workshop.pull_request()), encoding="utf-8")
    return {
        "RUNNER_TEMP": str(workshop.home / "temp"), "RUNNER_TOOL_CACHE": str(workshop.home / "tools"),
        "GITHUB_OUTPUT": str(tmp_path / "output"), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "GITHUB_REPOSITORY": NAME, "GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(event),
        "GITHUB_WORKSPACE": str(workshop.workspace), "GITHUB_API_URL": workshop.github.url,
        "GITHUB_SERVER_URL": workshop.server.url, "INPUT_TOKEN": workshop.server.token or "",
        "OVERSIGHT_CACHE_DIR": str(tmp_path / "cache"), "OVERSIGHT_MODEL": str(workshop.model),
    }  # fmt: skip


def _key_of_path_python() -> str:
    """The name that install.py gives to the environment of the Python that start.sh finds."""
    program = f"import sys; sys.path.insert(0, {str(START.parent)!r}); import install; print(install.key())"
    command = [shutil.which("python3") or "python3", "-I", "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd="/").stdout.strip()


def test_a_python_that_has_everything_may_be_named(places: dict[str, str], tmp_path: Path) -> None:
    """Nothing is looked for and nothing installed then."""
    told = script(tmp_path / "bin" / "mine", 'echo "$@"; pwd')
    done = started(places, tmp_path, OVERSIGHT_PYTHON=str(told), PATH="/usr/bin:/bin")
    arguments, folder = done.stdout.splitlines()
    assert arguments == f"-I {START.parent / '__main__.py'}"
    assert folder == places["RUNNER_TEMP"]
    assert not list(Path(places["RUNNER_TOOL_CACHE"]).iterdir())


def tools(places: dict[str, str], *names: str) -> str:
    """A PATH with these programs and no other."""
    folder = Path(places["RUNNER_TEMP"]).parent / "bin"
    for name in names:
        (folder / name).symlink_to(shutil.which(name) or name)
    return str(folder)


def test_a_runner_without_python_is_told(places: dict[str, str], tmp_path: Path) -> None:
    """With what to do, exit code 2, and outputs that no later step takes for a pass."""
    path = tools(places, "bash", "dirname")
    script(tmp_path / "bin" / "python3", "exit 1")  # one that is too old, or the Store's that is none
    done = started(places, tmp_path, PATH=path)
    assert done.returncode == 2
    assert done.stdout.startswith("::error title=oversight::There is no CPython")
    assert Path(places["GITHUB_OUTPUT"]).read_text() == "status=error\nflagged=true\n"


def test_a_python_of_the_tool_cache_will_do(places: dict[str, str], tmp_path: Path) -> None:
    """Hosted runners have newer ones there than on PATH."""
    path = tools(places, "bash", "dirname")
    script(tmp_path / "bin" / "python3", "exit 1")
    place = Path(places["RUNNER_TOOL_CACHE"], "Python", "3.12.99", "x64", "bin", "python3")
    script(place, 'if [ "$2" = -c ]; then exit 0; fi; echo "$@"')
    done = started(places, tmp_path, PATH=path)
    assert done.stdout == f"-I {START.parent / 'install.py'}\n"


def test_packages_that_cannot_be_had_are_told(places: dict[str, str], tmp_path: Path) -> None:
    """Nothing half-made is left, and what pip says is not taken for commands."""
    done = started(
        places, tmp_path, PIP_NO_INDEX="1", PIP_TARGET=str(tmp_path / "elsewhere"), PIP_CONFIG_FILE=os.devnull
    )
    assert done.returncode == 2
    *said, last = done.stdout.splitlines()
    assert last.startswith("::error title=oversight::oversight could not start: its packages cannot be installed")
    assert all(line.startswith("    | ") for line in said)
    assert not list(Path(places["RUNNER_TOOL_CACHE"], "oversight").iterdir())
    assert not (tmp_path / "elsewhere").exists()


def test_without_a_pip_that_works_on_others_one_is_unpacked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As where a system's Python has none, or an old one."""
    commands: list[list[str]] = []
    found = {"version": ""}
    monkeypatch.setattr(install, "_run", lambda command, _settings: commands.append(command))
    monkeypatch.setattr(metadata, "version", lambda _name: found["version"])
    for version, unpacked in (("26.1", False), ("22.3", False), ("22.2.2", True), ("22", True), ("x", True)):
        found["version"] = version
        commands.clear()
        install._make(tmp_path, {"PIP_TARGET": "x", "PIP_INDEX_URL": "y"})
        assert any("ensurepip" in command for command in commands) is unpacked
        assert commands[-1][-1] == str(install.LOCK)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The environments that were made, by something quicker than pip."""
    found: list[Path] = []

    def make(directory: Path, variables: Mapping[str, str]) -> None:
        script(install._python(directory), "exit 0")
        found.append(directory)

    monkeypatch.setattr(install, "_make", make)
    return found


def test_an_environment_is_made_once(places: dict[str, str], made: list[Path]) -> None:
    """A later job finds it; one that was left half-made is made anew."""
    python = install.environment(places)
    assert python.exists()
    assert install.environment(places) == python
    assert len(made) == 1
    (python.parents[1] / "complete").unlink()
    assert install.environment(places) == python
    assert len(made) == 2
    assert [path.name for path in python.parents[2].iterdir()] == [install.key()]


def test_of_two_jobs_at_the_same_time_one_finds_the_others(
    places: dict[str, str], made: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither sees one that is half-made."""
    slow = install._make

    def meanwhile(directory: Path, variables: Mapping[str, str]) -> None:
        monkeypatch.setattr(install, "_make", slow)
        install.environment(places)
        slow(directory, variables)

    monkeypatch.setattr(install, "_make", meanwhile)
    python = install.environment(places)
    assert python.exists()
    assert len(list(python.parents[2].iterdir())) == 1


def test_another_lock_or_python_is_another_environment(
    places: dict[str, str], made: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What was installed for one is not taken for the other."""
    first = install.environment(places)
    (tmp_path / "lock").write_text("other")
    monkeypatch.setattr(install, "LOCK", tmp_path / "lock")
    second = install.environment(places)
    monkeypatch.setattr(sys, "version", "3.99")
    assert len({first, second, install.environment(places)}) == 3


def test_where_the_tool_cache_cannot_be_written_the_jobs_folder_will_do(
    places: dict[str, str], made: list[Path]
) -> None:
    """It is lost with the job."""
    blocked = Path(places["RUNNER_TOOL_CACHE"], "file")
    blocked.touch()
    python = install.environment({**places, "RUNNER_TOOL_CACHE": str(blocked)})
    assert python.is_relative_to(places["RUNNER_TEMP"])


def test_the_whole_installation(workshop: Workshop, tmp_path: Path) -> None:
    """From the package registry into an environment that reviews; a second job finds it, and needs no registry."""
    needed("CI" in os.environ or "NEVER_SKIP" in os.environ, "a package registry", mend="this runs in CI")
    job = job_of(workshop, tmp_path)
    proxies = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or "PROXY" in name.upper()}
    for more in (proxies, {"PIP_NO_INDEX": "1"}):
        (tmp_path / "output").unlink(missing_ok=True)
        done = started({**job, **more}, tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert outputs_of(tmp_path / "output")["status"] == "scored"
    assert len(list((workshop.home / "tools" / "oversight").iterdir())) == 1
