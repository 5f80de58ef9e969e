"""The reference page."""

from pathlib import Path

from oversight.reviewers.principles import builtin
from oversight.reviewers.principles.reference import page

PAGE = Path(__file__).parents[3] / "docs" / "PRINCIPLES.md"


def test_the_reference_page_is_current() -> None:
    """docs/PRINCIPLES.md is what `python -m oversight.reviewers.principles` writes."""
    assert PAGE.read_text(encoding="utf-8") == page(builtin())


def test_every_principle_is_on_the_page() -> None:
    """The page names every principle and says its sentence."""
    text = page(builtin())
    assert all(f"### {principle.id}\n" in text and principle.sentence in text for principle in builtin())
