"""What is written out of the store: the same again as JSON Lines, and harmless as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from oversight.audit import lines
from oversight.audit.store import Store
from oversight.audit.store.export import comma_separated, json_lines
from oversight.audit.store.intake import take
from oversight.audit.verdict import Landing, Source
from oversight.errors import StoreError
from oversight.reports import as_json
from tests.audit.builders import HEAD, OTHER, at, verdict
from tests.audit.store.test_intake import LABEL, SCORE, rows
from tests.reports.examples import crowded, empty, error, flagged_by_principle, hostile, partial_context, unscored

SAID = [verdict(note="=cmd()\n\x1b[2J"), Landing(HEAD, OTHER, "octo/repo", 7, at(9)), verdict("safe", hours=1)]
NOW = datetime(2026, 2, 1, tzinfo=UTC)


def taken(store: Store, content: str | bytes, repository: str | None = "octo/repo") -> None:
    """Take content in."""
    data = content.encode() if isinstance(content, str) else content
    take(store.engine, io.BytesIO(data), "a.jsonl", repository=repository, at=NOW)


def exported(store: Store, what: str, repository: str | None = None) -> str:
    """JSON Lines."""
    return "".join(json_lines(store.engine, what, repository))


def cells(store: Store, what: str, repository: str | None = None) -> list[dict[str, str]]:
    """CSV, as a program reads it that knows no types."""
    return list(csv.DictReader(io.StringIO("".join(comma_separated(store.engine, what, repository)))))


@pytest.fixture
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """An empty store elsewhere."""
    with Store.open(f"sqlite:///{tmp_path_factory.mktemp('elsewhere')}/audit.db") as opened:
        yield opened


def test_an_exported_ledger_makes_the_same_chain_elsewhere(store: Store, other: Store):
    """The file is that of the Action, byte by byte; taken in, entries, order and hashes are the same."""
    store.append(SAID)
    content = exported(store, "verdicts")
    assert content == lines.written(SAID)
    taken(other, content)
    assert other.head() == store.head()
    assert other.record() == store.record()


def test_exported_reports_are_the_reports_that_came_in(store: Store, other: Store):
    """To the last number, hunks and findings in their order; taken in elsewhere they come out again."""
    made = [flagged_by_principle(), unscored(), error(), empty(), partial_context(), crowded(300, 200), hostile()]
    told = [as_json.as_dict(replace(report, id=str(place))) for place, report in enumerate(made)]
    told[-1]["model"]["sha256"] = "a" * 64
    taken(store, rows(*told))
    content = exported(store, "reports")
    kept = json.dumps(told).replace("\\u0000", "\\ufffd")
    assert [json.loads(line) for line in content.splitlines()] == json.loads(kept)
    taken(other, content)
    assert exported(other, "reports") == content


@pytest.mark.parametrize(("what", "row"), [("scores", SCORE), ("labels", LABEL)])
def test_exported_scores_and_labels_come_out_as_they_came_in(store: Store, other: Store, what: str, row: dict):
    """Of one repository, since the lines name none."""
    taken(store, rows(row, {**row, "commit": OTHER}))
    content = exported(store, what)
    assert [json.loads(line) for line in content.splitlines()] == [row, {**row, "commit": OTHER}]
    taken(other, content)
    assert exported(other, what) == content


def test_of_several_labels_of_a_change_the_newest_is_exported(store: Store):
    """What was taken for clean may have been repaired since."""
    clean = {**LABEL, "risky": False, "source": "clean", "evidence": []}
    taken(store, rows(clean))
    taken(store, rows(LABEL))
    assert [json.loads(line) for line in exported(store, "labels").splitlines()] == [LABEL]


def test_a_repository_has_to_be_chosen_where_lines_would_not_tell(store: Store):
    """CSV has a column for it; reports name it; the ledger is one."""
    for name in ("octo/repo", "octo/other"):
        taken(store, rows(SCORE), name)
    with pytest.raises(StoreError, match="octo/other, octo/repo"):
        exported(store, "scores")
    assert len(exported(store, "scores", "Octo/Repo").splitlines()) == 1
    assert [row["repository"] for row in cells(store, "scores")] == ["octo/repo", "octo/other"]
    assert len(cells(store, "scores", "octo/other")) == 1
    with pytest.raises(StoreError, match="no repository"):
        exported(store, "reports", "octo/nowhere")
    with pytest.raises(StoreError, match="whole"):
        exported(store, "verdicts", "octo/repo")


def test_csv_tells_the_whole_ledger(store: Store):
    """Who, what, when, why, of what that was shown, and the hash to compare."""
    store.append(SAID)
    first, landing, last = cells(store, "verdicts")
    assert (first["who"], first["decision"], first["decided_at"]) == ("ann", "risky", "2026-01-01T00:00:00+00:00")
    assert (first["risk"], first["flagged"], first["model"]) == ("0.5", "true", "a" * 64)
    assert (landing["kind"], landing["commit"], landing["decision"]) == ("landing", OTHER, "")
    assert last["hash"] == store.head().hash


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "\n=1", "\uff1d1", "|calc", "%0A=1", "\u200b=1"]


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_is_a_formula(store: Store, formula: str):
    """Whatever people and authors write: a spreadsheet shows it and computes nothing."""
    store.append([verdict(note=formula, who=formula, source=Source("comment", f"={formula}"))])
    report = as_json.as_dict(flagged_by_principle())
    taken(store, rows(report | {"change": {**report["change"], "title": formula, "author": formula}}))
    for row in (*cells(store, "verdicts"), *cells(store, "reports")):
        for cell in row.values():
            assert not cell.lstrip().startswith(("=", "+", "-", "@", "|", "%", "\uff1d", "\t", "\r", "\n")), cell


def test_csv_obeys_no_terminal_and_stays_on_its_line(store: Store):
    """Escapes are shown; quotes and commas stay in their cell."""
    store.append([verdict(note='\x1b[2J "a", b\r\nc', who="ann,bob")])
    text = "".join(comma_separated(store.engine, "verdicts"))
    assert len(text.splitlines()) == 2
    assert text.isprintable() or set(text) - {"\n"} <= set(map(chr, range(32, 127)))
    (row,) = cells(store, "verdicts")
    assert (row["who"], row["note"]) == ("ann,bob", '\\x1b[2J "a", b\\r\\nc')


def test_csv_leaves_unknown_cells_empty_and_zeros_zero(store: Store):
    """Neither may be taken for the other."""
    none = {**SCORE, "commit": OTHER, "status": "unscored", "risk": None, "percentile": None, "added": None}
    taken(store, rows({**SCORE, "risk": 0.0}, none))
    told = [(row["risk"], row["percentile"], row["added"], row["deleted"]) for row in cells(store, "scores")]
    assert told == [("0.0", "97.0", "3", "0"), ("", "", "", "0")]
