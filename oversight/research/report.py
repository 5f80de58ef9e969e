"""What a study has come to, from its own records: numbers, and pages for people.

Diversity is the entropy of the method families that were tried, in bits, beside what it would be if all had been tried
alike: a search that has settled on one method has 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from oversight.reports.escape import data, terminal
from oversight.research import space
from oversight.research.model import as_json
from oversight.research.proposers.claude.dialogue import bills
from oversight.research.study import Result, Study
from oversight.reviewers.claude.budget import dollars

_BEST = 10  # rows of the table of screens
_LONGEST = 200  # characters of a finding
_NAME = 60  # of a ground's


def figures(study: Study) -> dict[str, Any]:
    """Return all of it as JSON: `progress`, and the entropy that there would be if all methods were tried alike, None
    where methods cannot be loaded.
    """
    told = progress(study)
    told["all"]["most_entropy"] = _most_entropy()
    return told


def progress(study: Study) -> dict[str, Any]:
    """Return what records alone tell, as JSON. Seconds are the processor's; `entropy` is in bits."""
    results = study.records()
    return {
        "plan": {
            name: getattr(study.plan, name) for name in ("human", "draws", "weak", "seed", "student", "test", "folds")
        },
        "grounds": [
            {
                "name": one.name,
                "repository": data(one.repository),
                "confirmation": one.confirmation,
                "student": one.student,
                "test": one.test,
                "risky": list(one.risky),
            }
            for one in study.laid
        ],
        "all": _counts(results),
        "researchers": {
            name: _counts([one for one in results if one.experiment.researcher == name])
            for name in dict.fromkeys(one.experiment.researcher for one in results)
        },
        "agents": {
            one.agent: {"answers": one.answers, "usd": one.usd, "tokens": one.tokens, "ended": data(one.why)}
            for one in bills(study.folder)
        },
        "best": [_row(one) for one in results if one.answer is not None and one.answer.answer == "best"],
        "screens": [_row(one) for one in _by_screen(results)[:_BEST]],
        "findings": [{name: data(str(value)) for name, value in one.items()} for one in study.findings()],
    }


def _most_entropy() -> float | None:
    try:
        return round(float(np.log2(len(space.plain()))), 3)
    except ModuleNotFoundError:  # a study can be read where nothing can be trained
        return None


def entropy(families: Sequence[str]) -> float:
    """Return the entropy of the families that were tried, in bits; 0 where there is none.

    >>> entropy(["mixed", "naive", "mixed", "naive"]), entropy([])
    (1.0, 0.0)
    """
    shares = np.array(list(Counter(families).values())) / max(len(families), 1)
    return abs(float(-(shares * np.log2(shares)).sum()))


def status(study: Study) -> list[str]:
    """Return how far a study is, as lines for a terminal."""
    return _told(figures(study))


def page(study: Study, board: Sequence[str], *, findings: int) -> list[str]:
    """Return what a study has come to, with the vault's `board` and the newest `findings` of its notebook."""
    told = figures(study)
    return [*_told(told), "", *_screens(told), "", *board, "", *_notebook(told, findings)]


def _told(told: dict[str, Any]) -> list[str]:
    return [*_grounds(told), "", *_researchers(told), *_agents(told), "", *_answers(told)]


def _counts(results: Sequence[Result]) -> dict[str, Any]:
    asked = [one.answer for one in results if one.answer is not None]
    families = [one.configuration.family for one in results]
    return {
        "experiments": len(results),
        "failed": sum(bool(one.error) for one in results),
        "asked": len(asked),
        "best": sum(one.answer == "best" for one in asked),
        "refused": sum(one.answer == "refused" for one in asked),
        "left": asked[-1].left if asked else None,
        "flags": dict(Counter(flag for one in asked for flag in one.flags)),
        "seconds": round(sum(one.seconds for one in results), 1),
        "families": dict(Counter(families).most_common()),
        "entropy": round(entropy(families), 3),
    }


def _by_screen(results: Sequence[Result]) -> list[Result]:
    screened = [one for one in results if one.screen is not None]
    return sorted(screened, key=lambda one: -one.screen.auroc if one.screen else 0.0)


def _row(result: Result) -> dict[str, Any]:
    answer = result.answer
    return {
        "experiment": result.experiment.name,
        "researcher": result.experiment.researcher,
        "screen": None if result.screen is None else round(result.screen.auroc, 4),
        "answer": None if answer is None else answer.answer,
        "score": None if answer is None else answer.score,
        "flags": [] if answer is None else list(answer.flags),
        "configuration": as_json(result.configuration),
    }


def _grounds(told: dict[str, Any]) -> Iterator[str]:
    plan = told["plan"]
    human = plan["human"] or "300 or more"
    weak = terminal(plan["weak"], _NAME)
    yield f"{human} human labels in {plan['draws']} draws, weak reviewer {weak}, seed {plan['seed']}"
    for one in told["grounds"]:
        role = ", for confirmation" if one["confirmation"] else ""
        low, high = min(one["risky"]), max(one["risky"])
        name = terminal(one["name"], _NAME)
        yield (
            f"  {name:<20} {one['student']:>6} changes to learn from, {one['test']:>6} to predict, "
            f"{low}-{high} labels risky{role}"
        )


def _researchers(told: dict[str, Any]) -> Iterator[str]:
    columns = ("tried", "failed", "asked", "best", "refused", "left", "bits")
    yield f"{'researcher':<12} {' '.join(f'{name:>7}' for name in columns)}"
    for name, one in (*told["researchers"].items(), ("all", told["all"])):
        left = "-" if one["left"] is None or name == "all" else one["left"]
        yield (
            f"{terminal(name, 12):<12} {one['experiments']:>7} {one['failed']:>7} {one['asked']:>7} {one['best']:>7} "
            f"{one['refused']:>7} {left:>7} {one['entropy']:>7.2f}"
        )
    every = told["all"]
    each = every["seconds"] / max(every["experiments"], 1)
    most = "" if every["most_entropy"] is None else f", {every['most_entropy']:.2f} if all were tried alike"
    yield f"bits: entropy over method families{most}; {each:.1f} s of a processor an experiment"


def _agents(told: dict[str, Any]) -> Iterator[str]:
    """Yield what agents of Claude have cost, where there are any."""
    agents = told["agents"]
    if not agents:
        return
    usd, tokens = (sum(one[name] for one in agents.values()) for name in ("usd", "tokens"))
    yield ""
    yield f"Claude has cost {dollars(usd)}, {tokens:,} tokens:"
    for name, one in agents.items():
        ended = f", ended: {terminal(one['ended'], _LONGEST)}" if one["ended"] else ""
        yield f"  {terminal(name, 12):<12} {dollars(one['usd']):>10} {one['answers']:>5} answers{ended}"


def _answers(told: dict[str, Any]) -> Iterator[str]:
    if not told["best"]:
        yield "no experiment has beaten the hand-chosen default yet"
        return
    yield "what beat all before it, PGR rounded:"
    for one in told["best"]:
        yield f"  {one['experiment']} {one['score']:.2f} {_shown(one)}"


def _screens(told: dict[str, Any]) -> Iterator[str]:
    yield "highest screens (AUROC on human labels out of fold):"
    for one in told["screens"]:
        yield f"  {one['experiment']} {one['screen']:.4f} {one['answer'] or 'not asked':<11} {_shown(one)}"


def _notebook(told: dict[str, Any], count: int) -> Iterator[str]:
    newest = told["findings"][-count:] if count else []
    yield f"notebook, {len(newest)} of {len(told['findings'])} findings:"
    for one in newest:
        yield f"  {one['experiment']} {terminal(one['researcher'], 12)}: {terminal(one['text'], _LONGEST)}"


def _shown(row: dict[str, Any]) -> str:
    told = row["configuration"]
    values = ", ".join(f"{name} {value}" for name, value in told["parameters"].items())
    return terminal(f"{told['method']} ({values})" if values else told["method"], _LONGEST)
