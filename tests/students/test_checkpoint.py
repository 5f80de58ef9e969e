"""A model directory is complete and undamaged, or it is refused with a mend."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from oversight.errors import ModelError, OutputError
from oversight.students import checkpoint, runtime

NAMES = [*checkpoint.FILES, checkpoint.MANIFEST]


def test_what_was_written_is_read_back(directory: Path, files: dict[str, bytes]) -> None:
    """Every file comes back as it was, and the identity is that of the manifest."""
    artefact = checkpoint.read(directory)
    assert artefact.files == files
    assert len(artefact.sha256) == 64
    assert sorted(path.name for path in directory.iterdir()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_named(directory: Path, name: str) -> None:
    """Whichever file is missing, the error names it."""
    (directory / name).unlink()
    with pytest.raises(ModelError, match=name) as caught:
        checkpoint.read(directory)
    assert caught.value.mend


@pytest.mark.parametrize("name", checkpoint.FILES)
def test_one_flipped_bit_is_noticed(directory: Path, name: str) -> None:
    """A file that differs in one bit from what the manifest says is damaged."""
    data = bytearray((directory / name).read_bytes())
    data[len(data) // 2] ^= 1
    (directory / name).write_bytes(data)
    with pytest.raises(ModelError, match="damaged"):
        checkpoint.read(directory)


@pytest.mark.parametrize("name", checkpoint.FILES)
def test_a_file_cut_short_or_grown_is_noticed(directory: Path, name: str) -> None:
    """Truncated files and appended bytes are refused alike."""
    whole = (directory / name).read_bytes()
    for changed in (whole[:-1], whole + b"x"):
        (directory / name).write_bytes(changed)
        with pytest.raises(ModelError):
            checkpoint.read(directory)


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"[]",
        b"not json",
        b'{"format": "something-else/1", "files": {}}',
        b'{"format": "oversight-model/1"}',
        b'{"format": "oversight-model/1", "files": []}',
        b'{"format": "oversight-model/1", "files": {"../secret": {"sha256": "0", "bytes": 1}}}',
        b'{"format": "oversight-model/1", "files": {"config.json": {"sha256": "0", "bytes": "many"}}}',
        b"[" * 60_000,
    ],
)
def test_a_foreign_manifest_is_refused(directory: Path, manifest: bytes) -> None:
    """Whatever the manifest holds, the answer is a ModelError."""
    (directory / checkpoint.MANIFEST).write_bytes(manifest)
    with pytest.raises(ModelError):
        checkpoint.read(directory)


def test_a_directory_without_a_manifest_is_not_a_model(tmp_path: Path) -> None:
    """An empty directory, a file and nothing at all are no models."""
    (tmp_path / "file").write_text("x")
    for path in (tmp_path, tmp_path / "file", tmp_path / "nowhere"):
        with pytest.raises(ModelError):
            checkpoint.read(path)


@pytest.mark.skipif(os.name == "nt", reason="symbolic links need privileges on Windows")
def test_a_link_out_of_the_directory_is_refused(directory: Path, tmp_path: Path) -> None:
    """A file that lives elsewhere is not read, even where its bytes are right."""
    card = directory / "card.md"
    card.rename(tmp_path / "elsewhere")
    card.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match="leads out"):
        checkpoint.read(directory)


@pytest.mark.skipif(os.name == "nt", reason="there are no named pipes in Windows directories")
def test_a_pipe_is_not_waited_for(directory: Path) -> None:
    """Anything but a regular file is refused at once."""
    (directory / "card.md").unlink()
    os.mkfifo(directory / "card.md")
    with pytest.raises(ModelError, match="regular"):
        checkpoint.read(directory)


def test_a_manifest_that_promises_too_much_is_refused(directory: Path) -> None:
    """A file larger than it may be is not read into memory, and neither is a manifest of megabytes."""
    (directory / checkpoint.MANIFEST).write_bytes(b" " * 1_000_000)
    with pytest.raises(ModelError, match="larger"):
        checkpoint.read(directory)


def test_an_older_model_is_replaced_and_other_files_are_not(directory: Path, files: dict[str, bytes]) -> None:
    """Writing over a model works; writing over anything else is refused and changes nothing."""
    checkpoint.write(directory, {**files, "card.md": b"newer"})
    assert (directory / "card.md").read_bytes() == b"newer"
    (directory / "thesis.txt").write_text("precious")
    with pytest.raises(OutputError):
        checkpoint.write(directory, files)
    assert (directory / "thesis.txt").read_text() == "precious"
    assert [path.name for path in directory.parent.iterdir()] == ["model"]


def test_nothing_is_left_half_written(tmp_path: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk fills up midway, the error says so and no directory is left behind."""

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        checkpoint.write(tmp_path / "model", files)
    assert list(tmp_path.iterdir()) == []


def test_a_model_of_another_schema_is_refused(tmp_path: Path, files: dict[str, bytes]) -> None:
    """A model that reads other features than these would give numbers without meaning."""
    config = json.loads(files["config.json"]) | {"schema": "0" * 16}
    checkpoint.write(tmp_path / "model", {**files, "config.json": json.dumps(config).encode()})
    with pytest.raises(ModelError, match="schema"):
        runtime.load(tmp_path / "model")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", b"[]"),
        ("config.json", b"{"),
        ("reference.json", b"{}"),
        ("reference.json", b'{"full": [0.2, 0.1], "none": [0, 1]}'),
        ("reference.json", b'{"full": [0, NaN], "none": [0, 1]}'),
        ("metrics.json", b"null"),
    ],
)
def test_a_file_that_means_nothing_is_refused(
    tmp_path: Path, files: dict[str, bytes], name: str, content: bytes
) -> None:
    """Checksums that fit do not make a file a part of a model."""
    checkpoint.write(tmp_path / "model", {**files, name: content})
    with pytest.raises(ModelError):
        runtime.load(tmp_path / "model")


@pytest.mark.parametrize(
    "damage",
    [
        lambda edges: edges[:-1],
        lambda edges: [*edges[:-1], edges[-1][::-1]],
        lambda edges: [*edges[:-1], edges[-1][:-1]],
        lambda edges: [*edges[:-1], [float("nan")] * len(edges[-1])],
        lambda edges: [*edges[:-1], [*edges[-1][:-1], 1e300]],
        lambda edges: [row[:1] for row in edges],
        lambda edges: [edges],
        lambda edges: [*edges[:-1], [*edges[-1][:-1], 10**400]],
        lambda edges: dict(enumerate(edges)),
        lambda edges: str(edges),
        lambda edges: edges and None,
    ],
)
def test_a_scale_that_nothing_can_be_placed_on_is_refused(
    tmp_path: Path, files: dict[str, bytes], damage: Callable[[list[list[float]]], object]
) -> None:
    """The model's own edges are finite, ascend, and there are as many for each number of a profile."""
    reference = json.loads(files["reference.json"])
    reference["edges"] = damage([*reference["edges"][:-1], list(range(len(reference["edges"][-1])))])
    checkpoint.write(tmp_path / "model", {**files, "reference.json": json.dumps(reference).encode()})
    with pytest.raises(ModelError):
        runtime.load(tmp_path / "model")


@pytest.mark.parametrize("slope", [0.0, -1.0, float("nan"), "steep", None])
def test_a_calibration_that_reorders_is_refused(tmp_path: Path, files: dict[str, bytes], slope: object) -> None:
    """The calibration's slope is a positive number."""
    config = json.loads(files["config.json"])
    config["calibration"]["change"]["slope"] = slope
    checkpoint.write(tmp_path / "model", {**files, "config.json": json.dumps(config).encode()})
    with pytest.raises(ModelError):
        runtime.load(tmp_path / "model")


def test_a_stage_that_is_not_known_is_refused(files: dict[str, bytes], tmp_path: Path) -> None:
    """Whatever a later version means by it, nothing flags by it here; without a stage, and in use, something may."""
    for stage, shadow in (({}, False), ({"stage": "in use"}, False), ({"stage": "shadow"}, True)):
        config = json.dumps({**json.loads(files["config.json"]), **stage}).encode()
        checkpoint.write(tmp_path / "model", {**files, "config.json": config})
        assert checkpoint.read(tmp_path / "model").shadow is shadow
    config = json.dumps({**json.loads(files["config.json"]), "stage": "trial"}).encode()
    checkpoint.write(tmp_path / "model", {**files, "config.json": config})
    with pytest.raises(ModelError, match="not known here"):
        runtime.load(tmp_path / "model")
