"""What a commit's message says about other commits: repairs, reverts, re-lands and cherry-picks.

Text alone, no repository: a message is hostile until its references are resolved against the commits that
came before it (`oversight.history.naming`). The forms are those found in public histories:

    fixes      `Fixes: <sha> ("subject")` and its spellings (kernel custom), "Fixes regression in commit <sha>"
    reverts    `This reverts commit <sha>` over one or several lines, `Reverts <sha>`, `Reverts #12`,
               `Revert "title" (#12)`, `Back out "title"`, `Roll back #12`, `Reverts changelist 123456`
    re-lands   `Reapply "title"` (what git writes for a revert of a revert), `[reland] title`, `Roll forward ...`
    picks      `(cherry picked from commit <sha>)`
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache

LONGEST = 1 << 16
"""Characters of a message that are read: a longer one is an attack, or a log that somebody pasted."""

_HEX = r"[0-9a-f]{7,64}"
_QUOTE = "[\"'\u201c\u201d`\u2018\u2019]"

_FIXES = re.compile(
    rf"^[ \t>*-]*fix(?:es|ed)?(?:[ \t]*:|[ \t])[ \t]*(?:commit:?[ \t]+)?[(\"'<]{{0,2}}(?P<sha>{_HEX})\b"
    r"(?P<rest>[^\n]*(?:\n(?![ \t]*(?:[A-Za-z-]+:|\n))[^\n]*)?)",
    re.IGNORECASE | re.MULTILINE,
)
_FIXES_PROSE = re.compile(
    r"^[ \t>*-]*(?:this[ \t]+)?fix(?:es|ed)?[ \t]+(?:an?[ \t]+|the[ \t]+)?"
    r"(?:regression|bug|problem|issue|breakage|mistake)s?"
    rf"[ \t]+(?:introduced[ \t]+)?(?:in|by|from|with)[ \t]+(?:commit[ \t]+)?(?P<sha>{_HEX})\b",
    re.IGNORECASE | re.MULTILINE,
)
_QUOTED = re.compile(
    rf"^[\"')>]{{0,2}}\s*:?\s*\(?\s*{_QUOTE}+(?P<subject>.*?){_QUOTE}*\s*(?:,\s*\d{{4}}-\d\d-\d\d)?\s*\)?[.,;]?\s*$",
    re.DOTALL,
)
_BARE = re.compile(r"^\s*\((?P<subject>.+?)\)?[.,;]?\s*$", re.DOTALL)

_REVERTS = re.compile(
    r"(?:^|[ \t>*.-])(?P<verb>(?:this[ \t]+(?:commit[ \t]+|patch[ \t]+|change[ \t]+)?)?"
    r"(?P<part>(?:partially|partly|mostly)[ \t]+)?(?:effectively[ \t]+|basically[ \t]+)?reverts:?"
    r"|(?:partially|partly|mostly)[ \t]+reverts)"
    rf"\s+(?:(?:the\s+)?(?:following\s+)?(?:commits?|patch(?:es)?):?\s+)?(?P<shas>{_HEX}\b(?:[^\n]*reversing)?"
    rf"(?:\s*(?:,|;|and|&)\s*(?:and\s+)?(?:commits?\s+)?{_HEX}\b|\s*\n[ \t*-]*{_HEX}\b)*)",
    re.IGNORECASE | re.MULTILINE,
)
_REVERT_LIST = re.compile(
    r"^[ \t]*this[ \t]+reverts[^\n]*:[ \t]*\n(?:[ \t]*\n)?"
    rf"(?P<shas>(?:[ \t*-]*(?:commit[ \t]+)?{_HEX}\b[^\n]*(?:\n|\Z))+)",
    re.IGNORECASE | re.MULTILINE,
)
_PULL = r"(?:[\w.-]+/[\w.-]+)?#(?P<number>\d+)|https://[^\s/]+/[\w.-]+/[\w.-]+/pull/(?P<pull>\d+)"
_LIST = r"(?:changelist\s+|cl/)(?P<list>\d{6,})"
_BACK = r"roll(?:s|ing)?[ \t-]?back|back(?:s|ing)?[ \t-]?out"
_NAMED_PULL = r"(?:of[ \t]+)?(?:pr[ \t]+|pull[ \t]+request[ \t]+)?"
_REVERTS_OTHER = re.compile(
    rf"(?:^|[ \t>*.-])(?:this[ \t]+)?(?P<part>(?:partially|partly)[ \t]+)?(?:reverts|{_BACK})[ \t]+{_NAMED_PULL}"
    rf"(?:{_LIST}|{_PULL})",
    re.IGNORECASE | re.MULTILINE,
)
_TITLE_QUOTED = re.compile(
    r"^(?:\[[^\]]*\]\s*|[\w/,. -]{1,40}:\s*|[0-9a-f]{7,40}\s+)?"
    rf"(?P<verb>(?:(?:partial(?:ly)?|mostly|partly)\s+)?(?:revert(?:s|ed|ing)?|{_BACK})|re-?appl(?:y|ies)|re-?lands?)"
    r"\s*:?\s*(?:of\s+|the\s+PR\s+of\s+|pr\s+)?[\"'\u201c](?P<title>.+)[\"'\u201d][^\"'\u201d]*$",
    re.IGNORECASE,
)
_TITLE_NUMBER = re.compile(
    rf"^(?:\[[^\]]*\]\s*)?(?P<part>partial(?:ly)?\s+)?(?:revert(?:s|ing)?|{_BACK})[ \t]+{_NAMED_PULL}"
    rf"(?:{_LIST}|{_PULL})\b",
    re.IGNORECASE,
)
_TITLE_BARE = re.compile(
    r"^\[?(?:roll[ -]?back|back[ -]?out)(?:\s+\d+)?\]?(?:\s+of\b)?\s*:?\s+(?P<title>\S.*)$", re.IGNORECASE
)
_ROLLED_LIST = re.compile(rf"^roll[ -]?back of:?\s*\n(?P<sha>{_HEX})\b", re.IGNORECASE)
_RELAND = re.compile(
    r"^(?:\[[^\]]*\]\s*)*?\[?(?:re-?land(?:s|ed|ing)?|re-?appl(?:y|ies|ied|ying)|roll(?:ing)?[ -]?forward)\d*\b"
    r"|^(?:roll[ -]?back|revert)\s+of\s+(?:roll[ -]?back|revert)",
    re.IGNORECASE,
)
_NESTED = re.compile(r"^(?:revert\s+[\"'\u201c])+", re.IGNORECASE)
_PARTIAL = re.compile(r"^(?:partial(?:ly)?|mostly|partly)\b", re.IGNORECASE)
_PICKED = re.compile(rf"[(\[]cherry[ -]picked from (?:\w+ )?(?:commit )?(?P<sha>{_HEX})", re.IGNORECASE)
_NUMBER_AT_END = re.compile(r"\s*\(#(?P<number>\d+)\)\s*$")
_CHANGELIST = re.compile(r"^PiperOrigin-RevId: (\d{6,})\s*$", re.MULTILINE)
_FIX_WORDS = re.compile(
    r"\b(?:bug(?:s|fix(?:es)?)?|fix(?:e[sd]|ing|up)?|hot-?fix|defects?|faults?|crash(?:es|ed|ing)?|regressions?|repairs?"
    r"|broken|leaks?|overflows?)\b",
    re.IGNORECASE,
)
_SHA = re.compile(rf"\b{_HEX}\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reference:
    """One commit that a message points at, in every way in which it points at it.

    `sha` is lower-case hex of 7 digits or more, perhaps abbreviated. `number` is a pull request's, `changelist`
    that of an import tool. `partial` marks reverts that say they undo a part.
    """

    kind: str
    sha: str | None = None
    subject: str | None = None
    number: int | None = None
    changelist: int | None = None
    partial: bool = False


@dataclass(frozen=True, slots=True)
class References:
    """All that a message says: references, and whether the commit as a whole is a revert or a re-land."""

    fixes: tuple[Reference, ...] = ()
    reverts: tuple[Reference, ...] = ()
    picked: tuple[Reference, ...] = ()
    is_revert: bool = False
    is_reland: bool = False


_NOTHING = References()


# Labels, measures and the index each read the same commit's message in turn: the latest answers are kept.
_remembered = lru_cache(maxsize=16)


@_remembered
def subject_key(subject: str) -> int:
    """A 63-bit key of a subject, the same on every machine: white space, case and `(#12)` at the end do not matter."""
    plain = " ".join(_NUMBER_AT_END.sub("", subject).lower().split())
    digest = hashlib.blake2b(plain.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def pull_number(subject: str) -> int | None:
    """The number of the pull request that a squash-merged subject ends in, `(#12)`."""
    if not subject.endswith(")"):
        return None
    found = _NUMBER_AT_END.search(subject)
    return _bounded(found["number"]) if found else None


def changelist_of(message: str) -> int | None:
    """The number under which an import tool knows this commit (`PiperOrigin-RevId`)."""
    if "PiperOrigin-RevId" not in message:
        return None
    found = _CHANGELIST.findall(message)
    return _bounded(found[-1]) if found else None


@_remembered
def is_fix(message: str) -> bool:
    """Whether a commit says that it repairs something: the subject's words, or a `Fixes:` trailer.

    The words are those of Mockus & Votta (2000) and Kamei et al. (2013), and their usual kin.
    """
    message = message[:LONGEST]
    subject = message.partition("\n")[0]
    return bool(_FIX_WORDS.search(subject)) or bool("ixes:" in message and _FIXES.search(message))


@_remembered
def read_references(message: str) -> References:
    """Everything that `message` says about other commits. Costs next to nothing where it says nothing."""
    message = message[:LONGEST]
    lowered = message.lower()
    fixes = _fixes(message) if "fix" in lowered else ()
    picked: tuple[Reference, ...] = ()
    if "cherry" in lowered:
        picked = tuple(Reference("picked", sha=found["sha"].lower()) for found in _PICKED.finditer(message))
    reverts: tuple[Reference, ...] = ()
    is_revert = is_reland = False
    if "revert" in lowered or "back" in lowered or "land" in lowered or "appl" in lowered or "roll" in lowered:
        reverts, is_revert, is_reland = _reverts(message, lowered)
    if not (fixes or picked or reverts or is_revert or is_reland):
        return _NOTHING
    return References(fixes, reverts, picked, is_revert, is_reland)


def _fixes(message: str) -> tuple[Reference, ...]:
    found: dict[str, Reference] = {}
    for match in _FIXES.finditer(message):
        sha = match["sha"].lower()
        found.setdefault(sha, Reference("fixes", sha=sha, subject=_quoted_subject(match["rest"])))
    for match in _FIXES_PROSE.finditer(message):
        sha = match["sha"].lower()
        found.setdefault(sha, Reference("fixes", sha=sha))
    return tuple(found.values())


def _quoted_subject(rest: str) -> str | None:
    """The subject quoted after a sha; a quotation that does not close on its line runs on to the next."""
    first, _, second = rest.partition("\n")
    opened = first.count("(") > first.count(")")
    text = f"{first} {second}" if opened else first
    found = _QUOTED.match(text.strip()) or _BARE.match(text.strip())
    subject = " ".join(found["subject"].split()) if found else ""
    return subject or None


def _reverts(message: str, lowered: str) -> tuple[tuple[Reference, ...], bool, bool]:
    """References of a revert, whether the commit is one as a whole, and whether it lands something again."""
    subject, _, body = message.partition("\n")
    title = _title_reference(subject[:1000])
    reland = bool(_RELAND.match(subject)) or _lands_again(subject)
    shas = _reverted_shas(message) if "revert" in lowered or "roll" in lowered else {}
    if len(shas) == 1 and title is not None:
        sha, part = next(iter(shas.items()))
        partial = title.partial or part
        title = Reference("reverts", sha, title.subject, title.number, title.changelist, partial)
        return (title,), not partial, reland
    if shas:
        found = tuple(Reference("reverts", sha=sha, partial=part) for sha, part in shas.items())
    else:
        found = _without_sha(title, body)
    # A squashed branch quotes the reverts made within it; only its own title says what the whole does.
    whole = title is not None or not _is_squash(body)
    return found, bool(found) and whole and not all(reference.partial for reference in found), reland


def _reverted_shas(message: str) -> dict[str, bool]:
    """The shas that a message says it reverts, each with whether in part."""
    shas: dict[str, bool] = {}
    for match in _REVERTS.finditer(message):
        partial = any(word in match["verb"].lower() for word in ("part", "mostly"))
        for sha in _shas(match["shas"]):
            shas.setdefault(sha, partial)
    for match in (*_REVERT_LIST.finditer(message), *_ROLLED_LIST.finditer(message)):
        for sha in _shas(match["shas"] if match.re is _REVERT_LIST else match["sha"]):
            shas.setdefault(sha, False)
    return shas


def _without_sha(title: Reference | None, body: str) -> tuple[Reference, ...]:
    """References by pull request, changelist or title alone."""
    others = tuple(reference for match in _REVERTS_OTHER.finditer(body) if (reference := _numbered(match)))
    if title is None:
        return others
    if len(others) == 1 and title.number is None and title.changelist is None:
        return (Reference("reverts", None, title.subject, others[0].number, others[0].changelist, title.partial),)
    return (title,)


def _lands_again(subject: str) -> bool:
    """Whether a title is the revert of a revert: an even number of "Revert" around the original's."""
    nested = _NESTED.match(subject)
    return nested is not None and nested[0].lower().count("revert") % 2 == 0


def _is_squash(body: str) -> bool:
    return body.lstrip("\n").startswith("* ") or "\n* " in body


def _shas(text: str) -> list[str]:
    """The shas of a revert's list. Of a reverted merge ("<sha>, reversing changes made to <sha>") the first."""
    found = [sha.lower() for sha in _SHA.findall(text)]
    return found[:1] if "reversing" in text.lower() else found


def _numbered(match: re.Match[str]) -> Reference | None:
    number = _bounded(match["number"] or match["pull"] or "")
    changelist = _bounded(match["list"] or "")
    if number is None and changelist is None:
        return None
    return Reference("reverts", number=number, changelist=changelist, partial=match["part"] is not None)


def _title_reference(subject: str) -> Reference | None:
    """What a revert's title points at: `Revert "title (#1)" (#2)` names #1, `Reapply "title"` its revert."""
    quoted = _TITLE_QUOTED.match(subject)
    if quoted:
        title, verb = quoted["title"].strip(), quoted["verb"].lower()
        if verb.startswith(("rel", "re-l")):
            return None  # lands the title itself again as a new change: withdraws nothing
        if verb.startswith(("reapp", "re-app")):
            return Reference("reverts", subject=f'Revert "{title}"')
        cut = title.endswith(("...", "\u2026"))
        partial = bool(_PARTIAL.match(verb))
        return Reference("reverts", subject=None if cut else title, number=pull_number(title), partial=partial)
    numbered = _TITLE_NUMBER.match(subject)
    if numbered:
        return _numbered(numbered)
    bare = _TITLE_BARE.match(subject)
    if bare is None:
        return None
    return Reference("reverts", subject=bare["title"].strip(), number=pull_number(bare["title"]))


def _bounded(digits: str) -> int | None:
    """A number that fits a database column; longer ones are nobody's."""
    return int(digits) if digits and len(digits) <= 15 else None
