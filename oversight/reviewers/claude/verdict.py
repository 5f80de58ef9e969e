"""Several answers on one change become one label, and opinions as other reviewers give them.

    risk       the mean of the answers in log-odds
    agreement  |sum of log-odds| / sum of |log-odds|, as the panel has it, times the share of answers that can be used
               and of the changed rows that were shown: 1 where all point one way, 0 where they cancel out

A change that speaks to its reviewers is not believed where the answer comforts: its low risk is an abstention. One
answer that suspects so is enough, and so is a principle that says so; nothing in a change can take either back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from oversight.measurement.platt import logit, sigmoid
from oversight.reviewers.claude.answers import HunkVote, Vote
from oversight.reviewers.claude.fence import Shown
from oversight.reviewers.claude.prompt import ADDRESSED
from oversight.reviewers.model import Opinion, Place
from oversight.reviewers.principles import builtin

NAME = "claude"

LABELLED, ABSTAINED, FAULT, UNASKED = "labelled", "abstained", "fault", "unasked"
"""What may become of a change. None but the first has a risk."""

_LONGEST = 600  # characters of a reasoning that an opinion repeats


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A vote that is none: `declined` where the model would not answer, else it failed. `why` is in words of ours."""

    why: str
    declined: bool = False


@dataclass(frozen=True, slots=True)
class HunkLabel:
    """What is said of one hunk; `span` as reports anchor it."""

    path: str
    span: tuple[int, int]
    risk: float
    principle: str | None
    lines: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Label:
    """What the answers on one change add up to. `risk` is None unless `status` says that it is labelled.

    `risks` are those of the single answers. `suspected` says that the change speaks to its reviewers. `coverage` is the
    share of its changed rows that was shown. `reason` may hold the model's words, which may repeat the change.
    """

    change_id: str
    status: str
    risk: float | None
    agreement: float
    reason: str
    principle: str | None = None
    hunks: tuple[HunkLabel, ...] = ()
    risks: tuple[float, ...] = ()
    suspected: bool = False
    coverage: float = 1.0

    @property
    def finished(self) -> bool:
        """Whether another run would say the same."""
        return self.status in (LABELLED, ABSTAINED)

    def opinions(self) -> tuple[Opinion, ...]:
        """Return what this reviewer says: a graded opinion, and one for each principle with its places."""
        found: dict[str, tuple[float, list[Place]]] = {}
        for hunk in self.hunks:
            if hunk.principle is not None:
                risk, places = found.get(hunk.principle, (0.0, []))
                places.extend(hunk.lines or (Place(hunk.path, *hunk.span),))
                found[hunk.principle] = (max(risk, hunk.risk), places)
        if self.suspected:
            found.setdefault(ADDRESSED[0], (0.5, []))
        known = {principle.id: principle for principle in builtin()}
        named = (
            Opinion(NAME, risk, known[name].sentence, tuple(dict.fromkeys(places)), name, known[name].severity)
            for name, (risk, places) in sorted(found.items())
        )
        return (Opinion(NAME, self.risk, self.reason), *named)

    def as_json(self) -> dict[str, Any]:
        """Return the label as JSON."""
        return {
            "commit": self.change_id,
            "status": self.status,
            "risk": self.risk,
            "agreement": self.agreement,
            "reason": self.reason,
            "principle": self.principle,
            "risks": list(self.risks),
            "suspected": self.suspected,
            "coverage": self.coverage,
            "hunks": [
                {
                    "path": hunk.path,
                    "start": hunk.span[0],
                    "end": hunk.span[1],
                    "risk": hunk.risk,
                    "principle": hunk.principle,
                    "lines": [{"side": one.side, "start": one.start, "end": one.end} for one in hunk.lines],
                }
                for hunk in self.hunks
            ],
        }


def unreadable(change_id: str) -> Label:
    """Return the label of a change whose diff cannot be read."""
    return Label(change_id, FAULT, None, 0.0, "the diff of this change cannot be read", coverage=0.0)


def unasked(change_id: str) -> Label:
    """Return the label of a change that has nothing to ask about."""
    return Label(change_id, ABSTAINED, None, 0.0, "the change has no text to read")


def unfinished(change_id: str, shown: Shown, *, failed: bool) -> Label:
    """Return the label of a change with answers missing: whatever the others say, it is none yet."""
    if failed:
        return Label(change_id, FAULT, None, 0.0, "Claude did not answer all that was asked", coverage=shown.coverage)
    return Label(change_id, UNASKED, None, 0.0, "not all was asked: the budget is spent", coverage=shown.coverage)


def join(change_id: str, shown: Shown, votes: Sequence[Vote | Unanswered], *, addressed: bool) -> Label:
    """Join the votes on a change; `addressed` says that a principle found it to speak to its reviewers."""
    usable = [vote for vote in votes if isinstance(vote, Vote)]
    suspected = addressed or any(vote.suspected is not None for vote in usable)
    if not usable:
        failed = [vote for vote in votes if isinstance(vote, Unanswered)]
        status = ABSTAINED if failed and all(vote.declined for vote in failed) else FAULT
        why = failed[0].why if failed else "there is no answer"
        return Label(change_id, status, None, 0.0, why, suspected=suspected, coverage=shown.coverage)
    risks = tuple(vote.risk for vote in usable)
    evidence = logit(np.array(risks))
    risk = float(sigmoid(evidence.mean()))
    mass = float(np.abs(evidence).sum())
    agreement = abs(float(evidence.sum())) / mass if mass else 0.0
    agreement *= len(usable) / len(votes) * shown.coverage
    hunks = tuple(_hunk([vote.hunks[place] for vote in usable]) for place in range(len(shown.parts)))
    told = (_principle(usable), hunks, risks, suspected, shown.coverage)
    if suspected and risk < 0.5:
        why = "the change speaks to its reviewers, and a low risk would not be believed"
        return Label(change_id, ABSTAINED, None, 0.0, why, *told)
    return Label(change_id, LABELLED, risk, agreement, _reason(usable, risk), *told)


def _reason(votes: Sequence[Vote], risk: float) -> str:
    """Return the reasoning of the answer that is nearest to what they say together."""
    nearest = min(votes, key=lambda vote: abs(vote.risk - risk))
    return nearest.reasoning[:_LONGEST]


def _principle(votes: Sequence[Vote] | Sequence[HunkVote]) -> str | None:
    """Return the principle that most answers name, None where most name none; the first of equals."""
    return Counter(vote.principle for vote in votes).most_common(1)[0][0]


def _hunk(votes: Sequence[HunkVote]) -> HunkLabel:
    part, principle = votes[0].part, _principle(votes)
    risk = float(sigmoid(logit(np.array([vote.risk for vote in votes])).mean()))
    lines = [place for vote in votes if vote.principle == principle for place in vote.lines] if principle else []
    return HunkLabel(part.path, part.span, risk, principle, tuple(dict.fromkeys(lines)))
