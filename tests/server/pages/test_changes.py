"""The page of a change: all that is known, escaped; verdicts that land on the ledger; and what is hidden from whom."""

from __future__ import annotations

import getpass
import re

import pytest

from oversight.audit.store import Store
from oversight.audit.verdict import Decision, Selection, Shown, Source, Verdict
from oversight_server.pages.access import Role
from tests.server.client import Answer
from tests.server.pages.scene import NAME, TOLD, Scene
from tests.server.thread import Served
from tests.server.visitor import Visitor, known_as, text_of

OPINION = re.compile(
    "risk [0-9<]|riskiest|flagged|drawn|no-open-door|door|Read first|adds a call|What the report covers"
)


@pytest.fixture
def ledger(staged: Served) -> Store:
    """The server's store."""
    return Store(staged.app.state.access.sessions.engine)


def form(answer: Answer) -> dict[str, str]:
    """The hidden fields of the form for a verdict."""
    found = re.search(r'<form class="card verdict.*?</form>', answer.content.decode(), re.DOTALL)
    assert found is not None
    return dict(re.findall(r'<input type="hidden" name="(said|next)" value="([^"]*)">', found[0].replace("&amp;", "&")))


def judged(store: Store, commit: str) -> list[Verdict]:
    return [one for one in store.record().verdicts if one.change_id == commit]


def blind(somebody: Visitor) -> Visitor:
    assert somebody.send("/blind", {"on": "1"}).status == 303
    return somebody


def test_all_that_is_known_stands_there(auditor: Visitor, scene: Scene):
    """Title, origin, opinion, hunks with their risks, findings at their lines, the past, and where one is."""
    answer = auditor.open(scene.path("check"))
    text = text_of(answer)
    for part in (
        "1 of 5 changes", "Drop a check", "It was slow.", "octo/repo #7", "agent-written", "Flagged risk 50%",
        "riskier than 90% of", "Hunk 1 of 1", "adds a call of render", f"no-open-door {TOLD}", "What the report covers",
        "Before: 2 changes by 2 people; 1 repair among them", "Fix the view",
    ):  # fmt: skip
        assert part in text
    page = answer.content.decode()
    assert re.search(r'<td class="no">2</td><td class="sign">\+</td>.*?verify.*?</tr>\s*<tr class="told">', page)
    assert '<span class="t-key">def</span> <span class="t-name">f</span>' in page
    assert "style=" not in page
    assert not re.search(r"<script(?! src=)|\son[a-z]+=", page)


def test_hostile_text_is_text(auditor: Visitor, scene: Scene):
    """In titles, paths, names and lines: markup is escaped, and what hides or reorders text is shown."""
    page = auditor.open(scene.path("hostile")).content.decode()
    assert "<script>hit" not in page
    assert "<img src=x" not in page
    assert "<b>" not in page
    assert not set("\u202e\x1b\u200b\x00\r") & set(page)
    assert r'<span class="odd">\x1b</span>' in page
    assert r'<span class="odd">\u202e</span>' in page
    assert "{{ 7 * 7 }}" in page


def test_files_without_lines_say_what_they_are(auditor: Visitor, scene: Scene):
    """Renamed, of another mode, binary."""
    text = text_of(auditor.open(scene.path("moved")))
    assert "start.sh from run.sh renamed mode 100644 to 100755 No line of it is changed." in text
    assert "logo.png modified binary A binary file has no lines to show." in text


def test_a_large_diff_comes_in_parts_and_nothing_is_left_out(auditor: Visitor, scene: Scene):
    """Each says so and leads to the others; a line that is too long for a row goes on in the next ones."""
    pages = [auditor.open(scene.path("large", f"?part={part}")).content.decode() for part in (1, 2, 3)]
    assert "it is shown in 3 parts, and this is part 1" in pages[0]
    assert "Hunk 1 of 1, continued" in pages[1]
    shown = [int(number) for page in pages for number in re.findall(r"value_(\d+)", page)]
    assert shown == list(range(3_200))
    assert auditor.open(scene.path("large", "?part=99")).content.decode() == pages[2]
    long = auditor.open(scene.path("hostile")).content.decode()
    assert sum(map(len, re.findall("x{500,}", long))) == 9_000


def test_a_verdict_lands_on_the_ledger_and_leads_on(auditor: Visitor, scene: Scene, ledger: Store):
    """With what was shown; the next change says that it is on record, and the form sent again says nothing new."""
    first = auditor.open(scene.path("check"))
    fields = {**form(first), "decision": "risky", "note": " it drops\n the check "}
    answer = auditor.send(scene.path("check", "/verdict"), fields)
    assert answer.status == 303
    assert answer.headers["location"] == scene.path("hostile", f"?done={scene.commits['check']}")
    assert auditor.send(scene.path("check", "/verdict"), fields).headers["location"] == answer.headers["location"]
    (said,) = judged(ledger, scene.commits["check"])
    assert (said.who, said.decision, said.note, said.own) == (
        getpass.getuser(), Decision.RISKY, "it drops the check", False,
    )  # fmt: skip
    assert said.source == Source("pages", NAME, 7)
    assert said.shown == Shown(Selection.FLAGGED, 1.0, True, 0.5, 90.0, said.shown.model)
    assert "On record as risky" in text_of(auditor.open(answer.headers["location"]))
    text = text_of(auditor.open(scene.path("check")))
    assert "What people said risky" in text
    assert "4 changes to go through" in text


def test_who_judged_elsewhere_meanwhile_is_told(auditor: Visitor, scene: Scene, ledger: Store):
    """Another word from an old form is not put on record; sent once more it is."""
    old = form(auditor.open(scene.path("notes")))
    auditor.send(scene.path("notes", "/verdict"), {**old, "decision": "unsure"})
    answer = auditor.send(scene.path("notes", "/verdict"), {**old, "decision": "safe", "note": "kept"})
    assert answer.status == 422
    assert "You have judged this change since the form was made" in text_of(answer)
    assert 'value="kept"' in answer.content.decode()
    assert len(judged(ledger, scene.commits["notes"])) == 1
    auditor.send(scene.path("notes", "/verdict"), {**form(answer), "decision": "safe"})
    assert [one.decision.value for one in judged(ledger, scene.commits["notes"])] == ["unsure", "safe"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Choose what the change is"),
        ({"decision": "great"}, "Choose what the change is"),
        ({"decision": "dismiss", "note": " "}, "Say why the flag is not wanted"),
        ({"decision": "safe", "note": "x" * 2_001}, "more than 2,000 characters"),
    ],
)
def test_what_is_wrong_with_a_form_is_said(
    auditor: Visitor, scene: Scene, ledger: Store, fields: dict[str, str], said: str
):
    """And nothing is put on record."""
    answer = auditor.send(scene.path("moved", "/verdict"), {"said": "0", **fields})
    assert answer.status == 422
    assert said in text_of(answer)
    assert not judged(ledger, scene.commits["moved"])


def test_blind_hides_until_the_verdict_and_the_record_says_so(staged: Served, scene: Scene, ledger: Store):
    """Opinion, findings, others' words and the link; afterwards they are shown, and nobody is blind twice."""
    ann = blind(known_as(staged, "ann", octo__repo=Role.AUDITOR))
    path = scene.path("check")
    page = ann.open(path)
    text = text_of(page)
    assert not OPINION.search(text.partition("Skip to the content")[2].partition("Your verdict What")[0])
    assert "Blind." in text
    assert "return render(user, verify=" in text
    answer = ann.send(f"{path}/verdict", {**form(page), "decision": "safe"})
    assert answer.headers["location"].startswith(f"{path}?done=")
    shown = text_of(ann.open(answer.headers["location"]))
    assert "On record as safe, judged blind." in shown
    assert OPINION.search(shown)
    again = ann.send(f"{path}/verdict", {**form(page), "decision": "safe"})
    assert again.headers["location"] == answer.headers["location"]
    (said,) = [one for one in judged(ledger, scene.commits["check"]) if one.who == "ann"]
    assert said.shown == Shown(Selection.FLAGGED, 1.0, model=said.shown.model, blind=True)
    assert said.shown.model is not None  # whose report it was
    ann.send(f"{path}/verdict", {**form(ann.open(path)), "decision": "risky"})
    assert judged(ledger, scene.commits["check"])[-1].shown.blind is False


def test_who_has_seen_is_not_blind(staged: Served, scene: Scene, ledger: Store):
    """Whatever they wish for afterwards, and also where they saw it in the list."""
    bob = known_as(staged, "bob", octo__repo=Role.AUDITOR)
    bob.open("/queue")
    page = blind(bob).open(scene.path("large"))
    assert OPINION.search(text_of(page))
    assert "You have been shown before what the report says of this change" in text_of(page)
    bob.send(scene.path("large", "/verdict"), {**form(page), "decision": "unsure"})
    assert judged(ledger, scene.commits["large"])[-1].shown.blind is False


def test_a_word_for_ones_own_change_does_not_count(staged: Served, scene: Scene, ledger: Store):
    """It is said beforehand, and on record."""
    author = known_as(staged, "bo@example.org", octo__repo=Role.AUDITOR)
    page = author.open(scene.path("notes"))
    assert "This is your own change" in text_of(page)
    answer = author.send(scene.path("notes", "/verdict"), {**form(page), "decision": "safe"})
    assert judged(ledger, scene.commits["notes"])[-1].own
    assert "so that this does not count" in text_of(author.open(answer.headers["location"]))


def test_roles(staged: Served, scene: Scene, ledger: Store):
    """A viewer looks and does not judge; for a stranger there is no such change, as there is none that is not there."""
    viewer = known_as(staged, "vi", octo__repo=Role.VIEWER)
    page = text_of(viewer.open(scene.path("moved")))
    assert "To judge it takes write access" in page
    assert viewer.send(scene.path("moved", "/verdict"), {"decision": "safe", "said": "0"}).status == 403
    stranger = known_as(staged, "eve", octo__other=Role.ADMIN)
    there, not_there = (stranger.open(scene.path("moved")), stranger.open(f"/changes/octo/repo/{'1' * 40}"))
    assert (there.status, there.content) == (not_there.status, not_there.content)
    assert there.status == 404
    assert stranger.send(scene.path("moved", "/verdict"), {"decision": "safe", "said": "0"}).status == 404
    assert not judged(ledger, scene.commits["moved"])


def test_addresses_that_lead_nowhere(auditor: Visitor, scene: Scene, ledger: Store):
    """Commits that nobody knows, words that are none, repositories of odd names: 404, and nothing else."""
    for path in (f"/changes/octo/repo/{'1' * 40}", "/changes/octo/repo/main", "/changes/%2e%2e/%00/abc", "/changes/a"):
        assert auditor.open(path).status == 404
    first = scene.repository.git("rev-list", "--max-parents=0", "HEAD")
    text = text_of(auditor.open(f"/changes/octo/repo/{first}"))
    assert "The store has no report on this change" in text
    said = auditor.send(f"/changes/octo/repo/{first}/verdict", {"decision": "unsure", "said": "0"})
    assert said.headers["location"] == f"/changes/octo/repo/{first}?done={first}"
    (verdict,) = judged(ledger, first)
    assert (verdict.shown, verdict.source) == (Shown(Selection.REQUEST), Source("pages", "octo/repo"))
    assert auditor.open(f"/changes/octo/elsewhere/{scene.commits['notes']}").status == 404
