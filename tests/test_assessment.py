"""One change examined: shared work, little memory, and nothing that hides what was not read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest

from oversight.assessment import assess, examine, reading_weights
from oversight.changes.diff import change_from_diff
from oversight.changes.model import Change
from oversight.changes.syntax import Allowance, HunkSummary, HunkSyntax, fragment
from oversight.changes.syntax.grammar import Loaded
from oversight.changes.syntax.parsing import parse
from oversight.config import Settings
from oversight.features import featurise
from oversight.history.context import context_of_diff
from oversight.history.model import Context
from oversight.reports.model import FlaggedBy
from oversight.reports.words import in_reading_order
from oversight.review import Reviewer
from oversight.reviewers.model import Opinion
from oversight.reviewers.principles import Principles
from oversight.students.runtime import load
from tests.builders import file_diff

FILES = {
    "a.py": (["def f(x):", "    check(x)", "    return x"], ["def f(x):", "    return x"]),
    "b.c": (["int f(char *p)", "{", "  return *p;", "}"], ["int f(char *p)", "{", "  return p[1]; /* why */", "}"]),
    "net.py": (["r = get(u)"], ["try:", "    r = requests.get(u, verify=False)", "except Exception:", "    pass"]),
}


def change_of(files: dict[str, tuple[list[str], list[str]]]) -> Change:
    return change_from_diff("".join(file_diff(path, *sides) for path, sides in files.items()).encode())


class Watching(Principles):
    """Principles that note which fragments hold a tree whenever they go on to the next file."""

    def __init__(self) -> None:
        super().__init__()
        self.trees: list[int] = []

    def review(
        self, change: Change, context: Context, syntax: Iterable[Sequence[HunkSyntax]] | None = None
    ) -> tuple[Opinion, ...]:
        """Review, watching."""
        return super().review(change, context, self._watched(syntax or ()))

    def _watched(self, syntax: Iterable[Sequence[HunkSyntax]]) -> Iterable[Sequence[HunkSyntax]]:
        before: list[HunkSyntax] = []
        for hunks in syntax:
            sides = [side for hunk in before for side in (hunk.old, hunk.new) if side is not None]
            self.trees.append(sum("tree" in side.__dict__ for side in sides))
            before += hunks
            yield hunks


def test_the_trees_of_one_file_at_a_time_are_kept() -> None:
    """When principles go on to the next file no earlier one holds a tree, and afterwards only summaries are left."""
    change, watching = change_of(FILES), Watching()
    examined = examine(change, context_of_diff(change), watching)
    assert watching.trees == [0, 0, 0]
    assert all(type(summary) is HunkSummary for file in examined.syntax for summary in file)


def test_every_side_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Principles, features and names share one analysis."""
    texts: list[bytes] = []

    def counted(loaded: Loaded, text: bytes, allowance: Allowance) -> object:
        texts.append(text)
        return parse(loaded, text, allowance)

    monkeypatch.setattr(fragment, "parse", counted)
    change = change_of(FILES)
    examine(change, context_of_diff(change), Principles())
    assert len(texts) == len(set(texts)) == 2 * len(FILES)


def test_settling_changes_no_result() -> None:
    """Opinions and features are those of an analysis that keeps everything."""
    change = change_of(FILES)
    context, principles = context_of_diff(change), Principles()
    examined, example = examine(change, context, principles), featurise(change, context)
    assert examined.opinions == principles.review(change, context) != ()
    for name in ("tokens", "offsets", "facts", "places", "measures"):
        assert np.array_equal(getattr(examined.example, name), getattr(example, name), equal_nan=True)
    assert examine(change, context, principles, named=False).syntax[0][0].enclosing is None
    assert examined.syntax[0][0].enclosing == "f"


def test_slow_files_are_flagged_and_hide_nothing(model: Path) -> None:
    """Files that explode in the parser are named and put the flag up; what is found beside them is what it was."""
    slow: dict[str, tuple[list[str], list[str]]] = {
        f"src/F{number}.cs": ([], ["a is b and " * 300] * 30) for number in range(12)
    }
    reviewer = Reviewer(load(model), Principles(), Settings(budget=0.0))
    alone = reviewer.diff("".join(file_diff(path, *sides) for path, sides in FILES.items()).encode())
    beside = reviewer.diff("".join(file_diff(path, *sides) for path, sides in {**slow, **FILES}.items()).encode())
    unparsed = {finding.path for finding in beside.findings if finding.principle == "unparsed-code"}
    assert unparsed == set(slow)
    assert FlaggedBy.PRINCIPLE in beside.flagged_by
    assert {finding for finding in beside.findings if finding.path in FILES} == set(alone.findings)
    assert [hunk for hunk in beside.hunks if hunk.path in FILES] == list(alone.hunks)
    assert beside.coverage.files_scored == len(slow) + len(FILES)


DECLARED = [f"    int field_{number};" for number in range(6)]
DONE = [f"    x = step_{number}(x);" for number in range(6)]


def weigh(files: dict[str, list[str]]) -> list[float]:
    change = change_of({path: ([], rows) for path, rows in files.items()})
    return reading_weights(featurise(change, context_of_diff(change)).facts).tolist()


def test_of_equal_hunks_the_one_that_does_something_is_read_first() -> None:
    """Calls and assignments outweigh declarations and prose of as many lines; more of them outweigh fewer."""
    files = {"a.c": DONE, "b.c": DECLARED, "c.c": DONE[:3], "d.txt": DONE}
    acting, declaring, fewer, prose = weigh(files)
    assert acting > max(declaring, fewer, prose)
    assert declaring == pytest.approx(prose)


def test_a_weight_comes_from_the_hunk_alone() -> None:
    """Nothing that is added elsewhere moves it."""
    assert weigh({"a.c": DONE})[0] == weigh({"a.c": DONE, "b.c": DONE * 50})[0]


def test_reports_list_hunks_by_weight_and_show_their_risks(model: Path) -> None:
    """The order of reading is not that of the risks, which stay what the model said; the report keeps the diff's."""
    change = change_of(FILES)
    loaded = load(model)
    examined = examine(change, context_of_diff(change), Principles())
    report = assess(examined, loaded, None, 10.0)
    risks = loaded.read([examined.example])[0].hunk_risks
    assert [hunk.path for hunk in report.hunks] == list(FILES)
    assert [hunk.risk for hunk in report.hunks] == pytest.approx(risks)
    weights = [hunk.weight for hunk in report.hunks]
    assert weights == pytest.approx(reading_weights(examined.example.facts))
    shown = [hunk.weight for hunk in in_reading_order(report.hunks)]
    assert shown == sorted(weights, key=lambda weight: -(weight or 0.0))
