"""What a repository says about its own reviews is read from the base, never from the change under review."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders import GitRepository
from tests.cli.conftest import Oversight

UNSAFE = {"net.py": "requests.get(url, verify=False)\n"}
OWN = """
id = "no-tabs"
category = "style"
severity = "high"
sentence = "The word forbidden was added."

[[detect]]
text = "forbidden"
"""


def report(oversight: Oversight, repository: GitRepository, *arguments: str) -> dict:
    done = oversight("review", *arguments, "--repo", repository.path, "--format", "json")
    assert done.code == 0, done.err
    return done.json


def test_a_change_cannot_set_the_settings_of_its_own_review(oversight: Oversight, tmp_path: Path):
    """A budget of 100, an exclusion and a settings file that is no TOML all have no effect on the change itself."""
    repository = GitRepository.create(tmp_path / "project")
    repository.commit("Start", {"oversight.toml": "budget = 0.001\n"})
    repository.commit("Sly", {"oversight.toml": 'budget = 100\n[paths]\nexclude = ["**"]\n', **UNSAFE})
    sly = report(oversight, repository)
    assert sly["budget"] == 0.001
    assert sly["coverage"]["skipped"] == []
    assert "tls-verification-off" in {finding["principle"] for finding in sly["findings"]}
    repository.commit("Next", {"a.py": "a = 1\n"})
    after = report(oversight, repository)
    assert after["budget"] == 100
    assert [entry["path"] for entry in after["coverage"]["skipped"]] == ["a.py"]


def test_the_range_under_review_counts_as_one_change(oversight: Oversight, tmp_path: Path):
    """Settings that an earlier commit of the same range brought in have no effect on the range."""
    repository = GitRepository.create(tmp_path / "project")
    start = repository.commit("Start", {"a.py": "a = 1\n"})
    repository.commit("Settings", {"oversight.toml": '[paths]\nexclude = ["net.py"]\n'})
    repository.commit("Sly", UNSAFE)
    found = report(oversight, repository, f"{start}..HEAD")["findings"]
    assert "tls-verification-off" in {finding["principle"] for finding in found}


def test_a_root_commit_has_no_settings(oversight: Oversight, tmp_path: Path):
    """There is nothing before it."""
    repository = GitRepository.create(tmp_path / "project")
    repository.commit("Start", {"oversight.toml": "budget = 100\n"})
    assert report(oversight, repository)["budget"] == 10


def test_the_work_tree_has_no_settings_either(oversight: Oversight, tmp_path: Path):
    """Only what is committed at the base counts, not what lies in the folder."""
    repository = GitRepository.create(tmp_path / "project")
    repository.commit("Start", {"a.py": "a = 1\n"})
    repository.commit("Next", {"a.py": "a = 2\n"})
    (repository.path / "oversight.toml").write_text("budget = 100\n")
    assert report(oversight, repository)["budget"] == 10


def test_flags_beat_the_file_and_a_broken_file_stops_the_review(oversight: Oversight, tmp_path: Path):
    """--budget wins over oversight.toml; a file at the base that cannot be understood ends with 2."""
    repository = GitRepository.create(tmp_path / "project")
    repository.commit("Start", {"oversight.toml": "budget = 30\n"})
    repository.commit("Next", {"oversight.toml": "model = 'mine'\n"})
    assert report(oversight, repository, "--budget", "50")["budget"] == 50
    repository.commit("Last", {"a.py": "a = 1\n"})
    done = oversight("review", "--repo", repository.path)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "--model" in done.err


@pytest.mark.parametrize("kind", ["link", "folder", "giant"])
def test_settings_that_are_no_small_file_stop_the_review(oversight: Oversight, tmp_path: Path, kind: str):
    """A symbolic link, a folder and millions of bytes under that name end with 2 and a line that says which it is."""
    repository = GitRepository.create(tmp_path / "project")
    if kind == "link":
        blob = repository.git("hash-object", "-w", "--stdin", stdin=b"budget=50")
        repository.git("update-index", "--add", "--cacheinfo", f"120000,{blob},oversight.toml")
    name = "oversight.toml/inner" if kind == "folder" else "oversight.toml"
    repository.commit("Start", None if kind == "link" else {name: "#" * (5_000_000 if kind == "giant" else 1)})
    repository.commit("Next", None)
    done = oversight("review", "--repo", repository.path)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert ("more than 65,536 bytes" if kind == "giant" else "no regular file") in done.err


def test_principles_of_the_repository_come_from_the_base(oversight: Oversight, tmp_path: Path):
    """A change that deletes or softens a principle is judged by it all the same; one that adds it is not."""
    repository = GitRepository.create(tmp_path / "project")
    folder = ".oversight/principles"
    repository.commit("Start", {"oversight.toml": f'principles = "{folder}"\n', f"{folder}/style/no-tabs.toml": OWN})
    repository.commit("Sly", {f"{folder}/style/no-tabs.toml": None, "oversight.toml": None, "a.py": "forbidden = 1\n"})
    sly = report(oversight, repository)
    assert sly["flagged_by"][-1] == "principle"
    assert {"principle": "no-tabs", "path": "a.py", "severity": "high"}.items() <= next(
        finding.items() for finding in sly["findings"] if finding["principle"] == "no-tabs"
    )
    repository.commit("Back", {f"{folder}/style/no-tabs.toml": OWN, "b.py": "forbidden = 1\n"})
    assert "no-tabs" not in {finding["principle"] for finding in report(oversight, repository)["findings"]}


def test_principles_that_are_not_there_stop_the_review(oversight: Oversight, tmp_path: Path):
    """A folder without principle files, and one with a file that is none, end with 2 and one line."""
    repository = GitRepository.create(tmp_path / "project")
    repository.commit("Start", {"oversight.toml": 'principles = "rules"\n'})
    repository.commit("Broken", {"rules/mine/broken.toml": "id = 3\n"})
    for told in ("holds no principle files", "broken"):
        done = oversight("review", "--repo", repository.path)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        assert told in done.err
        repository.commit("Next", {"a.py": told})
