"""What all tests share: how hypothesis searches, comparison with golden files, a small model, a cache of their own."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from oversight.students.student import NetworkStudent

# No test is timed, since machines are busy at times; in CI the same code meets the same examples.
settings.register_profile("oversight", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("oversight")

# A shell has what it starts in the background ignore Ctrl-C, and that is inherited: tests that send it would wait.
signal.signal(signal.SIGINT, signal.default_int_handler)

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew instead of comparing")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare text with `tests/golden/<name>`, byte by byte; with --update-golden write it there."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8"))
            return
        if not path.exists():
            pytest.fail(f"tests/golden/{name} is missing: run with --update-golden and read what it wrote")
        assert text == path.read_bytes().decode("utf-8"), f"tests/golden/{name} differs: see tests/golden/README.md"

    return compare


@pytest.fixture(autouse=True)
def no_cache_of_the_user(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has a history cache and records of its own, and none of the settings that the environment may hold."""
    for name in [name for name in os.environ if name.startswith("OVERSIGHT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OVERSIGHT_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("OVERSIGHT_DATA_DIR", str(tmp_path_factory.mktemp("data")))


@pytest.fixture
def processor(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Encoders compute on one thread of the processor: the same sums on every machine, quick for tiny ones."""
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def student() -> NetworkStudent:
    """One small trained student, made once; torch is loaded where a test needs it and nowhere else."""
    from oversight.measurement.platt import fit_platt
    from oversight.students.student import NetworkLearner
    from oversight.students.training import Budget
    from tests.synthetic import examples

    changes, risky = examples(240)
    trained = NetworkLearner(budget=Budget(epochs=6, batch=8, learning_rate=1e-2)).fit(changes, risky, seed=3)
    unseen, labels = examples(120, seed=1)
    whole, alone = trained.logits(unseen)
    return trained.with_calibration(fit_platt(whole, labels), fit_platt(alone, labels))


@pytest.fixture(scope="session")
def files(student: NetworkStudent) -> dict[str, bytes]:
    """The files of the small student's model directory."""
    import numpy as np

    from oversight.students.export import to_files
    from tests.synthetic import examples

    risks = student.predict(examples(50, seed=2)[0])
    reference = {"full": risks, "none": np.sort(risks)}
    return to_files(student, name="small", version="1", reference=reference, metrics={}, card="A card.")


@pytest.fixture(scope="session")
def shadow(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model in the shadow."""
    from oversight.students import checkpoint

    directory = tmp_path_factory.mktemp("shadow") / "model"
    config = json.loads(files["config.json"]) | {"stage": checkpoint.SHADOW}
    checkpoint.write(directory, {**files, "config.json": json.dumps(config).encode()})
    return directory


@pytest.fixture(scope="session")
def model(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small student's model directory, for reading only: what `--model` gets in tests of the command line."""
    from oversight.students import checkpoint

    directory = tmp_path_factory.mktemp("trained") / "model"
    checkpoint.write(directory, files)
    return directory
