"""`oversight doctor`."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from oversight.cli import doctor
from tests.cli.conftest import Oversight


def test_the_doctor_tells_what_is_there(oversight: Oversight):
    """Every part that a review needs has a line, with its version; JSON holds the same."""
    told = oversight("doctor")
    for part in ("python", "git", "onnxruntime", "grammars", "shipped model", "cache"):
        assert part in told.out
    findings = json.loads(oversight("doctor", "--json").out)
    assert len(findings) == len(told.out.splitlines())
    assert all(finding["ok"] or finding["mend"] for finding in findings)


def test_what_reviewing_cannot_do_without_is_an_error(oversight: Oversight, monkeypatch: pytest.MonkeyPatch):
    """Without a shipped model or a core package the doctor ends with 2 and says how to mend it."""
    from oversight.errors import ModelError

    def missing(_name: str = "default") -> None:
        raise ModelError("there is no shipped model", mend="install it")

    monkeypatch.setattr("oversight.students.runtime.load_named", missing)
    done = oversight("doctor")
    assert done.code == 2
    assert "!! shipped model" in done.out
    assert "-> install it" in done.out


def test_a_missing_extra_is_no_error(oversight: Oversight, monkeypatch: pytest.MonkeyPatch):
    """Training, the server and the cluster are optional: absent ones are told with the command that adds them."""
    monkeypatch.setattr(doctor, "_EXTRAS", {"train": ("no-such-package",)})
    (finding,) = doctor._extras()
    assert finding.ok is None
    assert "oversight-review[train]" in (finding.mend or "")


def test_a_server_that_lacks_a_package_is_told_so():
    """All that the extra installs is looked for, so that none of it is missing first when it starts."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = map(Requirement, project["optional-dependencies"]["server"])
    wanted = {canonicalize_name(one.name) for one in asked if one.marker is None or one.marker.evaluate()}
    assert set(doctor._EXTRAS["server"]) == wanted - {"oversight-review"}


def test_a_cache_that_cannot_be_written_is_told(oversight: Oversight, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The doctor says so, and which variable to set."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("OVERSIGHT_CACHE_DIR", str(tmp_path / "file"))
    line = next(line for line in oversight("doctor").out.splitlines() if "cache" in line)
    assert line.startswith("--")
    assert "OVERSIGHT_CACHE_DIR" in line
