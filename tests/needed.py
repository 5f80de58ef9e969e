"""What a test cannot do without and not every machine has: there it skips aloud, and in CI it fails."""

from __future__ import annotations

import os
import shutil

import pytest

NEVER_SKIP = "NEVER_SKIP"


def needed(there: bool, what: str, *, mend: str) -> None:
    """Go on where `there`. Else skip the test, or fail it where .ci/run has promised that everything is there.

    >>> needed(True, "Python", mend="install it")
    """
    if there:
        return
    if os.environ.get(NEVER_SKIP):
        pytest.fail(f"{what} is missing: {mend}")
    pytest.skip(f"{what} is missing: {mend}")


def needed_program(name: str, *, mend: str) -> str:
    """The path of a program, or as `needed`."""
    path = shutil.which(name)
    needed(path is not None, name, mend=mend)
    return path or ""
