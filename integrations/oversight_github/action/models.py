"""The model that the workflow names: a shipped one, a directory at the base revision, or a file by its sha256.

The working tree is not asked: it may be that of the change under review, whose author would then choose the judge.
"""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from oversight.errors import ModelError, UsageError
from oversight.reports.escape import terminal
from oversight.students.checkpoint import FILES, MANIFEST
from oversight.students.runtime import Model, load, load_named, open_model
from oversight_github.action.inputs import Inputs
from oversight_github.archives import ArchiveError, unpacking
from oversight_github.code.source import LARGEST_MODEL_FILE, Source

_NAMES = frozenset({*FILES, MANIFEST})
_LARGEST_ARCHIVE = 2 * LARGEST_MODEL_FILE
_MOST_MEMBERS = 100
_CHUNK = 1 << 20


def open_wanted(inputs: Inputs, source: Source, workspace: Path, temp: Path, *, default: str | None = None) -> Model:
    """Return the model that the inputs name; the model `default` (None: the shipped one) where they name none.

    Raises ModelError for one that is not there, is damaged, or is not what `model-sha256` says.
    """
    name = inputs.model
    if name is None:
        return open_model(default)
    at_base = source.model(name) if _is_folder(name) else None
    if at_base is not None:
        with _directory(temp) as directory:
            for file, content in at_base.items():
                if file in _NAMES:
                    (directory / file).write_bytes(content)
            return _pinned(load(directory), inputs.model_sha256)
    archive = workspace / name
    if archive.is_file():
        if inputs.model_sha256 is None:
            raise UsageError(
                "input model names a file, and model-sha256 is missing",
                mend="give the file's sha256, so that nothing but that model is ever used",
            )
        return _from_archive(archive, inputs.model_sha256, temp)
    if name.isidentifier():
        return _pinned(load_named(name), inputs.model_sha256)
    raise ModelError(
        f"there is no model {terminal(name, 100)}: no directory at the base revision, and no file",
        mend="commit the directory to the base branch, or name a zip file of one, with model-sha256",
    )


def _is_folder(name: str) -> bool:
    """Whether `name` can be a folder of a revision: relative, and downwards."""
    parts = name.rstrip("/").split("/")
    return all(part not in {"", ".", ".."} for part in parts) and ":" not in name and "\\" not in name


def _pinned(model: Model, sha256: str | None) -> Model:
    if sha256 is not None and model.info.sha256 != sha256:
        raise ModelError(
            "the model is not the one that model-sha256 names: the manifest at the base revision has "
            f"{model.info.sha256}",
            mend="find out who replaced the model, then give the sha256 of its manifest.json",
        )
    return model


def _from_archive(archive: Path, sha256: str, temp: Path) -> Model:
    """Return the model in a zip file of which every byte is the expected one."""
    with tempfile.TemporaryFile(dir=temp) as copy, _directory(temp) as directory:
        # A copy that nobody else can write: what was hashed is what is read.
        found = _copied(archive, copy)
        if found != sha256:
            raise ModelError(
                f"the model file is not the one that model-sha256 names: it has {found}",
                mend="fetch the file again, or give its sha256 if you know that it was replaced",
            )
        try:
            with unpacking(copy) as opened:
                members = _members(opened)
        except ArchiveError as error:
            raise ModelError("the model file is no zip file that can be read", mend="zip a model directory") from error
        for file, content in members.items():
            (directory / file).write_bytes(content)
        return load(directory)


def _copied(archive: Path, copy: IO[bytes]) -> str:
    digest, size = hashlib.sha256(), 0
    with archive.open("rb") as source:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > _LARGEST_ARCHIVE:
                raise ModelError("the model file is larger than it may be", mend="zip a model directory alone")
            digest.update(chunk)
            copy.write(chunk)
    copy.seek(0)
    return digest.hexdigest()


def _members(opened: zipfile.ZipFile) -> Mapping[str, bytes]:
    """Return the files of a model that are in a zip file, at its top or in its only folder.

    Names are compared with those of a model's files, so that none leads anywhere, and sizes are those that come out.
    """
    infos = [info for info in opened.infolist() if not info.is_dir()]
    folders = {info.filename.rpartition("/")[0] for info in infos}
    names = [info.filename.rpartition("/")[2] for info in infos]
    if len(infos) > _MOST_MEMBERS or len(folders) != 1 or len(set(names)) != len(names) or set(names) != _NAMES:
        raise ModelError(
            "the model file does not hold exactly the files of a model", mend="zip a directory that `train` wrote"
        )
    found = {}
    for info, name in zip(infos, names, strict=True):
        with opened.open(info) as member:
            content = member.read(LARGEST_MODEL_FILE + 1)
        if len(content) > LARGEST_MODEL_FILE:
            raise ModelError(f"{name} of the model is larger than it may be", mend="zip a directory that `train` wrote")
        found[name] = content
    return found


@contextmanager
def _directory(temp: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="oversight-model-", dir=temp) as directory:
        yield Path(directory)
