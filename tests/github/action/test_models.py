"""The model that a workflow names, and those that nobody may bring."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from oversight.base_settings import Files
from oversight.errors import ModelError, UsageError
from oversight.reports import RiskReport
from oversight.review import Reviewer
from oversight_github.action import models
from oversight_github.action.inputs import Inputs, read
from oversight_github.action.models import open_wanted

PLAIN = read({})


@dataclass(frozen=True)
class Base:
    """A base revision with one folder."""

    folders: Mapping[str, Mapping[str, bytes]]

    def settings(self) -> bytes | None:
        return None

    def principles(self, folder: str | None) -> Files:
        raise NotImplementedError(folder)

    def model(self, folder: str) -> Mapping[str, bytes] | None:
        return self.folders.get(folder.rstrip("/"))

    def review(self, reviewer: Reviewer) -> RiskReport:
        raise NotImplementedError


NOTHING = Base({})


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "workspace").mkdir()
    (tmp_path / "temp").mkdir()
    return tmp_path / "workspace"


def opened(inputs: Inputs, workspace: Path, base: Base = NOTHING, default: str | None = None) -> str:
    """The sha256 of the model that is opened; nothing is left behind."""
    temp = workspace.parent / "temp"
    try:
        return open_wanted(inputs, base, workspace, temp, default=default).info.sha256
    finally:
        assert not list(temp.iterdir())


def zipped(files: Mapping[str, bytes], folder: str = "") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(folder + name, content)
    return target.getvalue()


def pinned(workspace: Path, content: bytes) -> Inputs:
    (workspace / "m.zip").write_bytes(content)
    return replace(PLAIN, model="m.zip", model_sha256=hashlib.sha256(content).hexdigest())


@pytest.fixture
def whole(files: dict[str, bytes], model: Path) -> dict[str, bytes]:
    """The small model with its manifest."""
    return {**files, "manifest.json": (model / "manifest.json").read_bytes()}


@pytest.fixture
def sha256(whole: dict[str, bytes]) -> str:
    return hashlib.sha256(whole["manifest.json"]).hexdigest()


def test_without_a_name_it_is_the_shipped_one(workspace: Path, model: Path, sha256: str) -> None:
    """Or the one that the environment of the runner names."""
    assert opened(PLAIN, workspace) == opened(replace(PLAIN, model="default"), workspace)
    assert opened(PLAIN, workspace, default=str(model)) == sha256


def test_a_directory_is_that_of_the_base_revision(workspace: Path, whole: dict[str, bytes], sha256: str) -> None:
    """Other files in it do not matter, and it may be pinned by its manifest."""
    base = Base({"models/ours": {**whole, "README.md": b"ours", "../../evil": b"x"}})
    inputs = replace(PLAIN, model="models/ours/")
    assert opened(inputs, workspace, base) == sha256
    assert opened(replace(inputs, model_sha256=sha256), workspace, base) == sha256
    with pytest.raises(ModelError, match="not the one"):
        opened(replace(inputs, model_sha256="0" * 64), workspace, base)


def test_a_directory_of_the_working_tree_is_never_taken(workspace: Path, whole: dict[str, bytes]) -> None:
    """It may be that of the change under review."""
    folder = workspace / "models" / "ours"
    folder.mkdir(parents=True)
    for name, content in whole.items():
        (folder / name).write_bytes(content)
    for name in ("models/ours", "./models/ours", str(folder), "models"):
        with pytest.raises(ModelError, match="there is no"):
            opened(replace(PLAIN, model=name), workspace)


def test_the_name_of_a_shipped_model_is_no_folder_of_the_change(workspace: Path, whole: dict[str, bytes]) -> None:
    """A folder `default` that a change brings does not stand in for the shipped model."""
    (workspace / "default").mkdir()
    shipped = opened(PLAIN, workspace)
    assert opened(replace(PLAIN, model="default"), workspace) == shipped
    assert opened(replace(PLAIN, model="default"), workspace, Base({"default": whole})) != shipped


def test_a_damaged_directory_is_refused(workspace: Path, whole: dict[str, bytes]) -> None:
    """Its manifest says what it should be."""
    with pytest.raises(ModelError, match="damaged"):
        opened(replace(PLAIN, model="m"), workspace, Base({"m": {**whole, "card.md": b"other"}}))


@pytest.mark.parametrize("folder", ["", "model/"])
def test_a_file_is_taken_by_its_sha256(workspace: Path, whole: dict[str, bytes], sha256: str, folder: str) -> None:
    """A zip file of a model's directory, with or without the directory itself."""
    assert opened(pinned(workspace, zipped(whole, folder)), workspace) == sha256


def test_a_file_without_a_sha256_is_refused(workspace: Path, whole: dict[str, bytes]) -> None:
    """Whoever can change the file would choose the judge."""
    inputs = pinned(workspace, zipped(whole))
    with pytest.raises(UsageError, match="model-sha256"):
        opened(replace(inputs, model_sha256=None), workspace)
    (workspace / "m.zip").write_bytes(zipped(whole) + b"\0")
    with pytest.raises(ModelError, match="not the one that model-sha256 names"):
        opened(inputs, workspace)


def test_nothing_is_unpacked_that_is_no_file_of_a_model(workspace: Path, whole: dict[str, bytes]) -> None:
    """No way out of the folder, nothing more, nothing twice, nothing less."""
    fewer = {name: content for name, content in whole.items() if name != "card.md"}
    for members in (
        {**whole, "../evil": b"x"},
        {**whole, "more": b"x"},
        {f"../{name}": content for name, content in whole.items()} | {"a/card.md": b"x"},
        {**{f"a/{name}": content for name, content in fewer.items()}, "b/card.md": whole["card.md"]},
        fewer,
        {},
    ):
        with pytest.raises(ModelError):
            opened(pinned(workspace, zipped(members)), workspace)
    assert not (workspace / "evil").exists()
    assert not (workspace.parent / "evil").exists()


def test_a_link_in_a_zip_file_is_a_damaged_file(workspace: Path, whole: dict[str, bytes]) -> None:
    """It is written as what it holds, which is no card."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in whole.items():
            info = zipfile.ZipInfo(name)
            if name == "card.md":
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
                content = b"/etc/passwd"
            archive.writestr(info, content)
    with pytest.raises(ModelError, match=r"card\.md of the model"):
        opened(pinned(workspace, target.getvalue()), workspace)


def test_a_bomb_does_not_go_off(workspace: Path, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes out is counted, not what the archive promises."""
    monkeypatch.setattr(models, "LARGEST_MODEL_FILE", 1 << 20)
    with pytest.raises(ModelError, match="larger than it may be"):
        opened(pinned(workspace, zipped({**whole, "card.md": b"\0" * (1 << 22)})), workspace)
    monkeypatch.setattr(models, "_LARGEST_ARCHIVE", 100)
    with pytest.raises(ModelError, match="larger than it may be"):
        opened(pinned(workspace, zipped(whole)), workspace)


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip file" * 100])
def test_what_is_no_zip_file_is_refused(workspace: Path, content: bytes) -> None:
    """In one line."""
    with pytest.raises(ModelError, match="no zip file"):
        opened(pinned(workspace, content), workspace)


def test_a_damaged_zip_file_is_refused(workspace: Path, whole: dict[str, bytes]) -> None:
    """Wherever the damage is."""
    content = zipped(whole)
    for at in range(0, len(content), len(content) // 40):
        damaged = content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]
        try:
            opened(pinned(workspace, damaged), workspace)
        except ModelError:
            continue
        assert json.loads(whole["manifest.json"])  # a byte that nothing depends on, such as a date


def test_a_model_that_is_nowhere_is_told(workspace: Path) -> None:
    """With what may be named instead."""
    with pytest.raises(ModelError, match="there is no model") as caught:
        opened(replace(PLAIN, model="nowhere/\x1b[31m"), workspace)
    assert "model-sha256" in caught.value.mend
    assert "\x1b" not in str(caught.value)
