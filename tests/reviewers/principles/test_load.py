"""Principles that a repository adds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from oversight.errors import ConfigError
from oversight.reviewers.model import Severity
from oversight.reviewers.principles import Principles, builtin, load
from oversight.reviewers.principles.constitution_files import CONSTITUTION, EXTRA_LIMIT
from oversight.reviewers.principles.queries import query_error
from oversight.reviewers.principles.schema import FILE_SIZE, parse_path_sets, parse_principle
from tests.reviewers.principles.annotated import all_examples, context_with, parse_example

GOOD = """
id = "no-globals"
category = "house-rules"
severity = "high"
sentence = "Globals are hard to test."
[[detect]]
languages = ["python"]
words = ["global"]
code = '''^global \\w+'''
"""


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_repository_adds_its_own_principles(tmp_path: Path) -> None:
    """A principle of the repository fires beside the shipped ones, with the severity and vote it names."""
    written(tmp_path / "a.toml", GOOD)
    example = parse_example("no-globals", "", True, ["@@ a.py", " def f():", "!+    global x", "+    # global y"])
    (opinion,) = Principles(load([tmp_path])).review(example.change, example.context)
    assert (opinion.principle, opinion.severity, opinion.risk) == ("no-globals", Severity.HIGH, 0.7)
    assert [(place.path, place.start, place.end, place.side) for place in opinion.lines] == [("a.py", 2, 2, "new")]


def test_extra_principles_only_add_findings(tmp_path: Path) -> None:
    """Whatever a repository adds, the shipped principles find what they found."""
    extended = Principles(load([written(tmp_path / "a.toml", GOOD)]))
    plain = Principles()
    for example in all_examples():
        before = plain.review(example.change, example.context)
        assert set(before) <= set(extended.review(example.change, example.context))


def test_a_path_can_be_what_a_principle_is_about(tmp_path: Path) -> None:
    """As it stands or with blanks for what joins words in paths, of the old or the new file, beside other conditions;
    alone it is about the file as a whole.
    """
    alone = GOOD.partition("languages")[0] + "path = 'do not open'\n"
    both = GOOD.replace("no-globals", "no-globals-there").replace("words =", "path = 'do not open'\nwords =")
    paths = ("a/do_not-open.py", "do not open.py", "open.py")
    reviewer = Principles(load([written(tmp_path / "a.toml", alone), written(tmp_path / "b.toml", both)]))
    found: dict[str, dict[str | None, int | None]] = {}
    for path in paths:
        change = parse_example("x", "", True, ["@@ a.py", "+global x"]).change
        files = (replace(change.files[0], old_path=path, new_path="b.py"),)
        opinions = reviewer.review(replace(change, files=files), context_with())
        found[path] = {
            one.principle: one.lines[0].start for one in opinions if (one.principle or "").startswith("no-globals")
        }
    assert found == {path: {"no-globals": None, "no-globals-there": 1} for path in paths[:2]} | {"open.py": {}}


def test_an_id_is_taken_once(tmp_path: Path) -> None:
    """No principle takes the id of a shipped one, nor of another of the repository's."""
    with pytest.raises(ConfigError, match="taken"):
        load([written(tmp_path / "a.toml", GOOD.replace("no-globals", builtin()[0].id))])
    again = written(tmp_path / "b.toml", GOOD)
    with pytest.raises(ConfigError, match="taken"):
        load([again, again])
    with pytest.raises(ConfigError, match="taken"):
        Principles([builtin()[0]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("high", "grave"), "severity is one of"),
        (("house-rules", "House Rules"), "lower-case words"),
        (("words =", "wards ="), "unknown keys: 'wards'"),
        (("[[detect]]", "[[detects]]"), "unknown keys"),
        (('["python"]', '["cobol"]'), "languages knows"),
        (("^global \\w+", "(a*)*"), "is refused"),
        (("^global \\w+", "(?P<a>x)(?P=a)"), "is refused"),
        (("^global \\w+", "x*"), "matches an empty row"),
        (("^global \\w+", "x("), "is refused"),
        (("severity =", "risk = 2\nseverity ="), "risk lies between"),
        (("severity =", "risk = true\nseverity ="), "risk is a number"),
        (("words =", "lost = true\nwords ="), "lost goes with"),
        (("words =", "text = 'x'\nwords ="), "exclude each other"),
        (("words =", "entropy = 3\nwords ="), "entropy measures the group"),
        (("words =", "becomes = {code = 'x'}\nwords ="), "becomes goes with"),
        (("words =", 'paths = ["@nothing"]\nwords ='), "no set of paths"),
        (("words =", 'paths = ["**********"]\nwords ='), "eight asterisks"),
        (("words =", "measures = {la = {at_most = 3}}\nwords ="), "takes at_least"),
        (("words =", "measures = {age = {at_most = 3}}\nwords ="), "measures knows"),
        (("words =", 'side = "left"\nwords ='), "side is"),
        (('["global"]', '["42"]'), "no letters"),
        (("words =", "path = '(a*)*'\nwords ="), "pattern of path is refused"),
        (("id =", "id = = "), "not TOML"),
    ],
)
def test_a_file_that_is_no_principle_is_refused(change: tuple[str, str], message: str) -> None:
    """Every mistake in a principle file is a ConfigError that names the file and says what is wrong."""
    with pytest.raises(ConfigError, match=message) as caught:
        parse_principle(GOOD.replace(*change).encode(), "mine.toml")
    assert "mine.toml" in caught.value.message


def test_files_too_large_or_too_many_are_refused(tmp_path: Path) -> None:
    """There is a limit to the size of a principle file and to their number."""
    with pytest.raises(ConfigError, match="larger than"):
        parse_principle(b"#" * (FILE_SIZE + 1), "large.toml")
    for number in range(EXTRA_LIMIT + 1):
        written(tmp_path / f"{number}.toml", GOOD.replace("no-globals", f"rule-{number}"))
    with pytest.raises(ConfigError, match="more than 200"):
        load([tmp_path])


def test_a_path_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    """Principles that were asked for and are not there are not silently none."""
    with pytest.raises(ConfigError, match="no principles at 'nowhere'"):
        load([tmp_path / "nowhere"])


def test_a_query_that_does_not_compile_is_refused(tmp_path: Path) -> None:
    """A repository's tree-sitter queries are compiled when loaded, and their patterns may not repeat."""
    query = GOOD.replace("code = '''^global \\w+'''", "query.python = '''(no_such_node) @here'''")
    with pytest.raises(ConfigError, match="query for python"):
        load([written(tmp_path / "a.toml", query)])
    slow = """((identifier) @here (#match? @here "(a*)*b"))"""
    with pytest.raises(ConfigError, match="repeats"):
        load([written(tmp_path / "b.toml", query.replace("(no_such_node) @here", slow))])


def test_shipped_principles_hold_to_the_same_rules() -> None:
    """Every file of the constitution passes the checks that a repository's own have to pass."""
    sets = parse_path_sets((CONSTITUTION / "paths.toml").read_bytes())
    strict = [parse_principle(file.read_bytes(), file.name, sets) for file in sorted(CONSTITUTION.glob("*/*.toml"))]
    assert tuple(strict) == builtin()


def test_shipped_queries_hold_to_the_same_rules() -> None:
    """Every query of the constitution compiles for its language."""
    for principle in builtin():
        for detector in principle.detectors:
            for language, query in detector.queries.items():
                assert query_error(language, query) is None, principle.id
