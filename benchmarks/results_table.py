"""Write `benchmarks/RESULTS.md` from the figures of `benchmarks.student`: every word about them is computed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.peers import PEERS, POOLED_PEER
from benchmarks.student_models import ALONE, POOLED, STARTED, UNSEEN

_KINDS = {"trailers": "repositories with `Fixes:` trailers", "reverts": "repositories with reverts alone"}
_METRICS = {"auroc": "AUROC", "size-matched auroc": "size-matched AUROC"}
_FURTHER = ("ap", "recall@1%", "recall@2%", "recall@5%", "recall@10%", "recall@20%effort", "brier", "ece")


@dataclass(frozen=True, slots=True)
class Target:
    """Something that was to be shown, and whether it was; None where the figures cannot tell."""

    met: bool | None
    text: str

    def __str__(self) -> str:
        verdict = {True: "**Met**", False: "**Missed**", None: "**Cannot be told**"}[self.met]
        return f"{verdict}: {self.text}"


def targets(results: Mapping[str, Any]) -> list[Target]:
    """Return the targets, each with the figures that decide it."""
    means = results["means"]
    over = [
        _over_best(means["all"], student, metric, pooled=pooled)
        for student, pooled in ((STARTED, False), (STARTED, True), (POOLED, True), (ALONE, False))
        for metric in _METRICS
    ]
    return [*over, *(_over_lines(means[kind], kind) for kind in _KINDS if kind in means)]


def _over_best(group: Mapping[str, Any], student: str, metric: str, *, pooled: bool) -> Target:
    """Compare with the best of the field's peers, or with boosting that was given what the student was given: other
    repositories, each on its own scale.
    """
    compared = group[metric]
    values = {peer: compared["models"][peer]["value"] for peer in PEERS if peer in compared["models"]}
    told = values and all(value is not None for value in values.values())
    best = POOLED_PEER if pooled else max(values, key=lambda peer: values[peer]) if told else None
    against = "boosting that knows as much" if pooled else "the best peer of the field"
    what = f"*{student}* above {against} by {_METRICS[metric]}, on the mean of {_count(group)}"
    if best is None or best not in compared["differences"].get(student, {}):
        return Target(None, f"{what}: {_untold(group)}.")
    return _decided(what, compared, student, best)


def _over_lines(group: Mapping[str, Any], kind: str) -> Target:
    compared = group["auroc"]
    what = f"*{UNSEEN}* above lines added by AUROC, on the mean of {_count(group)}, {_KINDS[kind]}"
    if "lines added" not in compared["differences"].get(UNSEEN, {}):
        return Target(None, f"{what}: {_untold(group)}.")
    decided = _decided(what, compared, UNSEEN, "lines added")
    return decided if group["counts"] else Target(None, decided.text)


def _decided(what: str, compared: Mapping[str, Any], student: str, peer: str) -> Target:
    found = compared["differences"][student][peer]
    first, second = (shown(compared["models"][name], interval=False) for name in (student, peer))
    text = f"{what}. {first} against {second} of *{peer}*, a difference of {signed(found)}."
    if found["low"] is None:
        return Target(None, f"{text} There is no interval: {found['reason']}.")
    if found["low"] > 0:
        return Target(True, text)
    short = "it is above on the mean, but the interval holds 0" if found["value"] > 0 else "it is not above"
    return Target(False, f"{text[:-1]}: {short}.")


def _untold(group: Mapping[str, Any]) -> str:
    return "not all of them were scored" if group["repositories"] else "none has enough positives to count"


def _count(group: Mapping[str, Any]) -> str:
    number = len(group["repositories"])
    text = f"{number} {'repository' if number == 1 else 'repositories'}"
    return text if group["counts"] else f"{text} of which none has enough positives to count"


def shown(figure: Mapping[str, Any] | None, *, interval: bool = True) -> str:
    """Return a figure as text, or why there is none."""
    if figure is None:
        return ""
    if figure["value"] is None:
        return str(figure["reason"])
    text = f"{figure['value']:.3f}"
    return f"{text} [{figure['low']:.3f}, {figure['high']:.3f}]" if interval and figure["low"] is not None else text


def signed(figure: Mapping[str, Any]) -> str:
    """Return a difference as text, with its sign and interval."""
    if figure["value"] is None:
        return str(figure["reason"])
    text = f"{figure['value']:+.4f}"
    return text if figure["low"] is None else f"{text} [{figure['low']:+.4f}, {figure['high']:+.4f}]"


def page(results: Mapping[str, Any]) -> str:
    """Return the page in Markdown."""
    lines = ["# The student beside its peers", ""]
    if "means" in results:
        lines += _summary(results)
        lines += _repositories(results)
        for name, group in results["means"].items():
            lines += _means(group, name) if group["repositories"] else []
        for metric, title in _METRICS.items():
            lines += ["", f"## {title}, by repository", *_by_repository(results, metric)]
        for metric in _FURTHER:
            lines += ["", f"## {metric}, by repository", *_by_repository(results, metric)]
        lines += _parts(results)
        lines += ["", "## Seconds a training took", *_seconds(results)]
    if "ablations" in results:
        lines += _ablations(results["ablations"], "What each part gives", _PARTS)
    if "encoders" in results:
        lines += _ablations(results["encoders"], "Hunks read as sequences", _SEQUENCES)
    return "\n".join([*lines, ""])


def _summary(results: Mapping[str, Any]) -> Iterator[str]:
    settings = results["settings"]
    counting = results["means"]["all"]["repositories"]
    yield from (f"- {target}" for target in targets(results))
    yield ""
    yield (
        f"Window: {settings['window']}. Learned from the newest {settings['train']:,} changes of a repository before "
        f"it ({settings['pooled']:,} of each of several), measured on at most {settings['test']:,}. A figure is a mean "
        f"over seeds: {settings['seeds']} of students, {settings['seeds_left_out']} where repositories are left out; "
        f"peers draw nothing at random. Brackets: 95 % intervals of {settings['resamples']:,} resamples of time blocks "
        "and seeds, the same for all models and so paired in differences."
    )
    yield (
        f"*{STARTED}*: trained on the repository's own past, going on from one that the histories under permissive "
        "licences taught, by training the network further (`oversight train` puts a head on the shipped one). "
        f"*{ALONE}*: on its own past and nothing "
        f"else. *{POOLED}*: on the pasts of all repositories of its kind at once. *{UNSEEN}*: on all others."
    )
    yield (
        "A student's probability is the sigmoid of its log-odds and the base rate of the rows it learned from; nothing "
        "was fitted to calibrate it. *Size-matched*: on pairs of a risky and a clean change of one size, mean of five "
        f"pairings. Counting in means: {', '.join(counting) or 'no repository'}. "
        f"All of it took {settings['seconds']:,.0f} s in its last run."
    )
    for model, reasons in settings["failed"].items():
        yield f"**Failed**: {model}. {' '.join(reasons)}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield ""
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _repositories(results: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", "## Repositories")
    head = (
        "repository",
        "kind",
        "licence",
        "revision",
        "learned from",
        "ripe",
        "risky",
        "measured on",
        "risky",
        "counts",
    )
    rows = []
    for name, one in results["repositories"].items():
        train, counts = one["train"], "yes" if one["counts"] else "no"
        numbers = [
            f"{number:,}" for number in (train["n"], train["ripe"], train["positives"], one["n"], one["positives"])
        ]
        rows.append([name, one["kind"], one["licence"], one["revision"][:12], *numbers, counts])
    yield from _table(head, rows)


def _means(group: Mapping[str, Any], name: str) -> Iterator[str]:
    title = "all repositories that count" if name == "all" else _KINDS[name]
    yield from ("", f"## Means over {title} ({_count(group)})")
    compared = {metric: group[metric] for metric in _METRICS}
    models = list(dict.fromkeys(model for one in compared.values() for model in one["models"]))
    rows = ([model, *(shown(one["models"].get(model)) for one in compared.values())] for model in models)
    yield from _table(("model", *_METRICS.values()), rows)
    differences = []
    for student in group["auroc"]["differences"]:
        for peer in group["auroc"]["differences"][student]:
            cells = []
            for one in compared.values():
                best = " (best peer)" if one["best_peer"] == peer else ""
                cells.append(signed(one["differences"][student][peer]) + best)
            differences.append([student, peer, *cells])
    yield from _table(("student", "minus", *_METRICS.values()), differences)


def _models(results: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(model for one in results["repositories"].values() for model in one["models"]))


def _by_repository(results: Mapping[str, Any], metric: str) -> Iterator[str]:
    repositories = results["repositories"]
    rows = []
    for model in _models(results):
        found = [one["models"].get(model, {}).get("figures", {}).get(metric) for one in repositories.values()]
        if any(found):
            rows.append([model, *map(shown, found)])
    return _table(("model", *repositories), rows)


def _parts(results: Mapping[str, Any]) -> Iterator[str]:
    """AUROC inside size strata, languages and provenances, of repositories that count."""
    for name, one in results["repositories"].items():
        if not one["counts"]:
            continue
        yield from ("", f"## AUROC in parts of {name}")
        first = next(iter(one["models"].values()))
        head = [f"size {number + 1}" for number in range(len(first["strata"]))]
        wanted = [(which, key) for which in ("language", "provenance") for key in first[which]]
        rows = [
            [model, *map(shown, found["strata"]), *(shown(found[which][key]) for which, key in wanted)]
            for model, found in one["models"].items()
        ]
        sizes = [*first["strata"], *(first[which][key] for which, key in wanted)]
        counts = ["risky / n", *(f"{part['positives']} / {part['n']}" for part in sizes)]
        yield from _table(("model", *head, *(key for _, key in wanted)), [counts, *rows])


def _seconds(results: Mapping[str, Any]) -> Iterator[str]:
    repositories = results["repositories"]
    rows = []
    for model in _models(results):
        found = [one["models"].get(model, {}).get("seconds") for one in repositories.values()]
        rows.append([model, *("" if seconds is None else f"{seconds:.1f}" for seconds in found)])
    yield from _table(("model, a seed", *repositories), rows)
    yield from ("", "Where several repositories are learned from at once, each has its share of that training.")


_PARTS = (
    "a part of it changed or taken away",
    "The last row is compared with the one before: boosting with touched lines with boosting without them.",
)
_SEQUENCES = (
    "its vectors of tokens taken away, or vectors of hunks in their place, of encoders that read changes in order",
    "Encoders stay as they are. all-MiniLM-L6-v2 learned from sentences (22 million parameters); the diff encoder of "
    "our own, from hunks of the permissive histories, by hidden tokens and by which way an edit goes "
    "(`benchmarks/diff_encoder.py`). Of each hunk 64 tokens are read, and of the mean of their states the first "
    "components kept (`benchmarks/hunk_vectors.py`).",
)


def _ablations(found: Mapping[str, Any], title: str, said: tuple[str, str]) -> Iterator[str]:
    settings = found["settings"]
    yield from ("", f"## {title}", "")
    yield (
        f"*{POOLED}*, {said[0]}; on the {settings['window']} window, means over "
        f"{', '.join(found['repositories'])}; seeds: {settings['seeds']}. Learned from the newest "
        f"{settings['train']:,} changes of each. Differences are to the first row, with 95 % intervals. {said[1]}"
    )
    head = ["student"]
    for title in _METRICS.values():
        head += [title, "difference"]
    rows = []
    for row in found["rows"]:
        cells = []
        for metric in _METRICS:
            first = row is found["rows"][0]
            cells += [shown(row[metric]), "" if first else signed(row[f"{metric}, difference"])]
        rows.append([row["model"], *cells])
    yield from _table(head, rows)
