"""Files taken in: by their first line told apart, whole or not at all, and once."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from oversight.audit import lines
from oversight.audit.store import Store, export, intake, reading, shadows
from oversight.audit.store.intake import Taken, take
from oversight.audit.store.tables import changes, labels, metadata, opinions, reports, repositories, runs
from oversight.errors import StoreError
from oversight.reports import as_json
from tests.audit.builders import HEAD, OTHER, verdict
from tests.reports.examples import flagged_by_principle, unscored

NOW = datetime(2026, 2, 1, tzinfo=UTC)
SCORE = {
    "commit": HEAD, "status": "scored", "risk": 0.25, "percentile": 97, "flagged": True, "added": 3, "deleted": 0,
}  # fmt: skip
LABEL = {
    "commit": HEAD, "risky": True, "source": "fixes", "decided_at": "2026-01-02T03:04:05+00:00", "evidence": [OTHER],
    "excluded": None,
}  # fmt: skip


def rows(*told: Any) -> bytes:
    """JSON Lines; bytes and strings are lines as they are."""
    return b"".join(
        one if isinstance(one, bytes) else (one if isinstance(one, str) else json.dumps(one)).encode() + b"\n"
        for one in told
    )


def taken(store: Store, content: bytes, repository: str | None = "octo/repo") -> Taken:
    """What becomes of a file with this content."""
    return take(store.engine, io.BytesIO(content), "a.jsonl", repository=repository, at=NOW)


def refused(store: Store, content: bytes, repository: str | None = "octo/repo") -> str:
    """What the refusal of a file says; the store is as it was before."""
    before = held(store)
    with pytest.raises(StoreError) as error:
        taken(store, content, repository)
    assert held(store) == before
    return str(error.value)


def held(store: Store) -> dict[str, list[Any]]:
    """All rows of all tables."""
    with reading(store.engine) as connection:
        return {
            name: [tuple(row) for row in connection.execute(select(table))] for name, table in metadata.tables.items()
        }


def test_a_report_is_a_change_and_opinions(store: Store):
    """What can be asked for is in columns; each hunk and each finding is an opinion."""
    report = flagged_by_principle()
    assert taken(store, as_json.render(report).encode(), None) == Taken("reports", 1, 1)
    with reading(store.engine) as connection:
        row = connection.execute(select(reports)).one()
        change = connection.execute(select(changes)).one()
        said = connection.execute(select(opinions).order_by(opinions.c.place)).all()
        assert connection.execute(select(repositories)).one().name == report.change.repository
    assert (change.commit, change.author, change.title) == (
        report.change.id, report.change.author, report.change.title,
    )  # fmt: skip
    assert (change.provenance, change.authored_at) == (report.change.provenance.kind, report.change.authored_at)
    assert (row.risk, row.flagged, row.at, row.source) == (report.risk, report.flagged, NOW, "import")
    hunks, findings = said[: len(report.hunks)], said[len(report.hunks) :]
    assert [(one.path, one.start, one.end, one.risk) for one in hunks] == [
        (hunk.path, hunk.start, hunk.end, hunk.risk) for hunk in report.hunks
    ]
    assert [(one.principle, one.severity, one.start, one.reasons) for one in findings] == [
        (one.principle, one.severity, one.line, [one.message]) for one in report.findings
    ]


def test_several_models_may_have_reported_on_one_change(store: Store):
    """One change, two reports; the same report again is no third."""
    report = as_json.as_dict(flagged_by_principle())
    other = {**report, "risk": 0.5, "model": {**report["model"], "sha256": "b" * 64}}
    assert taken(store, rows(report, other), None) == Taken("reports", 2, 2)
    assert taken(store, rows(other, report), None) == Taken("reports", 2, 0)
    with reading(store.engine) as connection:
        assert len(connection.execute(select(changes)).all()) == 1
        assert {row.model for row in connection.execute(select(reports))} == {report["model"]["sha256"], "b" * 64}


def test_a_report_without_a_risk_has_none(store: Store):
    """Unscored is not zero, in the database as everywhere."""
    taken(store, as_json.render(unscored()).encode())
    with reading(store.engine) as connection:
        row = connection.execute(select(reports)).one()
    assert (row.status, row.risk, row.percentile) == ("unscored", None, None)


def test_a_report_of_before_weights_stays_what_it_was(store: Store):
    """Version 1.0 says nothing of the order of reading: it comes back without, and a later one with its weights."""
    report = flagged_by_principle()
    later = as_json.as_dict(replace(report, hunks=tuple(replace(one, weight=2.5) for one in report.hunks)))
    hunks = [{name: value for name, value in one.items() if name != "weight"} for one in later["hunks"]]
    earlier = {**later, "schema_version": "1.0", "hunks": hunks}
    assert taken(store, rows(earlier, later), None) == Taken("reports", 2, 2)
    assert [json.loads(line) for line in export.json_lines(store.engine, "reports")] == [earlier, later]
    assert '"hunks" has a field too many: "weight"' in refused(store, rows({**later, "schema_version": "1.0"}), None)


def test_what_the_server_reports_is_the_same_report(store: Store):
    """Once from a webhook, once from a file: it is on record once, as it came first."""
    report = as_json.as_dict(flagged_by_principle())
    first = store.add_report(report, source="webhook", repository="Octo/Repo", number=7, at=NOW)
    assert store.add_report(report, source="webhook", repository="octo/repo", number=7, at=NOW) == first
    assert taken(store, rows(report)) == Taken("reports", 1, 0)
    assert store.add_report(report, source="webhook", repository="octo/fork", at=NOW) != first


def test_scores_and_labels_are_of_changes(store: Store):
    """They say nothing of who wrote them; a report that comes later does."""
    report = flagged_by_principle()
    score, label = {**SCORE, "commit": report.change.id}, {**LABEL, "commit": report.change.id}
    assert taken(store, rows(score)) == Taken("scores", 1, 1)
    assert taken(store, rows(label)) == Taken("labels", 1, 1)
    with reading(store.engine) as connection:
        assert connection.execute(select(changes)).one().provenance is None
        row, told = connection.execute(select(reports)).one(), connection.execute(select(labels)).one()
    assert (row.risk, row.percentile, row.added, row.deleted, row.body) == (0.25, 97.0, 3, 0, None)
    assert (told.risky, told.source, told.evidence) == (True, "fixes", [OTHER])
    assert told.decided_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    taken(store, as_json.render(report).encode())
    with reading(store.engine) as connection:
        assert connection.execute(select(changes)).one().provenance == report.change.provenance.kind


SHADOW = {"name": "small", "version": "1", "sha256": "5e" * 32, "flagged": True}


def test_scores_of_a_model_in_the_shadow_are_kept_apart(store: Store):
    """Under its own digest, a row a change and a model; no report, and so no queue and no page, comes of them."""
    row = {**SCORE, "flagged": False, "shadow": SHADOW}
    other = {**row, "shadow": {**SHADOW, "sha256": "6f" * 32, "version": "2"}}
    unscored = {**row, "commit": OTHER, "status": "unscored", "risk": None, "percentile": None}
    assert taken(store, rows(row, unscored)) == Taken("shadow scores", 2, 2)
    assert taken(store, rows(row, {**other, "risk": 0.5})) == Taken("shadow scores", 2, 1)
    with reading(store.engine) as connection:
        assert connection.execute(select(reports)).all() == []
    first, second = shadows.of_store(store.engine, "Octo/Repo")
    assert (first.model, first.name, first.version) == ("5e" * 32, "small", "1")
    assert first.risks == {("octo/repo", SCORE["commit"]): 0.25}
    assert second.risks == {("octo/repo", SCORE["commit"]): 0.5}
    assert shadows.of_store(store.engine, "octo/fork") == []
    store.forget("octo/repo")
    assert shadows.of_store(store.engine) == []


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({**SCORE}, "names no model in the shadow"),
        ({**SCORE, "shadow": {**SHADOW, "sha256": "5e"}}, '"sha256" that is not'),
        ({**SCORE, "shadow": {**SHADOW, "more": 1}}, "field too many"),
        ({**SCORE, "shadow": SHADOW, "risk": 2.0}, '"risk" that is not'),
    ],
)
def test_a_row_that_is_amiss_keeps_a_shadow_out(store: Store, row: dict[str, Any], says: str):
    """Whole or not at all; and among rows of the model in use there is none of another."""
    good = {**SCORE, "commit": OTHER, "shadow": SHADOW}
    assert says in refused(store, rows(good, row))
    assert "field too many" in refused(store, rows(SCORE, good))
    assert shadows.of_store(store.engine) == []


@pytest.mark.parametrize("row", [SCORE, LABEL, json.loads(lines.line(verdict()))])
def test_a_file_that_has_grown_is_taken_in_again(store: Store, row: dict[str, Any]):
    """Only what is new is added, and a run that brought nothing is none."""
    grown = {**row, "commit" if "commit" in row else "change_id": OTHER}
    assert taken(store, rows(row)).added == 1
    assert taken(store, rows(row)).added == 0
    assert taken(store, rows(row, grown)).added == 1
    with reading(store.engine) as connection:
        told = [(run.name, run.lines, run.added, run.at) for run in connection.execute(select(runs))]
    assert told == [("a.jsonl", 1, 1, NOW), ("a.jsonl", 2, 1, NOW)]


def test_a_verdict_that_is_on_record_otherwise_is_told_of_and_stays(store: Store):
    """A file in which somebody has written over a line does not change what is on record."""
    store.append([verdict(note="as it was said")])
    content = b"\n" + lines.written([verdict(hours=1), verdict(note="as somebody wants it")]).encode()
    assert taken(store, content) == Taken("verdicts", 2, 1, differing=(3,))
    assert [one.note for one in store.record().verdicts] == ["as it was said", "because"]


def test_a_file_with_nothing_in_it_is_no_error(store: Store):
    """An artifact is written also where there are no verdicts yet."""
    assert taken(store, b"") == taken(store, b"\n \n") == Taken("nothing", 0, 0)


BAD = [
    (rows(SCORE, {**SCORE, "risk": 2}), 'line 2 has a "risk" that is not a number from 0 to 1, or null'),
    (rows(SCORE, {**SCORE, "risk": None}), 'line 2 has a risk and the status "scored", or neither'),
    (rows(SCORE, {**SCORE, "commit": "main"}), 'line 2 has a "commit" that is not a full sha'),
    (rows(SCORE, {**SCORE, "added": 1 << 63}), 'line 2 has a "added" that is not a whole number'),
    (rows(SCORE, "", {**SCORE, "model": "m"}), 'line 3 has a field too many: "model"'),
    (rows(SCORE, "{"), "line 2 is not JSON"),
    (rows(SCORE, "[1]"), "line 2 is no object"),
    (rows(SCORE, '{"a": 1, "a": 2}'), "line 2 is not JSON"),
    (rows(SCORE, "[" * 100_000), "line 2 is not JSON"),
    (rows(SCORE, b"\xff\n"), "line 2 is not JSON in UTF-8"),
    (rows("", '{"commit": "cut o'), "line 2 is not JSON"),
    (rows(LABEL, {**LABEL, "decided_at": "2026-02-30T00:00:00Z"}), "line 2 names a moment that never was"),
    (rows(LABEL, {**LABEL, "evidence": ["main"]}), 'line 2 has a "evidence" that is not an array of a full sha'),
    (rows(LABEL, {"commit": HEAD, "risky": True}), "line 2 is somebody's label, and says not whose"),
    (lines.written([verdict(), verdict()]).encode(), "line 2 of the verdicts repeats line 1"),
    (lines.written([verdict()]).encode() + rows(SCORE), "line 2 of the verdicts"),
    (rows({"name": "package.json"}), "a.jsonl holds nothing that is known here"),
    (rows([SCORE]), "line 1 is no object"),
    (b"{\n  \"hunks\": 1\n}\n", 'a.jsonl has no "budget"'),
    (b"{\n  \"hunks\": 1\n", "a.jsonl is not JSON"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "says"), BAD)
def test_a_line_that_is_amiss_is_named_and_nothing_of_its_file_is_taken_in(store: Store, content: bytes, says: str):
    """Also where hundreds of lines before it were in order."""
    assert says in refused(store, content)


def test_a_file_that_is_amiss_at_its_very_end_leaves_nothing(store: Store):
    """Batches that were written to the database before it are taken back."""
    many = [{**SCORE, "commit": f"{number:040x}"} for number in range(1200)]
    assert "line 1201" in refused(store, rows(*many, {}))


def test_nobody_waits_while_a_file_is_read(store: Store):
    """Somebody has a verdict put on record meanwhile, and sees nothing of the file until all of it is there."""
    seen: list[dict[str, list[Any]]] = []

    class Slow(io.BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            if self.tell() and not seen:
                store.append([verdict()])
                seen.append(held(store))
            return super().readline(size)

    assert take(store.engine, Slow(rows(SCORE, {**SCORE, "commit": OTHER})), "a", repository="o/r").added == 2
    assert (len(seen[0]["ledger"]), seen[0]["runs"], seen[0]["changes"], seen[0]["reports"]) == (1, [], [], [])
    assert len(held(store)["reports"]) == 2


REPORT = as_json.as_dict(flagged_by_principle())


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"schema_version": "2.0"}, "a version of reports that is not 1.0 or 1.1"),
        ({"hunks": [{"path": "a.py"}]}, '"hunks" has no "'),
        ({"findings": [3]}, 'a "findings" that is not an array of an object'),
        ({"change": {**REPORT["change"], "id": "../../etc"}}, '"change" has a "id" that is not a full sha'),
        ({"change": {**REPORT["change"], "repository": None}}, "names no repository"),
        ({"flagged": 1}, 'a "flagged" that is not true or false'),
        ({"status": "unscored"}, 'a risk and the status "unscored"'),
        ({"budget": 0}, 'a "budget" that is not a number above 0, up to 100'),
        ({"model": {"name": "x"}}, '"model" has no "'),
    ],
)
def test_a_report_is_held_to_its_schema(store: Store, changed: dict[str, Any], says: str):
    """Whatever differs is refused in words."""
    assert says in refused(store, rows(REPORT | changed), None)


def test_scores_need_the_name_of_a_repository(store: Store):
    """Nothing in them says it, and a guess would mix two histories."""
    assert "--repository" in refused(store, rows(SCORE), None)


def test_a_line_without_end_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch):
    """No more of a file is held than the largest report has."""
    monkeypatch.setattr(intake, "LONGEST", 1000)
    assert "a line has more than" in refused(store, b" " * 1001)
    assert "has more than" in refused(store, b"{\n" + b" " * 1000)


def test_any_text_of_a_report_can_be_kept(store: Store):
    """NUL and lone surrogates, which no database takes, are replaced; the report is on record once all the same."""
    hostile = "a\0b\ud800\u202e'; DROP TABLE reports; --"
    report = REPORT | {"change": {**REPORT["change"], "title": hostile, "author": hostile}, "notes": [hostile]}
    assert taken(store, rows(report)).added == 1
    assert taken(store, rows(report)).added == 0
    with reading(store.engine) as connection:
        kept = hostile.replace("\0", "\ufffd").replace("\ud800", "\ufffd")
        assert connection.execute(select(changes)).one().title == kept
        assert connection.execute(select(reports)).one().body["notes"] == [kept]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(base=st.sampled_from([SCORE, LABEL, REPORT, json.loads(lines.line(verdict()))]), data=st.data())
def test_nothing_but_a_refusal_comes_of_whatever_a_field_holds(store: Store, base: dict[str, Any], data: st.DataObject):
    """A hostile file ends in one line, never in an error of the database or of Python."""
    field = data.draw(st.sampled_from(sorted(base)))
    told = {**base, field: data.draw(json_values)}
    with suppress(StoreError):
        taken(store, rows(told))
    with reading(store.engine) as connection:
        for table in metadata.tables.values():
            connection.execute(select(table)).all()
    assert store.verify() is None
