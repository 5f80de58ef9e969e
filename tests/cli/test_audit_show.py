"""`oversight audit show` on a real terminal, with a real repository and a real store."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from oversight.audit.store import Store
from oversight.audit.store.queue import find
from oversight.audit.verdict import Decision, Selection, Shown, Verdict
from tests.builders import GitRepository
from tests.cli.conftest import PROGRAM, Oversight
from tests.terminals import Terminal, running

HOSTILE = "\x1b[2J\x1b[Hpwned\x1b]0;title\x07\u202etxt\r\x9b31m[bold red]::error::x[/]\x08\x7f"
OURS = re.compile(rb"\x1b\[[0-9;]*m|\x1b\[H|\x1b\[\?(?:1049|25|2004)[hl]")
"""What rich writes to paint a screen: colours, home, the other screen, the cursor, pasting."""


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a database, which commands find by themselves."""
    place = f"sqlite:///{tmp_path}/shown.db"
    monkeypatch.setenv("OVERSIGHT_DATABASE_URL", place)
    monkeypatch.setenv("OVERSIGHT_AUDITOR", "ann")
    return place


@pytest.fixture
def reviewed(oversight: Oversight, repository: GitRepository, url: str, tmp_path: Path) -> GitRepository:
    """A repository with two changes on record and in the queue."""
    for name in ("HEAD", "HEAD~1^2"):
        report(oversight, repository, name, tmp_path)
    assert oversight("audit", "queue", "--budget", "100%", "--share", "0.01", "--blind").code == 0
    return repository


def report(oversight: Oversight, repository: GitRepository, revision: str, folder: Path) -> None:
    """Review a revision and put the report on record."""
    file = folder / "one.json"
    done = oversight("review", revision, "--repo", repository.path, "--format", "json", "--output", file)
    assert done.code == 0
    assert oversight("audit", "import", file, "--repository", "octo/repo").code == 0


@contextmanager
def showing(repository: GitRepository, *arguments: str, columns: int = 100, rows: int = 40) -> Iterator[Terminal]:
    """`audit show` on a terminal, once it shows something."""
    command = [PROGRAM, "audit", "show", *arguments, "--repo", repository.path]
    with running(command, columns=columns, rows=rows) as terminal:
        terminal.until("q quit")
        yield terminal


def said(url: str) -> list[Verdict]:
    """What is on record, of a chain that holds."""
    with Store.open(url) as store:
        assert store.verify() is None
        return list(store.record().verdicts)


def told_of(url: str, commit: str) -> tuple[float, Shown]:
    """The risk of a change on record, and what who sees it is shown."""
    with Store.open(url) as store:
        (entry,) = find(store.engine, commit)
    assert entry.risk is not None
    return entry.risk, entry.shown()


def test_a_verdict_lands_in_the_ledger_with_what_was_shown(reviewed: GitRepository, url: str):
    """Who, what, why, and the opinion that was on the screen; the terminal is left as it was found."""
    with showing(reviewed, "HEAD") as terminal:
        assert "Add a loop" in terminal.screen
        assert "+    for i in range(3):" in terminal.screen
        assert re.search(r"hunk 1 of 1 == b\.py:2-3 == risk \S+%", terminal.screen)
        assert "1 change by 1 person (ada@example.org 1)" in terminal.screen
        terminal.press("r", shows="risky, because: _")
        terminal.press("it lops\x7f\x7fops ☃", shows="it loops ☃_")
        terminal.press("\r", shows="On record as risky, entry 1 of the ledger.")
        assert "ann: risky: it loops ☃" in terminal.screen
        assert terminal.leave() == 0
    (verdict,) = said(url)
    risk, shown = told_of(url, reviewed.commits[-1])
    assert (verdict.change_id, verdict.who, verdict.decision) == (reviewed.commits[-1], "ann", Decision.RISKY)
    assert (verdict.note, verdict.source.kind, verdict.source.repository) == ("it loops ☃", "terminal", "octo/repo")
    assert verdict.shown == shown
    assert (shown.risk, shown.selection, shown.blind) == (risk, Selection.FLAGGED, False)


def test_blind_hides_what_others_think_until_the_verdict(reviewed: GitRepository, url: str):
    """No risk, flag, reason or other person's word before; all of it after, when nobody is blind any more."""
    with Store.open(url) as store:
        (entry,) = find(store.engine, reviewed.commits[-1])
        from tests.audit.builders import verdict

        store.append([verdict("safe", who="bob", change_id=entry.commit, note="fine by me")])
    with showing(reviewed, "HEAD", "--blind") as terminal:
        seen = terminal.screen
        terminal.press("G", shows="100%")
        seen += terminal.screen
        for word in ("risk ", "FLAGGED", "bob", "fine by me", "riskier", "adds", "place"):
            assert word not in seen
        assert "1 of 2, blind" in seen
        assert "+    for i in range(3):" in seen
        terminal.press("s\r", shows="On record as safe")
        terminal.until("risk ")
        assert "bob: safe: fine by me" in terminal.screen
        assert "ann: safe (blind)" in terminal.screen
        terminal.press("u\r", shows="On record as unsure")
        assert terminal.leave() == 0
    _, blind, open_ = said(url)
    assert blind.shown == Shown(Selection.FLAGGED, 1.0, model=open_.shown.model, blind=True)
    assert blind.shown.model is not None
    assert open_.shown == told_of(url, reviewed.commits[-1])[1]
    with showing(reviewed, "HEAD", "--blind") as terminal:
        assert "What people said" in terminal.screen  # who has seen it is not blind the next day either
        assert terminal.leave() == 0


def test_who_has_seen_the_answer_is_blind_no_more(reviewed: GitRepository, url: str):
    """Whoever they say they are: it is the name on record that counts."""
    with showing(reviewed, "HEAD", "--who", "bob") as terminal:
        assert terminal.leave() == 0
    with showing(reviewed, "HEAD", "--who", "bob", "--blind") as terminal:
        assert "blind" not in terminal.screen
        assert re.search(r"risk \S+%", terminal.screen)
        assert terminal.leave() == 0
    with showing(reviewed, "HEAD", "--blind") as terminal:
        assert "1 of 2, blind" in terminal.screen
        assert terminal.leave() == 0


def test_nothing_is_on_record_by_accident(reviewed: GitRepository, url: str):
    """A question that is left, a dismissal without a reason, and text that was pasted, say nothing."""
    with showing(reviewed, "HEAD") as terminal:
        terminal.press("s", shows="safe, because: _")
        terminal.press("\x1b", shows="q quit")
        terminal.press("d\r", shows="Say why the flag is not wanted.")
        terminal.press("\x1b", shows="q quit")
        terminal.press("\x1b[200~risky\rr\rq\r\x1b[201~")
        terminal.press("r", shows="risky, because: _")
        terminal.press("\x1b[200~two\nlines\r\x1b[201~", shows="two lines_")
        terminal.press("\x1b", shows="q quit")
        assert terminal.leave() == 0
    assert said(url) == []


def test_keys_go_through_the_queue_and_through_hunks(reviewed: GitRepository, monkeypatch: pytest.MonkeyPatch):
    """Without a commit the queue begins; j and k go on and back, and say where it ends."""
    monkeypatch.setenv("LINES", "50")  # of the window that a shell was started in, say
    with showing(reviewed, rows=12, columns=60) as terminal:
        assert terminal.lines[0].startswith(" 1 of 2: octo/repo")
        first = terminal.lines[0].split()[-2]
        terminal.press("k", shows="This is the first change that waits.")
        terminal.press("j", shows="2 of 2")
        assert first not in terminal.lines[0]
        terminal.press("j", shows="This is the last change that waits.")
        terminal.press("n")
        terminal.until("hunk 1 of")
        terminal.press("n", shows="This is the last hunk.")
        assert terminal.lines[1].startswith("== hunk 1 of")
        terminal.press("k", shows="1 of 2")
        assert first in terminal.lines[0]
        terminal.resize(100, 20)
        terminal.until("u unsure")
        assert terminal.lines[19].startswith(" s safe")
        assert terminal.leave() == 0


def test_a_hostile_change_moves_no_cursor(oversight: Oversight, url: str, tmp_path: Path):
    """Whatever stands in titles, names, paths and lines, only rich's own sequences reach the terminal."""
    repository = GitRepository.create(tmp_path / "hostile")
    path = "a\x1b[31m[red]\u202e.py"
    repository.commit("Start", {path: "x = 1\n"}, author=f"{HOSTILE[:20]} <\x1b[1m@x>".replace("\n", ""))
    repository.commit(f"{HOSTILE}\n\n{HOSTILE}", {path: f"x = 1\n# {HOSTILE}\n{'wide ' * 60}{HOSTILE}\n"})
    report(oversight, repository, "HEAD", tmp_path)
    with showing(repository, "HEAD", rows=30) as terminal:
        shown = terminal.screen
        terminal.press("n")
        terminal.press("r" + "\x9b31m", shows="because:")
        terminal.press("\x1b", shows="q quit")
        assert terminal.lines[0].startswith(" 1 of 1: octo/repo")
        assert terminal.lines[29].startswith(" s safe")
        shown += terminal.screen
        assert terminal.leave() == 0
    assert r"\x1b[2J\x1b[Hpwned\x1b]0;title\x07\u202etxt\r\u009b31m[bold red]" in shown.replace("\n", "").replace(
        "  ", ""
    )
    _, _, screens = terminal.raw.partition(b"\x1b[?1049h")  # before it came a progress bar, which shows nothing of it
    left = OURS.sub(b"", screens).decode()
    assert not re.search("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]", left)
    assert b"\rpwned" not in terminal.raw
    plain = oversight("audit", "show", "HEAD", "--repo", repository.path, "--plain").out
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", plain)
    assert "[bold red]" in plain


def test_without_a_terminal_it_is_text(oversight: Oversight, reviewed: GitRepository):
    """The same, also with --plain; blind it says nothing of what the model thinks."""
    told = oversight("audit", "show", "HEAD", "--repo", reviewed.path)
    assert (told.code, told.err) == (0, "")
    assert told.out == oversight("audit", "show", reviewed.commits[-1][:9], "--plain", "--repo", reviewed.path).out
    assert "== hunk 1 of 1 == b.py:2-3 == risk" in told.out
    assert "before: 1 change by 1 person" in told.out
    hidden = oversight("audit", "show", "HEAD", "--repo", reviewed.path, "--blind").out
    assert "risk " not in hidden
    assert "FLAGGED" not in hidden
    assert "+    for i in range(3):" in hidden


@pytest.mark.parametrize("listed", [("queue",), ("queue", "--format", "json"), ("show", "HEAD", "--plain")])
def test_who_was_told_as_text_is_blind_no_more(
    oversight: Oversight, reviewed: GitRepository, url: str, listed: tuple[str, ...]
):
    """Risks that were printed were seen, by whoever sat there; others are blind as before."""
    where = ("--repo", reviewed.path) if listed[0] == "show" else ()
    assert oversight("audit", *listed, *where, "--who", "bob").code == 0
    for who in ("ann", "bob"):
        assert oversight("audit", "verdict", reviewed.commits[-1], "safe", "--who", who, "--blind").code == 0
    assert [(one.who, one.shown.blind) for one in said(url)] == [("ann", True), ("bob", False)]


def test_blind_text_leaves_people_blind(oversight: Oversight, reviewed: GitRepository, url: str):
    """Neither the list nor the page tells a risk, a reason, or how a change got its place, and nobody is marked."""
    listed = oversight("audit", "queue", "--blind").out
    assert "2 changes to judge" in listed
    for word in ("risk ", "drawn at random, with", "look first", "riskier", "principle"):
        assert word not in listed
    (entry, _) = oversight("audit", "queue", "--blind", "--format", "json").json["entries"]
    assert not set(entry) & {"status", "risk", "percentile", "flagged", "selection", "propensity", "why", "look_first"}
    assert oversight("audit", "show", "HEAD", "--repo", reviewed.path, "--blind").code == 0
    assert oversight("audit", "verdict", reviewed.commits[-1], "safe", "--blind").code == 0
    assert [one.shown.blind for one in said(url)] == [True]


def test_to_read_needs_no_name(oversight: Oversight, reviewed: GitRepository, monkeypatch: pytest.MonkeyPatch):
    """Where nobody knows one, nothing is noted; one that is given has to be one."""
    monkeypatch.delenv("OVERSIGHT_AUDITOR")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    assert oversight("audit", "queue").code == 0
    assert oversight("audit", "show", "HEAD", "--repo", reviewed.path).code == 0
    assert oversight("audit", "queue", "--who", " ").code == 2


def test_what_cannot_be_shown_is_said(oversight: Oversight, reviewed: GitRepository, tmp_path: Path):
    """A commit without a report has its diff, a report without its commit its words; what neither has is refused."""
    bare = oversight("audit", "show", "HEAD~2", "--repo", reviewed.path)
    assert bare.code == 0
    assert "The store has no report on this change" in bare.out
    assert "+two" in bare.out
    elsewhere = oversight("audit", "show", reviewed.commits[-1], "--repo", tmp_path)
    assert elsewhere.code == 0
    assert "The diff cannot be shown" in elsewhere.out
    assert "b.py:2-3 risk" in elsewhere.out
    nowhere = oversight("audit", "show", "0" * 40, "--repo", reviewed.path)
    assert nowhere.code == 2
    assert "neither the store nor the repository" in nowhere.err
    assert oversight("audit", "show", "no such thing", "--repo", reviewed.path).code == 2
    assert oversight("audit", "show", "--repository", "octo/other").err.startswith("oversight: nothing waits")


def test_the_base_of_the_report_is_the_base_of_the_diff(
    oversight: Oversight, repository: GitRepository, url: str, tmp_path: Path
):
    """A report on a range is looked at as the range."""
    report(oversight, repository, "HEAD~3..HEAD", tmp_path)
    shown = oversight("audit", "show", "HEAD", "--repo", repository.path).out
    assert "+two" in shown
    assert "+    for i in range(3):" in shown
