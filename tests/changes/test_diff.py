"""Reading and writing unified diffs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.changes.diff import change_from_diff, parse_diff, render
from oversight.changes.model import FileChange, FileStatus, LineKind
from oversight.errors import DiffError
from tests.builders import file_diff
from tests.changes.strategies import file_changes


def parse(text: str | bytes) -> list[FileChange]:
    return list(parse_diff(text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text))


def only(text: str | bytes) -> FileChange:
    (file,) = parse(text)
    return file


def test_a_modified_file_keeps_its_lines_numbers_and_section() -> None:
    """A hunk's lines carry their kind, their numbers on both sides and their text."""
    file = only(
        "diff --git a/src/app.py b/src/app.py\nindex 1111111..2222222 100755\n--- a/src/app.py\n+++ b/src/app.py\n"
        "@@ -10,3 +10,4 @@ def run(self):\n a\n-b\n+c\n+d\n e\n"
    )
    (hunk,) = file.hunks
    assert (file.old_path, file.new_path, file.status, file.language) == ("src/app.py",) * 2 + (
        FileStatus.MODIFIED,
        "python",
    )
    assert (file.old_mode, file.new_mode) == ("100755", "100755")
    assert (hunk.old_start, hunk.new_start, hunk.section) == (10, 10, "def run(self):")
    assert [tuple(line) for line in hunk.lines] == [
        (LineKind.CONTEXT, 10, 10, "a", False),
        (LineKind.DELETED, 11, None, "b", False),
        (LineKind.ADDED, None, 11, "c", False),
        (LineKind.ADDED, None, 12, "d", False),
        (LineKind.CONTEXT, 12, 13, "e", False),
    ]


def test_added_and_deleted_files_have_one_side() -> None:
    """A file that is new has no old path, one that is gone has no new path."""
    added, deleted = parse(file_diff("new.c", [], ["x"]) + file_diff("old.c", ["y"], []))
    assert (added.old_path, added.new_path, added.status, added.new_mode) == (None, "new.c", FileStatus.ADDED, "100644")
    assert (deleted.old_path, deleted.new_path, deleted.status) == ("old.c", None, FileStatus.DELETED)


def test_an_empty_file_is_a_file() -> None:
    """An added file without content has no hunks and is still there."""
    file = only("diff --git a/e b/e\nnew file mode 100644\nindex 0000000..e69de29\n")
    assert (file.status, file.new_path, file.hunks) == (FileStatus.ADDED, "e", ())


@pytest.mark.parametrize(
    ("verb", "status"), [("rename", FileStatus.RENAMED), ("copy", FileStatus.COPIED)], ids=["rename", "copy"]
)
def test_renames_and_copies_name_both_paths(verb: str, status: FileStatus) -> None:
    """The names of a rename come from lines of their own, so blanks in them do not matter."""
    file = only(
        f"diff --git a/old name.py b/new name.py\nsimilarity index 90%\n{verb} from old name.py\n"
        f"{verb} to new name.py\n"
        "index 1..2 100644\n--- a/old name.py\t\n+++ b/new name.py\t\n@@ -1 +1 @@\n-a\n+b\n"
    )
    assert (file.old_path, file.new_path, file.status) == ("old name.py", "new name.py", status)
    assert len(file.hunks) == 1


def test_a_mode_change_alone_is_its_own_status() -> None:
    """Only the modes differ: no hunks; with hunks it is a modification."""
    head = "diff --git a/run.sh b/run.sh\nold mode 100644\nnew mode 100755\n"
    assert only(head).status is FileStatus.MODE_CHANGED
    file = only(head + "index 1..2\n--- a/run.sh\n+++ b/run.sh\n@@ -1 +1 @@\n-a\n+b\n")
    assert (file.status, file.old_mode, file.new_mode) == (FileStatus.MODIFIED, "100644", "100755")


def test_a_file_that_becomes_a_symlink_is_one_entry() -> None:
    """What git writes as a deleted and an added file is one file whose type changed, with the hunks of both."""
    file = only(
        "diff --git a/x.py b/x.py\ndeleted file mode 100644\nindex 1..0\n--- a/x.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"
        "diff --git a/x.py b/x.py\nnew file mode 120000\nindex 0..2\n--- /dev/null\n+++ b/x.py\n@@ -0,0 +1 @@\n+y\n"
        "\\ No newline at end of file\n"
    )
    assert (file.status, file.old_mode, file.new_mode) == (FileStatus.TYPE_CHANGED, "100644", "120000")
    assert file.symlink
    assert len(file.hunks) == 2


def test_a_deleted_and_an_added_file_of_one_type_stay_two() -> None:
    """Only a change of type is joined."""
    assert len(parse(file_diff("x", ["a"], []) + file_diff("x", [], ["b"]))) == 2


def test_submodules_and_symlinks_have_no_language() -> None:
    """What they hold is no code, whatever the path ends in."""
    submodule = only(
        "diff --git a/lib.py b/lib.py\nindex 1111111..2222222 160000\n--- a/lib.py\n+++ b/lib.py\n@@ -1 +1 @@\n"
        f"-Subproject commit {'1' * 40}\n+Subproject commit {'2' * 40}\n"
    )
    assert submodule.submodule
    assert submodule.language is None
    log = only("Submodule vendor/lib 1111111..2222222:\n  > A change\n")
    assert (log.path, log.submodule) == ("vendor/lib", True)
    assert log.unread is not None


@pytest.mark.parametrize(
    "body",
    [
        "Binary files a/x.png and b/x.png differ\n",
        "GIT binary patch\nliteral 3\nKcmZ?wbhEHb\n\nliteral 0\nHcmV?d00001\n\n",
        "GIT binary patch\ndelta 3\nKcmZ?wbhEHb\n\n",
    ],
    ids=["mentioned", "literal", "delta"],
)
def test_binary_files_are_marked(body: str) -> None:
    """A binary file has no hunks, and what follows it is read."""
    binary, after = parse(f"diff --git a/x.png b/x.png\nindex 1..2 100644\n{body}" + file_diff("y", ["a"], ["b"]))
    assert (binary.binary, binary.hunks, binary.path) == (True, (), "x.png")
    assert after.path == "y"


@pytest.mark.parametrize(
    ("written", "path"),
    [
        (rb'"a/\303\244 b.txt" "b/\303\244 b.txt"', "ä b.txt"),
        (rb'"a/\377.txt" "b/\377.txt"', "\udcff.txt"),
        (rb'"a/t\tab" "b/t\tab"', "t\tab"),
        (rb'"a/q\"uote\\" "b/q\"uote\\"', 'q"uote\\'),
        (b"a/x b/x b/x b/x", "x b/x"),
        (b"a/one two b/one two", "one two"),
        (b"x.c x.c", "x.c"),
        (b"i/x.c w/x.c", "x.c"),
        (b"a/deep/x.c a/deep/x.c", "a/deep/x.c"),
        (b"old/x.c new/x.c", "x.c"),
    ],
)  # fmt: skip
def test_paths_are_read_from_the_header_alone(written: bytes, path: str) -> None:
    """Quotes, escapes, blanks, foreign bytes, other prefixes and none: the file has one name."""
    file = only(b"diff --git " + written + b"\nold mode 100644\nnew mode 100755\n")
    assert (file.old_path, file.new_path) == (path, path)


@pytest.mark.parametrize(
    ("old", "new", "path", "status"),
    [
        ("x.c\t2020-01-01 00:00:00.000000000 +0100", "x.c\t2020-01-02 00:00:00.0 +0100", "x.c", FileStatus.MODIFIED),
        ("old/src/x.c\t2020-01-01", "new/src/x.c\t2020-01-02", "src/x.c", FileStatus.MODIFIED),
        ("x.c.orig", "x.c", "x.c", FileStatus.MODIFIED),
        ("a/x.c", "b/x.c", "x.c", FileStatus.MODIFIED),
        ("/dev/null", "b/x.c", "x.c", FileStatus.ADDED),
        ("a/x.c", "/dev/null", "x.c", FileStatus.DELETED),
        ("old/x.c\t1970-01-01 00:00:00.000000000 +0000", "new/x.c\t2020-01-02", "new/x.c", FileStatus.ADDED),
    ],
)
def test_plain_diffs_name_one_file(old: str, new: str, path: str, status: FileStatus) -> None:
    """`diff -u` knows no renames: both names are one file, and a time stamp is no part of a name."""
    file = only(f"diff -ru {old} {new}\n--- {old}\n+++ {new}\n@@ -1 +1 @@ f\n-a\n+b\n")
    assert (file.path, file.status) == (path, status)


def test_lines_that_look_like_headers_are_lines() -> None:
    """The counts of the hunk decide: a deleted `-- a/x` followed by an added `++ b/x` is no file header."""
    file = only("--- a/q.sql\n+++ b/q.sql\n@@ -1,2 +1,2 @@\n--- a/x\n+++ b/x\n-@@ -1 +1 @@\n+diff --git a/z b/z\n")
    assert [line.text for line in file.hunks[0].lines] == ["-- a/x", "++ b/x", "@@ -1 +1 @@", "diff --git a/z b/z"]


def test_a_missing_newline_marks_the_line_before_it() -> None:
    """On the old side, the new side, or both, also where the counts are already used up."""
    note = "\\ No newline at end of file\n"
    file = only(f"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n{note}+b\n{note}")
    assert [line.no_newline for line in file.hunks[0].lines] == [True, True]


def test_carriage_returns_stay_in_the_text_and_leave_the_headers() -> None:
    """A diff of CRLF files, and a diff that was itself saved with CRLF, are both read."""
    (hunk,) = only("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\r\n+b\r\n").hunks
    assert [line.text for line in hunk.lines] == ["a\r", "b\r"]
    file = only("diff --git a/x b/x\r\nindex 1..2 100644\r\n--- a/x\r\n+++ b/x\r\n@@ -1 +1 @@ f\r\n-a\r\n+b\r\n")
    assert (file.path, file.hunks[0].section, file.new_mode) == ("x", "f", "100644")


def test_zero_context_hunks_count_from_the_line_before() -> None:
    """`-U0` writes the line before an empty side; the lines get their true numbers."""
    added, deleted = only("--- a/x\n+++ b/x\n@@ -3,0 +4,2 @@\n+a\n+b\n@@ -9 +11,0 @@\n-c\n").hunks
    assert [line.new_number for line in added.lines] == [4, 5]
    assert deleted.lines[0].old_number == 9


def test_an_empty_context_line_may_have_lost_its_blank() -> None:
    """Mailers strip blanks at the end of a line; such a line is context all the same."""
    (hunk,) = only("--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n\n-b\n+c\n").hunks
    assert (hunk.lines[1].kind, hunk.lines[1].text, hunk.lines[1].new_number) == (LineKind.CONTEXT, "", 2)


@pytest.mark.parametrize("text", ["", "\n", "  \n\n"])
def test_an_empty_diff_is_a_change_without_files(text: str) -> None:
    """Nothing changed: that is no error."""
    assert parse(text) == []
    assert change_from_diff(text.encode()).files == ()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("hello\nworld\n", "no unified diff"),
        ("\x1b[1mdiff --git a/x b/x\x1b[m\n", "no unified diff"),
        ("@@ -1 +1 @@\n-a\n+b\n", "line 1"),
        ("--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n-b\n", "line 3"),
        ("--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n-b\n+c\ndiff --git a/y b/y\n", "line 7"),
        ("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n-b\n+c\n", "do not add up"),
        ("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n+evil\n", "more lines"),
        ("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n evil\n", "more lines"),
        ("--- a/x\n+++ b/x\n@@ -0,0 +0,0 @@\n", "promises no lines"),
        ("--- a/x\n+++ b/x\n@@ -1,99999999999 +1 @@\n-a\n", "header"),
        ("--- a/x\n+++ b/x\n", "without hunks"),
        ("--- a/x\n+++ b/x\n@@ no header\n", "without hunks"),
        ("--- a/x\n+++ b/x\n--- a/y\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n", "line 2: a file header without hunks"),
        (f"commit {'0' * 40}\n\n--- a/x\n+++ b/x\n", "without hunks"),
        ("diff --git a/x b/x\n--- a/x\n+++ b/x\n", "without hunks"),
        ("diff --git a/x b/x\n@@ -1 +one @@\n-a\n+b\n", "without `---`"),
        (f"commit {'0' * 40}\n\ndiff --git a/x b/x\n@@ -1 +1 @@\n-a\n+b\n", "without `---`"),
        ("diff --git a/x b/x\n--- a/x\n@@ -1 +1 @@\n-a\n+b\n", "without `+++`"),
        ("diff --git a/readme b/readme\n--- a/readme\n+++ b/auth.c\n@@ -1 +1 @@\n-a\n+b\n", "different files"),
        ("diff --git one two three\nold mode 100644\n", "without a path"),
        ("diff --git a/x b/x\nGIT binary patch\nliteral 3\nKcmZ?wbhEHb\n", "cut off"),
        ("diff --cc x\nindex 1,2..3\n--- a/x\n+++ b/x\n@@@ -1,2 -1,2 +1,2 @@@\n  a\n", "cut off"),
    ],
)
def test_what_cannot_be_read_is_an_error_that_says_where(text: str, word: str) -> None:
    """Garbage, truncation and contradictions are refused; the message never repeats the text."""
    with pytest.raises(DiffError) as caught:
        parse(text)
    assert word in caught.value.message
    assert "\x1b" not in str(caught.value)
    assert caught.value.mend


def test_utf16_is_told_and_a_byte_order_mark_is_skipped() -> None:
    """PowerShell saves redirected output as UTF-16; some editors add a mark to UTF-8."""
    with pytest.raises(DiffError, match="UTF-16"):
        parse("diff --git a/x b/x\n".encode("utf-16"))
    assert only(b"\xef\xbb\xbf" + file_diff("x", ["a"], ["b"]).encode()).path == "x"


def test_a_combined_diff_is_unread_and_its_counts_are_obeyed() -> None:
    """A merge against all parents is no plain diff; the plain diff that follows it is not swallowed."""
    combined, after = parse(
        "diff --cc x.py\nindex 1,2..3\n--- a/x.py\n+++ b/x.py\n@@@ -1,2 -1,2 +1,3 @@@\n  a\n- b\n -c\n++d\n++e\n"
        "--- a/y.py\n+++ b/y.py\n@@ -1 +1 @@\n-a\n+b\n"
    )
    assert (combined.path, combined.hunks) == ("x.py", ())
    assert "merge" in (combined.unread or "")
    assert after.path == "y.py"


def test_files_that_are_only_mentioned_are_not_lost() -> None:
    """`diff -r` without `-N` names files that are on one side only, and binary ones."""
    binary, lone = parse("Binary files old/a.bin and new/a.bin differ\nOnly in new/src: b.py\n")
    assert (binary.path, binary.binary) == ("a.bin", True)
    assert lone.path == "new/src/b.py"
    assert lone.unread


def test_text_between_files_is_skipped() -> None:
    """Property lists, signatures and blank lines belong to no file."""
    one, two = file_diff("x", ["a"], ["b"]), file_diff("y", ["a"], ["b"])
    assert [file.path for file in parse(f"Index: x\n{'=' * 9}\n{one}-- \n2.39.5\n\n{two}")] == ["x", "y"]


@given(st.lists(file_changes(), max_size=4))
def test_rendering_and_reading_go_round(files: list[FileChange]) -> None:
    """Reading what was written gives the same values, whatever bytes are in paths and lines."""
    assert list(parse_diff(render(files))) == files


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """No input whatsoever leads to another exception than `DiffError`."""
    try:
        files = parse(data)
    except DiffError:
        return
    assert all(file.path for file in files)


@given(st.lists(file_changes(), min_size=1, max_size=3), st.data())
def test_a_diff_cut_anywhere_is_refused_or_read_as_its_beginning(files: list[FileChange], data: st.DataObject) -> None:
    """Truncation never invents files, lines or another reading of what came before."""
    whole = render(files)
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    seen: list[FileChange] = []
    try:
        for file in parse_diff(cut):
            seen.append(file)  # noqa: PERF402  (what came before the error counts)
    except DiffError:
        pass
    assert seen[:-1] == files[: len(seen)][:-1]
