"""Rows of a diff: whole, escaped, in parts; and colours, from which nothing else can come."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from oversight.audit.budget.entry import Said
from oversight.audit.looking.placing import Placed, PlacedFile, PlacedHunk
from oversight.changes.diff import parse_diff
from oversight.changes.model import Change, FileChange, Line, LineKind, Provenance, ProvenanceKind
from oversight_server.pages.diff import ROWS, code, part_of
from oversight_server.pages.reading.colours import KINDS, Span, colours_of
from tests.builders import file_diff, marked_file


class Read(HTMLParser):
    """What a browser makes of markup: text, and the classes of its elements."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.classes = "", []
        self.feed(markup)
        self.close()

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert (tag, [name for name, _ in attrs]) == ("span", ["class"])
        self.classes.append(attrs[0][1])


SPANS = st.builds(Span, st.integers(-2, 30), st.integers(-2, 30), st.integers(-1, 9))


@given(st.text(max_size=25), st.lists(SPANS, max_size=5))
def test_code_is_its_text_whatever_a_child_says_of_colours(text: str, spans: list[Span]):
    """Every character is there, as itself or visible; no element but our own."""
    read = Read(code(text, spans))
    assert read.text == Read(code(text)).text
    assert set(read.classes) <= {"odd", *(f"t-{kind}" for kind in KINDS)}
    if text.isascii() and text.isprintable():
        assert read.text == text


def placed(*files: FileChange, risks: tuple[float | None, ...] = (), findings: tuple[Said, ...] = ()) -> Placed:
    """Files with their hunks in order."""
    number, found = 0, []
    for file in files:
        hunks = []
        for hunk in file.hunks:
            risk = risks[number] if number < len(risks) else None
            number += 1
            hunks.append(PlacedHunk(hunk, number, True, risk, findings))
        found.append(PlacedFile(file, None, (), tuple(hunks)))
    return Placed(tuple(found), ())


def rows(shown: Placed, part: int) -> list[tuple[int | None, str]]:
    """The rows of a part: number and text."""
    files = part_of(shown, (), part).files
    return [(row.new, Read(row.code).text) for file in files for hunk in file.hunks for row in hunk.rows]


def test_parts_are_the_whole_diff_once():
    """In order, with the files and hunks that begin and go on in them."""
    many = [f"line {number}" for number in range(ROWS)]
    diff = file_diff("a.py", [], many) + file_diff("b.py", ["x"], ["y"]) + file_diff("c.py", [], many)
    shown = placed(*parse_diff(diff.encode()))
    first = part_of(shown, (), 1)
    assert first.parts == 3
    assert first.starts == {1: 1, 2: 2, 3: 2}
    told = [row for part in (1, 2, 3) for row in rows(shown, part)]
    assert [text for _, text in told] == [*many, "x", "y", *many]
    second = part_of(shown, (), 2)
    assert [(file.placed.file.path, file.continued) for file in second.files] == [
        ("a.py", True), ("b.py", False), ("c.py", False),
    ]  # fmt: skip
    assert second.files[0].hunks[0].continued
    assert part_of(shown, (), 0).number == 1
    assert part_of(shown, (), 9).number == 3


def test_files_without_hunks_are_in_a_part():
    """Each in one, also where there is nothing else."""
    moved = "diff --git a/x{0} b/y{0}\nsimilarity index 100%\nrename from x{0}\nrename to y{0}\n"
    shown = placed(*parse_diff("".join(moved.format(number) for number in range(2_000)).encode()))
    parts = part_of(shown, (), 1).parts
    assert parts > 1
    paths = [file.placed.file.path for part in range(1, parts + 1) for file in part_of(shown, (), part).files]
    assert paths == [f"y{number}" for number in range(2_000)]
    assert part_of(Placed((), ()), (), 1).parts == 1


def test_a_line_that_is_too_long_goes_on_in_other_rows():
    """Its number and its findings stand at the first."""
    finding = Said("a/path", 41, 41, None, "p", "low", ("says so",))
    file = marked_file("python", [" one", "+" + "x" * 9_000])
    (hunk,) = part_of(placed(file, findings=(finding,)), (), 1).files[0].hunks
    assert [row.continued for row in hunk.rows] == [False, False, True, True]
    assert [row.new for row in hunk.rows] == [40, 41, None, None]
    assert [bool(row.findings) for row in hunk.rows] == [False, True, False, False]
    assert hunk.findings == ()


def test_shades_go_by_the_riskiest_of_the_change():
    """From 1 to 5, and none where nothing is known; ranks say the same in words."""
    files = [marked_file("python", ["+x"]) for _ in range(4)]
    part = part_of(placed(*files, risks=(0.02, None, 0.04, 0.001)), (), 1)
    shown = [(hunk.rank, hunk.shade) for file in part.files for hunk in file.hunks]
    assert shown == [(2, 2), (None, None), (1, 5), (3, 1)]
    assert part.ranked == 3


def change(*files: FileChange) -> Change:
    return Change("1" * 40, None, None, None, None, Provenance(ProvenanceKind.HUMAN), None, "", "", files)


def kinds(file: FileChange) -> list[list[tuple[str, str]]]:
    """Of each line the parts that are coloured."""
    (((*lines,),),) = colours_of(change(file))
    texts = [line.text for line in file.hunks[0].lines]
    return [[(text[a:b], KINDS[kind]) for a, b, kind in spans] for text, spans in zip(texts, lines, strict=True)]


def test_both_sides_of_a_hunk_are_coloured_by_themselves():
    """A text that is opened on one side closes on that side."""
    file = marked_file("python", [" def f():", "-    a = '''", "+    a = 1", "     return 2"])
    told = kinds(file)
    assert told[0] == [("def", "key"), ("f", "name")]
    assert ("1", "number") in told[2]
    assert ("return", "key") in told[3]


def test_other_languages_go_by_the_name_of_the_file():
    """And what has no lexer, or is too long to be code, has no colours; all other lines have them all the same."""
    line = Line(LineKind.ADDED, None, 1, "on: [push]  # when")
    hunk = marked_file(None, ["+x"]).hunks[0]
    yaml = FileChange(None, "a/b.yml", "added", None, (type(hunk)(0, 1, "", (line,)),))  # type: ignore[arg-type]
    assert ("# when", "note") in kinds(yaml)[0]
    assert colours_of(change(FileChange(None, "LICENSE-", "added", None, (hunk,)))) == (((),),)  # type: ignore[arg-type]
    long = marked_file("python", ["+x = '" + "y" * 600 + "'", "+def f(): pass"])
    assert kinds(long)[0] == []
    assert ("def", "key") in kinds(long)[1]
