"""Path globs that match at any depth, so that putting a file below `vendor/` hides it from no principle."""

from __future__ import annotations

import re
from functools import lru_cache


def _translate(glob: str) -> str:
    parts: list[str] = []
    index = 0
    while index < len(glob):
        if glob.startswith("**/", index):
            parts.append("(?:.*/)?")
            index += 3
        elif glob.startswith("**", index):
            parts.append(".*")
            index += 2
        elif glob[index] == "*":
            parts.append("[^/]*")
            index += 1
        elif glob[index] == "?":
            parts.append("[^/]")
            index += 1
        else:
            parts.append(re.escape(glob[index]))
            index += 1
    return "".join(parts)


@lru_cache(maxsize=1024)
def compile_globs(globs: tuple[str, ...]) -> re.Pattern[str]:
    """Compile globs into one pattern for `match`: `**` crosses directories, `*` and `?` do not; case is ignored.

    >>> bool(compile_globs(("tests/**",)).match("vendor/lib/Tests/a/b.py"))
    True
    """
    return re.compile(f"(?:.*/)?(?:{'|'.join(_translate(glob) for glob in globs)})$", re.IGNORECASE | re.DOTALL)
