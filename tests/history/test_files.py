"""What is known of files for people to read."""

from __future__ import annotations

from pathlib import Path

from oversight.changes.repository import Repository
from oversight.history.files import FileHistory
from oversight.history.index import Index
from tests.builders import GitRepository

BOB = "Bob <Bob@Example.org>"


def known(made: GitRepository, revision: str = "HEAD") -> dict[str, FileHistory]:
    """The pasts of the files of a commit."""
    with Repository.open(made.path) as repository, Index.open(repository) as index:
        span = repository.span(revision)
        return {one.path: one for one in index.histories(repository.change(span), span)}


def test_changes_repairs_and_people_before_the_change(tmp_path: Path):
    """Counted under all names of a file, as they were known then; what comes later is not."""
    made = GitRepository.create(tmp_path / "r")
    first = made.commit("Start", {"a": "1\n" * 9})
    made.commit(f'Repair\n\nFixes: {first[:12]} ("Start")', {"a": "1\n" * 9 + "2\n"}, author=BOB)
    made.git("mv", "a", "b")
    made.commit("Move", author=BOB)
    made.commit("Change", {"b": "1\n" * 9 + "3\n", "new": "x\n"})
    made.commit("Later", {"b": "4\n"})
    past = known(made, "HEAD~1")
    assert past.keys() == {"b"}
    told = past["b"]
    assert (told.changes, told.repairs, told.repaired, told.people) == (3, 1, 1, 2)
    assert told.authors == (("bob@example.org", 2), ("ada@example.org", 1))
    assert [(one.title, one.author) for one in told.latest] == [("Move", "Bob")]


def test_hostile_names_and_titles_are_what_they_are(tmp_path: Path):
    """Nothing in them ends a field or a line; whoever shows them escapes them."""
    made = GitRepository.create(tmp_path / "r")
    made.commit("Ti\x1b[2J\x01tle \udcff\n\nbody", {"a": "1\n"}, author="E\x1b[1mve <e@x>")
    made.commit("Change", {"a": "2\n"})
    (earlier,) = known(made)["a"].latest
    assert earlier.title.startswith("Ti\x1b[2J\x01tle ")
    assert earlier.author == "E\x1b[1mve"
    assert earlier.sha == made.commits[0]


def test_a_shallow_clone_tells_nothing(tmp_path: Path):
    """What it has is too little to count."""
    made = GitRepository.create(tmp_path / "r")
    for number in range(3):
        made.commit("Change", {"a": f"{number}\n"})
    assert known(made.clone(tmp_path / "s", "--depth", "2")) == {}
