"""What tells that a finding of today is the one of yesterday: a hash of what it is about, without line numbers.

A fingerprint is made of the rule, the path and the changed lines of the hunk (blanks collapsed), so that it
stays when lines above move, when the context changes, or when code is reindented. Where one rule says the same
of equal hunks of a file, the second gets the number 2, and so on, in the order of the file.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from hashlib import sha256

from oversight.changes.model import Change, Hunk, LineKind
from oversight.reports.model import Finding, HunkRisk

HUNK_RULE = "oversight/risky-hunk"
"""The rule that a risky hunk comes under; principles are rules of their own."""


class Fingerprints:
    """Fingerprints of one report's findings and hunks. Ask in the order of the file, once for each."""

    def __init__(self, change: Change) -> None:
        self._hunks: dict[str, list[Hunk]] = {}
        for file in change.files:
            self._hunks.setdefault(file.path, []).extend(file.hunks)
        for hunks in self._hunks.values():
            hunks.sort(key=lambda hunk: hunk.new_start)
        self._starts = {path: [hunk.new_start for hunk in hunks] for path, hunks in self._hunks.items()}
        self._contents: dict[tuple[str, int], str] = {}
        self._seen: Counter[str] = Counter()

    def of_finding(self, finding: Finding) -> str:
        """Return the fingerprint of a principle's finding: 32 hexadecimal digits, `:` and an ordinal."""
        return self._of(finding.principle, finding.path, finding.line)

    def of_hunk(self, hunk: HunkRisk) -> str:
        """Return the fingerprint of a risky hunk, likewise."""
        return self._of(HUNK_RULE, hunk.path, hunk.start)

    def _of(self, rule: str, path: str, line: int | None) -> str:
        content = "" if line is None else self._content_at(path, line)
        parts = (rule, path, content)
        digest = sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self._seen[digest] += 1
        return f"{digest}:{self._seen[digest]}"

    def _content_at(self, path: str, line: int) -> str:
        """Return the normalised content of the hunk that `line` of the new file belongs to.

        That is the last one which starts at or before it: a hunk that only deletes is anchored behind itself.
        """
        place = bisect_right(self._starts.get(path, []), line) - 1
        if place < 0:
            return ""
        if (path, place) not in self._contents:
            self._contents[path, place] = _normalised(self._hunks[path][place])
        return self._contents[path, place]


def _normalised(hunk: Hunk) -> str:
    """The changed lines of a hunk with their signs, blanks collapsed, hashed so that it is short to keep."""
    lines = (f"{line.kind}{' '.join(line.text.split())}" for line in hunk.lines if line.kind is not LineKind.CONTEXT)
    return sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
