"""What people tell the reviewer in a comment: `/oversight safe`, `risky`, `dismiss <reason>` or `review`. No I/O.

    /oversight safe [note]         the change needs nobody's second look
    /oversight risky [note]        it does
    /oversight dismiss <reason>    a finding is wrong here; without a reason it is no dismissal
    /oversight review              read the change again

A command begins its line (blanks before it aside, up to the three that Markdown allows) and ends with it; what
follows the verb is the note. Code, quotes and HTML comments hold no commands: a reply by e-mail quotes what it answers,
and our own comments say how to answer. Of several commands only the first counts, so that a comment is one verdict;
who changes their mind edits the comment or writes another. A verb that is not known is a value of its own, so that
whoever wrote it can be told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from oversight.reports.escape import data

MAX_NOTE = 1_000
# GitHub takes no longer comments.
_MAX_BODY = 65_536
_MAX_WORD = 40

# ASCII, or letters that merely fold to ours would do: the long s for an s.
_COMMAND = re.compile(r" {0,3}/oversight(?:[ \t]+(?P<verb>\S+)(?P<note>.*))?[ \t]*", re.ASCII | re.IGNORECASE)
# A line of backticks with one more among its words is inline code, no fence.
_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}(?=[^`]*$)|~{3,})(?P<info>.*)")
_LINE = re.compile(r"\r\n|\r|\n")


class Verb(StrEnum):
    """What a command asks for. UNKNOWN: a word that is none of ours, or no word; INCOMPLETE: no reason was given."""

    SAFE = "safe"
    RISKY = "risky"
    DISMISS = "dismiss"
    REVIEW = "review"
    UNKNOWN = "unknown"
    INCOMPLETE = "incomplete"


_VERBS = {verb.value: verb for verb in (Verb.SAFE, Verb.RISKY, Verb.DISMISS, Verb.REVIEW)}


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `note`: a reason or remark of at most `MAX_NOTE` characters, the word itself where it is no verb.

    It is somebody's text still, and escaped by whoever shows it.
    """

    verb: Verb
    note: str = ""


def parse(body: str) -> Command | None:
    r"""Return the first command of a comment, None where it holds none.

    >>> parse("Thanks!\n/oversight dismiss generated code")
    Command(verb=<Verb.DISMISS: 'dismiss'>, note='generated code')
    >>> parse("> /oversight safe") is None
    True
    """
    for line in _words(body[:_MAX_BODY]):
        if match := _COMMAND.fullmatch(line):
            return _command(match["verb"] or "", match["note"] or "")
    return None


def _words(body: str) -> Iterator[str]:
    """Yield the lines that are outside of fenced code and HTML comments."""
    fence = ""
    hidden = False
    for line in _LINE.split(body):
        match = _FENCE.fullmatch(line)
        if hidden:
            hidden = "-->" not in line
        elif fence:
            if match and match["fence"].startswith(fence) and not match["info"].strip():
                fence = ""
        elif match:
            fence = match["fence"]
        else:
            hidden = line.rfind("<!--") > line.rfind("-->")
            yield line


def _command(word: str, rest: str) -> Command:
    note = data(rest.strip(), MAX_NOTE)
    verb = _VERBS.get(word.lower().rstrip(".,:;!"))
    if verb is None:
        return Command(Verb.UNKNOWN, data(word, _MAX_WORD))
    if verb is Verb.DISMISS and not any(map(str.isalnum, note)):
        return Command(Verb.INCOMPLETE, verb.value)
    return Command(verb, note)
