"""What a pre-push hook runs: `oversight review` of what is about to be pushed.

    python -I -m oversight.cli.pre_push [options of `oversight review`]

(-I, since -m alone puts the current folder, which is the repository under review, first on Python's path.)

pre-commit starts hooks without a shell and names the pushed commits in two variables. A range written into the
hook's arguments could not: `@{push}..HEAD` does not exist before the first push of a branch, is another change
than the pushed one where that branch is not checked out, and is read from the configuration of the repository,
which a review never looks at.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from oversight.cli import run

FROM, TO = "PRE_COMMIT_FROM_REF", "PRE_COMMIT_TO_REF"


def review_arguments(options: Sequence[str], environment: Mapping[str, str]) -> tuple[list[str], bool]:
    """Arguments for `oversight`, and whether `environment` named the pushed range.

    Where it does not, a whole history with its root is being pushed or the hook is run by hand; the newest commit
    is reviewed then.
    """
    start, end = environment.get(FROM), environment.get(TO)
    named = bool(start and end)
    return ["review", *options, "--", f"{start}..{end}" if named else "HEAD"], named


def main() -> None:
    """Review the pushed change and exit as `oversight review` does, so that 1, 2 and 3 all stop the push."""
    arguments, named = review_arguments(sys.argv[1:], os.environ)
    if not named:
        print("oversight: no pushed range is known; reviewing the newest commit alone", file=sys.stderr)  # noqa: T201
    sys.exit(run(arguments))


if __name__ == "__main__":
    main()
