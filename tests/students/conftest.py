"""One small trained student and its files, made once for all tests of the package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from oversight.measurement.platt import fit_platt
from oversight.students import checkpoint
from oversight.students.export import to_files
from oversight.students.student import NetworkLearner, NetworkStudent
from oversight.students.training import Budget
from tests.synthetic import examples


@pytest.fixture(scope="session")
def student() -> NetworkStudent:
    changes, risky = examples(240)
    trained = NetworkLearner(budget=Budget(epochs=6, batch=8, learning_rate=1e-2)).fit(changes, risky, seed=3)
    unseen, labels = examples(120, seed=1)
    whole, alone = trained.logits(unseen)
    return trained.with_calibration(fit_platt(whole, labels), fit_platt(alone, labels))


@pytest.fixture(scope="session")
def files(student: NetworkStudent) -> dict[str, bytes]:
    risks = student.predict(examples(50, seed=2)[0])
    return to_files(
        student,
        name="small",
        version="1",
        reference={"full": risks, "none": np.sort(risks)},
        metrics={},
        card="A card.",
    )


@pytest.fixture
def directory(files: dict[str, bytes], tmp_path: Path) -> Path:
    checkpoint.write(tmp_path / "model", files)
    return tmp_path / "model"
