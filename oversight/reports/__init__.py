"""The faces of a RiskReport, and how they reach a file or the standard output.

    RiskReport ── render ──> text ── write ──> file, or standard output

A face is one module with `render(report) -> str`; it is loaded when it is asked for. All of them show hostile
text through `oversight.reports.escape` alone. To add one: its module, its `Format`, its case in `render`.
"""

from __future__ import annotations

from enum import StrEnum

from oversight.reports.model import RiskReport
from oversight.reports.output import colour_wanted, write

__all__ = ["Format", "RiskReport", "colour_wanted", "render", "write"]


class Format(StrEnum):
    """The faces, by the name that `--format` takes."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    SARIF = "sarif"
    RDJSON = "rdjson"


def render(report: RiskReport, format: Format | str, *, colour: bool = False, width: int = 80) -> str:  # noqa: A002  the option's name
    """Return `report` in one of the formats, with a newline at its end.

    `colour` and `width` (columns) concern `text` alone. ValueError on a format that is none.
    """
    match Format(format):
        case Format.TEXT:
            from oversight.reports import text

            return text.render(report, colour=colour, width=width)
        case Format.JSON:
            from oversight.reports import as_json

            return as_json.render(report)
        case Format.MARKDOWN:
            from oversight.reports import markdown

            return markdown.render(report)
        case Format.SARIF:
            from oversight.reports import sarif

            return sarif.render(report)
        case Format.RDJSON:
            from oversight.reports import rdjson

            return rdjson.render(report)
