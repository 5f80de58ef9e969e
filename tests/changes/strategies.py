"""Hypothesis strategies for changes: every value that a diff can hold, in all its ugliness."""

from __future__ import annotations

from hypothesis import strategies as st

from oversight.changes.languages import language_of
from oversight.changes.model import FileChange, FileStatus, Hunk, Line, LineKind


def _read(raw: bytes) -> str:
    """As the parser reads what git prints."""
    return raw.decode("utf-8", "surrogateescape")


# Any byte but newline and NUL, as `decode` would hand it out; NUL is no part of a path, but of text.
_bytes = st.binary(max_size=12).map(lambda raw: raw.replace(b"\n", b"").replace(b"\0", b""))
texts = st.one_of(
    st.text(max_size=12).map(lambda text: text.replace("\n", "")),
    _bytes.map(_read),
    st.sampled_from(
        ["-- a/x", "++ b/x", "@ -1 +1 @@", "\\ No newline at end of file", "diff --git a/x b/x", "\r", "\t"]
    ),
)
paths = st.one_of(
    st.sampled_from(
        ["a.py", "a/b.py", "b/a", "with space.c", "tab\there", 'quo"te', "back\\slash", "ä.txt", "x and y", "\r"]
    ),
    _bytes.map(_read).filter(lambda path: path.strip("/")),
).filter(lambda path: path != "/dev/null" and not path.startswith("/"))
modes = st.sampled_from(["100644", "100755"])


@st.composite
def hunks(draw: st.DrawFn, kinds: tuple[LineKind, ...] = tuple(LineKind)) -> Hunk:
    """A hunk whose numbers fit its lines."""
    old = old_start = draw(st.integers(0, 10**6))
    new = new_start = draw(st.integers(0, 10**6))
    lines = []
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=8)):
        numbers = (None if kind is LineKind.ADDED else old, None if kind is LineKind.DELETED else new)
        lines.append(Line(kind, *numbers, draw(texts), draw(st.sampled_from([False, False, False, True]))))
        old += kind is not LineKind.ADDED
        new += kind is not LineKind.DELETED
    # Without what stood between them, bytes that are no text can become text.
    section = _read(draw(texts).replace("\r", "").encode("utf-8", "surrogateescape"))
    return Hunk(old_start, new_start, section, tuple(lines))


@st.composite
def file_changes(draw: st.DrawFn) -> FileChange:
    """A file change such as `parse_diff` yields."""
    status = draw(st.sampled_from([status for status in FileStatus if status is not FileStatus.TYPE_CHANGED]))
    old: str | None = draw(paths)
    new: str | None = old if status not in (FileStatus.RENAMED, FileStatus.COPIED) else draw(paths)
    old_mode: str | None = draw(modes)
    new_mode: str | None = old_mode
    kinds = tuple(LineKind)
    if status is FileStatus.ADDED:
        old, old_mode, kinds = None, None, (LineKind.ADDED,)
    elif status is FileStatus.DELETED:
        new, new_mode, kinds = None, None, (LineKind.DELETED,)
    binary = status is not FileStatus.MODE_CHANGED and draw(st.booleans())
    found = () if binary else tuple(draw(st.lists(hunks(kinds), max_size=3)))
    if status is FileStatus.MODE_CHANGED:
        old_mode, new_mode, found = "100644", "100755", ()
    return FileChange(old, new, status, language_of(new or old or ""), found, binary, old_mode, new_mode)
