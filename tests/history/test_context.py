"""The measures: hand-computed values, nothing of the future, and unknown told from zero."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.changes.diff import change_from_diff
from oversight.changes.model import FileStatus
from oversight.history.context import MEASURES, context_of_diff, contexts
from oversight.history.measures import HISTORY, SIZE
from oversight.history.model import Commit, Completeness, Touch
from tests.builders import EPOCH, HOUR, file_diff
from tests.history.commits import Script, created, modified, renamed

DAY = 86_400
YEAR = 365 * DAY


def measure(commits: list[Commit]) -> dict[str, float]:
    """The measures of the last of `commits`."""
    *_, (_, context) = contexts(commits)
    return dict(zip(MEASURES, context.values.tolist(), strict=True))


@pytest.fixture
def script() -> Script:
    return Script()


def test_names_are_distinct() -> None:
    """Every measure has a name of its own."""
    assert len(set(MEASURES)) == len(MEASURES) == len(SIZE) + len(HISTORY)


def test_size(script: Script) -> None:
    """Diffusion and size after Kamei et al., by hand."""
    script.add("Fix #3 in two files", [modified("a/x.c", 3, 1), modified("a/b/y.c", 4, 0), modified("top.c", 0, 0)])
    values = measure(script.commits)
    assert (values["ns"], values["nd"], values["nf"]) == (2, 3, 3)
    assert (values["la"], values["ld"], values["fix"]) == (7, 1, 1)
    assert values["entropy"] == pytest.approx(1.0)
    assert (values["message_words"], values["message_ticket"]) == (5, 1)


def test_kinds_of_files(script: Script) -> None:
    """Files are counted by what was done to them and by what they are for."""
    binary = Touch("logo.png", None, FileStatus.ADDED, None, None)
    gone = Touch("old.c", "old.c", FileStatus.DELETED, 0, 5)
    script.add(
        "Mix", [binary, gone, renamed("a.c", "b.c"), modified("tests/t.py"), modified("docs/d.md"), modified("go.sum")]
    )
    values = measure(script.commits)
    counted = ("added", "deleted", "renamed", "test", "documentation", "build", "generated", "binary")
    assert [values[f"files_{kind}"] for kind in counted] == [1, 1, 1, 1, 1, 0, 1, 1]


def test_history_and_experience(script: Script) -> None:
    """History, age, ownership and experience, by hand."""
    script.add("Begin", [created("lib/a.c", 100), created("lib/b.c", 50)], author="ada@example.org", at=EPOCH)
    script.add("Fix a", [modified("lib/a.c", 10, 5)], author="bob@example.org", at=EPOCH + 10 * DAY)
    script.add("More", [modified("other/c.c", 1, 1)], author="ada@example.org", at=EPOCH + 20 * DAY)
    script.add("Both", [modified("lib/a.c"), modified("lib/b.c")], author="ada@example.org", at=EPOCH + 30 * DAY)
    values = measure(script.commits)
    assert values["lt"] == pytest.approx((105 + 50) / 2)
    assert (values["ndev"], values["nuc"], values["exp"], values["sexp"]) == (2, 2, 2, 1)
    assert values["age"] == pytest.approx((20 + 30) / 2)
    assert values["rexp"] == pytest.approx(2.0)
    assert (values["file_changes_mean"], values["file_changes_max"]) == (1.5, 2)
    assert (values["file_fixes_max"], values["file_fix_days"]) == (1, 20)
    assert values["own_share"] == pytest.approx((0.5 + 1) / 2)
    assert values["own_last_share"] == 0.5
    assert (values["directory_changes"], values["directory_fix_share"]) == (2, 0.5)
    assert values["directory_own_share"] == 0.5
    assert (values["author_days"], values["author_gap_days"]) == (30, 10)


def test_experience_fades(script: Script) -> None:
    """REXP weighs a change by one over its age in whole years plus one."""
    for years in (0, 1.5, 2.5):
        script.add(at=int(EPOCH + years * YEAR))
    script.add(at=EPOCH + 3 * YEAR)
    assert measure(script.commits)["rexp"] == pytest.approx(1 / 4 + 1 / 2 + 1)


def test_culprits_are_known_when_named(script: Script) -> None:
    """A file's earlier change counts as a culprit from the repair on that names it, and not before."""
    culprit = script.add("Add", [created("a.c")])
    script.add("Touch", [modified("a.c")])
    assert measure(script.commits)["file_culprits_max"] == 0
    script.add(f"Repair\n\nFixes: {culprit}", [modified("b.c")])
    assert measure(script.commits)["author_culprits"] == 0
    script.add("Touch again", [modified("a.c")])
    values = measure(script.commits)
    assert (values["file_culprits_max"], values["author_culprits"]) == (1, 1)
    assert values["author_culprit_share"] == pytest.approx(1 / 3)
    assert values["file_culprit_days"] == pytest.approx(HOUR / DAY)


def test_named_once(script: Script) -> None:
    """A commit that several repairs name is one culprit."""
    culprit = script.add("Add", [created("a.c")])
    for _ in range(3):
        script.add(f"Repair\n\nFixes: {culprit}", [modified("b.c")])
    script.add("Touch", [modified("a.c")])
    assert measure(script.commits)["file_culprits_max"] == 1


def test_renames_carry_history(script: Script) -> None:
    """A renamed file keeps its past, culprits named after the rename included."""
    culprit = script.add("Add", [created("old.c", 20)])
    script.add("Move", [renamed("old.c", "new.c")])
    script.add(f"Repair\n\nFixes: {culprit}", [modified("other.c")])
    script.add("Touch", [modified("new.c", 1, 0)])
    values = measure(script.commits)
    assert (values["file_changes_max"], values["lt"], values["file_culprits_max"]) == (2, 20, 1)


def test_names_can_be_swapped(script: Script) -> None:
    """Two files that swap names in one commit swap their pasts."""
    script.add("Add", [created("a.c", 10), created("b.c", 90)])
    script.add("Swap", [renamed("a.c", "b.c"), renamed("b.c", "a.c")])
    script.add("Touch", [modified("a.c")])
    assert measure(script.commits)["lt"] == 90


def test_cochange(script: Script) -> None:
    """Files that always changed together are missed when one of them is absent."""
    for _ in range(4):
        script.add("Both", [modified("a.c"), modified("a.h")])
    script.add("One", [modified("a.c")])
    values = measure(script.commits)
    assert (values["cochange_absent"], values["cochange_absent_confidence"]) == (1, 1)
    script.add("Three", [modified("a.c"), modified("a.h"), modified("new.c")])
    values = measure(script.commits)
    assert values["cochange_share"] == pytest.approx(1 / 3)
    assert values["cochange_absent"] == 0


def test_new_files_have_no_past(script: Script) -> None:
    """Of a file without a past its age is unknown, and its length before is zero."""
    script.add("Add", [created("a.c")])
    values = measure(script.commits)
    assert (values["file_new_share"], values["lt"], values["ndev"]) == (1, 0, 0)
    assert math.isnan(values["age"])
    assert math.isnan(values["author_days"])


def test_binary_only_has_no_known_lines(script: Script) -> None:
    """Where git counts no line at all, lines are unknown, not zero."""
    script.add("Image", [Touch("a.png", None, FileStatus.ADDED, None, None)])
    values = measure(script.commits)
    assert math.isnan(values["la"])
    assert math.isnan(values["entropy"])


def test_an_empty_commit_is_measured(script: Script) -> None:
    """A commit without files has zero lines, and no files to know anything of."""
    script.add()
    script.commits.append(replace(script.commits[0], sha="a" * 40, touches=()))
    values = measure(script.commits)
    assert (values["nf"], values["la"]) == (0, 0)
    assert math.isnan(values["age"])


def test_shallow_history_is_unknown(script: Script) -> None:
    """In a shallow clone size is known and history is not."""
    script.add()
    script.add()
    for _, context in contexts(script.commits, shallow=True):
        values = dict(zip(MEASURES, context.values.tolist(), strict=True))
        assert context.completeness is Completeness.PARTIAL
        assert all(math.isnan(values[name]) for name in HISTORY)
        assert not any(math.isnan(values[name]) for name in SIZE)


def test_a_bare_diff_has_size_alone() -> None:
    """A diff without a repository is measured for its size, and neither history nor message is made up."""
    change = change_from_diff(file_diff("src/a.py", ["x = 1"], ["x = 2", "y = 3"]).encode())
    context = context_of_diff(change)
    values = dict(zip(MEASURES, context.values.tolist(), strict=True))
    assert context.completeness is Completeness.NONE
    assert (values["la"], values["ld"], values["nf"]) == (2, 1, 1)
    assert all(math.isnan(values[name]) for name in (*HISTORY, "message_words"))


PATHS = st.sampled_from(["a.c", "b.c", "lib/a.c", "lib/b.c", "doc/x.md"])
TOUCHES = st.one_of(
    st.builds(modified, PATHS, st.integers(0, 50), st.integers(0, 50)),
    st.builds(created, PATHS),
    st.builds(renamed, PATHS, PATHS).filter(lambda touch: touch.path != touch.old_path),
    st.builds(lambda path: Touch(path, path, FileStatus.DELETED, 0, 3), PATHS),
)
STEPS = st.lists(
    st.tuples(
        st.lists(TOUCHES, max_size=4, unique_by=lambda touch: touch.path),
        st.sampled_from(["ada@example.org", "bob@example.org"]),
        st.integers(-3, 10),
        st.sampled_from(["Change", "Fix it", "Repair\n\nFixes: {}", "This reverts commit {}."]),
    ),
    min_size=1,
    max_size=12,
)


@given(STEPS, st.integers(0, 11))
def test_nothing_of_the_future(steps: list[tuple[list[Touch], str, int, str]], cut: int) -> None:
    """Measures never change when commits are added after them, and are never infinite or negative."""
    script = Script()
    for touches, author, hours, message in steps:
        named = script.commits[-1].sha if script.commits else "0" * 40
        at = EPOCH + HOUR * (len(script.commits) + hours)
        script.add(message.format(named), touches, author=author, at=at)
    whole = [context.values.tolist() for _, context in contexts(script.commits)]
    part = [context.values.tolist() for _, context in contexts(script.commits[: cut + 1])]
    assert repr(whole[: cut + 1]) == repr(part)
    assert all(math.isnan(value) or 0 <= value < math.inf for values in whole for value in values)


def test_import_is_light() -> None:
    """Measuring a change loads nothing that training needs, and no git library before git is asked."""
    code = "import sys, oversight.history.index; print(sorted(set(sys.modules) & {'torch', 'sklearn', 'scipy', 'git'}))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == "[]"
