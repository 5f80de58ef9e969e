"""`oversight train`: a model directory that `--model` takes, or one line that says what is wrong."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from oversight import methods
from oversight.cli import run
from oversight.cli.train import _started
from oversight.experiment.card import card
from oversight.experiment.run import Plan
from oversight.experiment.teaching import Lesson
from oversight.research.space import from_json
from oversight.students import runtime
from oversight.students.student import NetworkLearner
from tests.experiment.histories import learnable
from tests.students.tiny import save_encoder


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("history")
    learnable(path)
    return path


def test_it_writes_a_model_and_says_what_it_reaches(
    clone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The directory loads as a model, and the figures on held-out changes are printed beside the baselines."""
    output = tmp_path / "model"
    assert run(["train", "--repo", str(clone), "--output", str(output), "--weak", "lexical", "--jobs", "1"]) == 0
    model = runtime.load(output)
    printed = capsys.readouterr().out
    assert model.info.sha256 in printed
    assert "| student |" in printed
    assert "| lines_added |" in printed
    assert model.metrics["human_labels"]["risky"] >= 10
    assert "What `risk` means" in (output / "card.md").read_text(encoding="utf-8")
    assert model.metrics["started_from"]["sha256"] == runtime.load_named().info.sha256


METHOD = {"method": "confident-filter+mixed", "parameters": {"head.variance": 0.01, "mixed.weak_weight": 0.25}}


def promotion(folder: Path, method: dict[str, object], **other: object) -> Path:
    """What `oversight research promote` writes of a method, as far as training reads it."""
    folder.mkdir()
    (folder / "method.json").write_text(json.dumps(method))
    identity = from_json(method).identity
    ledger = {"entries": 9, "head": "5e" * 32}
    evidence = {"stage": "shadow", "experiment": "e0042", "identity": identity, "ledger": ledger, **other}
    (folder / "evidence.json").write_text(json.dumps(evidence))
    return folder / "method.json"


def test_training_goes_on_from_any_model_by_a_promoted_method(
    clone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model of one's own may be trained on; `none` starts anew; the card says which it was, by which method of which
    experiment, and that it flags nothing yet: the stage is part of what the digest is over.
    """
    common = ["train", "--repo", str(clone), "--weak", "lexical", "--jobs", "1", "--changes", "300"]
    first, second = tmp_path / "first", tmp_path / "second"
    assert run([*common, "--start", "none", "--output", str(first)]) == 0
    begun = runtime.load(first)
    assert (begun.metrics["started_from"], begun.metrics["promotion"], begun.shadow) == (None, None, False)
    assert "from nothing" in (first / "card.md").read_text(encoding="utf-8")
    method = promotion(tmp_path / "method", METHOD)
    assert run([*common, "--start", str(first), "--method", str(method), "--output", str(second)]) == 0
    assert "It is in the shadow" in capsys.readouterr().out
    model, card = runtime.load(second), (second / "card.md").read_text(encoding="utf-8")
    assert model.metrics["started_from"]["sha256"] == begun.info.sha256
    assert begun.info.sha256[:12] in card
    assert model.shadow
    assert (model.metrics["method"]["name"], model.metrics["method"]["parameters"]) == tuple(METHOD.values())
    identity = from_json(METHOD).identity
    assert model.metrics["promotion"] == {"experiment": "e0042", "identity": identity, "ledger": "5e" * 32}
    assert "`confident-filter+mixed`, with `head.variance` 0.01, `mixed.weak_weight` 0.25; promoted" in card
    assert "experiment e0042" in card
    assert "It is in the shadow" in card


REVIEW_WITHOUT_TORCH = """
import sys
sys.modules["torch"] = sys.modules["transformers"] = None
from oversight.cli import run
from oversight.experiment.card import card
sys.exit(run(["review", "--repo", sys.argv[1], "--model", sys.argv[2], "--format", "json"]))
"""


def test_the_parameters_of_a_promoted_method_are_what_trains() -> None:
    """Those of the parts reach their fields, and that of heads the learner; others are those of the method."""
    made = methods.method("confident-filter+mixed", METHOD["parameters"])(None)  # type: ignore[arg-type]
    assert made.inner.weak_weight == 0.25  # type: ignore[attr-defined]
    lesson = Lesson([], np.zeros(0, bool), [], "lexical", NetworkLearner(), parameters={"head.variance": 0.01})
    assert methods.of_part(lesson.parameters, methods.HEAD) == {"variance": 0.01}


def test_a_model_in_the_shadow_ranks_and_flags_nothing(
    clone: Path, shadow: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A review refuses, and says how to go on; a score has its risks, its name, and no flag of its own."""
    assert run(["review", "--repo", str(clone), "--model", str(shadow)]) == 2
    assert "oversight research adopt" in capsys.readouterr().err
    scores = tmp_path / "scores.jsonl"
    options = ["--model", str(shadow), "--output", str(scores), "--jobs", "1", "--budget", "50"]
    assert run(["score", "--repo", str(clone), *options]) == 0
    rows = [json.loads(line) for line in scores.read_text().splitlines()]
    assert not any(row["flagged"] for row in rows)
    assert any(row["shadow"]["flagged"] for row in rows)
    info = runtime.load(shadow).info
    assert {(row["shadow"]["name"], row["shadow"]["sha256"]) for row in rows} == {(info.name, info.sha256)}
    assert any(0 < row["risk"] < 1 for row in rows if row["risk"] is not None)
    store = ["--database", f"sqlite:///{tmp_path}/audit.db"]
    assert run(["audit", "import", str(scores), "--repository", "o/r", *store]) == 0
    assert f"{len(rows)} shadow scores, {len(rows)} new" in capsys.readouterr().out
    assert run(["audit", "report", "--format", "json", *store]) == 0
    (beside,) = json.loads(capsys.readouterr().out)["shadow"]
    assert (beside["model"]["sha256"], beside["n"]) == (info.sha256, 0)
    assert run(["audit", "report", *store]) == 0
    assert "In the shadow, small 1" in capsys.readouterr().out


def test_a_person_puts_a_model_in_use(
    clone: Path, shadow: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same network under a new digest, which names the one it had; the card says who, and why, harmlessly."""
    options = ["--output", str(tmp_path / "model"), "--because", "0.81 <b>against</b> 0.74", "--who", "ann"]
    assert run(["research", "adopt", str(shadow), *options]) == 0
    model, before = runtime.load(tmp_path / "model"), runtime.load(shadow)
    assert (model.shadow, before.shadow) == (False, True)
    assert model.onnx == before.onnx
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert (config["stage"], config["shadow"]) == ("in use", before.info.sha256)
    assert r"by ann: 0\.81 \<b\>against\</b\> 0.74" in (tmp_path / "model" / "card.md").read_text(encoding="utf-8")
    assert run(["review", "--repo", str(clone), "--model", str(tmp_path / "model")]) == 0
    assert run(["research", "adopt", str(shadow), *options]) == 2
    assert "other files" in capsys.readouterr().err
    again = ["--output", str(tmp_path / "again"), "--because", "once more"]
    assert run(["research", "adopt", str(tmp_path / "model"), *again]) == 2
    assert "not in the shadow" in capsys.readouterr().err


def test_what_goes_on_from_the_shadow_stays_in_it(shadow: Path) -> None:
    """Training on is no way around the person who decides."""
    plan, in_shadow = _started(Plan(), str(shadow))
    assert in_shadow
    assert plan.start is not None
    assert plan.start["sha256"] == runtime.load(shadow).info.sha256


WRITTEN = {"method": "written", "parameters": {}, "code": "METHOD = print"}


@pytest.mark.parametrize(
    ("method", "other", "options", "why"),
    [
        (WRITTEN, {}, [], "runs in the sandbox alone"),
        (METHOD, {"identity": "0" * 16}, [], "is of another one"),
        (METHOD, {"stage": "in use"}, [], "stage"),
        (METHOD, {"ledger": {"head": "<b>"}}, [], "no ledger"),
        (METHOD, {}, ["--start", "none"], "parameter of heads"),
    ],
)
def test_what_was_not_promoted_as_it_stands_teaches_nothing(
    clone: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    method: dict[str, object],
    other: dict[str, object],
    options: list[str],
    why: str,
) -> None:
    """Code of researchers, a method without its evidence, and a parameter that nothing would obey."""
    path = promotion(tmp_path / "method", method, **other)
    words = ["train", "--repo", str(clone), "--output", str(tmp_path / "model"), "--method", str(path), *options]
    assert run(words) == 2
    assert why in capsys.readouterr().err
    assert not (tmp_path / "model").exists()


@pytest.mark.usefixtures("processor")
def test_an_encoder_teaches_a_model_that_reviews_without_it(clone: Path, tmp_path: Path) -> None:
    """What is written is the network: figures and card say who taught it, and reviews load no torch."""
    encoder = save_encoder(tmp_path / "tiny", ("+", "-", "return", "unsafe_free", "skip_check", "max"))
    output = tmp_path / "model"
    options = ["--tune", "encoder", "--encoder", str(encoder), "--lora", "2", "--weak", "lexical", "--jobs", "1"]
    assert run(["train", "--repo", str(clone), "--output", str(output), "--changes", "300", *options]) == 0
    metrics = runtime.load(output).metrics
    said = metrics["encoder"]
    assert (said["name"], said["revision"], said["lora"]) == ("tiny", None, 2)
    written = (output / "card.md").read_text(encoding="utf-8")
    assert f"encoder `tiny`, {said['parameters']:,} parameters" in written
    assert f"LoRA of rank 2 trained {said['trained_parameters']:,}" in written
    assert "trained in full" in card("small", "1", {**metrics, "encoder": {**said, "lora": None}})
    done = subprocess.run(
        [sys.executable, "-c", REVIEW_WITHOUT_TORCH, str(clone), str(output)], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert 0 < json.loads(done.stdout)["risk"] < 1


@pytest.mark.parametrize(
    "options",
    [
        ["--method", "nonesuch"],
        ["--method", "nowhere/method.json"],
        ["--weak", "nonesuch"],
        ["--human", "0"],
        ["--human", "nowhere.jsonl"],
        ["--human", "999999"],
        ["--seeds", "0"],
        ["--tune", "encoder"],
        ["--tune", "head", "--encoder", "answerdotai/ModernBERT-base"],
        ["--lora", "8"],
        ["--tune", "encoder", "--encoder", "."],
        ["--tune", "encoder", "--encoder", ".", "--lora", "0"],
        ["--start", "nonesuch"],
    ],
)
def test_wrong_options_are_one_line_and_exit_2(
    clone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    """The line says what is wrong, and nothing is written."""
    assert run(["train", "--repo", str(clone), "--output", str(tmp_path / "model"), *options]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not (tmp_path / "model").exists()


def test_other_files_are_not_overwritten(clone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An output directory with something else in it is refused before anything is read."""
    (tmp_path / "thesis.txt").write_text("precious")
    assert run(["train", "--repo", str(clone), "--output", str(tmp_path)]) == 2
    assert "other files" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_history_without_labels_is_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing to learn from is the caller's to mend, and the mend names --human."""
    learnable(tmp_path / "clean", changes=60, reverts=False)
    assert run(["train", "--repo", str(tmp_path / "clean"), "--output", str(tmp_path / "model")]) == 2
    assert "--human" in capsys.readouterr().err
