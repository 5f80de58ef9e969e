"""How each face of each kind of report reads, byte by byte."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import oversight
from oversight.reports import Format, render
from tests.reports.examples import EXAMPLES

_SUFFIX = {
    Format.TEXT: "txt",
    Format.JSON: "json",
    Format.MARKDOWN: "md",
    Format.SARIF: "sarif",
    Format.RDJSON: "rdjson",
}


@pytest.mark.parametrize("face", list(Format))
@pytest.mark.parametrize("name", list(EXAMPLES))
def test_face(name: str, face: Format, golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every face of every example is as it was when a person last read it."""
    monkeypatch.setattr(oversight, "__version__", "0.0.0")
    golden(f"reports/{name}.{_SUFFIX[face]}", render(EXAMPLES[name](), face))


def test_colour(golden: Callable[[str, str], None]) -> None:
    """The coloured text is as it was when a person last looked at it."""
    golden("reports/flagged-by-principle.ansi", render(EXAMPLES["flagged-by-principle"](), Format.TEXT, colour=True))
