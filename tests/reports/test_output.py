"""A report reaches its place whole or not at all."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from oversight.errors import OutputError
from oversight.reports import Format, colour_wanted, render, write
from tests.reports.examples import flagged_by_budget

POSIX = pytest.mark.skipif(os.name == "nt", reason="needs POSIX devices and modes")


def python(script: str, **streams: object) -> subprocess.CompletedProcess[str]:
    """Run a script in a fresh interpreter, with warnings as errors."""
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [sys.executable, "-W", "error", "-c", script],
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
        **streams,
    )


def test_writes_utf8(tmp_path: Path) -> None:
    """The text arrives as UTF-8, with its newlines as they are, and nothing else is left in the folder."""
    target = tmp_path / "report.txt"
    write("é…\n", target)
    assert target.read_bytes() == "é…\n".encode()
    assert list(tmp_path.iterdir()) == [target]


def test_replaces(tmp_path: Path) -> None:
    """An older report is replaced as a whole."""
    target = tmp_path / "report.txt"
    target.write_text("much longer than the new one")
    write("new\n", target)
    assert target.read_text() == "new\n"


@POSIX
def test_keeps_mode_and_link(tmp_path: Path) -> None:
    """A file keeps its mode, and a symbolic link stays a link to the file that is written."""
    target, link = tmp_path / "real", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    write("new", link)
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o640


@POSIX
def test_device() -> None:
    """A device is written to as it is, not replaced by a file."""
    write("gone", Path(os.devnull))
    assert not Path(os.devnull).is_file()


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("missing/report", "make the folder first"),
        ("folder", "name a file in that folder"),
        ("file/report", "a part of the path is a file"),
        ("x" * 300, "shorter path"),
        ("nul\0byte", "write somewhere else"),
    ],
)
@POSIX
def test_errors_name_the_mend(tmp_path: Path, name: str, mend: str) -> None:
    """What cannot be written to is said in one line with its mend, and the folder stays as it was."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("kept")
    with pytest.raises(OutputError) as caught:
        write("text", tmp_path / name)
    assert mend in caught.value.mend
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
    assert (tmp_path / "file").read_text() == "kept"


@POSIX
def test_hostile_name(tmp_path: Path) -> None:
    """A name with terminal escapes is shown, not obeyed."""
    with pytest.raises(OutputError) as caught:
        write("text", tmp_path / "\x1b[2J" / "report")
    assert "\x1b" not in str(caught.value)


@POSIX
def test_protected_file(tmp_path: Path) -> None:
    """A file that may not be written is not replaced either."""
    target = tmp_path / "report"
    target.write_text("kept")
    target.chmod(0o444)
    if os.access(target, os.W_OK):
        pytest.skip("this user may write everything")
    with pytest.raises(OutputError, match="ermission"):
        write("text", target)
    assert target.read_text() == "kept"


@POSIX
def test_full_device() -> None:
    """A full disk is said, with what to do about it."""
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with pytest.raises(OutputError) as caught:
        write("text", Path("/dev/full"))
    assert "free some space" in caught.value.mend


@POSIX
def test_nothing_half_written(tmp_path: Path) -> None:
    """A write that breaks off midway leaves the older report, and no other file."""
    target = tmp_path / "report"
    target.write_text("old")
    done = python(
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from oversight.errors import OutputError\n"
        "from oversight.reports import write\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n"
        f"    write('x' * 100_000, Path({str(target)!r}))\n"
        "except OutputError as error:\n"
        "    print(error.mend)\n",
        stdout=subprocess.PIPE,
    )
    assert done.stdout.startswith("files may not grow that large here"), done.stderr
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("output", [None, Path("-")])
def test_standard_output(output: Path | None, capsys: pytest.CaptureFixture[str]) -> None:
    """No file, or `-`, means standard output."""
    write("é…\n", output)
    assert capsys.readouterr().out == "é…\n"


def test_narrow_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that knows no such character gets an escape instead of a traceback."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    write("é…\n", None)
    assert raw.getvalue() == b"\\xe9\\u2026\n"


def test_closed_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """A standard output that is closed is an error with a mend."""
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OutputError, match="closed"):
        write("text", None)


@POSIX
def test_broken_pipe() -> None:
    """A reader that has gone away (`| head`) is no error, and nothing is said of it at the end either."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = python("from oversight.reports import write\nwrite('x' * 1_000_000, None)\n", stdout=writer)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


@POSIX
def test_full_standard_output() -> None:
    """A full disk behind standard output is an error with a mend, and the interpreter ends in peace."""
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    script = (
        "from oversight.errors import OutputError\n"
        "from oversight.reports import write\n"
        "try:\n    write('text', None)\n"
        "except OutputError as error:\n    raise SystemExit(error.exit_code)\n"
    )
    with Path("/dev/full").open("wb") as full:
        done = python(script, stdout=full)
    assert (done.returncode, done.stderr) == (2, "")


def test_colour_wanted() -> None:
    """Colour is for terminals whose owner wants it."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert colour_wanted(Terminal(), {})
    assert colour_wanted(Terminal(), {"NO_COLOR": ""})
    assert not colour_wanted(Terminal(), {"NO_COLOR": "1"})
    assert not colour_wanted(Terminal(), {"TERM": "dumb"})
    assert not colour_wanted(io.StringIO(), {})


@pytest.mark.parametrize("face", list(Format))
def test_every_face_ends_in_a_newline(face: Format) -> None:
    """A report is lines of text, and its format goes by its name as well."""
    text = render(flagged_by_budget(), face)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert text == render(flagged_by_budget(), str(face))


def test_unknown_face() -> None:
    """A format that is none is refused."""
    with pytest.raises(ValueError, match="xml"):
        render(flagged_by_budget(), "xml")


def test_light() -> None:
    """Importing the reports loads no numpy, no rich, no jsonschema, and no face before it is asked for."""
    script = (
        "import sys, oversight.reports\n"
        "heavy = {'numpy', 'rich', 'jsonschema', 'pydantic', 'pydantic_settings', 'json', 'oversight.reports.sarif'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    assert python(script, stdout=subprocess.PIPE).stdout == "[]\n"
