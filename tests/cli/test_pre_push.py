"""The pre-push hook."""

import subprocess
import sys
from pathlib import Path

from oversight.cli.pre_push import review_arguments

RANGE = {"PRE_COMMIT_FROM_REF": "1" * 40, "PRE_COMMIT_TO_REF": "2" * 40}


def test_what_is_pushed_is_what_is_reviewed():
    """The range comes from the environment, behind the options and never to be taken for one."""
    arguments, named = review_arguments(["--fail-on", "flagged"], RANGE)
    assert arguments == ["review", "--fail-on", "flagged", "--", f"{'1' * 40}..{'2' * 40}"]
    assert named


def test_without_a_range_the_newest_commit_is_reviewed():
    """Pushing a whole history sets no range, nor does running the hook by hand; half a range is none."""
    assert review_arguments([], {}) == (["review", "--", "HEAD"], False)
    assert review_arguments([], {"PRE_COMMIT_FROM_REF": "", "PRE_COMMIT_TO_REF": "main"})[0][-1] == "HEAD"


def test_the_reviewed_repository_is_not_on_the_path_of_the_hook(tmp_path):
    """A folder `oversight` in the repository under review is data: it is not what the hook imports."""
    planted = tmp_path / "oversight" / "cli"
    planted.mkdir(parents=True)
    for module in (tmp_path / "oversight" / "__init__.py", planted / "__init__.py", planted / "pre_push.py"):
        module.write_text("import pathlib; pathlib.Path('planted').touch()", encoding="utf-8")
    manifest = (Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    entry = next(line for line in manifest.splitlines() if line.strip().startswith("entry:")).split(":", 1)[1].split()
    assert entry[0] == "python"
    finished = subprocess.run(
        [sys.executable, *entry[1:], "--help"], cwd=tmp_path, capture_output=True, check=False, timeout=60
    )
    assert not (tmp_path / "planted").exists()
    assert b"review" in (finished.stdout + finished.stderr).lower()
