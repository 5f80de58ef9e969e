"""Code that is code for certain, for the few conditions that take a finding back.

A detector that looks *for* something may read a doubtful row as code: at worst it fires once too often. A
condition that takes a finding back (`unless`, `without`, what `lost` finds put back) must not be met by a
comment or a string, however well it is disguised. A fragment shows only some rows of a file, so its syntax
tree alone cannot tell: a text opened out of sight looks like code. Two rules hold without a tree:

- `sure_code` drops everything that could be in quotes or in a comment;
- two rows of one hunk between which nothing opens or closes a text of several rows (`boundary`) are both code
  or both not. Only a row that is not set apart in this way from the one it speaks for counts.
"""

from __future__ import annotations

import re

_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`(?:\\.|[^`\\])*`')
_COMMENT = re.compile(r"#|//")
_BOUNDARY = re.compile(
    r'"""|\'\'\'|/\*|\*/|<!--|-->|<<[-~]?["\'\\]?[A-Za-z_]|^=(?:begin|end)\b|^__END__|^#\s*(?:if|ifdef|ifndef|else|elif|endif)\b'
)
_OPEN_QUOTE = re.compile(r'["`]|(?<!\w)\'(?!\w+\b(?!\'))')


def sure_code(text: str) -> str:
    """Return the part of a row that is code whatever its comments and strings are.

    >>> sure_code('load(x)  # SafeLoader')
    'load(x)  '
    >>> sure_code('load("SafeLoader", x)')
    'load("", x)'
    """
    unquoted = _QUOTED.sub('""', text)
    comment = _COMMENT.search(unquoted)
    return unquoted[: comment.start()] if comment else unquoted


def boundary(text: str) -> bool:
    """Whether a row may open or close a text, a comment or a switched-off block that spans several rows.

    >>> boundary('x = "done"'), boundary('x = "open'), boundary("*/ y();")
    (False, True, True)
    """
    stripped = text.strip()
    if _BOUNDARY.search(stripped):
        return True
    rest = sure_code(stripped).replace('""', "")
    return stripped.endswith("\\") or _OPEN_QUOTE.search(rest) is not None
