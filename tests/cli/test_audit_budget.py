"""`oversight audit queue`, `verdict` and `report`: people are asked, answer, and are told what their answers show."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from oversight.audit.store import Store, listing
from oversight.audit.verdict import Decision, Selection, Verdict
from oversight.cli.audit.database import labels_of
from oversight.errors import LabelError, StoreError
from tests.audit.builders import verdict
from tests.audit.store.test_queue import report
from tests.builders import GitRepository
from tests.cli.conftest import Oversight

RISKY_FROM = 150  # of 200 changes, the riskiest quarter, and one of ten of the others


@pytest.fixture
def reports(oversight: Oversight, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """200 reports in the store, and somebody who audits."""
    monkeypatch.setenv("OVERSIGHT_DATABASE_URL", f"sqlite:///{tmp_path}/audit.db")
    monkeypatch.setenv("OVERSIGHT_AUDITOR", "ann")
    told = [report(number, number / 200) for number in range(200)]
    for one in told:
        one["change"] |= {"repository": "octo/repo", "author": "Ada <ada@shop.example>"}
        one["change"]["id"] = one["change"]["id"][::-1]
    (tmp_path / "reports.jsonl").write_text("".join(json.dumps(one) + "\n" for one in told))
    assert oversight("audit", "import", tmp_path / "reports.jsonl").code == 0
    return told


def said() -> tuple[Verdict, ...]:
    with Store.open() as store:
        return store.record().verdicts


def test_people_are_asked_and_told_what_their_answers_show(oversight: Oversight, reports: list[dict[str, Any]]):
    """All the way round: the queue, a verdict on each entry, and the figures, in three forms."""
    queue = oversight("audit", "queue", "--budget", "40 per week", "--share", "0.5", "--format", "json")
    assert queue.code == 0
    entries = queue.json["entries"]
    assert queue.json["filled"] == {"considered": 200, "picked": 20, "drawn": 20, "chance": 20 / 180, "left": 0}
    assert [one["risk"] for one in entries[:20]] == [number / 200 for number in range(199, 179, -1)]
    assert {one["propensity"] for one in entries[20:]} == {20 / 180}
    risky = [one["risk"] >= RISKY_FROM / 200 or number % 10 == 0 for number, one in enumerate(entries)]
    for one, called in zip(entries, risky, strict=True):
        word = "risky" if called else "safe"
        assert oversight("audit", "verdict", one["commit"][:12], word).code == 0
    again = oversight("audit", "queue", "--budget", "40 per week", "--share", "0.5")
    assert "Nothing waits for a verdict." in again.out
    told = oversight("audit", "report", "--format", "json").json
    assert told["queue"] == {
        "considered": 200, "picked": 20, "picked_judged": 20, "drawn": 20, "drawn_judged": 20, "known": 0,
        "caught": 20, "found": told["queue"]["found"],
    }  # fmt: skip
    low, high = told["recall"]["interval"]
    assert 0 < low < told["recall"]["value"] < high <= 1
    # All of them are flagged: those that had a place stand for themselves, each that was drawn for nine.
    assert told["precision"]["value"] == pytest.approx((sum(risky[:20]) + 9 * sum(risky[20:])) / 200)
    assert told["missed"]["n"] == 20
    assert told["agreement"]["reason"] == "0 changes judged by two people or more, and 10 are needed"
    assert told["pgr"]["pgr"] is None
    assert set(told["provenance"]) == {"agent", "human"}
    assert "| recall at the budget | 0." in oversight("audit", "report", "--format", "markdown").out
    text = oversight("audit", "report").out
    assert "agent-written: recall" in text
    assert "insufficient data" in text
    doubted = oversight("audit", "report", "--format", "json", "--sensitivity", "0.8").json
    assert doubted["recall"]["interval"] != told["recall"]["interval"]


def test_the_queue_explains_itself(oversight: Oversight, reports: list[dict[str, Any]]):
    """Why each entry is there, what to look at first, and what is asked; control characters are shown, not sent."""
    reports[0]["change"] |= {"id": "f" * 40, "title": "\x1b[2Jtidy", "repository": "octo/evil"}
    reports[0]["findings"] = [
        {"principle": "secrets", "severity": "critical", "path": "a\x1b.py", "line": 3, "message": "a key\x07"}
    ]
    oversight("audit", "import", "-", stdin=json.dumps(reports[0]).encode())
    done = oversight("audit", "queue", "--budget", "10%", "--seed", "s")
    assert done.code == 0
    assert "201 changes considered for the first time, 15 given a place, 5 drawn at random with probability" in done.out
    assert "drawn at random, with probability 0.027, from the changes that were not picked" in done.out
    assert "principle secrets (critical): a key" in done.out
    assert "look first at a" in done.out
    assert not {"\x1b", "\x07"} & set(done.out)


def test_a_verdict_carries_what_was_shown_and_how_it_came(oversight: Oversight, reports: list[dict[str, Any]]):
    """From the queue or of one's own accord; the blind are shown the risk afterwards, and not before."""
    queue = oversight("audit", "queue", "--budget", "5%", "--seed", "s", "--format", "json", "--who", "carol")
    entries = queue.json["entries"]
    first, other = entries[0]["commit"], reports[20]["change"]["id"]
    assert other not in {one["commit"] for one in entries}
    done = oversight("audit", "verdict", first, "risky", "--note", "it leaks", "--blind")
    assert (done.code, "risk 99%" in done.out or "risk 99.5%" in done.out) == (0, True)
    assert "risk" not in oversight("audit", "verdict", other, "dismiss", "--who", "bob", "--note", "as meant").out
    blind, own_accord = said()
    assert (blind.who, blind.note, blind.decision, blind.shown.blind, blind.shown.risk) == (
        "ann", "it leaks", Decision.RISKY, True, None,
    )  # fmt: skip
    assert (blind.shown.selection, blind.shown.propensity) == (Selection.FLAGGED, 1.0)
    assert (own_accord.who, own_accord.decision) == ("bob", Decision.DISMISSED)
    assert (own_accord.shown.selection, own_accord.shown.risk) == (Selection.REQUEST, 0.1)
    assert (own_accord.source.kind, own_accord.source.repository) == ("command", "octo/repo")
    assert oversight("audit", "verify").code == 0


def test_who_has_seen_the_answer_is_blind_no_more(oversight: Oversight, reports: list[dict[str, Any]]):
    """Whatever they say: after a verdict of their own, and after the page of the change; others still are."""
    first, other = reports[20]["change"]["id"], reports[21]["change"]["id"]
    with Store.open() as store:
        listing.note_seen(store.engine, "ann", [other], datetime.now(UTC))
    told = [
        oversight("audit", "verdict", commit, "safe", "--blind", "--who", who).out
        for commit, who in ((first, "ann"), (first, "ann"), (other, "ann"), (other, "bob"))
    ]
    assert ["not marked as blind" in one for one in told] == [False, True, True, False]
    assert [one.shown.blind for one in said()] == [True, False, False, True]


def test_a_dismissal_needs_a_reason(oversight: Oversight, reports: list[dict[str, Any]]):
    """As in the terminal, on pages and in comments."""
    done = oversight("audit", "verdict", reports[0]["change"]["id"], "dismiss", "--note", " ")
    assert (done.code, said()) == (2, ())
    assert "a dismissal needs a reason" in done.err


@pytest.mark.parametrize("who", ["ada@shop.example", "ADA", "Ada <ada@shop.example>"])
def test_nobody_clears_a_change_of_their_own(oversight: Oversight, reports: list[dict[str, Any]], who: str):
    """By whichever of their names; that they said it is on record."""
    done = oversight("audit", "verdict", reports[3]["change"]["id"], "safe", "--who", who)
    assert "does not count" in done.out
    (verdict,) = said()
    assert (verdict.own, verdict.counts) == (True, False)


def test_gits_user_is_who_says_so(
    oversight: Oversight, reports: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Where nobody else is named; the configuration of the current repository is not read."""
    monkeypatch.delenv("OVERSIGHT_AUDITOR")
    config = tmp_path / "gitconfig"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    config.write_text("")
    assert "nobody knows who says so" in oversight("audit", "verdict", reports[3]["change"]["id"], "safe").err
    config.write_text("[user]\n\tname = Grace\n\temail = grace@shop.example\n")
    assert oversight("audit", "verdict", reports[3]["change"]["id"], "safe").code == 0
    assert said()[0].who == "grace@shop.example"


def test_what_cannot_be_meant_is_exit_2(oversight: Oversight, reports: list[dict[str, Any]], tmp_path: Path):
    """A budget that is none, a commit that is not on record, rates and predictions that tell nothing."""
    (tmp_path / "other.jsonl").write_text('{"commit": 1}\n')
    for words, reason in {
        ("queue", "--budget", "lots"): "20 per week",
        ("queue", "--share", "0"): "random slice",
        ("queue", "--since", "2026-02-01", "--until", "2026-01-01"): "--since is after --until",
        ("verdict", "main", "safe"): "hexadecimal",
        ("verdict", "e" * 40, "safe"): "no report on that commit",
        ("verdict", reports[7]["change"]["id"], "safe", "--who", " "): "nobody knows who",
        ("verdict", reports[7]["change"]["id"], "safe", "--who", "x" * 101): "up to 100 characters",
        ("report", "--sensitivity", "0.5", "--specificity", "0.5"): "no better than chance",
        ("report", "--predictions", str(tmp_path / "none")): "cannot be read",
        ("report", "--predictions", str(tmp_path / "other.jsonl")): "holds something else",
    }.items():
        done = oversight("audit", *words)
        assert (done.code, done.out) == (2, ""), words
        assert reason in done.err, words
    assert said() == ()


@pytest.mark.parametrize("row", [
    {"seed": "1e999"}, {"seed": "0.5"}, {"seed": "-1"}, {"seed": "true"}, {"weak": '"nan"'}, {"student": "1e999"},
    {"ceiling": "true"}, {"ceiling": "1" + "0" * 400},
])  # fmt: skip
def test_a_prediction_is_a_number_that_can_be_counted_with(oversight: Oversight, tmp_path: Path, row: dict[str, str]):
    """Anything else is told of in one line."""
    told = {"commit": '"c0ffee"', "seed": "0", "weak": "0.1", "student": "0.2", "ceiling": "0.3"} | row
    path = tmp_path / "predictions.jsonl"
    path.write_text("{" + ", ".join(f'"{name}": {value}' for name, value in told.items()) + "}\n")
    done = oversight("audit", "report", "--predictions", path)
    assert (done.code, done.out, done.err.count("holds something else")) == (2, "", 1)
    assert "internal" not in done.err


def test_pgr_is_measured_where_predictions_are_given(
    oversight: Oversight, reports: list[dict[str, Any]], tmp_path: Path
):
    """On the changes that were drawn and judged, of which weak reviewer, student and ceiling said something."""
    assert oversight("audit", "queue", "--budget", "100%", "--share", "1").code == 0
    path = tmp_path / "predictions.jsonl"
    rows = []
    for number, one in enumerate(reports[:60]):
        commit, risky = one["change"]["id"], number % 3 == 0
        assert oversight("audit", "verdict", commit, "risky" if risky else "safe").code == 0
        for seed in (0, 1):
            ceiling = 0.9 * risky + number / 1000
            weak = (number * 37 % 60) / 60
            rows.append({"commit": commit, "seed": seed, "weak": weak, "student": (weak + ceiling) / 2,
                         "ceiling": ceiling, "human_only": None})  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = oversight("audit", "report", "--predictions", path, "--format", "json").json["pgr"]
    assert (told["n"], told["positives"], told["ceiling"]) == (60, 20, pytest.approx(1.0))
    assert 0 < told["pgr"] <= 1


def test_without_a_queue_the_draws_of_the_action_tell_of_recall(oversight: Oversight, reports: list[dict[str, Any]]):
    """What is on record of GitHub counts; without any, it is said how to choose what to judge."""
    told = oversight("audit", "report", "--format", "json").json
    assert told["recall"]["reason"] == "0 judged changes of the flagged ones, and 10 are needed"
    assert "audit queue" in told["missed"]["reason"]


def test_the_verdicts_in_the_store_are_labels_to_learn_from(repository: GitRepository, tmp_path: Path):
    """`store` stands where a file would: those on commits of the history, as a file of the same verdicts gives."""
    url, head = f"sqlite:///{tmp_path}/labels.db", repository.git("rev-parse", "HEAD").strip()
    with Store.open(url) as store:
        store.append([verdict("risky", change_id=head), verdict("safe", change_id="e" * 40)])
    (label,) = labels_of(Path("store"), repository.path, url).values()
    assert (label.change_id, label.risky, label.source) == (head, True, "verdict")
    with pytest.raises(LabelError, match="cannot be read"):
        labels_of(Path("./store/none"), repository.path, url)
    empty = f"sqlite:///{tmp_path}/empty.db"
    with pytest.raises(StoreError, match="there is no database"):
        labels_of(Path("store"), repository.path, empty)
    Store.open(empty).close()
    with pytest.raises(LabelError, match="none of the 0 labels"):
        labels_of(Path("store"), repository.path, empty)
