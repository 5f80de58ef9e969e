"""Paths as diffs write them: C-style quoting, `a/` and `b/` prefixes, `/dev/null`, timestamps.

Bytes come in, `str` decoded as UTF-8 with `surrogateescape` goes out, so that every path of every file
system survives the way there and back.
"""

from __future__ import annotations

import re

NULL = "/dev/null"

_ESCAPES = {
    b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r", b'"': b'"', b"\\": b"\\",
}  # fmt: skip
_ESCAPED = re.compile(rb'\\([0-3][0-7]{2}|[abtnvfr"\\])')
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_UNSAFE = re.compile(rb'[\x00-\x1f\x7f-\xff"\\]')
_NAMED = {escaped[0]: b"\\" + name for name, escaped in _ESCAPES.items()}

# What git writes before the old and the new path: the default, `diff.mnemonicPrefix`, `diff --no-index`.
_PREFIXES = frozenset(
    {("a/", "b/"), ("i/", "w/"), ("c/", "i/"), ("c/", "w/"), ("o/", "w/"), ("1/", "2/")}
    | {("b/", "a/"), ("w/", "i/"), ("i/", "c/"), ("w/", "c/"), ("w/", "o/"), ("2/", "1/")}
)  # fmt: skip


def decode(raw: bytes) -> str:
    """Decode bytes of a diff so that encoding them again gives the same bytes."""
    return raw.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The bytes that `decode` read."""
    return text.encode("utf-8", "surrogateescape")


def unquote(raw: bytes) -> bytes:
    r"""Undo git's C-style quoting of a path; a path that is not quoted comes back as it is.

    >>> unquote(rb'"a/\303\244.txt"')
    b'a/\xc3\xa4.txt'
    """
    quoted = _QUOTED.fullmatch(raw)
    if quoted is None:
        return raw
    return _ESCAPED.sub(lambda match: _ESCAPES.get(match[1]) or bytes([int(match[1], 8)]), quoted[1])


def quote(path: str) -> bytes:
    r"""Quote a path as git does (`core.quotePath` on); a path that needs no quotes comes back bare.

    >>> quote("src/a b.py"), quote("ä.txt")
    (b'src/a b.py', b'"\\303\\244.txt"')
    """
    raw = encode(path)
    if not _UNSAFE.search(raw):
        return raw
    return b'"' + _UNSAFE.sub(lambda match: _NAMED.get(match[0][0]) or b"\\%03o" % match[0][0], raw) + b'"'


def side(raw: bytes) -> tuple[str, bytes]:
    """The path of a `---` or `+++` line, still with its prefix, and the timestamp that follows a tab."""
    raw = raw.rstrip(b"\r\n")
    if raw.startswith(b'"') and (quoted := _QUOTED.match(raw)):
        return decode(unquote(quoted[0])), raw[quoted.end() :].strip()
    name, _, timestamp = raw.partition(b"\t")
    return decode(name), timestamp.strip()


def pair(raw: bytes) -> tuple[str, str] | None:
    """The two paths of a `diff --git` line, still with their prefixes; None where they cannot be told apart.

    Bare paths may hold spaces, so two bare ones are split where both halves name the same file: git
    itself writes such a line only then, and gives the names of a rename in lines of their own.
    """
    raw = raw.rstrip(b"\r\n")
    if raw.startswith(b'"'):
        first = _QUOTED.match(raw)
        if first is None or raw[first.end() : first.end() + 1] != b" ":
            return None
        return decode(unquote(first[0])), decode(unquote(raw[first.end() + 1 :]))
    if raw.endswith(b'"'):
        name, space, _ = raw.partition(b' "')
        return (decode(name), decode(unquote(raw[len(name) + 1 :]))) if space else None
    middle = len(raw) // 2
    if len(raw) % 2 and raw[middle : middle + 1] == b" ":
        old, new = decode(raw[:middle]), decode(raw[middle + 1 :])
        if old == new or old.partition("/")[2] == new.partition("/")[2] != "":
            return old, new
    return None


def strip(old: str, new: str) -> tuple[str, str]:
    """Take the prefixes off two paths, where they are a pair that diff tools write; `/dev/null` stays."""
    if old == NULL or new == NULL:
        prefix = new[:2] if old == NULL else old[:2]
        if any(prefix == known[1 if old == NULL else 0] for known in _PREFIXES):
            return (old, new[2:]) if old == NULL else (old[2:], new)
        return old, new
    if (old[:2], new[:2]) in _PREFIXES:
        return old[2:], new[2:]
    return old, new


def reconcile(old: str, new: str) -> tuple[str, str]:
    """The paths of a plain diff, which knows no renames: both sides get one name.

    `diff -ru old/x new/x` names two folders: the path below them counts. Where the names have nothing
    in common (`x.orig` and `x`), the new one names the file.
    """
    old, new = strip(old, new)
    if NULL in (old, new) or old == new:
        return old, new
    below = new.partition("/")[2]
    return (below, below) if below and old.partition("/")[2] == below else (new, new)


def absent(name: str, timestamp: bytes) -> str:
    """`/dev/null` for a side that `diff -N` marks as missing by the epoch as its time; else the name."""
    return NULL if timestamp.startswith((b"1970-01-01", b"1969-12-31")) else name


def mentioned(raw: bytes) -> tuple[str, str]:
    """The two paths of "Binary files X and Y differ", still with their prefixes.

    The words between them may be part of a name, so the split is taken where both halves name the same
    file, and else at the first.
    """
    cut = b" and "
    middle = (len(raw) - len(cut)) // 2
    at = middle if raw[middle : middle + len(cut)] == cut else raw.find(cut)
    if at < 0:
        return decode(raw), decode(raw)
    return decode(unquote(raw[:at])), decode(unquote(raw[at + len(cut) :]))
