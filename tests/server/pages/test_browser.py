"""The pages in a real browser: keys, htmx, focus, what is announced, without scripts, in the dark, and to axe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from oversight.audit.store import Store
from oversight_server.pages.access import Role
from tests.browser import chromium  # noqa: F401  # fixture
from tests.needed import needed
from tests.server.pages.scene import NAME, TOLD, Scene
from tests.server.thread import Served
from tests.server.visitor import known_as

AXE = Path(__file__).parents[2] / "github" / "node_modules" / "axe-core" / "axe.min.js"
STUDY = "/research/first"
SHOWN = "the model, the principles and other people"
Opened = Callable[..., Page]


@pytest.fixture
def opened(chromium: Browser, staged: Served) -> Iterator[Opened]:  # noqa: F811  # a fixture
    """Open pages as somebody who has logged in; whatever the browser complains of fails the test."""
    contexts, complaints = [], []

    def call(path: str = "/queue", *, who: str = "ann", **options: object) -> Page:
        site = f"http://127.0.0.1:{staged.port}"
        contexts.append(chromium.new_context(base_url=site, **options))
        cookies = known_as(staged, who, octo__repo=Role.AUDITOR).cookies
        contexts[-1].add_cookies([{"name": name, "value": value, "url": site} for name, value in cookies.items()])
        page = contexts[-1].new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        return page

    yield call
    for context in contexts:
        context.close()
    # What is wrong with a form is answered 422, which the browser tells the console.
    assert [one for one in complaints if "422" not in one] == []


def said(staged: Served) -> list[tuple[str, str, str]]:
    """Commit, decision and reason of all that is on record."""
    record = Store(staged.app.state.access.sessions.engine).record()
    return [(one.change_id, one.decision.value, one.note) for one in record.verdicts]


def came(page: Page, title: str) -> None:
    """Wait for a page, and for its scripts, which take keys."""
    expect(page.locator("h1")).to_contain_text(title)
    page.wait_for_load_state("load")


def test_three_changes_by_keys_alone(opened: Opened, staged: Served, scene: Scene):
    """From the queue to verdicts on the ledger: hunks, reasons, help, and the focus where one goes on."""
    before = said(staged)
    page = opened()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.click("text=Drop a check")
    came(page, "Drop a check")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    expect(page.locator("#hunk-1")).to_be_focused()
    page.keyboard.press("n")
    expect(page.locator("#live")).to_have_text("This is the last hunk of this page.")
    for key, reason, following in (("r", "no check", "hit()"), ("s", "", "Move a script"), ("u", "drew it", "Add a")):
        page.keyboard.press(key)
        expect(page.locator("#note")).to_be_focused()
        page.keyboard.type(reason)
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_contain_text(following)
        expect(page.locator("#main")).to_be_focused()
        expect(page.locator("#live")).to_contain_text("On record as")
        assert f"done={scene.commits['check' if key == 'r' else 'hostile' if key == 's' else 'moved']}" in page.url
    page.keyboard.press("k")
    came(page, "Move a script")
    page.keyboard.press("q")
    came(page, "Queue")
    wanted = [(scene.commits["check"], "risky", "no check"), (scene.commits["hostile"], "safe", ""),
              (scene.commits["moved"], "unsure", "drew it")]  # fmt: skip
    assert said(staged)[len(before) :] == wanted


def test_a_reason_that_is_missing_is_asked_for(opened: Opened, staged: Served, scene: Scene):
    """The focus is on what is wrong, and Escape takes a choice back."""
    page = opened(scene.path("large"))
    page.keyboard.press("d")
    page.keyboard.press("Enter")
    expect(page.locator("#wrong")).to_be_focused()
    expect(page.locator("#wrong")).to_have_text("Say why the flag is not wanted.")
    page.keyboard.press("r")
    page.keyboard.press("Escape")
    assert page.locator("[name=decision]:checked").get_attribute("value") == "dismiss"
    assert scene.commits["large"] not in [commit for commit, _, _ in said(staged)]


def test_blind_hides_and_reveals(opened: Opened, staged: Served, scene: Scene):
    """What others think is not in the page at all until the verdict is on record; then all of it is."""
    page = opened("/queue?in=none", who="bob")
    page.click("text=Judge blind")
    expect(page.locator("text=Leave blind mode")).to_be_visible()
    page.goto(scene.path("notes"))
    assert "10%" not in page.content()
    expect(page.locator("#hidden")).to_contain_text(SHOWN)
    page.keyboard.press("s")
    page.keyboard.press("Enter")
    expect(page.locator("#done")).to_contain_text("On record as safe, judged blind.")
    expect(page.locator("#opinion")).to_contain_text("risk 10%")
    page.click("text=Go on to the next change")
    expect(page.locator("#hidden")).to_be_visible()


def test_without_scripts(opened: Opened, staged: Served, scene: Scene):
    """Reading, judging and going on are links and forms."""
    page = opened("/queue?judged=any", java_script_enabled=False)
    page.click("text=Drop a check")
    came(page, "Drop a check")
    assert TOLD in page.content()
    page.check("#say-unsure")
    page.fill("#note", "by hand")
    page.click("#verdict button")
    expect(page.locator("#done")).to_contain_text("On record as unsure")
    assert said(staged)[-1] == (scene.commits["check"], "unsure", "by hand")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened: Opened, scene: Scene, scheme: str):
    """In light and in dark, on a wide screen and a narrow one, with all that folds away unfolded."""
    needed(AXE.exists(), "axe-core", mend="npm ci --prefix tests/github")
    page = opened(color_scheme=scheme)
    axe = AXE.read_text(encoding="utf-8")
    queue = ("/queue?show=all&judged=any", "/queue?in=none")
    for path in (*queue, scene.path("moved"), scene.path("check"), "/dashboard", "/research", STUDY):
        page.goto(path)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        page.evaluate(axe)
        for width in (1_300, 380):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == [], path
    page.keyboard.press("?")
    assert page.evaluate("axe.run(document).then((found) => found.violations.length)") == 0


def test_nothing_hostile_has_run(opened: Opened, scene: Scene):
    """No script of a title, a path or a line, on any page."""
    page = opened()
    page.evaluate("window.hit = () => { window.was_hit = true; }")
    for path in ("/queue?judged=any", scene.path("hostile"), f"/queue?in={NAME}<script>hit()</script>", STUDY):
        page.goto(path)
        assert page.evaluate("typeof window.was_hit") == "undefined"
        assert page.locator("main script, main img").count() == 0
