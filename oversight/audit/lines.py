r"""Verdicts as JSON Lines: `verdict.schema.json` is the contract, a line an object, and no line is ever rewritten.

A file is believed whole or not at all. A line that is no JSON, has a field too many, too few or of the wrong kind, that
repeats an earlier line, or says something else under an earlier line's name, is refused with its number: what cannot
have been written by us was written by somebody.

Lines are ASCII (`oversight.reports.as_json`), so that text of people reaches no log or terminal as it is.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from oversight.audit import fields
from oversight.audit.fields import Fields
from oversight.audit.verdict import Decision, Landing, Record, Selection, Shown, Source, Verdict
from oversight.errors import LabelError
from oversight.reports.as_json import dumps
from oversight.reports.escape import data, terminal

SCHEMA_VERSION = "1.0"
"""Goes up in its first part when a field is removed or changes its meaning, in its second when one is added."""

BLIND_VERSION = "1.1"
"""That of blind verdicts alone, which have a field more: all other lines, and so their hashes, stay what they were."""

NOTE = 2_000
"""Characters of a note that are kept."""

LARGEST = 64 << 20
"""Bytes of a file of verdicts, some hundred thousand of them."""

_HOLD = 'write it as "oversight" does, or restore the file from before it was touched'

_REPOSITORY = fields.text(3, 200)

_VERDICT: Fields = {
    "schema_version": fields.one_of(SCHEMA_VERSION, BLIND_VERSION),
    "kind": fields.one_of("verdict", "landing"),
    "change_id": fields.SHA,
    "finding": fields.or_null(fields.like(r"[0-9a-f]{32}:[1-9][0-9]{0,8}", "a finding's fingerprint")),
    "who": fields.text(1, 100),
    "decision": fields.one_of(*Decision),
    "note": fields.text(0, NOTE),
    "decided_at": fields.MOMENT,
    "own": fields.TRUTH,
    "shown": fields.OBJECT,
    "source": fields.OBJECT,
}
_SHOWN: Fields = {
    "selection": fields.one_of(*Selection),
    "propensity": fields.or_null(fields.positive(1)),
    "flagged": fields.or_null(fields.TRUTH),
    "risk": fields.or_null(fields.number(0, 1)),
    "percentile": fields.or_null(fields.number(0, 100)),
    "model": fields.or_null(fields.SHA256),
}
_HIDDEN: Fields = {
    **_SHOWN,
    **dict.fromkeys(("flagged", "risk", "percentile"), fields.NULL),
    "blind": fields.TRUE,
}
_SOURCE: Fields = {
    "kind": fields.like(r"[a-z][a-z-]{0,30}", "a word in lower case"),
    "repository": fields.or_null(_REPOSITORY),
    "number": fields.or_null(fields.whole()),
    "id": fields.or_null(fields.whole()),
}
_LANDING: Fields = {
    "schema_version": fields.one_of(SCHEMA_VERSION),
    "kind": fields.one_of("landing"),
    "change_id": fields.SHA,
    "commit": fields.SHA,
    "repository": _REPOSITORY,
    "number": fields.whole(),
    "landed_at": fields.MOMENT,
}


def line(entry: Verdict | Landing) -> str:
    """Return the entry as one line, with its newline; `LabelError` for one that could not be read again."""
    told = asdict(entry)
    if isinstance(entry, Verdict):
        told["decided_at"] = _written(entry.decided_at)
        told["note"], told["who"] = data(entry.note, NOTE), data(entry.who)
        wanted, kind = _VERDICT, "verdict"
        if not entry.shown.blind:
            del told["shown"]["blind"]
    else:
        told["landed_at"] = _written(entry.landed_at)
        wanted, kind = _LANDING, "landing"
    blind = isinstance(entry, Verdict) and entry.shown.blind
    told |= {"schema_version": BLIND_VERSION if blind else SCHEMA_VERSION, "kind": kind}
    row = dumps({name: told[name] for name in wanted}, 0)
    read_line(row, f"a {kind} that is to be written")
    return row


def written(entries: Iterable[Verdict | Landing]) -> str:
    """Return the entries as lines."""
    return "".join(map(line, entries))


def read(path: Path) -> Record:
    """Return what a file holds; `LabelError` names the line that is amiss. A file that is empty holds nothing."""
    try:
        if path.stat().st_size > LARGEST:
            raise LabelError("the file of verdicts is too large", mend=f"keep it under {LARGEST >> 20} MB")
        content = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path
        raise LabelError("the file of verdicts cannot be read", mend="name a file that can be") from error
    return parse(content)


def parse(content: bytes) -> Record:
    """Return what the content of a file holds; errors as of `read`."""
    # Not `splitlines`, which would cut a line at a separator inside of a string.
    entries = [entry for _, entry in stream(content.split(b"\n"))]
    return Record(
        tuple(entry for entry in entries if isinstance(entry, Verdict)),
        tuple(entry for entry in entries if isinstance(entry, Landing)),
    )


def stream(rows: Iterable[bytes]) -> Iterator[tuple[int, Verdict | Landing]]:
    """Yield the entries of a file line by line, each with the line's number; `LabelError` names one that is amiss."""
    seen: dict[Hashable, tuple[int, Verdict | Landing]] = {}
    for number, row in enumerate(rows, 1):
        if not row.strip():
            continue
        try:
            entry = read_line(row.decode("utf-8"), f"line {number} of the verdicts")
        except UnicodeDecodeError as error:
            raise LabelError(f"line {number} of the verdicts is not UTF-8", mend=_HOLD) from error
        earlier, first = seen.setdefault(name_of(entry), (number, entry))
        if earlier != number:
            how = "repeats" if first == entry else "contradicts"
            raise LabelError(f"line {number} of the verdicts {how} line {earlier}", mend=_HOLD)
        yield number, entry


def name_of(entry: Verdict | Landing) -> Hashable:
    """Return what no two entries of a record share: who said it where and when, on what; or which head landed."""
    if isinstance(entry, Landing):
        return "landing", entry.repository.lower(), entry.change_id
    return "verdict", entry.source, entry.change_id, entry.finding, entry.who, entry.decided_at


def read_line(row: str, where: str) -> Verdict | Landing:
    """Return the entry of one line; `LabelError` says `where` the one is that is amiss."""
    try:
        told = fields.load(row)
    except (ValueError, RecursionError) as error:
        raise LabelError(f"{where} is not JSON", mend=_HOLD) from error
    if not isinstance(told, dict):
        raise LabelError(f"{where} is no object", mend=_HOLD)
    version = told.get("schema_version")
    if isinstance(version, str) and version not in (SCHEMA_VERSION, BLIND_VERSION):
        raise LabelError(
            f"{where} has the version {terminal(version, 20)}, "
            f"and only {SCHEMA_VERSION} and {BLIND_VERSION} are known here",
            mend="read it with the oversight that wrote it, or a later one",
        )
    if told.get("kind") == "landing":
        _check(told, _LANDING, where)
        return _landing(told, where)
    _check(told, _VERDICT, where)
    _check(told["shown"], _HIDDEN if version == BLIND_VERSION else _SHOWN, f'{where}, "shown"')
    _check(told["source"], _SOURCE, f'{where}, "source"')
    if (told["shown"]["propensity"] is None) != (told["shown"]["selection"] == Selection.REQUEST):
        raise LabelError(f'{where} needs a "propensity", and null where the selection is "request"', mend=_HOLD)
    return _verdict(told, where)


def _check(told: Mapping[str, Any], wanted: Fields, where: str) -> None:
    """Raise `LabelError` unless `told` has these fields, no others, and in each what it may hold."""
    if reason := fields.amiss(told, wanted):
        raise LabelError(f"{where} {reason}", mend=_HOLD)


def _verdict(told: Mapping[str, Any], where: str) -> Verdict:
    shown, source = told["shown"], told["source"]
    return Verdict(
        change_id=told["change_id"],
        who=told["who"],
        decision=Decision(told["decision"]),
        note=told["note"],
        decided_at=_moment(told["decided_at"], where),
        shown=Shown(
            Selection(shown["selection"]),
            _float(shown["propensity"]),
            shown["flagged"],
            _float(shown["risk"]),
            _float(shown["percentile"]),
            shown["model"],
            shown.get("blind", False),
        ),
        source=Source(source["kind"], source["repository"], source["number"], source["id"]),
        finding=told["finding"],
        own=told["own"],
    )


def _landing(told: Mapping[str, Any], where: str) -> Landing:
    moment = _moment(told["landed_at"], where)
    return Landing(told["change_id"], told["commit"], told["repository"], told["number"], moment)


def _moment(text: str, where: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise LabelError(f"{where} names a moment that never was", mend=_HOLD) from error


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _float(number: float | None) -> float | None:
    return None if number is None else float(number) + 0.0  # of two zeros the one that every database gives back
