"""Promotion, a person's act: the sealed half is opened for an experiment, and its method written down with evidence.

    method.json     the configuration, as experiments have it
    method.py       the text of a method that a researcher wrote, where it is one: read it before anything runs it
    evidence.json   the sealed half, confirmations, every query of the study, what was told, and the ledger's head
    card.md         the same for people

What is promoted flags nothing. It begins in the shadow: a model that it taught (`oversight train --method`) ranks
changes beside the model in use until verdicts tell the two apart, and a person puts it in use (`adoption.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from oversight.errors import OutputError, ResearchError, UsageError, VaultError
from oversight.reports.escape import code, data, markdown
from oversight.reports.output import write
from oversight.research import leaderboard
from oversight.research.laboratory import predictions
from oversight.research.model import Configuration, as_json
from oversight.research.promoted import STAGE
from oversight.research.study import Study
from oversight.research.vault.client import Vault

_LIMITS = """The open half was asked about again and again; what counts is the sealed half, which was scored once, and
confirmation, on repositories that no query was about. Both are histories that record repairs, by the protocol of
`oversight pgr`: what they say of a repository whose history records none is unknown."""

_NEXT = """It flags nothing yet. Teach a model by it (`oversight train --method method.json`), have `oversight score`
rank new changes by that model beside the one in use, and put it in use where verdicts say that it is better
(`oversight research adopt`)."""

_WRITTEN = """It flags nothing, and no model is taught by it: its code runs in the sandbox alone. Read `method.py`; what
is good of it becomes a file of `oversight/methods`."""


def promote(study: Study, experiment: str | None, output: Path) -> dict[str, Any]:
    """Score an experiment, the best one where none is named, on the sealed half; write method and evidence to `output`.

    Returns the ledger's entry. `VaultError` where the vault does not know the experiment or has none to promote,
    `UsageError` where something else is in the folder, `OutputError` where it cannot be written. Again for the same
    experiment it writes the same, with the confirmations since.
    """
    with Vault(study.vault, people=True) as vault:
        asked = vault.board()
        name = experiment or _best(asked)
        configuration = _configuration(study, name, asked)
        _check(output, configuration)
        entry = vault.seal(name)
        board = vault.board()
    evidence = _evidence(name, configuration, entry, board)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError("the folder cannot be made", mend="name another with --output") from error
    if configuration.code is not None:
        write(configuration.code, output / "method.py")
    write(json.dumps(evidence, indent=2, allow_nan=False) + "\n", output / "evidence.json")
    write("\n".join(_card(evidence)) + "\n", output / "card.md")
    write(_method(configuration), output / "method.json")
    return entry


def confirm(study: Study, experiment: str) -> Iterator[dict[str, Any]]:
    """Train a sealed experiment on every ground for confirmation, and yield the vault's entry of each.

    `VaultError` where it was not promoted before; `ResearchError` where there is no such ground, or training fails.
    """
    grounds = [one.name for one in study.laid if one.confirmation]
    if not grounds:
        raise ResearchError("the study has no ground for confirmation", mend="start one with --confirm PATH")
    with Vault(study.vault, people=True) as vault:
        board = vault.board()
        if experiment not in [entry["experiment"] for entry in board["sealed"]]:
            raise VaultError("only what was scored on the sealed half is confirmed", mend="promote it first")
        configuration = _configuration(study, experiment, board)
        known = {(entry["experiment"], entry["ground"]): entry for entry in board["confirmed"]}
        for name in grounds:
            if (experiment, name) in known:
                yield known[experiment, name]
                continue
            found = predictions(study, configuration, [name])
            yield vault.confirm(experiment, name, found[name])


def _best(board: Mapping[str, Any]) -> str:
    if not board["bests"]:
        raise VaultError(
            "no experiment has beaten the hand-chosen default",
            mend="keep the default, or name one of `oversight research report` to see what the sealed half says of it",
        )
    return str(board["bests"][-1]["experiment"])


def _configuration(study: Study, experiment: str, board: Mapping[str, Any]) -> Configuration:
    """Return what an experiment was, which has to be what the vault was told when it was asked."""
    asked = {query["experiment"]: query["configuration"] for query in reversed(board["queries"])}
    if experiment not in asked:
        raise VaultError(
            "the vault was never asked about this experiment", mend="name one of oversight research report"
        )
    for result in study.experiments():
        if result.experiment.name == experiment and result.configuration.identity == asked[experiment]:
            return result.configuration
    raise ResearchError(
        "the study's record of this experiment is not what the vault was asked about",
        mend="put back the study's folder as the run left it",
    )


def _check(output: Path, configuration: Configuration) -> None:
    """Raise `UsageError` where another method stands in the folder."""
    there = output / "method.json"
    if there.exists() and there.read_bytes() != _method(configuration).encode():
        raise UsageError("another method was promoted into this folder", mend="name another with --output")


def _method(configuration: Configuration) -> str:
    return json.dumps(as_json(configuration), indent=2, allow_nan=False) + "\n"


def _evidence(
    name: str, configuration: Configuration, entry: Mapping[str, Any], board: Mapping[str, Any]
) -> dict[str, Any]:
    query = next(one for one in board["queries"] if one["experiment"] == name)
    figures = {row["experiment"]: row for row in board["figures"]}
    return {
        "stage": STAGE,
        "experiment": name,
        "researcher": data(query["researcher"]),
        "method": data(configuration.method),
        "identity": configuration.identity,
        "written": configuration.code is not None,
        "asked": {"answer": query["answer"], "proxies": query["proxies"]},
        "open": figures.get(name),
        "sealed": entry,
        "sealed_of": len(board["sealed"]),
        "confirmed": [one for one in board["confirmed"] if one["experiment"] == name],
        "queries": {"asked": board["asked"], "bests": len(board["bests"]), "bits": board["bits"]},
        "policy": board["policy"],
        "ledger": {"entries": board["entries"], "head": board["head"]},
    }


def _card(evidence: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {code(evidence['method'])}, in the shadow"
    yield ""
    yield (
        f"Experiment {evidence['experiment']} of {markdown(evidence['researcher'])}. The vault answered "
        f'{evidence["queries"]["asked"]} queries of its study, {evidence["queries"]["bests"]} of them with "best", and '
        f"told at most {evidence['queries']['bits']:.0f} bits of the labels. "
        f"{evidence['sealed_of']} experiment(s) were scored on the sealed half."
    )
    for entry in (evidence["sealed"], *evidence["confirmed"]):
        yield ""
        yield "```"
        yield from leaderboard.result(entry)
        yield "```"
        yield ""
        yield f"Here {leaderboard.verdict(entry)}."
    flags = evidence["asked"]["answer"]["flags"]
    yield ""
    yield f"What detectors noted: {', '.join(map(markdown, flags)) if flags else 'nothing'}."
    yield ""
    yield "## Limits"
    yield _LIMITS
    yield ""
    yield _WRITTEN if evidence["written"] else _NEXT
    yield ""
    yield f"Ledger of the vault: {evidence['ledger']['entries']} entries, head `{evidence['ledger']['head']}`."
