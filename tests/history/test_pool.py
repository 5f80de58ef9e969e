"""Who counts, who is old enough, and what paths tell."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from oversight.changes.model import FileStatus
from oversight.history.model import GoldLabel, Touch
from oversight.history.paths import PathKind, kinds_of
from oversight.history.pool import BULK_FILES, BULK_LINES, Maturity, exclusion, known_at
from tests.history.commits import Script, created, modified

DAY = 86_400


@pytest.mark.parametrize(
    ("touches", "reason"),
    [
        ([modified("src/a.c")], None),
        ([modified("doc/a.rst"), modified("README.md")], "docs-only"),
        ([modified("doc/a.rst"), modified("src/a.c")], None),
        ([modified("package-lock.json"), modified("api_pb2.py")], "generated-only"),
        ([modified("vendor/lib/a.c")], "vendored-only"),
        ([modified("doc/conf.py")], None),
        ([modified(f"src/{n}.c") for n in range(BULK_FILES + 1)], "bulk import"),
        ([modified("src/a.c", BULK_LINES, 1)], "bulk import"),
        ([Touch("a.bin", "a.bin", FileStatus.MODIFIED, None, None)], None),
    ],
)
def test_exclusion_by_content(touches: list[Touch], reason: str | None) -> None:
    """Changes of nothing but documents, generated or vendored files, and giants, are out of the pool."""
    script = Script()
    script.add("Change", touches)
    assert exclusion(script.commits[0]) == reason


def test_exclusion_by_place() -> None:
    """Merges, roots, empty commits and duplicates are out of the pool."""
    script = Script()
    script.add(parents=("a" * 40, "b" * 40))
    script.add(parents=())
    script.add()
    merge, root, plain = script.commits
    empty = type(plain)(**{name: getattr(plain, name) for name in plain.__slots__} | {"touches": ()})
    assert exclusion(merge) == "merge"
    assert exclusion(root) == "initial import"
    assert exclusion(empty) == "empty"
    assert exclusion(plain) is None
    assert exclusion(plain, duplicates={plain.sha}) == "duplicate"


@pytest.mark.parametrize(
    ("path", "kinds"),
    [
        ("src/main.c", PathKind.NONE),
        ("docs/guide.md", PathKind.DOCUMENTATION),
        ("tests/test_a.py", PathKind.TEST),
        ("pkg/a_test.go", PathKind.TEST),
        ("CMakeLists.txt", PathKind.BUILD),
        (".github/workflows/ci.yml", PathKind.BUILD),
        ("third_party/x/y.c", PathKind.VENDORED),
        ("web/app.min.js", PathKind.GENERATED),
        ("contest/latest.c", PathKind.NONE),
    ],
)
def test_kinds(path: str, kinds: PathKind) -> None:
    """Paths tell what files are for."""
    assert kinds_of(path) == kinds


def test_maturity() -> None:
    """Mature is what lies outside the newest tenth and has waited, as seen at the end or at an earlier moment."""
    times = [n * DAY for n in range(1000)]
    at_end = Maturity.at(times, waiting_days=10)
    assert at_end(899 * DAY)
    assert not at_end(900 * DAY)
    waiting = Maturity.at(times, waiting_days=500)
    assert waiting(499 * DAY)
    assert not waiting(500 * DAY)
    assert not Maturity.at(times, now=100 * DAY, waiting_days=1)(99 * DAY)
    assert not Maturity.at([])(0)


def test_known_at() -> None:
    """A model trained at a moment sees the labels that were known by then."""
    early = GoldLabel("a", True, "fixes", datetime.fromtimestamp(10, UTC), ())
    late = GoldLabel("b", True, "fixes", datetime.fromtimestamp(20, UTC), ())
    assert known_at([early, late], 15) == [early]


def test_statuses_do_not_matter() -> None:
    """An added file counts like a changed one."""
    script = Script()
    script.add("Add", [created("docs/a.md")])
    assert exclusion(script.commits[0]) == "docs-only"
