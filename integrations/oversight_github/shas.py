"""A commit's id in full: 40 hexadecimal digits, or 64 in a repository of SHA-256. No I/O."""

from __future__ import annotations

import re

SHA = r"[0-9a-f]{40}(?:[0-9a-f]{24})?"
"""The pattern of one, for larger patterns."""

_WHOLE = re.compile(SHA)


def is_sha(text: str) -> bool:
    """Whether `text` is a full commit id.

    >>> is_sha("e83c5163316f89bfbde7d9ab23ca2e25604af290"), is_sha("main")
    (True, False)
    """
    return _WHOLE.fullmatch(text) is not None
