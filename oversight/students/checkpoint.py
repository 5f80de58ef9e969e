"""A model directory: written whole or not at all, and believed only after every byte was checked.

    model.safetensors   weights for further training          config.json      schema, architecture, calibration
    model.onnx          the same network for reviewing        reference.json   quantiles of its risks, its own scale
    metrics.json        what it reaches on held-out changes   card.md          the same in words
    manifest.json       the sha256 of every file above

There is no pickle in any of them. The sha256 of `manifest.json` is the identity of a model. A manifest shows
that a directory is complete and undamaged; who made it is for whoever passes `--model` to know (`model-sha256`
pins it).
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from oversight.errors import ModelError, OutputError

FILES = ("model.safetensors", "model.onnx", "config.json", "metrics.json", "reference.json", "card.md")
"""The files of a model directory, besides its manifest."""

MANIFEST = "manifest.json"
FORMAT = "oversight-model/1"

SHADOW, IN_USE = "shadow", "in use"
"""Stages in config.json. In the shadow a model ranks changes and flags none; one without a stage is in use."""

_LARGEST = 1 << 30  # bytes; a manifest may promise anything, memory is ours
_LARGEST_MANIFEST = 1 << 16


@dataclass(frozen=True, slots=True)
class Artefact:
    """The verified bytes of a model directory. `sha256` is that of the manifest."""

    files: Mapping[str, bytes]
    sha256: str

    @property
    def shadow(self) -> bool:
        """Whether the model is in the shadow; `ModelError` for a stage that is not known here."""
        stage = self.json("config.json").get("stage", IN_USE)
        if stage not in (SHADOW, IN_USE):
            _refuse("the model is at a stage that is not known here", "use it with the version that made it")
        return bool(stage == SHADOW)

    def json(self, name: str) -> dict[str, Any]:
        """Return the JSON object in file `name`; `ModelError` where it holds anything else."""
        try:
            value = json.loads(self.files[name])
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            _refuse(f"{name} of the model is not a JSON object")
        return value


def write(directory: Path, files: Mapping[str, bytes], *, replace: bool = True) -> str:
    """Write a model directory atomically and return the sha256 of its manifest.

    Everything is written to a temporary directory beside `directory`, flushed, and renamed. An older model or
    an empty directory in its place is replaced; anything else, and an older model where `replace` is False, is
    an `OutputError`.
    """
    if set(files) != set(FILES):
        raise ValueError(f"a model directory holds {', '.join(FILES)}")
    directory = Path.cwd() / directory  # not resolved: a symbolic link in its place has to be noticed
    check_target(directory, replace=replace)
    manifest = {
        "format": FORMAT,
        "files": {
            name: {"sha256": hashlib.sha256(files[name]).hexdigest(), "bytes": len(files[name])} for name in FILES
        },
    }
    content = (json.dumps(manifest, indent=2) + "\n").encode()
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{directory.name}.", dir=directory.parent) as scratch:
            fresh = Path(scratch, "new")
            fresh.mkdir()
            for name, data in {**files, MANIFEST: content}.items():
                _write_file(fresh / name, data)
            if directory.exists():
                directory.rename(Path(scratch, "old"))
            fresh.rename(directory)
    except OSError as error:
        raise OutputError(
            f"the model could not be written: {error.strerror or error}",
            mend="free some space, or name another --output",
        ) from error
    return hashlib.sha256(content).hexdigest()


def check_target(directory: Path, *, replace: bool = True) -> None:
    """Raise `OutputError` unless a model may be written to `directory`: absent, empty, or an older model."""
    if not directory.exists() and not directory.is_symlink():
        return
    if not directory.is_dir() or directory.is_symlink():
        raise OutputError("the output is not a directory", mend="name a new directory for the model")
    names = {entry.name for entry in directory.iterdir()}
    if names and (not replace or MANIFEST not in names or names - {*FILES, MANIFEST}):
        raise OutputError(
            "the output directory holds other files, which would be lost", mend="name a new or empty directory"
        )


def read(directory: Path) -> Artefact:
    """Read and verify a model directory; `ModelError` says what is wrong with it.

    Every file is read once, and what was hashed is what is used, so nothing can change in between.
    """
    if not directory.is_dir():
        _refuse("there is no such model directory", "train one with `oversight train`, or leave --model out")
    content = _read_file(directory, MANIFEST, _LARGEST_MANIFEST)
    files: dict[str, bytes] = {}
    for name, (digest, size) in _parse_manifest(content).items():
        data = _read_file(directory, name, min(size, _LARGEST))
        if len(data) != size or hashlib.sha256(data).hexdigest() != digest:
            _refuse(f"{name} of the model is damaged: it is not what the manifest says")
        files[name] = data
    return Artefact(files, hashlib.sha256(content).hexdigest())


def _parse_manifest(content: bytes) -> dict[str, tuple[str, int]]:
    try:
        manifest = json.loads(content)
        if manifest["format"] != FORMAT:
            _refuse("the model directory is of another format")
        entries = {name: (str(entry["sha256"]), int(entry["bytes"])) for name, entry in manifest["files"].items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        _refuse("the manifest of the model cannot be read")
    # Names are compared with a fixed list, so that no name can lead out of the directory.
    if set(entries) != set(FILES):
        _refuse("the manifest of the model does not name the files that a model has")
    return entries


def _read_file(directory: Path, name: str, largest: int) -> bytes:
    path = directory / name
    try:
        resolved = path.resolve(strict=True)
        if not resolved.is_relative_to(directory.resolve(strict=True)):
            _refuse(f"{name} of the model leads out of its directory")
        status = resolved.stat()
        if not stat.S_ISREG(status.st_mode):
            _refuse(f"{name} of the model is not a regular file")
        if status.st_size > largest:
            _refuse(f"{name} of the model is larger than it may be")
        with resolved.open("rb") as file:
            return file.read(largest + 1)
    except FileNotFoundError:
        _refuse(f"{name} is missing from the model directory")
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of symbolic links, before Python 3.13
        _refuse(f"{name} of the model cannot be read: {getattr(error, 'strerror', None) or 'a loop of links'}")


def _write_file(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _refuse(message: str, mend: str = "fetch it again, or train one with `oversight train`") -> NoReturn:
    raise ModelError(message, mend=mend)
