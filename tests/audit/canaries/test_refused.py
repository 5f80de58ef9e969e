"""Nobody learns from a canary: whichever way one comes to those who do, they refuse it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from oversight.audit.canaries.model import Flock
from oversight.audit.store import Store
from oversight.audit.store.intake import take
from oversight.errors import LabelError, StoreError
from oversight.experiment.human import read_labels
from oversight.history.model import Commit
from oversight.history.pool import CANARY, exclusion, refuse_canaries
from tests.audit.store.test_intake import LABEL
from tests.synthetic import examples

ID = f"{CANARY}{64 * 'a'}"


def test_the_pool_excludes_them():
    """Also where a commit should have such an id, which git cannot make."""
    commit = Commit(ID, ("p",), "A", "a@b", 0, 0, "message", ())
    assert exclusion(commit) == "canary"
    with pytest.raises(LabelError, match="canaries"):
        refuse_canaries(["a" * 40, ID])
    refuse_canaries(["a" * 40])


def test_files_of_labels_with_them_are_refused(tmp_path: Path, flock: Flock):
    """As labels by hand, and as the answers themselves with a label put in."""
    path = tmp_path / "labels.jsonl"
    path.write_text(json.dumps({"commit": ID, "risky": True}) + "\n")
    with pytest.raises(LabelError, match="canaries"):
        read_labels(path)
    path.write_text(json.dumps({**flock.pairs[0].canary.record(), "risky": True}) + "\n")
    with pytest.raises(LabelError, match="canaries"):
        read_labels(path)


def test_learners_refuse_them():
    """A network and a head: one canary among many examples is enough."""
    from oversight.students.head import HeadLearner
    from oversight.students.representation import represent
    from oversight.students.scale import Scales
    from oversight.students.student import NetworkLearner
    from oversight.students.training import Budget

    rows, risky = examples(40)
    targets = np.asarray(risky, dtype=float)
    head = HeadLearner(represent(rows, Scales(), 8))
    rows = [replace(rows[0], change_id=ID), *rows[1:]]
    with pytest.raises(LabelError, match="canaries"):
        NetworkLearner(budget=Budget(epochs=1)).fit(rows, targets, seed=0)
    with pytest.raises(LabelError, match="canaries"):
        head.fit(rows, targets, seed=0)


def test_the_store_takes_them_as_nothing(tmp_path: Path, flock: Flock):
    """Neither as labels, nor as reports, nor the file of answers: canaries have tables of their own."""
    with Store.open(f"sqlite:///{tmp_path}/audit.db") as store:
        for told in ({**LABEL, "commit": ID}, flock.pairs[0].canary.record()):
            with (tmp_path / "file.jsonl").open("w+b") as file:
                file.write(json.dumps(told).encode() + b"\n")
                file.seek(0)
                with pytest.raises(StoreError):
                    take(store.engine, file, "file.jsonl", repository="octo/repo")
        with pytest.raises(StoreError):
            store.add_report({"id": ID}, source="import", repository="octo/repo", at=datetime.now(UTC))
