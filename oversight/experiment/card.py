"""A model's card, written from its figures: nothing in it was typed by hand but the words around the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_COLUMNS = ("auroc", "auroc, size-matched", "ap", "recall@10%", "brier")

_RISK = """`risk` is the probability that people will later repair or withdraw the change, as the history of this
repository records repairs (`Fixes:` trailers) and withdrawals (reverts), calibrated on human labels that the model
was not taught with. It can be no better than those records: a repair that nobody records is not in it."""

_LIMITS = """A change with a low risk is not a safe one. The model reads the code of a change, never the files around
it; it does not run anything. Models age: train again when a year has passed, or when the project has changed its
ways."""


_SHADOW = """It is in the shadow: `oversight score` ranks by it, and no review flags by it until a person puts it in use
(`oversight research adopt`). Verdicts tell whether it is better than the model in use (`oversight audit report`)."""


def card(name: str, version: str, metrics: Mapping[str, Any], *, shadow: bool = False) -> str:
    """Return the card of a model that `oversight train` made, in Markdown; `shadow`: nothing flags by it yet."""
    human, weak, method = metrics["human_labels"], metrics["weak_labels"], metrics["method"]
    where = "given in a file" if human["given"] else "drawn at random from the oldest 35 % of the history"
    return "\n".join(
        [
            f"# {name} {version}",
            "",
            f"Trained by `oversight train` on {metrics['pool']} changes of {metrics['commits']} commits.",
            "",
            f"- {human['n']} human labels, {human['risky']} of them risky, {where}",
            f"- {weak['n']} weak labels of the reviewer `{weak['reviewer']}`, mean risk {weak['mean_risk']:.3f}",
            f"- {_method(method, metrics['promotion'])}",
            f"- {_start(metrics['started_from'])}",
            *_claude(metrics["claude"]),
            *_encoder(metrics["encoder"]),
            "",
            "## What `risk` means",
            _RISK,
            "",
            "## What it reaches",
            *table(metrics["test"]),
            "",
            "## Limits",
            _LIMITS,
            "",
            *(("## Stage", _SHADOW, "") if shadow else ()),
        ]
    )


def _method(method: Mapping[str, Any], promotion: Mapping[str, str] | None) -> str:
    values = ", ".join(f"`{name}` {value}" for name, value in method["parameters"].items())
    told = f"method `{method['name']}`" + (f", with {values}" if values else "")
    if promotion is None:
        return told
    return (
        f"{told}; promoted by `oversight research`: experiment {promotion['experiment']}, configuration "
        f"{promotion['identity']}, in a study whose ledger then ended in {promotion['ledger'][:12]}"
    )


def _start(origin: Mapping[str, Any] | None) -> str:
    if origin is None:
        return "the network was trained from nothing"
    return (
        f"training went on from the model `{origin['name']}` {origin['version']} (sha256 {origin['sha256'][:12]}), "
        "which other histories taught, or this one if its card says so"
    )


def _claude(heard: Mapping[str, Any] | None) -> list[str]:
    if heard is None:
        return []
    return [
        f"- {heard['labels']} of {heard['of']} changes that were learned from had a label of Claude ({heard['recipe']})"
    ]


def _encoder(encoder: Mapping[str, Any] | None) -> list[str]:
    if encoder is None:
        return []
    trained = "trained in full"
    if encoder["lora"] is not None:
        trained = f"of which LoRA of rank {encoder['lora']} trained {encoder['trained_parameters']:,}"
    name = f"`{encoder['name']}`" + (f" at {encoder['revision']}" if encoder["revision"] else "")
    return [
        f"- its teacher was the encoder {name}, {encoder['parameters']:,} parameters, {trained};",
        f"  it read up to {encoder['hunks']} hunks a change as text, up to {encoder['tokens']} tokens of each",
    ]


def table(test: Mapping[str, Any]) -> list[str]:
    """Return the figures of `oversight.experiment.evaluation.evaluate` as the lines of a Markdown table."""
    lines = [
        f"{test['n']} changes later than all that was learned from, {test['positives']} of them risky. In brackets:",
        "95 % bootstrap intervals over blocks of time. Lines added and smallest-first need no model at all.",
        "",
        f"| score | {' | '.join(_COLUMNS)} |",
        f"|---|{'---|' * len(_COLUMNS)}",
    ]
    for score, figures in test["scores"].items():
        lines.append(f"| {score} | {' | '.join(shown(figures.get(column)) for column in _COLUMNS)} |")
    lines.append("")
    lines.extend(f"- {name}: {shown(figure)}" for name, figure in test["differences"].items())
    return lines


def shown(figure: Mapping[str, Any] | None) -> str:
    """Return a figure with its interval as text, or why there is none."""
    if figure is None:
        return "not a probability"
    if figure["value"] is None:
        return f"none: {figure['reason']}"
    interval = f" [{figure['low']:.3f}, {figure['high']:.3f}]" if figure.get("low") is not None else ""
    return f"{figure['value']:.3f}{interval}"
