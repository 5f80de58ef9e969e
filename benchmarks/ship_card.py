"""The card of the shipped model: what taught it, what it reaches, and what gold labels would have reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.results_table import shown, signed
from benchmarks.ship_teaching import METHOD, WEAK
from benchmarks.student_figures import COMPARED
from benchmarks.student_models import STARTED, UNSEEN
from oversight.experiment.card import table

VERSION = "4"

SHIPPED = STARTED
BARE = "student, bare diff"
GOLD = "gold-trained"
GOLD_UNSEEN = "gold-trained, never saw it"
REVIEWER = "weak reviewer"
LINES = "lines added"

_LIKE = {SHIPPED: GOLD, UNSEEN: GOLD_UNSEEN}
"""Which gold-trained student has seen the same repositories."""


def card(found: Mapping[str, Any]) -> str:
    """Return the card, in Markdown."""
    repositories = found["repositories"]
    lines = [
        f"# default {VERSION}",
        "",
        "The model that `oversight` ships, trained weak to strong by `make model`: a weak reviewer, taught by labels",
        "of people in the table, labelled the other changes, and the student learned from both. Reviewer:",
        f"`{WEAK}`, method: `{METHOD}`. For people stands what history had said of these changes by the end of its",
        "oldest 70 %. The model holds weights over hashed tokens: no vocabulary, no code.",
        "",
        "| repository | licence | revision | labels of people | risky | weak labels | gold-trained on | risky |",
        "|---|---|---|---|---|---|---|---|",
        *(_learned(name, one) for name, one in repositories.items()),
        "",
        f"*{GOLD}* is the same network with gold labels of all these changes; it is measured beside, and not shipped.",
        "",
        "## What `risk` means",
        *_RISK,
        "",
        "## What it reaches",
        *_REACHES,
        "",
        *_SEEN,
        "",
        *_on_the_mean(found["means"]),
    ]
    for name, one in repositories.items():
        lines += ["", f"### {name}", *table(one["test"])]
    return "\n".join([*lines, "", "## Limits", *_LIMITS, ""])


def _learned(name: str, one: Mapping[str, Any]) -> str:
    learned, gold = one["learned"], one["gold"]
    cells = (
        name, one["licence"], one["revision"][:12], learned["human"], learned["human_risky"], learned["weak"],
        gold["n"], gold["risky"],
    )  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


def _on_the_mean(groups: Mapping[str, Any]) -> Iterator[str]:
    yield "Means over repositories, differences with 95 % intervals (blocks of time, paired):"
    for kind, group in groups.items():
        yield ""
        yield f"{len(group['repositories'])} with {kind}:"
        yield ""
        yield f"| score | {' | '.join(f'{metric} | over lines added | over gold-trained' for metric in COMPARED)} |"
        yield "|---|---|---|---|---|---|---|"
        for name in (SHIPPED, UNSEEN, GOLD, GOLD_UNSEEN, REVIEWER, LINES):
            cells = []
            for metric in COMPARED:
                differences = group[metric]["differences"].get(name, {})
                cells.append(shown(group[metric]["models"][name], interval=False))
                cells += [signed(differences[peer]) if peer in differences else "" for peer in (LINES, _LIKE.get(name))]
            yield f"| {name} | {' | '.join(cells)} |"


_RISK = (
    "`risk` is the probability that people will later repair or withdraw the change, in an average repository of those",
    "above. How often repairs are recorded differs twentyfold between them (`Fixes:` trailers in one, reverts alone",
    "in the others), and the model is not told which kind yours is. In a repository of your own the order of risks",
    "stands, and `percentile` with it; the number becomes a probability there only after `oversight train`.",
)

_REACHES = (
    f"On the next 20 % of each history, later than anything it learned from. *{UNSEEN}* was",
    "trained on the other repositories alone, and measures the changes against the newest ones before them: expect",
    f"that row, not the first, on a repository of your own. *{REVIEWER}* was taught by the repository's own labels of",
    "people. Bare diffs are measured against all repositories.",
)

_SEEN = (
    "Settings were chosen on validation windows, the later part of the 70 %. Earlier versions of this model were",
    "measured on the same test windows, and the first was developed while looking at those of dpdk and jax.",
)

_LIMITS = (
    "A change with a low risk is not a safe one. The model reads the code of a change, never the files around it; it",
    "does not run anything. Reverts are not always bugs, and most bugs are never recorded. Bare diffs are scored",
    "without history, and less well.",
)
