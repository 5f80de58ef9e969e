"""What people do not want to hear of again, and why. No I/O.

A finding is dismissed, for one pull request, where somebody said so and nobody says that it is right. It stays so when
lines move, and comes back when its lines change, since its fingerprint is that of its lines. The flag of a change as a
whole is cleared for the very head that was judged: what is pushed afterwards nobody has seen. The change's author
clears neither (`Verdict.counts`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from oversight.audit.verdict import Decision, Verdict, in_order

_CLEARING = (Decision.DISMISSED, Decision.SAFE)


def dismissed(verdicts: Iterable[Verdict], repository: str, number: int) -> Mapping[str, str]:
    """Return the reasons by fingerprint of the findings that are dismissed in a pull request of "owner/name"."""
    by_finding: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        here = verdict.source.number == number and _same(verdict.source.repository, repository)
        if verdict.finding is not None and here:
            by_finding.setdefault(verdict.finding, []).append(verdict)
    found = {finding: _clearing(said) for finding, said in by_finding.items()}
    return {finding: last.note for finding, last in found.items() if last is not None}


def cleared(verdicts: Iterable[Verdict], head: str) -> Verdict | None:
    """Return the last verdict that clears the flag of the change with this head, None where it stands.

    It stands as well where somebody calls the change risky, and for who had not been shown that it was flagged.
    """
    said = [one for one in verdicts if one.change_id == head]
    whole = [one for one in said if one.finding is None or one.decision is Decision.RISKY]
    last = _clearing(whole)
    return last if last is not None and last.shown.flagged else None


def _clearing(said: Iterable[Verdict]) -> Verdict | None:
    """Return the last word that clears, of everybody's last words, None where there is none or somebody warns."""
    last = {verdict.who: verdict for verdict in in_order(said) if verdict.counts}.values()
    if any(verdict.decision is Decision.RISKY for verdict in last):
        return None
    clearing = [verdict for verdict in in_order(last) if verdict.decision in _CLEARING]
    return clearing[-1] if clearing else None


def _same(one: str | None, other: str) -> bool:
    return one is not None and one.lower() == other.lower()
