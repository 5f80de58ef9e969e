"""`oversight train`: a model directory that `--model` takes, or one line that says what is wrong."""

from pathlib import Path

import pytest

from oversight.cli import run
from oversight.students import runtime
from tests.experiment.histories import learnable


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


def test_training_goes_on_from_any_model_or_from_nothing(
    clone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model of one's own may be trained on; `none` starts anew; the card says which it was."""
    common = ["train", "--repo", str(clone), "--weak", "lexical", "--jobs", "1", "--changes", "300"]
    first, second = tmp_path / "first", tmp_path / "second"
    assert run([*common, "--start", "none", "--output", str(first)]) == 0
    assert runtime.load(first).metrics["started_from"] is None
    assert "from nothing" in (first / "card.md").read_text(encoding="utf-8")
    assert run([*common, "--start", str(first), "--output", str(second)]) == 0
    capsys.readouterr()
    sha256 = runtime.load(first).info.sha256
    assert runtime.load(second).metrics["started_from"]["sha256"] == sha256
    assert sha256[:12] in (second / "card.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "options",
    [
        ["--method", "nonesuch"],
        ["--weak", "nonesuch"],
        ["--human", "0"],
        ["--human", "nowhere.jsonl"],
        ["--human", "999999"],
        ["--seeds", "0"],
        ["--tune", "encoder"],
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
