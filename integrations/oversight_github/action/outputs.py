"""What the step leaves behind: outputs, its summary, annotations in the log, files. Each is written once, escaped.

The runner obeys lines of the log that begin with `::`, so everything that is printed goes through here. Limits are
those of https://docs.github.com/actions/reference/limits and of the page on workflow commands.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from oversight.errors import OutputError, OversightError
from oversight.reports import Format, RiskReport, render, words
from oversight.reports.escape import log_line, markdown, terminal
from oversight.reports.output import write_bytes
from oversight.reviewers.model import Severity
from oversight_github.code.remote import basic

NAMES = ("status", "risk", "percentile", "flagged", "report", "sarif")
"""The outputs, as `action.yml` declares them."""

SUMMARY_BYTES = 1 << 20
PER_LEVEL = 10
"""Annotations of one level that GitHub shows of a step."""

_LONGEST = 2_000
_TITLE = 100
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "warning",
}  # what is below flags nothing, and an annotation asks for a reader
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})
_MESSAGE = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})


@dataclass
class Outputs:
    """Where a step writes, one for each: the files that the runner reads, None where it gives none, and the log."""

    output: Path | None
    summary: Path | None
    log: TextIO = field(default_factory=lambda: sys.stdout)
    _told: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Outputs:
        """Return those of the step that this process is."""
        output, summary = (environment.get(name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"))
        return cls(Path(output) if output else None, Path(summary) if summary else None)

    def mask(self, token: str) -> None:
        """Have the runner blot out a token, also as git sends it, should it ever get into the log."""
        for secret in (token, basic(token)):
            self._line(f"::add-mask::{secret.translate(_MESSAGE)}")

    def complain(self, error: OversightError) -> None:
        """Annotate what is wrong and its mend as an error."""
        self._annotate("error", f"{error.message} ({error.mend})", {"title": "oversight"})

    def warn(self, message: str) -> None:
        """Annotate something that people should know of although the review goes on."""
        self._annotate("warning", message, {"title": "oversight"})

    def note(self, message: str) -> None:
        """Annotate something that is no fault."""
        self._annotate("notice", message, {"title": "oversight"})

    def say(self, line: str) -> None:
        """Print a line to the log."""
        self._line(log_line(terminal(line, _LONGEST)))

    def findings(self, report: RiskReport) -> None:
        """Annotate the lines that a principle asks a reader for, the gravest first, as many as GitHub shows."""
        for finding in words.by_gravity(report.findings):
            level = _LEVELS.get(finding.severity)
            if level is None:
                continue
            where = {"file": terminal(finding.path)} if finding.path else {}
            if finding.path and finding.line is not None:
                where["line"] = str(finding.line)
            self._annotate(level, finding.message, where | {"title": f"oversight: {finding.principle}"})

    def set(self, values: Mapping[str, str]) -> None:
        """Set outputs of the step; a value may have several lines, none of which can set another output."""
        if self.output is None:
            return
        lines = []
        for name, value in values.items():
            mark = f"oversight-{secrets.token_hex(16)}"
            lines.append(f"{name}<<{mark}\n{value}\n{mark}\n")
        _append(self.output, "".join(lines).encode("utf-8", "backslashreplace"))

    def summarise(self, text: str) -> None:
        """Add Markdown to the step's summary, cut at a line so that it stays within GitHub's limit."""
        path = self.summary
        if path is None:
            return
        room = SUMMARY_BYTES - (path.stat().st_size if path.is_file() else 0)
        content = text.encode("utf-8", "backslashreplace")
        if len(content) > room:
            content = content[: max(0, content.rfind(b"\n", 0, room) + 1)]
        _append(path, content)

    def _annotate(self, level: str, message: str, where: Mapping[str, str]) -> None:
        told = self._told[level] = self._told.get(level, 0) + 1
        if told > PER_LEVEL:  # a flood of findings must not push out what is said of the review itself
            return
        about = ",".join(f"{name}={_cut(name, value).translate(_PROPERTY)}" for name, value in where.items())
        self._line(f"::{level} {about}::{terminal(message, _LONGEST).translate(_MESSAGE)}")

    def _line(self, line: str) -> None:
        encoding = self.log.encoding or "utf-8"  # Windows' code pages lack most characters
        self.log.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        self.log.flush()


def of_report(report: RiskReport, *, report_file: Path, sarif_file: Path | None) -> dict[str, str]:
    """Return the outputs for a report; what is unknown is empty, never 0."""
    return {
        "status": str(report.status),
        "risk": "" if not words.known(report.risk) else repr(round(report.risk, 6)),
        "percentile": "" if not words.known(report.percentile) else repr(round(report.percentile, 3)),
        "flagged": str(report.flagged).lower(),
        "report": str(report_file),
        "sarif": "" if sarif_file is None else str(sarif_file),
    }


def of_failure() -> dict[str, str]:
    """Return the outputs where there is no report: nothing is known but that a person should look."""
    return dict.fromkeys(NAMES, "") | {"status": "error", "flagged": "true"}


def summary_of_failure(error: OversightError) -> str:
    """Return the summary where there is no report."""
    return f"**Error**: nothing was reviewed: {markdown(error.message)}.\n\nWhat to do: {markdown(error.mend)}.\n"


def write_report(report: RiskReport, target: Path, face: Format) -> None:
    """Write a face of the report. Raises OutputError."""
    option = "sarif-file" if face is Format.SARIF else "report-file"
    write_bytes(render(report, face).encode("utf-8", "backslashreplace"), target, option=option)


def target_in(workspace: Path, name: str) -> Path:
    """Return the file that an input names, whose folder is made where it is missing.

    Below the workspace nothing on the way may be a symbolic link, since the change under review may have brought it:
    what is written must not land in git's own directory, or at home. Raises OutputError.
    """
    target = Path(os.path.normpath(workspace / name))
    root = Path(os.path.normpath(workspace))
    if target.is_relative_to(root):
        parts = target.relative_to(root).parts
        if not parts or ".git" in map(str.lower, parts):
            raise OutputError(f"{terminal(name, 200)} is no file to write to", mend="name a file in the workspace")
        for depth in range(1, len(parts) + 1):
            if root.joinpath(*parts[:depth]).is_symlink():
                raise OutputError(
                    f"{terminal(name, 200)} leads through a symbolic link of the workspace",
                    mend="name another file, or one below ${{ runner.temp }}",
                )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise OutputError(
            f"the folder of {terminal(name, 200)} cannot be made", mend="name a file in a folder that can be written"
        ) from error
    return target


def _append(path: Path, content: bytes) -> None:
    try:
        with path.open("ab") as file:
            file.write(content)
    except OSError as error:
        raise OutputError(
            f"the runner's file {terminal(path.name, 80)} cannot be written: {error.strerror}",
            mend="free some space on the runner",
        ) from error


def _cut(name: str, value: str) -> str:
    # A path that was cut names another file: it stays as it is.
    return value if name == "file" else terminal(value, _TITLE)
