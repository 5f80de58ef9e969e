"""The index: the same measures as a pass over everything, whatever the order in which it grew."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from oversight.changes.repository import Repository, Span, change_of
from oversight.history.context import MEASURES, contexts
from oversight.history.index import Index
from oversight.history.log import read_log
from oversight.history.model import Completeness, Context
from oversight.history.order import in_order, list_commits
from tests.builders import GitRepository
from tests.history.commits import synthetic

SEEDS = range(5)


def bulk(repository: Repository, tip: str) -> dict[str, Context]:
    return {commit.sha: context for commit, context in contexts(read_log(repository, tip))}


def differing(one: Context, other: Context) -> dict[str, tuple[float, float]]:
    pairs = zip(MEASURES, one.values.tolist(), other.values.tolist(), strict=True)
    return {name: (a, b) for name, a, b in pairs if a != b and not (math.isnan(a) and math.isnan(b))}


def singly(repository: Repository, index: Index, shas: list[str]) -> Iterator[tuple[str, Context]]:
    for patch in repository.patches(shas):
        change = change_of(patch, repository.name)
        yield patch.sha, index.context_of(change, Span(patch.parent, patch.sha, single=True))


def alone(repository: Repository, index: Index, revision: str) -> Context:
    span = repository.span(revision)
    return index.context_of(repository.change(span), span)


@pytest.mark.parametrize("seed", SEEDS)
def test_single_equals_bulk(tmp_path: Path, seed: int) -> None:
    """A commit's context from the index is what a pass over the whole history gives it, to the last bit."""
    synthetic(tmp_path / "r", seed)
    with Repository.open(tmp_path / "r") as repository, Index.open(repository, directory=tmp_path) as index:
        everything = bulk(repository, "HEAD")
        for sha, context in singly(repository, index, list(everything)):
            assert not differing(everything[sha], context), sha


@pytest.mark.parametrize("seed", SEEDS)
def test_growing_equals_whole(tmp_path: Path, seed: int) -> None:
    """An index that grew tip by tip, older branches after newer ones, answers like one built at once."""
    synthetic(tmp_path / "r", seed)
    with Repository.open(tmp_path / "r") as repository:
        everything = bulk(repository, "HEAD")
        shas = list(everything)
        with Index.open(repository, directory=tmp_path) as index:
            for tip in [*shas[::13][::-1], *shas[3::17]]:
                index.extend(tip)
            for sha, context in singly(repository, index, shas):
                assert not differing(everything[sha], context), sha


@pytest.mark.parametrize("seed", SEEDS)
def test_order_is_the_repository_s(tmp_path: Path, seed: int) -> None:
    """The index orders commits as `Repository.commits` does, clocks gone wrong or not."""
    synthetic(tmp_path / "r", seed)
    with Repository.open(tmp_path / "r") as repository:
        ours = [listed.sha for listed in in_order(list_commits(repository, [repository.resolve("HEAD")]))]
        assert ours == [commit.sha for commit in repository.commits("HEAD")]


@pytest.mark.parametrize("seed", [1, 4])
def test_order_across_a_seam(tmp_path: Path, seed: int) -> None:
    """Listing the rest of a history from known keys gives each commit the key that it has in the whole."""
    synthetic(tmp_path / "r", seed)
    with Repository.open(tmp_path / "r") as repository:
        head = repository.resolve("HEAD")
        whole = {listed.sha: listed.key for listed in list_commits(repository, [head])}
        middle = repository.commits("HEAD")[30].sha
        before = {listed.sha: listed.key for listed in list_commits(repository, [middle])}
        after = {listed.sha: listed.key for listed in list_commits(repository, [head, f"^{middle}"], before)}
        assert before | after == whole


@pytest.fixture
def small(tmp_path: Path) -> GitRepository:
    built = GitRepository.create(tmp_path / "small")
    built.commit("Begin", {"a.py": "one\n", "b.py": "two\n"})
    built.commit("Fix a", {"a.py": "one\ntwo\n"})
    built.commit("Grow a", {"a.py": "one\ntwo\nthree\n"})
    return built


def test_extending_twice_adds_nothing(small: GitRepository, tmp_path: Path) -> None:
    """Only commits that are not yet known are read."""
    with Repository.open(small.path) as repository, Index.open(repository, directory=tmp_path) as index:
        assert index.extend(small.commits[-1]) == 3
        assert index.extend(small.commits[-1]) == 0
        assert index.extend(small.commits[0]) == 0
        assert index.extend(small.commit("More", {"c.py": "x\n"})) == 1


def test_a_branch_does_not_leak(small: GitRepository, tmp_path: Path) -> None:
    """What happened on a branch that the change does not come from is not known to it."""
    small.branch("other", small.commits[0])
    elsewhere = small.commit("Fix a elsewhere", {"a.py": "other\n"})
    small.switch("main")
    change = small.commit("Change a", {"a.py": "one\n"})
    with Repository.open(small.path) as repository, Index.open(repository, directory=tmp_path) as index:
        expected = alone(repository, index, change)
        index.extend(elsewhere)
        assert not differing(expected, alone(repository, index, change))


def test_a_range_knows_its_base(small: GitRepository, tmp_path: Path) -> None:
    """A range is one change that knows the history of its base and none of its own commits."""
    base = small.commits[0]
    with Repository.open(small.path) as repository, Index.open(repository, directory=tmp_path) as index:
        span = repository.span(f"{base}..HEAD")
        values = dict(zip(MEASURES, index.context_of(repository.change(span), span).values, strict=True))
        assert values["exp"] == 1
        assert values["file_changes_max"] == 1
        assert values["file_fixes_max"] == 0


def test_a_commit_beyond_head_knows_its_parent(small: GitRepository, tmp_path: Path) -> None:
    """A commit that HEAD does not reach looks back from its parent."""
    small.branch("topic", small.commits[0])
    topic = small.commit("Topic", {"b.py": "changed\n"})
    small.switch("main")
    with Repository.open(small.path) as repository, Index.open(repository, directory=tmp_path) as index:
        values = dict(zip(MEASURES, alone(repository, index, topic).values, strict=True))
        assert values["exp"] == 1


def test_a_root_commit_has_no_past(small: GitRepository, tmp_path: Path) -> None:
    """The first commit is measured like any other: nothing came before it."""
    with Repository.open(small.path) as repository, Index.open(repository, directory=tmp_path) as index:
        context = alone(repository, index, small.commits[0])
        values = dict(zip(MEASURES, context.values, strict=True))
        assert context.completeness is Completeness.FULL
        assert values["exp"] == 0
        assert values["file_new_share"] == 1


def test_an_unrelated_root_has_no_past(small: GitRepository, tmp_path: Path) -> None:
    """A root that HEAD does not reach knows nothing of HEAD's history."""
    small.git("switch", "-q", "--orphan", "island")
    root = small.commit("Island", {"a.py": "one\n"})
    small.switch("main")
    with Repository.open(small.path) as repository, Index.open(repository, directory=tmp_path) as index:
        index.extend(small.commits[2])
        assert dict(zip(MEASURES, alone(repository, index, root).values, strict=True))["exp"] == 0


def test_a_shallow_clone_knows_no_history(small: GitRepository, tmp_path: Path) -> None:
    """Where history is cut off its measures are unknown, not zero, and the context says that it is partial."""
    clone = small.clone(tmp_path / "clone", "--depth", "2")
    with Repository.open(clone.path) as repository, Index.open(repository, directory=tmp_path) as index:
        context = alone(repository, index, "HEAD")
        values = dict(zip(MEASURES, context.values, strict=True))
        assert context.completeness is Completeness.PARTIAL
        assert values["la"] == 1
        assert math.isnan(values["exp"])


def test_the_cap_makes_contexts_partial(small: GitRepository, tmp_path: Path) -> None:
    """Of a history longer than the cap the newest commits are known, and contexts say so."""
    with Repository.open(small.path) as repository, Index.open(repository, directory=tmp_path, cap=2) as index:
        context = alone(repository, index, "HEAD")
        assert context.completeness is Completeness.PARTIAL
        assert dict(zip(MEASURES, context.values, strict=True))["exp"] == 1


@pytest.mark.parametrize("damage", [b"", b"not a database at all, whatever its name says\n" * 50])
def test_a_damaged_cache_is_built_anew(small: GitRepository, tmp_path: Path, damage: bytes) -> None:
    """A cache that was overwritten or emptied costs time and nothing else."""
    with Repository.open(small.path) as repository:
        with Index.open(repository, directory=tmp_path) as index:
            expected = alone(repository, index, "HEAD")
        (tmp_path / f"{repository.key}.sqlite3").write_bytes(damage)
        with Index.open(repository, directory=tmp_path) as index:
            assert not differing(expected, alone(repository, index, "HEAD"))


def test_damage_found_late_is_mended_too(small: GitRepository, tmp_path: Path) -> None:
    """A file that is broken in its middle is removed when a query finds out."""
    with Repository.open(small.path) as repository:
        with Index.open(repository, directory=tmp_path) as index:
            expected = alone(repository, index, "HEAD")
        path = tmp_path / f"{repository.key}.sqlite3"
        content = bytearray(path.read_bytes())
        content[8192:] = b"\xab" * (len(content) - 8192)
        path.write_bytes(content)
        with Index.open(repository, directory=tmp_path) as index:
            assert not differing(expected, alone(repository, index, "HEAD"))


def test_another_version_is_built_anew(small: GitRepository, tmp_path: Path) -> None:
    """An index that another version wrote is not read."""
    with Repository.open(small.path) as repository:
        path = tmp_path / f"{repository.key}.sqlite3"
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE commits (something TEXT)")
            other.execute("PRAGMA user_version = 99")
        other.close()
        with Index.open(repository, directory=tmp_path) as index:
            assert index.extend(small.commits[-1]) == 3


def test_a_cache_that_cannot_be_written_is_no_error(small: GitRepository, tmp_path: Path) -> None:
    """Without a place for it the index works in memory, and says so."""
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with Repository.open(small.path) as repository, Index.open(repository, directory=blocked) as index:
        assert index.note is not None
        assert alone(repository, index, "HEAD").completeness is Completeness.FULL


def test_an_interrupted_extension_leaves_nothing(small: GitRepository, tmp_path: Path) -> None:
    """Ctrl-C while extending leaves the index as it was."""

    def interrupt(_steps: int) -> None:
        raise KeyboardInterrupt

    with Repository.open(small.path) as repository, Index.open(repository, directory=tmp_path) as index:
        with pytest.raises(KeyboardInterrupt):
            index.extend(small.commits[-1], interrupt)
        assert index.extend(small.commits[-1]) == 3


def test_two_processes_share_an_index(small: GitRepository, tmp_path: Path) -> None:
    """What one connection takes in, another one sees, and each hides what its change cannot know."""
    small.branch("other", small.commits[0])
    elsewhere = small.commit("Elsewhere", {"a.py": "other\n"})
    small.switch("main")
    with (
        Repository.open(small.path) as repository,
        Index.open(repository, directory=tmp_path) as one,
        Index.open(repository, directory=tmp_path) as two,
    ):
        expected = alone(repository, one, "HEAD")
        two.extend(elsewhere)
        assert two.extend(small.commits[2]) == 0
        assert not differing(expected, alone(repository, one, "HEAD"))


def test_a_forgotten_tip_starts_anew(small: GitRepository, tmp_path: Path) -> None:
    """Commits that git has thrown away since do not linger in anybody's past."""
    small.branch("doomed", small.commits[0])
    doomed = small.commit("Doomed", {"a.py": "gone\n"})
    small.switch("main")
    with Repository.open(small.path) as repository, Index.open(repository, directory=tmp_path) as index:
        expected = alone(repository, index, "HEAD")
        index.extend(doomed)
    small.git("branch", "-q", "-D", "doomed")
    small.git("reflog", "expire", "--expire=now", "--all")
    small.git("gc", "-q", "--prune=now")
    small.commit("Next", {"c.py": "x\n"})
    with Repository.open(small.path) as repository, Index.open(repository, directory=tmp_path) as index:
        assert not differing(expected, alone(repository, index, small.commits[2]))


def test_strange_names_are_kept(tmp_path: Path) -> None:
    """Paths and authors that are not UTF-8 have a history like any other."""
    built = GitRepository.create(tmp_path / "r")
    strange = b"sp\xe4t/\xff\n.c".decode("utf-8", "surrogateescape")
    built.commit("One", {strange: "a\n"}, author="J\udce4rg <j\udce4rg@example.org>")
    built.commit("Two", {strange: "a\nb\n"}, author="J\udce4rg <j\udce4rg@example.org>")
    with Repository.open(built.path) as repository, Index.open(repository, directory=tmp_path) as index:
        context = alone(repository, index, "HEAD")
        assert not differing(bulk(repository, "HEAD")[built.commits[-1]], context)
        assert np.isfinite(context.values[MEASURES.index("age")])
