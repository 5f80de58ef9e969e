"""Files of labels: verdicts become labels of the commits as which changes landed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from oversight.audit.labels import read_labels
from oversight.audit.lines import written
from oversight.audit.verdict import Landing
from oversight.errors import LabelError
from tests.audit.builders import HEAD, at, verdict
from tests.builders import GitRepository


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    """Three commits on a line."""
    built = GitRepository.create(tmp_path / "project")
    for number in range(3):
        built.commit(f"Change {number}", {"a.py": f"x = {number}\n"})
    return built


def test_verdicts_are_labels_of_the_commits_that_the_heads_became(repository: GitRepository, tmp_path: Path):
    """Squashed by what was seen of the merge, or in the history as it is; heads that never landed label nothing."""
    squashed, plain, _ = repository.commits
    path = tmp_path / "verdicts.jsonl"
    path.write_text(
        written(
            [
                verdict("risky", change_id=HEAD),
                verdict("safe", change_id=plain, hours=1),
                verdict("safe", change_id="3" * 40, hours=2),
                Landing(HEAD, squashed, "octo/repo", 7, at(3)),
            ]
        )
    )
    labels = read_labels(path, repository.path)
    assert {sha: (label.risky, label.source) for sha, label in labels.items()} == {
        squashed: (True, "verdict"),
        plain: (False, "verdict"),
    }


def test_verdicts_on_nothing_that_landed_are_refused(repository: GitRepository, tmp_path: Path):
    """The refusal says what has to happen to a pull request first."""
    path = tmp_path / "verdicts.jsonl"
    path.write_text("\n" + written([verdict()]))
    with pytest.raises(LabelError, match=r"none of the 1 labels that 1 verdicts .* merged as one commit"):
        read_labels(path, repository.path)


def test_labels_written_by_hand_are_read_as_ever(repository: GitRepository, tmp_path: Path):
    """A file of the other kind needs no repository, and its reader says what is amiss."""
    path = tmp_path / "labels.jsonl"
    path.write_text(json.dumps({"commit": HEAD, "risky": True}) + "\n")
    assert read_labels(path, tmp_path / "nowhere")[HEAD].risky
    path.write_text("[" * 100_000)
    with pytest.raises(LabelError, match="line 1 of the labels is not a label"):
        read_labels(path, tmp_path)
    with pytest.raises(LabelError, match="cannot be read"):
        read_labels(tmp_path / "nothing", repository.path)


def test_one_line_amiss_is_one_label_too_few_to_trust(repository: GitRepository, tmp_path: Path):
    """Of a damaged record nothing is learned."""
    path = tmp_path / "verdicts.jsonl"
    path.write_text(written([verdict(change_id=repository.commits[0])]) + '{"commit": "x", "risky": true}\n')
    with pytest.raises(LabelError, match="line 2 of the verdicts"):
        read_labels(path, repository.path)
