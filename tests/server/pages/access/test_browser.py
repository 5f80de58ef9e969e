"""The login in a real browser, which says by itself where requests come from."""

from __future__ import annotations

from playwright.sync_api import Browser, Page

from tests.browser import chromium  # noqa: F401  # fixture
from tests.server.thread import Served
from tests.server.visitor import TOKEN

EVIL = """<form method=post action="{site}{path}"><input name=token value="{token}"><button>x</button></form>"""


def sent_by_another_site(page: Page, site: str, path: str) -> int:
    """The status that a form of a page at another port of this machine gets."""
    page.route("http://127.0.0.1:1/*", lambda route: route.fulfill(
        content_type="text/html", body=EVIL.format(site=site, path=path, token=TOKEN)
    ))  # fmt: skip
    page.goto("http://127.0.0.1:1/")
    with page.expect_response(f"{site}{path}") as answered:
        page.click("button")
    page.unroute_all()
    return answered.value.status


def test_a_login_by_token_and_forms_of_others(chromium: Browser, pages: Served):  # noqa: F811  # a fixture
    """Ours are heard though they send no referrer; another site's neither log anybody in nor out."""
    site = f"http://127.0.0.1:{pages.port}"
    context = chromium.new_context(base_url=site)
    page = context.new_page()
    assert sent_by_another_site(page, site, "/login/token") == 403
    assert context.cookies() == []
    page.goto("/queue?show=all")
    assert page.url == f"{site}/login?next=/queue%3Fshow%3Dall"
    page.fill("#token", TOKEN)
    page.click("main button")
    page.wait_for_url("/queue?show=all")
    (cookie,) = context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    assert page.evaluate("document.cookie") == ""
    assert sent_by_another_site(page, site, "/logout") == 403
    page.goto("/queue")
    page.click("text=Log out")
    page.wait_for_url("/login")
    assert context.cookies() == []
    page.go_back()
    page.wait_for_url("/login?next=/queue")
    context.close()
