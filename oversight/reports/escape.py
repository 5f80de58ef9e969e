r"""Hostile text made showable. The only place of the package where that happens.

A diff, a title, a path, an author or a message derived from them can hold anything. Every face of a
report passes such text through one of these, by where it is shown:

    terminal(text)   one line of plain text: what moves a cursor, hides or reorders text becomes visible
    markdown(text)   prose inside Markdown (GitHub's dialect): no markup, link, mention or reference
    code(text)       an inline code span, for paths and identifiers
    fenced(text)     a fenced block, for several lines
    html(text)       element content and double- or single-quoted attribute values
    visible(text)    text for somebody who escapes markup by other means: the pages, whose templates do
    sarif(text)      a SARIF message, whose plain text has a link syntax of its own
    data(text)       a string value of a JSON document

All give back text that encodes as UTF-8. Escapes are Python's: `\x1b`, `\u202e`; a byte that was no UTF-8 shows
as `\xff`. A limit counts shown characters, ends in an ellipsis, and never cuts an escape in half.

A workflow log is a terminal that obeys: the Actions runner takes a line that starts with `::` (after
blanks) for a command, and the older `##[` wherever it stands. `terminal` breaks both; who lays out several
pieces on a line that may be wrapped passes each finished line through `log_line`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Set
from functools import lru_cache
from itertools import accumulate, groupby

ELLIPSIS = "…"

# Printable to Python, yet invisible: they hide text from a reader, or carry it past one.
_INVISIBLE = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0}.union(
        range(0x180B, 0x1810), range(0xFE00, 0xFE0E), range(0xE0100, 0xE01F0)
    )
)
# Not printable to Python, yet nothing but blanks that people do write.
_BLANK = frozenset([0x00A0, 0x3000])
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}

_COMMAND_V2 = re.compile(r"^(\s*):(?=:)")
_COMMAND_V1 = re.compile(r"#(?=#\w*\[)")

# What GitHub turns into a link, a notification or a picture after Markdown is rendered, so that no
# backslash helps: mentions, e-mail, issue and commit references, addresses, emoji names, formulas.
_REFERENCE = re.compile(
    r"@|#\d|\bgh-\d|://|\bwww\.|\b(?:https?|ftp|mailto|xmpp):|\b[0-9a-f]{7,64}\b|:[\w+-]+:|\$", re.IGNORECASE
)
_MARKUP = re.compile(r"[\\`*_{}\[\]<>#|~&^!]")
_LEADING = re.compile(r"^(\d*)(?=[-+=.)])")
# A word, or several between backticks. Matches start and end at blanks, so that no two code spans touch.
_WORD = re.compile(r"`([^`]+)`([,.;:)]*)(?= |$)|[^ ]+")
_SARIF_MARKUP = re.compile(r"[\\\[\]]")
_SARIF_PLACEHOLDER = re.compile(r"\{(\d+)\}")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;", "`": "&#x60;"})


@lru_cache(maxsize=4096)
def _shown(character: str) -> str:
    """Return a character as people may see it: itself, or a visible escape."""
    number = ord(character)
    if number in _BLANK or (character.isprintable() and number not in _INVISIBLE):
        return character
    if character in _SHORT:
        return _SHORT[character]
    if 0xDC80 <= number <= 0xDCFF:  # surrogateescape: a byte that is no UTF-8
        return f"\\x{number - 0xDC00:02x}"
    return _escaped(character)


def _escaped(character: str) -> str:
    number = ord(character)
    if number < 0x80:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _commands(text: str) -> set[int]:
    """Return where the characters stand that have to be escaped so that a workflow log obeys nothing."""
    places = {match.start() for match in _COMMAND_V1.finditer(text)}
    if match := _COMMAND_V2.match(text):
        places.add(match.end() - 1)
    return places


def terminal(text: str, limit: int | None = None) -> str:
    r"""Return `text` as one line that no terminal and no workflow log obeys.

    >>> print(terminal("a\x1b[31m\nb\u202e \udcff ::error::"))
    a\x1b[31m\nb\u202e \xff ::error::
    >>> print(terminal("::error::now"))
    \x3a:error::now
    """
    return _cut(text, limit, _commands)


def visible(text: str, limit: int | None = None) -> str:
    r"""Return `text` as one line in which nothing hides, reorders or moves anything; markup and commands stay.

    >>> print(visible("<b>\x1b::error::"))
    <b>\x1b::error::
    """
    return _cut(text, limit, lambda _: frozenset())


def runs(text: str) -> Iterator[tuple[str, bool]]:
    r"""Yield the parts of what `visible` gives, and whether a part stands for what could not have been seen.

    >>> list(runs("a\x00\x1bb"))
    [('a', False), ('\\x00\\x1b', True), ('b', False)]
    """
    if text.isascii() and text.isprintable():
        yield from [(text, False)] if text else []
        return
    shown = [(_shown(character), character) for character in text]
    for hidden, parts in groupby(shown, key=lambda one: one[0] != one[1]):
        yield "".join(part for part, _ in parts), hidden


def _cut(text: str, limit: int | None, commands_of: Callable[[str], Set[int]]) -> str:
    """Return `text` with everything made visible, and escaped where `commands_of` says so besides."""
    if limit is not None and limit < 1:
        raise ValueError("a limit leaves room for the ellipsis at least")
    # No character shows as less than one: of a hostile megabyte only the beginning is looked at.
    text = text if limit is None else text[: limit + 1]
    commands = commands_of(text)
    if not commands and text.isascii() and text.isprintable():
        pieces = list(text)
    else:
        pieces = [_escaped(c) if n in commands else _shown(c) for n, c in enumerate(text)]
    if limit is None or sum(map(len, pieces)) <= limit:
        return "".join(pieces)
    ends = accumulate(map(len, pieces))
    return "".join(piece for piece, end in zip(pieces, ends, strict=True) if end < limit) + ELLIPSIS


def log_line(line: str) -> str:
    """Return a finished line of output with workflow commands broken; other text stays as it is.

    A broken command is three characters longer than the whole one.
    """
    commands = _commands(line)
    return "".join(_escaped(c) if n in commands else c for n, c in enumerate(line)) if commands else line


def markdown(text: str, limit: int | None = None) -> str:
    r"""Return `text` as Markdown prose that renders as what it says and nothing else.

    Punctuation is escaped; a word that GitHub would link or expand after rendering (a mention, a
    reference, an address) becomes a code span, the one place where it does not look. So does what stands
    between backticks, as names do in the reasons that we make.

    >>> print(markdown("see [here](http://x.test) *now*, @ann, #12: `f(x)`."))
    see `[here](http://x.test)` \*now\*, `@ann,` `#12:` `f(x)`.
    """
    return _WORD.sub(_markdown_word, terminal(text, limit).strip())


def _markdown_word(match: re.Match[str]) -> str:
    quoted, stops = match.groups()
    if quoted is not None:
        return _span(quoted) + stops
    if _REFERENCE.search(match[0]):
        return _span(match[0])
    escaped = _MARKUP.sub(r"\\\g<0>", match[0])
    # Only the first word of a line can start a list, a rule or an underlined heading.
    return escaped if match.start() else _LEADING.sub(r"\1\\", escaped)


def code(text: str, limit: int | None = None) -> str:
    r"""Return `text` as an inline code span, which may also stand in a table.

    A bar would end a table's cell even inside a code span, and escaped it would show its backslash outside
    of a table: it becomes `\x7c`.

    >>> code("a`b``c")
    '```a`b``c```'
    """
    return _span(terminal(text, limit))


def _span(shown: str) -> str:
    """Return what `terminal` gave as a code span; words of a line do not start one, so they are not looked at again."""
    shown = shown.replace("|", r"\x7c")
    fence = "`" * (_longest_run(shown) + 1)
    # CommonMark strips one blank from both ends, and only where there is more than blanks.
    pad = " " if not shown.strip(" ") or shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def fenced(text: str, language: str = "") -> str:
    """Return lines of text as a fenced code block whose fence is longer than any run of backticks inside.

    `language` is one of ours, never the change's: letters, digits, `+` and `-`.
    """
    if not re.fullmatch(r"[A-Za-z0-9+-]*", language):
        raise ValueError("the language of a fenced block is a plain word")
    lines = [terminal(line.removesuffix("\r").replace("\t", "    ")) for line in text.split("\n")]
    fence = "`" * max(3, _longest_run(text) + 1)
    return "\n".join([fence + language, *lines, fence])


def html(text: str, limit: int | None = None) -> str:
    """Return `text` for HTML element content and quoted attribute values.

    >>> html('<img src="x">')
    '&lt;img src=&quot;x&quot;&gt;'
    """
    return terminal(text, limit).translate(_HTML)


def sarif(text: str, limit: int | None = None) -> str:
    r"""Return `text` for the `text` of a SARIF message: no embedded links (3.11.6), no placeholders (3.11.5).

    >>> print(sarif("[x](1) {0}"))
    \[x\](1) {{0}}
    """
    return _SARIF_PLACEHOLDER.sub(r"{{\1}}", _SARIF_MARKUP.sub(r"\\\g<0>", terminal(text, limit)))


def data(text: str, limit: int | None = None) -> str:
    r"""Return `text` as a JSON string's value: whole but for lone surrogates, which no UTF-8 can hold.

    Whoever shows the value escapes it for the place where it is shown. A limit cuts at a character.
    """
    if limit is not None and len(text) > limit:
        text = text[: limit - len(ELLIPSIS)] + ELLIPSIS
    return text if text.isascii() else _SURROGATE.sub(lambda match: _shown(match[0]), text)


def _longest_run(text: str) -> int:
    """Length of the longest run of backticks."""
    return max(map(len, re.findall("`+", text)), default=0)
