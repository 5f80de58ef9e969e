"""One open vault: what it does with each kind of request.

    a run          ask, board (what was told already)
    for people     board (with intervals), seal, confirm

A process is one or the other, so that nothing in a run can reach the sealed half or the figures that people see.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from oversight.errors import VaultError
from oversight.research.model import Floats
from oversight.research.vault import board, detectors, files, wire
from oversight.research.vault.gold import Flags, digests, grounds_of
from oversight.research.vault.ladder import Ladder
from oversight.research.vault.ledger import Ledger
from oversight.research.vault.policy import policy_of
from oversight.research.vault.record import DEFAULT, Record
from oversight.research.vault.scoring import Predictions, recoveries, series_of

RESAMPLES = 2_000
"""Of the sealed half and of confirmations."""

_REFERENCES = (DEFAULT, "naive", "human_only", "weak")
"""Series whose order is no news."""

_CLOSED = "closed: an experiment was scored on the sealed half, which ends the search"


class Keeper:
    """Answers requests on the vault in a folder; `VaultError` where it cannot be opened."""

    def __init__(self, vault: Path, *, people: bool) -> None:
        self._vault, self._people = vault, people
        self._policy = policy_of(vault)
        grounds = grounds_of(vault)
        self._study = [ground for ground in grounds.values() if not ground.confirmation]
        self._confirmation = {ground.name: ground for ground in grounds.values() if ground.confirmation}
        if not self._study:
            raise VaultError("the vault holds no labels", mend="start the study again")
        self._ladder = Ladder(self._study, self._policy)
        if not self._ladder.gap > 0:
            raise VaultError(
                "the ceiling is not above the weak reviewer: there is no gap to recover",
                mend="study other repositories, or another weak reviewer",
            )
        self._open(write=not people)
        self._earlier = detectors.Earlier()
        for name in _REFERENCES:
            self._earlier.add(name, series_of(self._study, name))
        for entry in self._record.scored:
            self._earlier.add(entry["experiment"], self._kept(entry["experiment"]))
        self._best: Predictions = series_of(self._study, DEFAULT)
        if self._record.best != DEFAULT:
            self._best = self._kept(self._record.best)

    def close(self) -> None:
        """Let others write."""
        self._ledger.__exit__(None, None, None)

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a request that `wire.request` has read; `VaultError` where it gets none."""
        told = {name: value for name, value in request.items() if name != "kind"}
        match request["kind"], self._people:
            case "ask", False:
                return self._ask(**told)
            case "board", people:
                return self._board(full=people)
            case "seal", True:
                return self._seal(**told)
            case "confirm", True:
                return self._confirm(**told)
        raise VaultError(
            "this is not for a run" if not self._people else "this is for a run alone",
            mend="see oversight research --help",
        )

    def _open(self, *, write: bool) -> None:
        self._ledger = Ledger(self._vault, write=write)
        opened = {"policy": asdict(self._policy), "gold": digests(self._vault)}
        if write and not self._ledger.entries:
            self._ledger.add("opened", opened)
        first = self._ledger.entries[0] if self._ledger.entries else opened
        if {name: first.get(name) for name in opened} != opened:
            self.close()
            raise VaultError(
                "the vault's labels or its policy are not those that it was opened with",
                mend="put them back, or start another study",
            )
        self._record = Record.of(self._ledger.entries)

    def _ask(
        self,
        experiment: str,
        researcher: str,
        configuration: str,
        method: str,
        proxies: Mapping[str, float],
        predictions: Predictions,
    ) -> dict[str, Any]:
        asked = {"experiment": experiment, "researcher": researcher, "configuration": configuration, "method": method}
        asked["predictions"] = _digest(predictions)
        for known in self._record.queries:
            if asked.items() <= known.items():
                return dict(known["answer"])
        left = self._record.left(researcher, self._policy)
        if self._record.sealed or not left:
            return self._refusal(_CLOSED if self._record.sealed else "no queries are left", left=0)
        answer = self._judged(experiment, configuration, proxies, predictions) | {"left": left - 1}
        if answer["answer"] != "refused":
            self._keep(experiment, predictions)
        entry = self._ledger.add("asked", {**asked, "proxies": dict(proxies), "answer": answer})
        self._record.take(entry)
        if answer["answer"] != "refused":
            self._earlier.add(experiment, predictions)
        if answer["answer"] == "best":
            self._best = predictions
        return dict(entry["answer"])

    def _judged(
        self, experiment: str, configuration: str, proxies: Mapping[str, float], predictions: Predictions
    ) -> dict[str, Any]:
        """Return the answer to a new query. What stands before the ladder knows no label."""
        if experiment in self._record.asked or experiment in self._earlier:
            return self._refusal("something else was asked under this name", "again")
        if any(configuration == entry["configuration"] for entry in self._record.scored):
            return self._refusal("this configuration was scored before", "again")
        if reason := detectors.malformed(predictions, {ground.name: ground.shape for ground in self._study}):
            return self._refusal(reason, "malformed")
        seen = detectors.look(predictions, series_of(self._study, DEFAULT), self._earlier, proxies.get("order"))
        if seen.reason is not None:
            return self._refusal(seen.reason, *seen.flags)
        best = self._best_score()
        step = self._ladder.step(predictions, self._best, len(self._ledger.entries), len(self._record.bests))
        if not step.beaten:
            return {"answer": "not better", "score": None, "best": best, "flags": list(seen.flags), "reason": ""}
        earlier = [entry["proxies"].get("screen") for entry in self._record.scored]
        jumped = detectors.jump(step.score - best, proxies.get("screen"), [one for one in earlier if one is not None])
        flags = [*seen.flags, *(["jump"] if jumped else [])]
        return {"answer": "best", "score": step.score, "best": step.score, "flags": flags, "reason": ""}

    def _refusal(self, reason: str, *flags: str, **told: Any) -> dict[str, Any]:
        best = self._best_score()
        return {"answer": "refused", "score": None, "best": best, "flags": list(flags), "reason": reason, **told}

    def _best_score(self) -> float:
        bests = self._record.bests
        return float(bests[-1]["answer"]["score"]) if bests else self._ladder.score(series_of(self._study, DEFAULT))

    def _seal(self, experiment: str) -> dict[str, Any]:
        self._writing()
        if experiment in self._record.sealed:
            return dict(self._record.sealed[experiment])
        if experiment not in [entry["experiment"] for entry in self._record.scored]:
            raise VaultError("the vault has not scored this experiment", mend="name one of oversight research report")
        if len(self._record.sealed) >= self._policy.seals:
            raise VaultError(
                f"{self._policy.seals} experiments were scored on the sealed half, and no more may be",
                mend="begin another study, with other repositories",
            )
        sealed = {ground.name: ~ground.open for ground in self._study}
        students = {experiment: self._kept(experiment)}
        found = recoveries(self._study, students, sealed, resamples=RESAMPLES)[experiment]
        return self._added("sealed", {"experiment": experiment, "result": board.told(found)})

    def _confirm(self, experiment: str, ground: str, predictions: Predictions) -> dict[str, Any]:
        self._writing()
        if (experiment, ground) in self._record.confirmed:
            return dict(self._record.confirmed[experiment, ground])
        if experiment not in self._record.sealed:
            raise VaultError("only what was scored on the sealed half is confirmed", mend="promote it first")
        if ground not in self._confirmation:
            raise VaultError("there is no such ground for confirmation", mend="see oversight research status")
        laid = self._confirmation[ground]
        if reason := detectors.malformed(predictions, {ground: laid.shape}):
            raise VaultError(reason, mend="train the experiment again")
        every: dict[str, Flags] = {ground: np.ones(laid.labels.size, dtype=np.bool_)}
        found = recoveries([laid], {experiment: predictions}, every, resamples=RESAMPLES)[experiment]
        told = {"experiment": experiment, "ground": ground, "predictions": _digest(predictions)}
        return self._added("confirmed", {**told, "result": board.told(found)})

    def _board(self, *, full: bool) -> dict[str, Any]:
        told = board.coarse(self._record, self._policy, best=self._best_score())
        if not full:
            return told
        figures = board.figures(self._study, self._record, self._kept)
        return {
            **told,
            **board.audit(self._record, self._policy, self._ladder.values),
            **figures,
            "gap": self._ladder.gap,
            "entries": len(self._ledger.entries),
            "head": self._ledger.head,
        }

    def _writing(self) -> None:
        """Open the ledger for writing where it is not yet: what others wrote meanwhile counts."""
        if not self._ledger.writes:
            self._open(write=True)

    def _added(self, kind: str, told: Mapping[str, Any]) -> dict[str, Any]:
        entry = self._ledger.add(kind, told)
        self._record.take(entry)
        return dict(entry)

    def _keep(self, experiment: str, predictions: Predictions) -> None:
        content = b"".join(wire.bytes_of(predictions[ground.name]) for ground in self._study)
        files.write(self._vault / files.SUBMISSIONS / experiment, content)

    def _kept(self, experiment: str) -> dict[str, Floats]:
        """Return the predictions of an experiment that was scored; `VaultError` where they are no longer those."""
        try:
            content = (self._vault / files.SUBMISSIONS / experiment).read_bytes()
            found: dict[str, Floats] = {}
            for ground in self._study:
                size = 4 * ground.shape[0] * ground.shape[1]
                found[ground.name] = wire.floats_of(content[:size], ground.shape)
                content = content[size:]
        except (OSError, ValueError):
            found = {}
        if _digest(found) != self._record.asked[experiment]["predictions"]:
            raise VaultError(
                f"the predictions of {experiment} are not those that were scored",
                mend="put back the vault's folder, or start another study",
            )
        return found


def _digest(predictions: Predictions) -> str:
    """Return a sha256 over names, shapes and numbers."""
    digest = hashlib.sha256()
    for name, runs in sorted(predictions.items()):
        digest.update(f"{name} {runs.shape}\n".encode())
        digest.update(wire.bytes_of(runs))
    return digest.hexdigest()
