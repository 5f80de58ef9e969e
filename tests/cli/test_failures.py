"""What goes wrong ends with one line that says what and the mend, the right exit code, and nothing half-written."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from oversight import assessment, review, scoring
from oversight.students.checkpoint import FILES, MANIFEST
from tests.builders import GitRepository, file_diff
from tests.cli.conftest import Outcome, Oversight

PLAIN = file_diff("a.py", ["x = 1"], ["x = 2"]).encode()


def complaint(done: Outcome, code: int = 2) -> str:
    """The one line on standard error, of a run that printed nothing else."""
    assert (done.code, done.out) == (code, ""), done
    assert done.err.startswith("oversight: ")
    assert done.err.endswith(")\n")
    assert done.err.count("\n") == 1
    assert "Traceback" not in done.err
    return done.err


@pytest.fixture
def damaged(model: Path, tmp_path: Path) -> Path:
    """A copy of the model, to be damaged."""
    return Path(shutil.copytree(model, tmp_path / "damaged"))


@pytest.mark.parametrize("name", [*FILES, MANIFEST])
def test_a_model_with_one_file_missing_cut_off_or_changed_is_refused(
    oversight: Oversight, damaged: Path, repository: GitRepository, tmp_path: Path, name: str
):
    """Every byte of a model counts, whichever command reads it."""
    whole = (damaged / name).read_bytes()
    for content in (None, b"", whole[: len(whole) // 2], whole[:-1] + bytes([whole[-1] ^ 1])):
        (damaged / name).unlink()
        if content is not None:
            (damaged / name).write_bytes(content)
        complaint(oversight("review", "--diff", "-", "--model", damaged, stdin=PLAIN))
        (damaged / name).write_bytes(whole)
    (damaged / name).unlink()
    rows = tmp_path / "rows"
    complaint(oversight("score", "--repo", repository.path, "--output", rows, "--model", damaged))
    assert not rows.exists()
    assert not rows.with_name("rows.partial").exists()


def test_what_is_no_model_of_ours_is_refused(oversight: Oversight, damaged: Path, tmp_path: Path):
    """A missing folder, an empty one, a file, another program's model, another feature schema and a name of none."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("weights")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    (tmp_path / "foreign" / "config.json").write_text('{"architectures": ["BertModel"]}')
    for name in ("missing", "empty", "file", "foreign"):
        complaint(oversight("review", "--diff", "-", "--model", tmp_path / name, stdin=PLAIN))
    complaint(oversight("review", "--diff", "-", "--model", "no_such_model", stdin=PLAIN))
    config = json.loads((damaged / "config.json").read_text())
    (damaged / "config.json").write_text(json.dumps(config | {"schema": "0" * 64}))
    seal(damaged)
    assert "feature schema" in complaint(oversight("review", "--diff", "-", "--model", damaged, stdin=PLAIN))


def seal(directory: Path) -> None:
    """Make the manifest fit the files again, as whoever forges a model would."""
    from hashlib import sha256

    manifest = json.loads((directory / MANIFEST).read_text())
    for name, entry in manifest["files"].items():
        data = (directory / name).read_bytes()
        entry |= {"sha256": sha256(data).hexdigest(), "bytes": len(data)}
    (directory / MANIFEST).write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.onnx", b"\x08\x07garbage"),
        ("reference.json", b"{}"),
        ("reference.json", b'{"full": [NaN, NaN], "none": [1, 0]}'),
        ("config.json", b"[" * 100_000),
        ("metrics.json", b"null"),
    ],
)
def test_a_forged_manifest_does_not_help(oversight: Oversight, damaged: Path, name: str, content: bytes):
    """Files that are what the manifest says, but not what a model is, end the same way."""
    (damaged / name).write_bytes(content)
    seal(damaged)
    complaint(oversight("review", "--diff", "-", "--model", damaged, stdin=PLAIN))


@pytest.mark.parametrize("face", ["text", "json"])
def test_output_that_cannot_be_written(oversight: Oversight, repository: GitRepository, tmp_path: Path, face: str):
    """A missing folder, a folder, a file for a folder and a full disk: 2, and nothing new on the disk."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    before = sorted(tmp_path.rglob("[!.]*"))
    outputs = [tmp_path / "missing" / "x", tmp_path / "folder", tmp_path / "file" / "x", Path("bad\0name")]
    if sys.platform == "linux":
        outputs.append(Path("/dev/full"))
    for output in outputs:
        complaint(oversight("review", "--repo", repository.path, "--format", face, "--output", output))
        if "\0" not in str(output):
            complaint(oversight("score", "--repo", repository.path, "--output", output, "--jobs", 1))
    assert sorted(tmp_path.rglob("[!.]*")) == before
    if sys.platform == "linux":
        assert not Path("/dev/full").is_file()


def test_a_bug_on_one_change_is_told_and_never_a_clean_review(
    oversight: Oversight, repository: GitRepository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """A review that breaks gives status `error`, flagged, exit code 3; a scoring gives that row and goes on."""
    examine = assessment.examine

    def broken(change, *rest, **options):
        if "loop" in change.title:
            raise ZeroDivisionError("\x1b[2Jboom")
        return examine(change, *rest, **options)

    for module in (assessment, review, scoring):
        monkeypatch.setattr(module, "examine", broken)
    done = oversight("review", "--repo", repository.path, "--format", "json")
    assert (done.code, done.err) == (3, "")
    report = done.json
    assert (report["status"], report["risk"], report["flagged"]) == ("error", None, True)
    assert "ZeroDivisionError" in report["error"]
    shown = oversight("review", "--repo", repository.path)
    assert shown.code == 3
    assert "\x1b[2J" not in shown.out
    assert oversight("score", "--repo", repository.path, "--output", tmp_path / "rows", "--jobs", 1).code == 0
    rows = [json.loads(line) for line in (tmp_path / "rows").read_text().splitlines()]
    assert [row["status"] for row in rows] == ["scored"] * 4 + ["error"]
    assert rows[-1] == {
        "commit": repository.commits[-1], "status": "error", "risk": None, "percentile": None, "flagged": True,
        "added": None, "deleted": None,
    }  # fmt: skip


def test_a_bug_outside_of_a_change_is_3_and_one_line(
    oversight: Oversight, repository: GitRepository, monkeypatch: pytest.MonkeyPatch
):
    """Whatever nobody thought of fails closed, without a traceback unless that is asked for."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a\nb\x1b[0m")

    monkeypatch.setattr("oversight.config.load", broken)
    assert "\x1b" not in complaint(oversight("review", "--repo", repository.path), 3)
    monkeypatch.setenv("OVERSIGHT_DEBUG", "1")
    assert "Traceback" in oversight("review", "--repo", repository.path).err


HEADER = b"diff --git a/x b/x\n--- a/x\n+++ b/x\n"


@pytest.mark.parametrize(
    "content",
    [
        b"hello\nworld\n",
        b"\0" * 100,
        b"\xff\xfe",
        b"{}",
        HEADER + b"@@ -1,9",
        HEADER + b"@@ -1,3 +1,3 @@\n a\n",
        HEADER + b"@@ -99999999999999999999 +1 @@\n-a\n+b\n",
        HEADER + b"-a\n+b\n",
    ],
)
def test_what_is_no_diff_or_ends_too_early_is_refused(oversight: Oversight, content: bytes):
    """Neither text that is no diff nor half of one is reviewed as if it were a whole one."""
    complaint(oversight("review", "--diff", "-", stdin=content))


def test_a_diff_that_cannot_be_read(oversight: Oversight, tmp_path: Path):
    """A missing file, a folder, and a path that is none."""
    for path in (tmp_path / "missing", tmp_path, "bad\0name"):
        complaint(oversight("review", "--diff", path))


def test_a_history_cache_that_cannot_be_written_stops_nothing(
    oversight: Oversight, repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A cache is a cache: a file in its place, or rubbish in it, costs time alone."""
    plain = oversight("review", "--repo", repository.path, "--format", "json").json
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("OVERSIGHT_CACHE_DIR", str(tmp_path / "file"))
    blocked = oversight("review", "--repo", repository.path, "--format", "json")
    assert (blocked.code, blocked.json["risk"]) == (0, plain["risk"])
    monkeypatch.setenv("OVERSIGHT_CACHE_DIR", str(tmp_path / "cache"))
    assert oversight("review", "--repo", repository.path).code == 0
    for path in (tmp_path / "cache").iterdir():
        path.write_bytes(b"rubbish" * 1000)
    mended = oversight("review", "--repo", repository.path, "--format", "json")
    assert (mended.code, mended.json["risk"]) == (0, plain["risk"])
