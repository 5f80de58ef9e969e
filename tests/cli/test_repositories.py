"""Reviews of repositories that are not all there: bare, shallow, partial, SHA-256, linked, unborn, none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.builders import GitRepository
from tests.cli.conftest import Oversight
from tests.cli.test_review import valid


def report_of(oversight: Oversight, path: Path, revision: str = "HEAD", *, code: int = 0) -> dict:
    """The report on a revision, which the schema must describe."""
    done = oversight("review", revision, "--repo", path, "--format", "json")
    assert done.code == code, done.err
    return valid(done.json)


def test_bare_repositories_and_linked_work_trees_give_the_same_report(
    oversight: Oversight, repository: GitRepository, tmp_path: Path
):
    """The report is on the commit, not on the folder through which it was found."""
    plain = report_of(oversight, repository.path)
    bare = repository.clone(tmp_path / "bare", "--bare")
    repository.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    (tmp_path / "linked" / "deep").mkdir()
    for path in (bare.path, tmp_path / "linked", tmp_path / "linked" / "deep", repository.path / ".git"):
        found = report_of(oversight, path)
        assert (found["risk"], found["percentile"], found["hunks"]) == (
            plain["risk"], plain["percentile"], plain["hunks"],
        )  # fmt: skip


def test_a_sha256_repository_is_reviewed_and_scored(oversight: Oversight, tmp_path: Path):
    """Ids of 64 digits are ids."""
    repository = GitRepository.create(tmp_path / "long", sha256=True)
    repository.commit("Start", {"a.py": "x = 1\n"})
    repository.commit("Next", {"a.py": "x = 2\n"})
    assert len(report_of(oversight, repository.path)["change"]["head"]) == 64
    assert oversight("score", "--repo", repository.path, "--output", tmp_path / "rows", "--jobs", 1).code == 0
    assert len((tmp_path / "rows").read_text().splitlines()) == 2


def test_a_shallow_clone_is_scored_without_its_past(oversight: Oversight, repository: GitRepository, tmp_path: Path):
    """Two commits deep, the newest has a diff: it is scored, its context is partial, and the report says so."""
    clone = repository.clone(tmp_path / "shallow", "--depth=2")
    report = report_of(oversight, clone.path)
    assert (report["status"], report["coverage"]["context"]) == ("scored", "partial")
    assert any("reference quantiles" in note for note in report["notes"])
    assert any("History is incomplete" in note for note in report["notes"])


def test_a_commit_whose_parent_was_cut_off_is_unscored(oversight: Oversight, repository: GitRepository, tmp_path: Path):
    """In a clone of depth 1 nobody can know what the commit changed: exit code 3, flagged, and the reason."""
    clone = repository.clone(tmp_path / "shallow", "--depth=1")
    report = report_of(oversight, clone.path, code=3)
    assert (report["status"], report["risk"], report["flagged"]) == ("unscored", None, True)
    assert report["coverage"]["context"] == "partial"
    assert report["coverage"]["files_scored"] == 0
    assert "shallow" in report["coverage"]["skipped"][0]["reason"]
    assert "shallow" in report["error"]
    assert oversight("score", "--repo", clone.path, "--output", tmp_path / "rows", "--jobs", 1).code == 0
    assert '"unscored"' in (tmp_path / "rows").read_text()


def test_a_partial_clone_is_scored_from_what_is_there(oversight: Oversight, repository: GitRepository, tmp_path: Path):
    """Without blobs and without the remote nothing is fetched; the coverage receipt names what is missing."""
    clone = repository.clone(tmp_path / "partial", "--filter=blob:none", "--bare")
    shutil.move(repository.path, tmp_path / "gone")
    report = report_of(oversight, clone.path, code=3)
    assert (report["status"], report["risk"], report["percentile"]) == ("unscored", None, None)
    assert [entry["path"] for entry in report["coverage"]["skipped"]] == ["b.py"]
    assert "partial clone" in report["coverage"]["skipped"][0]["reason"]


def test_one_missing_blob_leaves_the_other_files_scored(oversight: Oversight, tmp_path: Path):
    """What can be read is scored, what cannot is named."""
    repository = GitRepository.create(tmp_path / "holes")
    repository.commit("Start", {"a.py": "x = 1\n", "b.py": "y = 1\n"})
    repository.commit("Both", {"a.py": "x = 2\n", "b.py": "y = 2\n"})
    lost = repository.git("rev-parse", "HEAD:b.py")
    (repository.path / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    report = report_of(oversight, repository.path)
    assert report["status"] == "scored"
    assert (report["coverage"]["files_total"], report["coverage"]["files_scored"]) == (2, 1)
    assert [entry["path"] for entry in report["coverage"]["skipped"]] == ["b.py"]


def test_settings_that_cannot_be_read_are_not_ignored(oversight: Oversight, tmp_path: Path):
    """A base revision with a settings file whose content is missing is no base without settings."""
    repository = GitRepository.create(tmp_path / "holes")
    repository.commit("Start", {"oversight.toml": "budget = 20\n"})
    repository.commit("Next", {"a.py": "x = 2\n"})
    lost = repository.git("rev-parse", "HEAD:oversight.toml")
    (repository.path / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    done = oversight("review", "--repo", repository.path)
    assert done.code == 2
    assert "oversight.toml at the base revision cannot be read" in done.err


@pytest.mark.parametrize("command", [("review",), ("score", "--output", "rows"), ("mine", "--output", "rows")])
def test_without_commits_or_without_a_repository_there_is_nothing_to_do(
    oversight: Oversight, tmp_path: Path, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
):
    """An unborn branch, a plain folder, a file and a missing folder: 2, one line, and no output file."""
    GitRepository.create(tmp_path / "unborn")
    (tmp_path / "plain").mkdir()
    (tmp_path / "file").touch()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for place, told in {"unborn": "no commits yet", "plain": "", "file": "", "missing": ""}.items():
        done = oversight(*command, "--repo", tmp_path / place)
        assert (done.code, done.out) == (2, ""), place
        assert done.err.startswith("oversight: ")
        assert done.err.count("\n") == 1
        assert told in done.err
    assert not (tmp_path / "rows").exists()


def test_a_repository_is_not_written_to(oversight: Oversight, repository: GitRepository, tmp_path: Path):
    """Neither a review nor a scoring changes, adds or removes a byte of the repository."""

    def bytes_of() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in repository.path.rglob("*") if path.is_file()}

    before = bytes_of()
    assert oversight("review", "--repo", repository.path).code == 0
    assert oversight("score", "--repo", repository.path, "--output", tmp_path / "rows", "--jobs", 1).code == 0
    assert bytes_of() == before
