"""The pages: valid, self-contained, escaped whatever anybody wrote, and of the same numbers as the report."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import html5lib
import pytest

from oversight.audit.budget import telling
from oversight.audit.budget.beside import Beside
from oversight.audit.budget.spending import parse
from oversight.audit.dashboard import Dashboard, gather, html, tables
from oversight.audit.dashboard.model import Behind
from oversight.audit.dashboard.rows import Place
from oversight.audit.dashboard.view import percent, view
from oversight.audit.store import Store, canaries
from oversight.audit.store.queue import Scope, fill
from oversight.cli import run
from tests.audit.builders import verdict
from tests.audit.dashboard.stores import NAME, NOW, change, flock, measured
from tests.reports.examples import HOSTILE

_LOADS = {"script", "link", "img", "iframe", "object", "embed", "form", "base", "audio", "video", "image", "use"}


class Server:
    """Links as a server has them."""

    def rows(self, behind: Behind) -> str:
        return f"/dashboard/rows/{behind.table}?section={behind.section or ''}"

    def change(self, place: Place) -> str | None:
        return f"/changes/{place.repository}/{place.commit}"


class Read(HTMLParser):
    """What is in a page: elements with their attributes, and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def page(dashboard: Dashboard) -> str:
    return html.document(dashboard)


def valid(page: str) -> None:
    """Fail where a strict parser finds an error, an id stands twice, or a link leads nowhere."""
    html5lib.HTMLParser(strict=True).parse(page)
    elements = Read(page).elements
    ids = [told["id"] for _, told in elements if "id" in told]
    assert len(ids) == len(set(ids))
    for tag, told in elements:
        assert tag not in _LOADS
        assert not any(
            name == "style" or name.startswith("on") or name in ("src", "srcset", "xlink:href") for name in told
        )
        if "href" in told:
            address = told["href"] or ""
            assert address.startswith("#")
            assert address[1:] in ids, address
        for name in ("aria-labelledby",):
            assert told.get(name) is None or told[name] in ids


def test_a_file_is_valid_and_needs_nothing(page: str):
    """No script, no style attribute, no address but those inside of it, all of which are there."""
    valid(page)


def test_a_policy_allows_the_one_style_sheet_and_nothing_else(page: str):
    """Its hash is that of what stands in the file, and it stands before it."""
    (style,) = re.findall("<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    (policy,) = re.findall('http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    policy = policy.replace("&#39;", "'")
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert page.index("Content-Security-Policy") < page.index("<style>")
    assert not re.search(r"url\(|@import|https?:", style)


def test_numbers_are_those_of_the_report(database: Path, tmp_path: Path):
    """Each figure of `audit report --format json` stands on the page, with its interval."""
    report = ["audit", "report", "--repository", NAME, "--database", f"sqlite:///{database}"]
    path = tmp_path / "page.html"
    assert run([*report, "--format", "json", "--output", str(tmp_path / "page.json")]) == 0
    assert run([*report, "--html", str(path)]) == 0
    told = json.loads((tmp_path / "page.json").read_text())
    text = Read(path.read_text(encoding="utf-8")).text
    for key in ("recall", "risky_share", "blind", "precision"):
        low, high = (percent(bound).replace("\u00a0%", "") for bound in told[key]["interval"])
        assert re.search(rf"{re.escape(percent(told[key]['value']))[:-3]}.{{0,30}}{low} to {high} %", text), key
    for key in ("missed", "cost_per_catch"):
        low, high = (f"{bound:,.1f}" for bound in told[key]["interval"])
        assert f"{told[key]['value']:.1f} 95 % interval {low} to {high}" in text
    for one in told["calibration"]["bins"]:
        assert percent(one["observed"]).replace("\u00a0", " ") in text


def test_a_page_and_a_report_have_one_source(dashboard: Dashboard):
    """What is on the page is each figure that is told as text, and no number of its own."""
    told = {one.name: one for one in telling.figures_of(dashboard.summary)}
    shown = view(dashboard)
    for measure in (*shown.first, *shown.others, *shown.calibration, shown.pgr):
        one = told[measure.name]
        assert (measure.reason is None) == (one.value is not None)
        assert measure.of == one.of
        assert (one.interval is not None) <= bool(measure.interval)


def test_models_in_the_shadow_are_compared(dashboard: Dashboard):
    """Each by a sentence, in which a name of strangers is text."""
    one = Beside("5e" * 32, f"<b>{HOSTILE}", "1", 4, 1, None, None, None, "too few")
    shown = html.fragment(replace(dashboard, beside=(one,)), Server())
    assert "<p>In the shadow, &lt;b&gt;" in shown
    assert "cannot be told from the model in use: too few." in shown
    assert "\x1b" not in shown


def test_a_small_dashboard(dashboard: Dashboard, golden: object):
    """How it reads, tag by tag."""
    shown = html.fragment(dashboard, Server())
    golden("dashboard/fragment.html", re.sub(r"\s*\n\s*", "\n", shown).strip() + "\n")  # type: ignore[operator]


def test_nothing_is_known_where_nothing_is(tmp_path: Path):
    """Insufficient data, with what is missing, and no number that looks like a figure."""
    with Store.open(f"sqlite:///{tmp_path}/audit.db") as store:
        page = html.document(gather(store, at=NOW))
    valid(page)
    text = Read(page[page.index("<body") :]).text
    assert text.count("insufficient data") >= 10
    assert "0 judged changes, and 10 are needed" in text
    assert "0.0" not in text
    assert "0 %" not in text.replace("20 %", "")


def test_below_the_floor_there_is_no_figure(dashboard: Dashboard):
    """Four canaries of a class are no recall, and it is said how many are needed."""
    text = Read(html.fragment(dashboard, Server())).text
    assert "lock-dropped 4 insufficient data 4 canaries, and 10 are needed" in text
    assert "guard-removed 12 50.0 % 25.4 to 74.6 % 12 canaries" in text
    assert "insufficient data: the gap is not significant" in text


def test_hostile_text_is_shown_and_does_nothing(tmp_path: Path):
    """Titles, names, classes, versions and methods of others make no element, and no character that hides or moves."""
    evil = f'"><script>alert(1)</script><img src=x onerror=alert(1)>{HOSTILE}'
    told = change(7, flagged=False)
    told["change"] |= {"title": evil, "repository": f"octo/{evil}"}
    told["model"] |= {"name": evil, "version": evil}
    names = dict.fromkeys(("version", "method", "weak", "repository", "tip", "when"), evil)
    runs = [measured(1, 0.5, **names), measured(2, 0.6, **names), measured(3, None, reason=evil, metric=evil)]
    with Store.open(f"sqlite:///{tmp_path}/audit.db") as store:
        store.add_report(told, source="import", at=NOW)
        planted = flock(1, 2, evil)
        reviewed = [replace(one, kind=evil[:32], language=evil[:16]) for one in planted.reviewed]
        for number in (1, 2):
            canaries.keep(store.engine, replace(planted, seed=number, reviewed=tuple(reviewed)))
        fill(store.engine, parse("100%"), Scope(), now=NOW, seed="s")
        store.append([verdict("risky", change_id=f"{7:040x}")])
        found = gather(store, measured=runs, at=NOW)
    for page in (html.document(found), html.fragment(found, Server())):
        read = Read(page)
        assert not {tag for tag, _ in read.elements} & _LOADS
        assert not any(name.startswith("on") for _, told in read.elements for name in told)
        assert "<script>alert(1)</script>" in read.text
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ud800-\udfff]", page)
    valid(html.document(found))


def test_rows_are_cut_in_a_file_and_paged_on_a_server(dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch):
    """A file has the first rows of each section, and says of how many; pages go through all, each row once."""
    monkeypatch.setattr(html, "_MOST_ROWS", 3)
    page = html.document(dashboard)
    valid(page)
    assert "of which the first 3" in page
    table = tables.table(dashboard, "rest")
    seen = []
    for start in range(0, table.count, 10):
        part = html.page_of(table, None, start, 10)
        seen += [row[0] for _, rows in part.sections for row in rows]
        assert part.total == table.count == 64
    assert len(seen) == len({json.dumps(str(one)) for one in seen}) == 64
    ((section, rows),) = html.page_of(tables.table(dashboard, "picked"), "agent", 0, 100).sections
    assert (section.key, len(rows)) == ("agent", len(section.items))
    shown = html.rows(html.page_of(table, None, 0, 5), Server())
    assert shown.count('<a href="/changes/octo/repo/') == 5
    assert "There are no such rows." in html.rows(html.page_of(table, "nobody", 0, 5), Server())
