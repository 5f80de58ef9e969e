"""The file in a real browser, from a disk: no request, no complaint, readable in light, dark, narrow, and to axe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from oversight.audit.dashboard import Dashboard, html
from tests.browser import chromium  # noqa: F401  # fixture
from tests.needed import needed

AXE = Path(__file__).parents[2] / "github" / "node_modules" / "axe-core" / "axe.min.js"
Opened = Callable[..., Page]


@pytest.fixture
def opened(chromium: Browser, dashboard: Dashboard, tmp_path: Path) -> Iterator[Opened]:  # noqa: F811  # a fixture
    """Open the file; what the browser complains of, or asks for, fails the test."""
    path = tmp_path / "dashboard.html"
    path.write_text(html.document(dashboard), encoding="utf-8")
    contexts, complaints = [], []

    def call(**options: object) -> Page:
        contexts.append(chromium.new_context(**options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("request", lambda request: complaints.append(request.url))
        page.goto(path.as_uri())
        return page

    yield call
    for context in contexts:
        context.close()
    assert [one for one in complaints if one != path.as_uri()] == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 1_300), ("dark", 360)])
def test_axe_finds_nothing(opened: Opened, scheme: str, width: int):
    """With rows unfolded, on a wide screen and on a narrow one, which nothing makes wider."""
    needed(AXE.exists(), "axe-core", mend="npm ci --prefix tests/github")
    # A policy that allows no script stops axe as well: the browser is told to pass it over for this test alone.
    page = opened(color_scheme=scheme, bypass_csp=True, viewport={"width": width, "height": 800})
    page.evaluate("document.querySelector('details').open = true")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []


def test_a_figure_leads_to_its_rows(opened: Opened):
    """Also where these are folded away: the browser unfolds them."""
    page = opened()
    rows = page.locator("#rows-drawn")
    expect(rows).to_be_hidden()
    page.get_by_role("link", name="16 drawn at random").first.click()
    expect(rows).to_be_visible()
    expect(rows).to_be_in_viewport()
    page.locator("svg.chart a").first.click()
    expect(page.locator("#rows-risks-1")).to_be_in_viewport()


def test_the_style_holds_and_nothing_else_is_allowed(opened: Opened):
    """The policy lets the style sheet in; a script or a style that somebody adds does nothing."""
    page = opened()
    assert page.evaluate("getComputedStyle(document.querySelector('.tiles')).display") == "grid"
    assert page.evaluate("document.querySelectorAll('[style], script').length") == 0


def test_it_can_be_printed(opened: Opened):
    """Rows are left out, charts and figures are there, in the colours of paper whatever the screen has."""
    page = opened(color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.locator(".behind")).to_be_hidden()
    expect(page.locator("svg.chart").first).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('.dashboard h1')).color") == "rgb(0, 0, 0)"
