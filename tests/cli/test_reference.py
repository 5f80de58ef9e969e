"""The page that describes the commands."""

from __future__ import annotations

from pathlib import Path

from oversight.cli.reference import pages

PAGE = Path(__file__).parents[2] / "docs" / "CLI.md"


def test_the_reference_is_current():
    """docs/CLI.md is what the commands say of themselves."""
    assert PAGE.read_text(encoding="utf-8") == "".join(pages()), "python -m oversight.cli.reference > docs/CLI.md"


def test_every_command_is_in_the_reference(oversight):
    """No command is left out of the page."""
    listed = [
        line.split()[0] for line in oversight("--help").out.partition("Commands:")[2].splitlines() if line.strip()
    ]
    assert listed[:2] == ["review", "mine"]
    for name in listed:
        assert f"## oversight {name}\n" in PAGE.read_text(encoding="utf-8")
