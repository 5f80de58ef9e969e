"""One contract suite over all classes of mutations, in all languages in which changes are mutated."""

from __future__ import annotations

import re

import pytest

from oversight.audit.canaries.classes import Mutation, chosen, mutations, names
from oversight.audit.canaries.classes.secret_added import _NAMES, secret
from oversight.audit.canaries.dialects import DIALECTS
from oversight.audit.canaries.mutating import sound, source_of
from oversight.audit.canaries.rewriting import rewritten, script_of
from oversight.audit.canaries.source import Source
from oversight.changes.languages import language_of
from oversight.changes.model import FileChange, FileStatus, Hunk, Line, LineKind
from oversight.errors import UsageError
from tests.audit.canaries.texts import TEXTS

EVERY = [(mutation, language) for mutation in mutations().values() for language in DIALECTS]
IDS = [f"{mutation.name}-{language}" for mutation, language in EVERY]


def added(path: str, text: str) -> FileChange:
    """A file that a change adds."""
    lines = tuple(
        Line(LineKind.ADDED, None, number, row) for number, row in enumerate(text.removesuffix("\n").split("\n"), 1)
    )
    return FileChange(None, path, FileStatus.ADDED, language_of(path), (Hunk(0, 1, "", lines),), new_mode="100644")


def source_in(language: str) -> tuple[FileChange, Source]:
    """The example of a language, as a change that adds it, and as mutations see it."""
    path, text = TEXTS[language]
    file = added(path, text)
    source = source_of(file, text.encode())
    assert source is not None
    assert not source.root.has_error, "the example itself is sound"
    return file, source


@pytest.mark.parametrize(("mutation", "language"), EVERY, ids=IDS)
def test_every_class_finds_a_place_in_every_language(mutation: Mutation, language: str):
    """Each place gives a file that differs from the real one and parses as well as it did."""
    file, source = source_in(language)
    sites = list(mutation.sites(source))
    assert sites
    assert mutation.worth(source.text.decode(), test=True)
    for site in sites:
        changed = rewritten(file, source.text, site)
        assert changed is not None
        assert changed.hunks != file.hunks
        assert sound(source, site), site
        assert len(changed.hunks[0].added) != 0


@pytest.mark.parametrize(("mutation", "language"), EVERY, ids=IDS)
def test_nothing_is_found_where_nothing_is_shown(mutation: Mutation, language: str):
    """A place is on a row that the change shows: a defect elsewhere would be no change of what people wrote."""
    file, source = source_in(language)
    hidden = Source(source.text, source.root, source.loaded, source.dialect, frozenset(), source.test)
    assert not list(mutation.sites(hidden))
    assert script_of(file, b"something else\n") is None


def rows(language: str, name: str) -> list[tuple[list[str], list[str]]]:
    """What each place of a class takes away and puts in, as rows of the new file."""
    file, source = source_in(language)
    before = [line.text for line in file.hunks[0].lines]
    found = []
    for site in mutations()[name].sites(source):
        changed = rewritten(file, source.text, site)
        assert changed is not None
        after = [line.text for line in changed.hunks[0].lines]
        gone = [row for row in before if before.count(row) > after.count(row)]
        come = [row for row in after if after.count(row) > before.count(row)]
        found.append((gone, come))
    return found


def test_what_the_classes_do_in_c():
    """A look at each of them."""
    assert (["\tif (!item)", "\t\treturn -EINVAL;"], []) in rows("c", "guard-removed")
    assert (["\tif (n < limit) {"], ["\tif (n <= limit) {"]) in rows("c", "boundary-changed")
    assert (["\tif (!item)"], ["\tif (item)"]) in rows("c", "check-inverted")
    assert (["\t\t\treturn ret;"], ["\t\t\treturn 0;"]) in rows("c", "error-swallowed")
    locks = ["\tpthread_mutex_lock(&item->lock);", "\tpthread_mutex_unlock(&item->lock);"]
    assert rows("c", "lock-dropped") == [(locks, [])]
    assert rows("c", "test-weakened") == [(["\tassert(item->n == n);"], [])]
    ((gone, come), *_) = rows("c", "back-door-added")
    assert gone == ["\tif (!item)"]
    assert re.fullmatch(r'\tif \(!item && !getenv\("[A-Z_]+"\)\)', come[0])
    ((gone, come), *_) = rows("c", "secret-added")
    assert not gone
    assert re.fullmatch(r'\tconst char \*\w+ = "[A-Za-z0-9]{32}";', come[0])


def test_what_the_classes_do_in_python():
    """Blocks are moved where the language asks for it, and never left empty."""
    (moved,) = rows("python", "lock-dropped")
    assert moved[0][0] == "    with self.lock:"
    assert moved[1] == ["    item.n = n", "    self.total += n"]
    assert (["            raise"], ["            pass"]) in rows("python", "error-swallowed")
    assert (["    if item is None:"], ["    if item is not None:"]) in rows("python", "check-inverted")


def test_assertions_are_taken_out_of_tests_alone():
    """An assertion in the code itself is a guard, and another class."""
    _, text = TEXTS["c"]
    source = source_of(added("src/a.c", text), text.encode())
    assert source is not None
    assert not list(mutations()["test-weakened"].sites(source))


@pytest.mark.parametrize("name", _NAMES)
def test_secrets_open_nothing(name: str):
    """They are digests of words in the source, in no form by which a service's keys are known, and all differ."""
    value = secret(name)
    assert re.fullmatch(r"[A-Za-z0-9]{32}", value)
    known = r"AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox|[sr]k_live_|AIza|hf_|npm_|pypi-|SG\.|sk-|dop_v1_|eyJ|ya29"
    assert not re.match(known, value)
    assert len({secret(one) for one in _NAMES}) == len(_NAMES)
    assert secret(name) == value


def test_classes_are_chosen_by_name():
    """All by default; an unknown one is told of, with those that are known."""
    assert chosen(None) == names()
    assert chosen("lock-dropped, reversed-repair") == ("reversed-repair", "lock-dropped")
    with pytest.raises(UsageError, match="guard-removed"):
        chosen("lock-dropped,nothing")
    with pytest.raises(UsageError):
        chosen(" , ")
