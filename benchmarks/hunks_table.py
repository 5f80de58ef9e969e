"""Write `benchmarks/HUNKS.md` from the figures of `benchmarks.hunks`: what it says of them is computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.hunk_figures import CODE, METRICS, PEER, REPORTED, STUDENT, WITH_ODDS, peer_of
from benchmarks.results_table import shown, signed

_TARGET = "recall@3"
_READ = METRICS[-1]
_GROUPS = {
    "all": "all repositories that count",
    "seen": "repositories whose past the shipped model learned from",
    "unseen": "repositories that the shipped model never saw",
}
_STEPS = {
    "named": "named in the window",
    "by a repair": "by a repair of the pool",
    "of enough hunks": "of enough hunks",
    "drawn": "drawn",
    "repairs": "repairs of those",
    "repairs: no line of code deleted": "that delete no code",
    "repairs: bulk": "too large",
    "files that git could not blame": "files git could not blame",
    "with lines named": "changes with lines named",
    "whose lines no hunk added": "by lines of no hunk",
    "with all hunks guilty": "all hunks guilty",
}


_TEXT = f"""\
Window: {{window}}. Model: {{model[name]}} {{model[version]}} (`{{sha}}`). {{seen}}

A change counts when a later commit names it in a `Fixes:` trailer and deletes lines of code that `git blame -w` traces
back to it; a hunk is *guilty* when it added one of them. The change has at least {{fewest_hunks}} hunks, and some are
innocent. Of each repository at most {{most}} changes, drawn with a fixed seed, were looked into. Where repairs are told
by reverts alone there are none or next to none: a revert names no lines. A repair that only adds lines names none
either, so these are the faults that lie in what is written, not in what is missing.

`recall@k`: share of changes with a guilty hunk among the first k. `reciprocal rank`: mean of 1 / place of the first
guilty hunk. `share read`: of the changed lines of a change, up to and with its first guilty hunk; here less is better,
and orders that begin with large hunks pay for it. Equal hunks stand in no order: figures are exact means over all of
theirs. *{STUDENT}*: the risk of the hunk alone. *{REPORTED}*: the order in which a report shows them, by (1 + lines
added) x (1 + acts added), where acts are calls, assignments, conditions and the like; equal ones by risk. Principles
count where they point at lines of a hunk; the lexical reviewer and the panel judge whole changes and have no say here.
Orders are compared with *{PEER}*.

Until version 3 of the shipped model reports followed *{WITH_ODDS}*. On the validation
windows (`results/hunks-validation.json`) and with version 4 that is behind the order without the odds by {_TARGET}, the
measure of the target, and ahead of it by the others; it changes with every model, and the order without it does not. So
reports leave the odds out. The choice was made by those windows, but not by somebody who had never seen the test
windows: there the order without the odds had been ahead with version 3.

By definition no hunk is guilty in a file without a grammar (documents, build files): to put those last is worth
something and proves nothing. Orders *{CODE.removeprefix(", ")}* all do so, and are compared with *{peer_of(CODE)}*.

Brackets: 95 % intervals of 2,000 resamples of blocks of time, the same for all orders and so paired in differences. In
means: repositories with at least {{fewest}} such changes."""


def page(results: Mapping[str, Any]) -> str:
    """Return the page in Markdown."""
    lines = ["# The hunk that was wrong", "", *verdicts(results), "", _protocol(results["settings"]), ""]
    lines += _repositories(results["repositories"])
    for group, mean in results["means"].items():
        number = len(mean["repositories"])
        title = f"Mean over {_GROUPS[group]} ({number}: {', '.join(mean['repositories'])})"
        lines += ["", f"## {title}", *_table(mean["figures"])]
    measured = {name: one for name, one in results["repositories"].items() if one["n"]}
    for name, one in measured.items():
        lines += ["", f"## {name}", *_table(one["figures"])]
    lines += ["", "## By number of hunks", "", *_by_hunks(measured)]
    return "\n".join(lines) + "\n"


def verdicts(results: Mapping[str, Any]) -> list[str]:
    """Say of each group of repositories whether the order of the report beats the largest hunk first."""
    if not results["means"]:
        return [f"- **Cannot be told**: no repository has {results['settings']['fewest']} changes that count."]
    decided = ((REPORTED, _TARGET), (STUDENT, _TARGET), (REPORTED + CODE, _TARGET), (REPORTED, _READ))
    return [_verdict(group, mean, *one) for group, mean in results["means"].items() for one in decided]


def _verdict(group: str, mean: Mapping[str, Any], name: str, metric: str) -> str:
    figures = mean["figures"][metric]
    found, peer = figures["over peer"][name], peer_of(name)
    first, second = (shown(figures["rankings"][one], interval=False) for one in (name, peer))
    sign, than = (-1, "below") if metric == _READ else (1, "above")
    better = sign * found["value"] > 0
    met = better and found["low"] is not None and found["low"] * found["high"] > 0
    why = "" if met else f": it is {than}, but the interval holds 0" if better else f": it is not {than}"
    what = f"*{name}* {than} *{peer}* by {metric}, on the mean over {_GROUPS[group]}"
    text = f"{first} against {second}, a difference of {signed(found)}{why}."
    return f"- **{'Met' if met else 'Missed'}**: {what}. {text}"


def _protocol(settings: Mapping[str, Any]) -> str:
    model = settings["model"]
    seen = (
        "It learned from the changes of the permissively licensed repositories that come before their test window, "
        "never from a window that is measured here, and from nothing of the others: those are *unseen*."
        if settings["shipped"] and settings["window"] == "test"
        else "**Its training may have seen these changes**: figures of this page are to choose by, not to show."
    )
    return _TEXT.format(**settings, fewest_hunks=settings["fewest hunks"], sha=model["sha256"][:12], seen=seen)


def _row(cells: Any) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _head(cells: list[str]) -> list[str]:
    return [_row(cells), "|" + "---|" * len(cells)]


def _repositories(repositories: Mapping[str, Any]) -> list[str]:
    lines = _head(
        ["repository", "licence", "seen", *_STEPS.values(), "**measured**", "hunks (quartiles)", "guilty (quartiles)"]
    )
    for name, one in repositories.items():
        steps = [one["counts"].get(step, 0) for step in _STEPS]
        spread = [" / ".join(f"{value:.0f}" for value in one.get(what, ())) for what in ("hunks", "guilty")]
        seen = {True: "yes", False: "no"}.get(one.get("seen"), "")
        lines.append(_row([name, one["licence"], seen, *steps, one["n"], *spread]))
    return lines


def _table(figures: Mapping[str, Any]) -> Iterator[str]:
    """Yield every order with its figures, and what it has over the peer at the target."""
    yield ""
    yield from _head(["order", *METRICS, f"{_TARGET}, over its peer", f"{_READ}, over its peer"])
    for name in figures[_TARGET]["rankings"]:
        cells = [shown(figures[metric]["rankings"][name]) for metric in METRICS]
        over = [figures[metric]["over peer"].get(name) for metric in (_TARGET, _READ)]
        yield _row([name, *cells, *("" if one is None else signed(one) for one in over)])


def _by_hunks(repositories: Mapping[str, Any]) -> Iterator[str]:
    orders = (STUDENT, REPORTED, PEER, "at random")
    yield from _head(["repository", "hunks", "changes", *(f"{_TARGET}, {order}" for order in orders)])
    for name, one in repositories.items():
        for part, found in one["by hunks"].items():
            cells = [f"{found['figures'][order][_TARGET]:.3f}" if found["n"] else "" for order in orders]
            yield _row([name, part, found["n"], *cells])
