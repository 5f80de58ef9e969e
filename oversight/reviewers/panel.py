"""The panel: many weak opinions become one weak label.

Every principle is a voter that fires or stays silent; a reviewer with a graded risk (lexical, size) is a voter
whose risks fall into five bins of equal mass. A voter's word is a category, and what it is worth is learned:

    P(risky | votes)  ∝  P(risky) * Π over voters j of P(vote_j | risky)

with one table P(vote | risky), P(vote | clean) a voter, estimated by expectation-maximisation without gold
labels (Dawid & Skene 1979, doi:10.2307/2346806; as a label model over many weak votes: Ratner et al. 2017,
arXiv:1711.10160). Where people have labelled changes, those rows keep their labels throughout and count more
than once, which ties the hidden class to what people mean by risky. Voters are not independent given the class,
as the model has it: large changes set many principles off at once. The summed evidence is therefore calibrated
on the human labels, or tempered where there are none.

An abstention is no vote: it moves nothing. A fault is neither, and is kept beside the opinions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oversight.changes.model import Change
from oversight.errors import LabelError
from oversight.history.model import Context
from oversight.measurement.platt import Platt, fit_platt, logit, sigmoid
from oversight.reviewers.model import Fault, Opinion, Reviewer, WeakLabel

Floats = NDArray[np.float64]
Votes = NDArray[np.int64]

ABSTAINS = -1
"""The vote of a voter that has nothing to say."""

_BINS = 5
_ROUNDS = 30
_SMOOTHING = 10.0  # votes, spread as the voter votes over all: a voter is worth nothing until shown otherwise
_HUMAN_WEIGHT = 5.0
_FEWEST = 5  # human labels of either kind before the evidence is calibrated on them


@dataclass(frozen=True, slots=True)
class Said:
    """What the reviewers said of one change: opinions, and those that failed."""

    change_id: str
    opinions: tuple[Opinion, ...]
    faults: tuple[Fault, ...] = ()


def ask(reviewers: Sequence[Reviewer], change: Change, context: Context) -> Said:
    """Ask every reviewer about `change`. One that raises becomes a `Fault`, and the others are heard all the same."""
    opinions: list[Opinion] = []
    faults: list[Fault] = []
    for reviewer in reviewers:
        try:
            opinions.extend(reviewer.review(change, context))
        except Exception as error:  # whatever a reviewer raises is its fault and must not silence the others
            faults.append(Fault(reviewer.name, f"{type(error).__name__}: {error}"))
    return Said(change.id, tuple(opinions), tuple(faults))


@dataclass(frozen=True, slots=True)
class Voter:
    """One column of votes. `edges` cut graded risks into bins; a principle has none: it is silent (0) or fires
    (1).
    """

    reviewer: str
    principle: str | None
    edges: tuple[float, ...] = ()

    @property
    def categories(self) -> int:
        """Number of different votes."""
        return len(self.edges) + 1 if self.principle is None else 2


@dataclass(frozen=True)
class Panel:
    """A label model. Made by `learn`; `tables[j]` is (2, categories of voter j): P(vote | clean), P(vote | risky)."""

    voters: tuple[Voter, ...]
    tables: tuple[Floats, ...]
    prior: float
    calibration: Platt

    def label(self, said: Said) -> WeakLabel:
        """Join what was said of one change into a weak label.

        `agreement` is 1 where all evidence points one way, 0 where it cancels out or there is none.
        """
        votes = _votes([said], self.voters)
        pieces = [_evidence(table, votes[:, column]) for column, table in enumerate(self.tables)]
        evidence = np.array(pieces).reshape(-1)
        total, mass = float(evidence.sum()), float(np.abs(evidence).sum())
        risk = self.calibration(np.array(logit(self.prior) + total))
        return WeakLabel(said.change_id, float(risk), abs(total) / mass if mass else 0.0, said.opinions, said.faults)

    def reliability(self) -> dict[str, float]:
        """Return for each voter how much one of its votes tells on average: mutual information with the class,
        in bits.
        """
        worth: dict[str, float] = {}
        for voter, table in zip(self.voters, self.tables, strict=True):
            joint = table * np.array([[1 - self.prior], [self.prior]])
            independent = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
            worth[voter.principle or voter.reviewer] = float((joint * np.log2(joint / independent)).sum())
        return worth


def learn(said: Sequence[Said], human: Mapping[str, bool] | None = None, *, prior: float | None = None) -> Panel:
    """Learn how reliable every voter is.

    `human` gives people's labels by change, for changes that are in `said`. `prior` is P(risky), by default the
    share among the human labels; `LabelError` where there is neither, since votes alone cannot tell how common
    risk is.
    """
    known = dict(human or {})
    if prior is None:
        if not known:
            raise LabelError("nobody has said how common risky changes are", mend="give a prior or some human labels")
        prior = (sum(known.values()) + 1) / (len(known) + 2)
    if not said or not 0 < prior < 1:
        raise LabelError("the panel has nothing to learn from", mend="give opinions, and a prior between 0 and 1")
    voters = _voters(said)
    votes = _votes(said, voters)
    truth = np.array([float(known[one.change_id]) if one.change_id in known else np.nan for one in said])
    tables = _expectation_maximisation(votes, voters, truth, prior)
    logits = logit(prior) + _total(tables, votes)
    return Panel(voters, tuple(tables), prior, _calibrate(logits, truth, prior))


def _voters(said: Sequence[Said]) -> tuple[Voter, ...]:
    """Return a voter for each principle that fired at least once, and for each reviewer with graded risks."""
    graded: dict[str, list[float]] = {}
    principles: set[tuple[str, str]] = set()
    for one in said:
        for opinion in one.opinions:
            if opinion.principle is not None:
                principles.add((opinion.reviewer, opinion.principle))
            elif opinion.risk is not None:
                graded.setdefault(opinion.reviewer, []).append(opinion.risk)
    steps = np.linspace(0, 1, _BINS + 1)[1:-1]
    soft = [
        Voter(name, None, tuple(np.unique(np.quantile(risks, steps)).tolist()))
        for name, risks in sorted(graded.items())
    ]
    return (*soft, *(Voter(reviewer, principle) for reviewer, principle in sorted(principles)))


def _votes(said: Sequence[Said], voters: Sequence[Voter]) -> Votes:
    """Return the votes (N, J). A principle whose reviewer failed on a change, or abstained from it as a whole, abstains
    there: it was not heard.
    """
    votes = np.full((len(said), len(voters)), ABSTAINS, dtype=np.int64)
    for row, one in enumerate(said):
        unheard = {fault.reviewer for fault in one.faults}
        unheard |= {said.reviewer for said in one.opinions if said.principle is None and said.risk is None}
        heard = {(opinion.reviewer, opinion.principle): opinion.risk for opinion in one.opinions}
        for column, voter in enumerate(voters):
            if voter.reviewer in unheard:
                continue
            risk = heard.get((voter.reviewer, voter.principle))
            if voter.principle is not None:
                votes[row, column] = risk is not None
            elif risk is not None:
                votes[row, column] = np.searchsorted(voter.edges, risk, side="right")
    return votes


def _expectation_maximisation(votes: Votes, voters: Sequence[Voter], truth: Floats, prior: float) -> list[Floats]:
    """Return one table (2, categories) a voter. Rows whose truth is known keep it in every round."""
    known = ~np.isnan(truth)
    weight = np.where(known, _HUMAN_WEIGHT, 1.0)
    posterior = np.where(known, truth, _first_guess(votes, voters, prior))
    tables: list[Floats] = []
    for _ in range(_ROUNDS):
        tables = [_table(votes[:, column], voter, posterior, weight) for column, voter in enumerate(voters)]
        guess = sigmoid(logit(prior) + _total(tables, votes))
        # The share of risky changes is given, not estimated: left free, the hidden class drifts off to any
        # large cluster.
        guess = sigmoid(logit(guess) + _shift_to(logit(guess), prior))
        moved = np.where(known, truth, guess)
        settled = float(np.abs(moved - posterior).max()) < 1e-4
        posterior = moved
        if settled:
            break
    return tables


def _first_guess(votes: Votes, voters: Sequence[Voter], prior: float) -> Floats:
    """Start from the plain mean of the votes: graded ones by their bin, principles by whether they fire."""
    top = np.array([max(voter.categories - 1, 1) for voter in voters])
    heard = votes != ABSTAINS
    mean = np.where(heard, votes / top, 0).sum(1) / np.maximum(heard.sum(1), 1)
    spread = float(mean.std()) or 1.0
    return sigmoid(logit(prior) + (mean - mean.mean()) / spread)


def _table(votes: Votes, voter: Voter, posterior: Floats, weight: Floats) -> Floats:
    heard = votes != ABSTAINS
    overall = np.bincount(votes[heard], weights=weight[heard], minlength=voter.categories) + 1.0
    pseudo = _SMOOTHING * overall / overall.sum()
    rows = [np.bincount(votes[heard], weights=(weight * share)[heard], minlength=voter.categories) + pseudo
            for share in (1 - posterior, posterior)]  # fmt: skip
    return np.stack([row / row.sum() for row in rows])


def _evidence(table: Floats, votes: Votes) -> Floats:
    """Return the log-likelihood ratio that each vote carries (N,); an abstention carries none."""
    ratios = np.log(table[1]) - np.log(table[0])
    return np.where(votes == ABSTAINS, 0.0, ratios[votes])


def _total(tables: Sequence[Floats], votes: Votes) -> Floats:
    total = np.zeros(len(votes))
    for column, table in enumerate(tables):
        total += _evidence(table, votes[:, column])
    return total


def _calibrate(logits: Floats, truth: Floats, prior: float) -> Platt:
    known = ~np.isnan(truth)
    risky = truth[known] > 0.5
    if min(risky.sum(), (~risky).sum()) >= _FEWEST:
        return fit_platt(logits[known], risky)
    spread = float(logits.std())
    slope = min(1.0, _TEMPERED / spread) if spread else 1.0
    return Platt(slope, _shift_to(slope * logits, prior))


_TEMPERED = 1.0  # standard deviation of the log-odds that dependent votes are taken to be worth at most


def _shift_to(logits: Floats, prior: float) -> float:
    """Return what has to be added to the logits for their mean probability to be `prior`, by bisection."""
    low, high = -30.0 - float(logits.max()), 30.0 - float(logits.min())
    for _ in range(60):
        middle = (low + high) / 2
        if float(sigmoid(logits + middle).mean()) < prior:
            low = middle
        else:
            high = middle
    return (low + high) / 2
