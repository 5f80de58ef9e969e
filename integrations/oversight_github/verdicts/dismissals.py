"""What people do not want to hear of again, and why. No I/O.

A finding is dismissed, for one pull request, where somebody said so and nobody says that it is right. It stays so when
lines move, and comes back when its lines change, since its fingerprint is that of its lines; of one without lines the
reader of a report has to see to that (`of_no_lines`). The flag of a change as a
whole is cleared for one pull request and the very head that was judged: what is pushed afterwards nobody has seen, and
the same head against another branch is another change. The change's author clears neither (`Verdict.counts`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from oversight.audit.verdict import Decision, Verdict, in_order

_CLEARING = (Decision.DISMISSED, Decision.SAFE)


def dismissed(verdicts: Iterable[Verdict], repository: str, number: int) -> Mapping[str, str]:
    """Return the reasons by fingerprint of the findings that are dismissed in a pull request of "owner/name"."""
    by_finding: dict[str, list[Verdict]] = {}
    for verdict in about(verdicts, repository, number):
        if verdict.finding is not None:
            by_finding.setdefault(verdict.finding, []).append(verdict)
    found = {finding: _clearing(said) for finding, said in by_finding.items()}
    return {finding: last.note for finding, last in found.items() if last is not None}


def about(verdicts: Iterable[Verdict], repository: str, number: int) -> list[Verdict]:
    """Return the verdicts that were given in a pull request of "owner/name"."""
    return [one for one in verdicts if one.source.number == number and _same(one.source.repository, repository)]


def clears(verdict: Verdict) -> bool:
    """Whether a verdict speaks in favour of what it is about, and counts."""
    return verdict.counts and verdict.decision in _CLEARING


def cleared(verdicts: Iterable[Verdict], repository: str, number: int, head: str) -> Verdict | None:
    """Return the last verdict that clears the flag of a pull request with this head, None where it stands.

    It stands as well where somebody calls the change risky, and for who had not been shown that it was flagged: whoever
    says the same once it is cleared adds nothing, and takes nothing back.
    """
    said = [one for one in about(verdicts, repository, number) if one.change_id == head]
    whole = in_order([one for one in said if one.finding is None or one.decision is Decision.RISKY])
    if _clearing(whole) is None:
        return None
    last = {one.who: one for one in whole if one.counts}
    shown = [one for one in whole if clears(one) and one.shown.flagged and clears(last[one.who])]
    return shown[-1] if shown else None


def _clearing(said: Iterable[Verdict]) -> Verdict | None:
    """Return the last word that clears, of everybody's last words, None where there is none or somebody warns."""
    last = {verdict.who: verdict for verdict in in_order(said) if verdict.counts}.values()
    if any(verdict.decision is Decision.RISKY for verdict in last):
        return None
    clearing = [verdict for verdict in in_order(last) if clears(verdict)]
    return clearing[-1] if clearing else None


def _same(one: str | None, other: str) -> bool:
    return one is not None and one.lower() == other.lower()
