"""Hunks that an encoder reads as sequences, and the small encoder of diffs that is trained for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import diff_encoder
from benchmarks.diff_encoder import Steps, train, trained_tokenizer
from benchmarks.hunk_vectors import Vectors, lines_of, read_lines, read_vectors
from benchmarks.student_models import reading
from oversight.changes.diff import change_from_diff
from oversight.changes.repository import Repository
from oversight.measurement.metrics import auroc
from oversight.students.pretrained import load
from tests.benchmarks.test_student import TINY, table
from tests.builders import GitRepository
from tests.students.tiny import save_encoder

pytestmark = pytest.mark.usefixtures("processor")

WORDS = ("+", "-", "free", "lock", "return", "check")


def test_a_hunk_is_its_changed_lines() -> None:
    """Marks stay, each on a line of its own; context, indentation and blank lines go."""
    text = "--- a/a.c\n+++ b/a.c\n@@ -1,2 +1,4 @@\n-    b\n+  B\n+\n   c\n+d\n"
    assert lines_of(change_from_diff(text.encode()).files[0].hunks[0]) == "\n-b\n+B\n+d"


def test_vectors_go_to_the_hunks_that_they_were_read_from(
    tmp_path: Path,
) -> None:
    """Each hunk of each change has the vector of its own lines, in a second run from the file alone."""
    made = GitRepository.create(tmp_path / "made")
    kinds = ["free free free", "lock lock"]
    before = [f"line {number}" for number in range(30)]
    shas = []
    for number in range(6):
        lines = list(before)
        lines[2], lines[25] = kinds[number % 2], kinds[1 - number % 2]
        made.commit(files={"a.c": "\n".join(before) + "\n"})
        shas.append(made.commit(files={"a.c": "\n".join(lines) + "\n"}))
    with Repository.open(made.path) as repository:
        assert [sorted(hunks) for _, hunks in read_lines(repository, shas)] == [[(0, 0), (0, 1)]] * 6
    encoder = load(str(save_encoder(tmp_path / "tiny", WORDS)))
    (tmp_path / "clones").mkdir()
    (tmp_path / "clones" / TINY.name).symlink_to(made.path)
    rows = table(6)
    places = np.array([[0, 0], [0, 1]], dtype=np.int32)
    rows = replace(
        rows,
        examples=tuple(
            replace(one, change_id=sha, places=places) for one, sha in zip(rows.examples, shas, strict=True)
        ),
    )
    train, tested = rows.take(np.arange(4)), rows.take(np.arange(4, 6))
    found = [
        read_vectors(
            encoder, {"tiny": TINY}, {"tiny": train}, {"tiny": tested}, clones=tmp_path / "clones", work=tmp_path
        )
        for _ in range(2)
    ]
    assert found[0].fingerprint == found[1].fingerprint
    first, second = (found[0].matrix[found[0].in_place_of_tokens(tested.examples[row]).tokens] for row in (0, 1))
    np.testing.assert_allclose(first, second[::-1], atol=1e-3)
    assert np.abs(first[0] - first[1]).max() > 0.1


def test_a_student_learns_from_vectors_and_leaves_them_as_they_are() -> None:
    """What only the vectors tell is learned; hunks without one are read as hunks without tokens are."""
    rows, tested = table(300), table(100, seed=1)
    random = np.random.default_rng(0)
    matrix, places = [], {}
    for each in (rows, tested):
        labels = each.labels[random.permutation(len(each))]
        each.labels[:] = labels
        for one, risky in zip(each.examples, labels, strict=True):
            places[one.change_id] = {(int(at), int(of)): len(matrix) + n for n, (at, of) in enumerate(one.places[:1])}
            matrix += [random.normal(size=4) + 4 * risky] * len(places[one.change_id])
    vectors = Vectors(np.array(matrix, dtype=np.float32), places)
    variant = reading("tiny", vectors)
    student = variant.fit([rows], 0)
    assert torch.equal(student.network.embedding, torch.from_numpy(vectors.matrix).half().float())
    assert auroc(tested.labels, variant.scores([rows], [tested], 0)[0]).require() > 0.9


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Hunks that add a check where they delete a call."""
    names = ["alpha", "beta", "gamma", "delta"]
    return [f"\n-call({one}, {other})\n+if ({one}) check({other})" for one in names for other in names] * 16


def test_the_encoder_learns_which_way_an_edit_goes_and_goes_on_where_it_was(
    texts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Turned edits are told from others; a run that was stopped ends with the weights of one that was not."""
    for name, value in {"_KEPT_EVERY": 8, "WIDTH": 32, "LAYERS": 1, "_RATE": 1e-2}.items():
        monkeypatch.setattr(diff_encoder, name, value)
    tokenizer = trained_tokenizer(texts)
    tokens = [np.array(one, dtype=np.int32) for one in tokenizer(texts)["input_ids"]]
    assert tokenizer("\n+a")["input_ids"][0] != tokenizer("\n-a")["input_ids"][0]
    (tmp_path / "whole").mkdir()
    whole, loss = train(tokens, tokenizer, tmp_path / "whole", epochs=15)
    assert loss < 2
    (tmp_path / "stopped").mkdir()
    after, stopped = Steps.after, []

    def some(self: Steps, number: int):  # type: ignore[no-untyped-def]
        for at, step in enumerate(after(self, number), number):
            if at == 20 and not stopped:
                stopped.append(at)
                raise KeyboardInterrupt
            yield step

    monkeypatch.setattr(Steps, "after", some)
    with pytest.raises(KeyboardInterrupt):
        train(tokens, tokenizer, tmp_path / "stopped", epochs=15)
    torch.manual_seed(7)
    again, _ = train(tokens, tokenizer, tmp_path / "stopped", epochs=15)
    assert stopped == [20]
    assert again.state_dict().keys() == whole.state_dict().keys()
    rows = torch.from_numpy(np.stack([tokens[0], tokens[0]])).long()
    plus, minus = (tokenizer(mark)["input_ids"][0] for mark in ("\n+", "\n-"))
    rows[1] = torch.where(rows[0] == plus, minus, torch.where(rows[0] == minus, plus, rows[0]))
    for trained in (whole, again):
        with torch.no_grad():
            turned = trained(rows, torch.ones_like(rows, dtype=torch.bool), torch.zeros_like(rows, dtype=torch.bool))[1]
        assert turned[1] > 1 > -1 > turned[0]


def test_the_direction_of_an_edit_is_shown_by_nothing_but_its_marks(texts: list[str]) -> None:
    """Turning swaps marks and nothing else; marks are never hidden."""
    tokenizer = trained_tokenizer(texts)
    tokens = [np.array(one, dtype=np.int32) for one in tokenizer(texts)["input_ids"]]
    marks = tuple(tokenizer(mark)["input_ids"][0] for mark in ("\n+", "\n-"))
    for step in Steps(tokens, marks, tokenizer.mask_token_id, epochs=1).after(0):
        whole = step.tokens.clone()
        whole[step.hidden] = step.wanted
        assert not np.isin(step.wanted.numpy(), marks).any()
        is_mark = torch.isin(whole, torch.tensor(marks))
        for row, turned in zip(whole, step.turned, strict=True):
            order = [marks.index(value) for value in row.tolist() if value in marks]
            assert order == ([0, 1] if turned else [1, 0])
        assert not (step.hidden & is_mark).any()
