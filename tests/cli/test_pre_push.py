"""The pre-push hook."""

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
