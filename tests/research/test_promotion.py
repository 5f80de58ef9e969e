"""Promotion and confirmation, from a study that was run to the files that a person gets, and the leaderboard."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from oversight.cli import run
from oversight.errors import ResearchError, UsageError, VaultError
from oversight.research import leaderboard
from oversight.research.promoted import read
from oversight.research.promotion import confirm, promote
from oversight.research.study import Study
from tests.research import grounds
from tests.research.grounds import GOOD, POOR, A, study


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study in which one experiment beat the default, and one did not."""
    return grounds.tried(tmp_path_factory.mktemp("study") / "s")


@pytest.fixture(scope="module")
def promoted(tried: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What promoting the best of it wrote."""
    output = tmp_path_factory.mktemp("promoted") / "method"
    assert promote(tried, None, output)["experiment"] == "e0001"
    return output


def test_the_best_is_promoted_with_its_evidence(tried: Study, promoted: Path) -> None:
    """Method, evidence and card; it begins in the shadow; the ledger's head and every count are in it."""
    assert json.loads((promoted / "method.json").read_text()) == {"method": "human-only", "parameters": {}}
    evidence = json.loads((promoted / "evidence.json").read_text())
    assert evidence["stage"] == "shadow"
    assert evidence["identity"] == GOOD.identity
    assert evidence["queries"]["asked"] == 2
    assert evidence["sealed"]["result"]["differences"]["default"]["value"] > 0
    last = json.loads((tried.vault / "ledger.jsonl").read_text().splitlines()[-1])
    assert evidence["ledger"] == {"entries": 4, "head": last["hash"]}
    assert "# `human-only`, in the shadow" in (promoted / "card.md").read_text()
    assert not (promoted / "method.py").exists()
    found = read(promoted / "method.json")
    assert found.configuration == GOOD
    assert found.origin == {"experiment": "e0001", "identity": GOOD.identity, "ledger": last["hash"]}


def test_promoting_again_scores_nothing_again(tried: Study, promoted: Path) -> None:
    """The same files come out; another experiment does not go into the same folder."""
    before = {path.name: path.read_bytes() for path in promoted.iterdir()}
    promote(tried, "e0001", promoted)
    assert {path.name: path.read_bytes() for path in promoted.iterdir()} == before
    with pytest.raises(UsageError, match="another method"):
        promote(tried, "e0002", promoted)


def test_a_written_method_comes_out_as_text_and_its_researcher_harmless(
    tried: Study, promoted: Path, tmp_path: Path
) -> None:
    """Its code is a file to be read; names of strangers neither move the cursor nor are markup in the card."""
    promote(tried, "e0002", tmp_path / "written")
    assert (tmp_path / "written" / "method.py").read_text() == POOR.code
    with pytest.raises(UsageError, match="sandbox alone"):
        read(tmp_path / "written" / "method.json")
    card = (tmp_path / "written" / "card.md").read_text()
    assert "<b>" not in card
    assert "\x1b" not in card
    assert "2 experiment(s) were scored on the sealed half" in card


def test_what_the_vault_was_not_asked_about_is_not_promoted(tried: Study, promoted: Path, tmp_path: Path) -> None:
    """A name that it has not heard, and a record that names another configuration than it was asked about."""
    with pytest.raises(VaultError, match="never asked"):
        promote(tried, "e0007", tmp_path / "x")
    records = tried.folder / "experiments.jsonl"
    whole = records.read_bytes()
    records.write_bytes(whole.replace(b'"human-only"', b'"mixed"'))
    try:
        with pytest.raises(ResearchError, match="not what the vault was asked"):
            promote(tried, "e0001", tmp_path / "x")
    finally:
        records.write_bytes(whole)
    assert not (tmp_path / "x").exists()


def test_a_promoted_method_is_trained_and_scored_where_no_query_was(
    tried: Study, promoted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By a worker, on the ground for confirmation; again it is told from the ledger, and promotion then shows it."""
    assert run(["research", "confirm", str(tried.folder), "e0001"]) == 0
    assert "e0001 on b, never queried: 300 changes" in capsys.readouterr().out
    (again,) = confirm(tried, "e0001")
    assert again["entry"] == json.loads((tried.vault / "ledger.jsonl").read_text().splitlines()[-1])["entry"]
    assert run(["research", "promote", str(tried.folder), "e0001", "--output", str(promoted)]) == 0
    assert "e0001 on the sealed half" in capsys.readouterr().out
    assert json.loads((promoted / "evidence.json").read_text())["confirmed"] == [again]
    assert "e0001 on b, never queried" in (promoted / "card.md").read_text()


def test_the_leaderboard_shows_what_people_judge_by(tried: Study, promoted: Path) -> None:
    """Best first, the series beside, the cost of the search, and what was sealed; no text of strangers as it is."""
    lines = leaderboard.lines(tried.folder)
    rows = [line.split()[:2] for line in lines[2:4]]
    assert rows[0] == ["e0001", "*"]
    assert rows[1][0] == "e0002"
    text = "\n".join(lines)
    assert "2 queries" in text
    assert "bits of the labels were told" in text
    assert "e0001 on the sealed half" in text
    assert "\x1b" not in text


@pytest.fixture
def fresh(tmp_path: Path) -> Study:
    """A study that nobody has asked anything about, without a ground for confirmation."""
    return study(tmp_path / "s", A)


def test_where_nothing_beat_the_default_there_is_nothing_to_promote(fresh: Study, tmp_path: Path) -> None:
    """Said with what to do; a study without grounds for confirmation says so as well, and the leaderboard is empty."""
    with pytest.raises(VaultError, match="no experiment has beaten"):
        promote(fresh, None, tmp_path / "x")
    with pytest.raises(ResearchError, match="no ground for confirmation"):
        list(confirm(fresh, "e0001"))
    assert "0 queries" in "\n".join(leaderboard.lines(fresh.folder))


def test_verdicts_are_those_of_the_interval() -> None:
    """Above, below, not to be told, and no interval at all."""

    def verdict(low: float | None, high: float) -> str:
        interval = None if low is None else [low, high]
        told = {"value": high, "interval": interval, "reason": "too few"}
        return leaderboard.verdict({"result": {"differences": {"default": told}}})

    assert "above the hand-chosen" in verdict(0.01, 0.02)
    assert "below the hand-chosen" in verdict(-0.02, -0.01)
    assert "includes 0" in verdict(-0.01, 0.01)
    assert "too few" in verdict(None, 0.0)
