"""Verdicts as lines: what is written can be read, and what was not written by us is refused with its line."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from oversight.audit import verdict as values
from oversight.audit.lines import NOTE, line, parse, written
from oversight.audit.verdict import Decision, Landing, Record, Selection, Shown, Source, Verdict
from oversight.errors import LabelError
from tests.audit.builders import HEAD, OTHER, START, at, verdict

SCHEMA = Draft202012Validator(json.loads((files("oversight.audit") / "verdict.schema.json").read_text()))

LANDING = Landing(HEAD, OTHER, "octo/repo", 7, at(9))

numbers = st.floats(0, 1, allow_nan=False)
positive = st.integers(1, (1 << 63) - 1)
shas = st.text("0123456789abcdef", min_size=40, max_size=40)
moments = st.datetimes(datetime(1970, 1, 1), datetime(2900, 1, 1), timezones=st.just(UTC))
text = st.text(max_size=200)


@st.composite
def shown(draw: st.DrawFn) -> Shown:
    """Anything that a person may have been shown."""
    selection = draw(st.sampled_from(Selection))
    propensity = None if selection is Selection.REQUEST else draw(st.floats(0, 1, exclude_min=True))
    if draw(st.booleans()):
        return Shown(selection, propensity, blind=True)
    return Shown(
        selection,
        propensity,
        draw(st.none() | st.booleans()),
        draw(st.none() | numbers),
        draw(st.none() | st.floats(0, 100)),
        draw(st.none() | st.text("0123456789abcdef", min_size=64, max_size=64)),
    )


sources = st.builds(
    Source, st.sampled_from(["comment", "review-comment", "label"]), st.just("o/n"), st.none() | positive, positive
)
verdicts = st.builds(
    Verdict,
    change_id=shas,
    who=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40),
    decision=st.sampled_from(Decision),
    note=st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
    decided_at=moments,
    shown=shown(),
    source=sources,
    finding=st.none() | st.just("a" * 32 + ":2"),
    own=st.booleans(),
)
landings = st.builds(Landing, shas, shas, st.just("o/n"), positive, moments)


def told(**changes: Any) -> dict[str, Any]:
    """A verdict's line as plain values, some of them changed; Ellipsis leaves a field out."""
    entry = json.loads(line(verdict())) | changes
    return {name: value for name, value in entry.items() if value is not ...}


def refused(*rows: Any) -> str:
    """What the refusal of these rows says; strings are rows as they are."""
    content = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows).encode()
    with pytest.raises(LabelError) as error:
        parse(content)
    return str(error.value)


@given(st.lists(verdicts | landings, max_size=5, unique_by=line))
def test_what_is_written_is_read_again(entries: list[Verdict | Landing]):
    """Every value comes back as it was, and every line fits the schema and is ASCII on one line."""
    rows = written(entries)
    assert rows.isascii()
    assert rows.count("\n") == len(entries)
    for row in rows.splitlines():
        SCHEMA.validate(json.loads(row))
    try:
        record = parse(rows.encode())
    except LabelError as error:  # two that say different things under one name
        assert "contradicts" in str(error)  # noqa: PT017
        return
    assert list(record.verdicts) == [entry for entry in entries if isinstance(entry, Verdict)]
    assert list(record.landings) == [entry for entry in entries if isinstance(entry, Landing)]


# 7.0 is a whole number to the schema, and Python's own for 7 is written by nobody.
fractions = st.floats().filter(lambda value: not value.is_integer())
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | fractions | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from([*told(), "unheard-of"]), junk)
def test_a_field_is_believed_exactly_where_the_schema_believes_it(name: str, value: Any):
    """The check that runs and the schema that is published are one contract."""
    entry = told(**{name: value})
    try:
        parse(json.dumps(entry).encode())
        believed = True
    except LabelError:
        believed = False
    finite = "NaN" not in json.dumps(value) and "Infinity" not in json.dumps(value)
    assert believed == (finite and SCHEMA.is_valid(entry))


@given(st.sampled_from(["shown", "source"]), st.data())
def test_nested_fields_likewise(part: str, data: st.DataObject):
    """What was shown and where it was said are checked field by field."""
    entry = told()
    name = data.draw(st.sampled_from([*entry[part], "unheard-of"]))
    entry[part] = entry[part] | {name: data.draw(junk.filter(lambda value: value == value))}
    try:
        parse(json.dumps(entry).encode())
        believed = True
    except LabelError:
        believed = False
    finite = "NaN" not in json.dumps(entry) and "Infinity" not in json.dumps(entry)
    assert believed == (finite and SCHEMA.is_valid(entry))


@given(st.binary(max_size=200) | text.map(str.encode))
def test_no_bytes_end_in_anything_but_values_or_a_refusal(content: bytes):
    """Whoever may write to the place may write anything."""
    try:
        parse(content)
    except LabelError as error:
        assert re.search(r"line \d+ of the verdicts", str(error))  # noqa: PT017


@given(st.integers(0, 400))
def test_a_line_that_was_cut_off_is_refused(length: int):
    """Half a verdict is none, and what came before it is not believed without it."""
    whole = line(verdict())
    content = whole + line(verdict("safe", hours=1))[: length % (len(whole) - 10) + 1]
    assert "line 2" in refused(content)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("{", "line 1 of the verdicts is not JSON"),
        ("[]", "line 1 of the verdicts is no object"),
        ("NaN", "is not JSON"),
        ('{"kind": "verdict", "kind": "landing"}', "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        (told(who=...), 'has no "who"'),
        (told(sudo=True), 'a field too many: "sudo"'),
        (told(decision="saef"), '"decision" that is not "safe" or "risky"'),
        (told(change_id="1" * 39), '"change_id" that is not a full sha'),
        (told(change_id=HEAD + "\n"), '"change_id"'),
        (told(own=1), '"own" that is not true or false'),
        (told(decided_at="2026-01-01T00:00:00"), '"decided_at" that is not a moment with its time zone'),
        (told(decided_at="2026-02-30T00:00:00Z"), "a moment that never was"),
        (told(decided_at="2026-01-01T00:00:00+99:00"), "a moment that never was"),
        (told(note="x" * (NOTE + 1)), '"note"'),
        (told(schema_version="2.0"), "has the version 2.0, and only 1.0 and 1.1 are known here"),
        (told(kind="confession"), '"kind"'),
        (told(shown=None), '"shown" that is not an object'),
        (told(source={}), '"source" has no "id"'),
    ],
)
def test_what_is_amiss_is_named(row: Any, says: str):
    """One line of complaint, with the line's number and the field."""
    assert says in refused(row)


def test_risk_is_a_probability_and_not_a_truth():
    """True is no number, here as in JSON."""
    for amiss in (True, -0.1, 1.1, "0.5", [0.5]):
        entry = told()
        entry["shown"]["risk"] = amiss
        assert '"shown" has a "risk" that is not a number from 0 to 1, or null' in refused(entry)


def test_a_line_says_that_it_was_blind_in_a_version_of_its_own():
    """All others stay what they were, and so do their hashes; what is hidden is not also shown."""
    open_line = told()
    assert (open_line["schema_version"], open_line["shown"].get("blind")) == ("1.0", None)
    hidden = json.loads(line(verdict(shown=Shown(Selection.FLAGGED, 1.0, model="a" * 64, blind=True))))
    assert (hidden["schema_version"], hidden["shown"]["blind"]) == ("1.1", True)
    assert 'has no "blind"' in refused(told(schema_version="1.1"))
    assert '"risk" that is not null' in refused(hidden | {"shown": hidden["shown"] | {"risk": 0.5}})
    assert '"blind" that is not true' in refused(hidden | {"shown": hidden["shown"] | {"blind": False}})
    assert 'a field too many: "blind"' in refused(hidden | {"schema_version": "1.0"})
    assert '"schema_version" that is not "1.0"' in refused(json.loads(line(LANDING)) | {"schema_version": "1.1"})
    for amiss in (told(schema_version="1.1"), hidden | {"schema_version": "1.0"}):
        assert not SCHEMA.is_valid(amiss)


def test_a_propensity_goes_with_a_selection():
    """What was flagged or drawn has one; of what nobody picked none is known."""
    entry = told()
    entry["shown"] |= {"selection": "request"}
    assert 'needs a "propensity"' in refused(entry)
    entry["shown"] |= {"selection": "random", "propensity": None}
    assert 'needs a "propensity"' in refused(entry)
    entry["shown"] |= {"propensity": 0}
    assert '"propensity" that is not a number above 0' in refused(entry)


def test_a_line_that_repeats_or_contradicts_another_is_refused_with_both_numbers():
    """The same comment at the same moment said one thing."""
    first = told()
    assert "line 3 of the verdicts repeats line 1" in refused(first, "", first)
    assert "line 2 of the verdicts contradicts line 1" in refused(first, first | {"decision": "safe"})
    landed = json.loads(line(LANDING))
    assert "line 2 of the verdicts contradicts line 1" in refused(landed, landed | {"commit": "3" * 40})


def test_hostile_text_in_a_complaint_is_escaped():
    """The complaint ends up in a workflow's log."""
    said = refused(told(**{"\n::error::pwned\x1b[2J": 1}))
    assert "\n" not in said
    assert "\x1b" not in said
    assert "##[" not in written([verdict(note="##[error]x\n::set-output name=a::b", who="##[group]")])


def test_moments_are_read_in_any_time_zone_and_written_in_one():
    """Whatever the clock of whoever wrote them."""
    east = replace(verdict(), decided_at=START.astimezone(timezone(timedelta(hours=5, minutes=30))))
    assert line(east) == line(verdict())
    assert '"2026-01-01T00:00:00Z"' in line(verdict())


def test_a_note_longer_than_a_line_may_hold_is_cut_when_it_is_written():
    """A record is never made unreadable by what somebody says."""
    (read,) = parse(written([verdict(note="x" * 10_000, who="\ud800")]).encode()).verdicts
    assert len(read.note) == NOTE
    assert read.note.endswith("…")


def test_what_could_not_be_read_again_is_not_written():
    """One entry that no line can hold would cost all the others."""
    amiss: list[Verdict | Landing] = [
        verdict(who=""),
        verdict(change_id="main"),
        verdict(shown=Shown(Selection.RANDOM)),
        replace(LANDING, commit="HEAD"),
    ]
    for entry in amiss:
        with pytest.raises(LabelError, match="that is to be written"):
            written([verdict(), entry])


def test_separators_that_are_no_line_ends_cut_no_line():
    """JSON may hold U+2028 and U+0085 as they are."""
    row = json.dumps(told(note="a\u2028b\x85c"), ensure_ascii=False)
    assert parse(row.encode()).verdicts[0].note == "a\u2028b\x85c"


def test_a_file_is_read_by_its_path(tmp_path: Path):
    """An empty one holds nothing; one that is not there, or no text, is refused."""
    path = tmp_path / "verdicts.jsonl"
    path.write_text("\n")
    assert values.read(path) == Record()
    path.write_text(written([verdict(), LANDING]))
    assert values.read(path) == Record((verdict(),), (LANDING,))
    assert values.read(path).commits == {HEAD: OTHER}
    path.write_bytes(line(verdict()).encode() + b"\xff\n")
    with pytest.raises(LabelError, match="line 2 of the verdicts is not UTF-8"):
        values.read(path)
    with pytest.raises(LabelError, match="cannot be read"):
        values.read(tmp_path / "nowhere")
    with pytest.raises(LabelError, match="cannot be read"):
        values.read(Path("\0"))
