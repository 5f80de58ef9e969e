"""Studies on the pages: what they have come to, for whoever may see it, beside a run, and nobody's markup."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from oversight.errors import ConfigError, VaultError
from oversight.research.study import Study
from oversight.research.vault.client import Vault
from oversight_server.pages.access import Role
from oversight_server.pages.research import studies
from oversight_server.pages.research.shelf import Shelf
from oversight_server.pages.research.studies import studies_of
from oversight_server.pages.research.view import board_of
from oversight_server.settings import load
from tests.server.client import SECRET
from tests.server.thread import Served
from tests.server.visitor import Visitor, known_as, text_of

STUDY = "/research/first"


def test_a_study_says_what_it_has_come_to(auditor: Visitor):
    """Progress and budget, grounds, figures with intervals, what was refused and why, the notebook, the ledger."""
    listed = text_of(auditor.open("/research"))
    assert "first a, b (confirmation) 3 3" in listed
    answer = auditor.open(STUDY)
    text = text_of(answer)
    for said in (
        "Queries 3 of 120 117 left, 40 at most for each researcher",
        "80 human labels in 2 draws, weak reviewer panel",
        "Diversity 1.58 bits entropy over 3 method families",
        "b confirmation, never queried 200 300 20 to 20",
        "e0001 best then mixer human-only",
        "the hand-chosen default",
        "e0003 filter naive the same order as that of e0002 copy",
        "Nothing was promoted",
        "25 findings, the newest first",
        "4 entries; the head",
    ):
        assert said in text
    page = answer.content.decode()
    assert len(re.findall(r'<svg class="interval" viewBox="0 0 160 14"', page)) == 13
    assert re.search(r"<b>0\.\d\d</b> <span class=\"reach\">-?\d\.\d\d to \d\.\d\d</span>", page)


def test_it_is_read_beside_a_run_and_nothing_is_written(auditor: Visitor, studied: Study):
    """The vault of a run has its lock, and the page is there all the same; no file of the study changes."""

    def state() -> dict[Path, tuple[int, int]]:
        files = [path for path in studied.folder.rglob("*") if path.is_file()]
        return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in files}

    with Vault(studied.vault):
        before = state()
        assert "e0001" in text_of(auditor.open(STUDY))
        assert state() == before


def test_texts_of_researchers_are_text(auditor: Visitor):
    """In names and findings, on the page; nothing is inline, as the policy of all pages has it."""
    page = auditor.open(STUDY).content.decode()
    assert "&lt;script&gt;hit()&lt;/script&gt;" in page
    assert "&lt;b&gt;evil" in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert not re.search(r"<script(?! src)|<style| style=|<b>evil", page)


def test_the_notebook_is_paged_newest_first(auditor: Visitor):
    """Every finding is on one page, and no further."""
    first, second = (text_of(auditor.open(f"{STUDY}?page={number}")) for number in (1, 2))
    assert first.index("finding 23") < first.index("finding 22")
    assert "finding 5" in first
    assert "finding 0" in second
    assert "finding 23" not in second
    assert "finding" in text_of(auditor.open(f"{STUDY}?page=9"))


def test_a_study_with_as_many_labels_as_needed(auditor: Visitor, studied: Study):
    """Which is how one is laid where nobody says how many: its page is there, and says so."""
    folder = studied.folder.parent / "usual"
    shutil.copytree(studied.folder, folder)
    try:
        told = json.loads((folder / "study.json").read_text())
        told["plan"]["human"] = None
        (folder / "study.json").write_text(json.dumps(told))
        answer = auditor.open("/research/usual")
        assert answer.status == 200
        assert "300 or more human labels in 2 draws" in text_of(answer)
        assert auditor.open("/research").status == 200
    finally:
        shutil.rmtree(folder)


def test_who_may_see_studies(staged: Served, auditor: Visitor):
    """Whoever came by the token and whom the setting names; for others there is no such page, whatever their roles."""
    assert "Research" in text_of(auditor.open("/queue"))
    ann = known_as(staged, "ann")
    assert ann.open("/research").status == 200
    assert ann.open(STUDY).status == 200
    bob = known_as(staged, "bob", octo__repo=Role.ADMIN)
    assert "Research" not in text_of(bob.open("/queue"))
    assert (bob.open("/research").status, bob.open(STUDY).status) == (404, 404)
    assert Visitor(staged.port).open(STUDY).headers["location"].startswith("/login")
    for name in ("none", "..%2ffirst", "vault"):
        assert auditor.open(f"/research/{name}").status == 404


def test_folders_are_studies_or_hold_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Two of a name have two; what is no study is none, and one that is there later shows."""
    for folder in ("a/s", "b/s", "b/t", "c/no"):
        (tmp_path / folder).mkdir(parents=True)
    for folder in ("a/s", "b/s", "b/t"):
        (tmp_path / folder / "study.json").write_text("{}")
    found = studies_of([tmp_path / "a" / "s", tmp_path / "b", tmp_path / "c", tmp_path / "later"])
    assert found is not None
    assert found.found() == {"s": tmp_path / "a/s", "s-2": tmp_path / "b/s", "t": tmp_path / "b/t"}
    assert studies_of([]) is None
    monkeypatch.setattr(studies.os, "name", "nt")
    with pytest.raises(ConfigError, match="Linux and macOS"):
        studies_of([tmp_path])


def test_a_study_that_cannot_be_read_says_so(staged: Served, auditor: Visitor, studied: Study):
    """In the list, where the others stay, and on its own page; its path is not told."""
    folder = studied.folder.parent / "broken"
    folder.mkdir()
    (folder / "study.json").write_text("[]")
    try:
        listed = text_of(auditor.open("/research"))
        assert "broken cannot be read the study's file is damaged" in listed
        assert "first" in listed
        answer = auditor.open("/research/broken")
        assert answer.status == 503
        assert str(folder) not in answer.content.decode()
    finally:
        (folder / "study.json").unlink()
        folder.rmdir()


def test_a_vault_is_asked_again_once_its_ledger_has_grown(tmp_path: Path):
    """And where it gives nothing, not for every reload."""
    asked: list[Path] = []
    moment = [0.0]

    def read(study: Path) -> dict[str, Any]:
        asked.append(study)
        if not (study / "vault").exists():
            raise VaultError("the vault's labels cannot be read", mend="start another study")
        return {"asked": len(asked)}

    shelf = Shelf(read, lambda: moment[0])
    for again in (0.0, 9.0):
        moment[0] = again
        with pytest.raises(VaultError, match="cannot be read"):
            shelf.board(tmp_path)
    assert len(asked) == 1
    moment[0] = 11.0
    (tmp_path / "vault").mkdir()
    assert shelf.board(tmp_path) is shelf.board(tmp_path)
    (tmp_path / "vault" / "ledger.jsonl").write_text("an entry\n")
    assert shelf.board(tmp_path) == {"asked": 3}


def test_parameters_stand_only_beside_what_the_vault_was_asked(studied: Study):
    """A record that names another configuration under the same name adds nothing to a figure."""
    with Vault(studied.vault, people=True) as vault:
        told = vault.board()
    for query in told["queries"]:
        query["configuration"] = "0" * 16
    assert not any(row.parameters for row in board_of(told, studied.records()).rows)


def test_readers_are_logins():
    """Several, with commas between; anything else is refused with the setting's name."""
    pages = {"studies": "/a:/b", "study_readers": "ann, Bob-2"}
    settings = load(webhook_secret=SECRET, pages=pages)
    assert (settings.pages.folders, settings.pages.logins) == ((Path("/a"), Path("/b")), ("ann", "Bob-2"))
    with pytest.raises(ConfigError, match="OVERSIGHT_PAGES__STUDY_READERS"):
        load(webhook_secret=SECRET, pages={"study_readers": "<b>"})
