"""Whose change it is, as GitHub tells: who opened a pull request, and whose commits it has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from oversight_server.errors import Problem
from oversight_server.pages.access import Person
from oversight_server.pages.installing import _has_part
from tests.audit.looking.test_page import ENTRY
from tests.server.forge import NAME, Forge

CHANGE = replace(ENTRY, repository=NAME, number=7, author="Zoe <zoe@example.org>")


def named(login: str, via: str = "github") -> Person:
    return Person(login, "", via, lambda _: {})  # type: ignore[arg-type]


def test_who_had_a_part_in_a_change(forge: Forge):
    """Whoever opened it, or wrote a commit of it; without a pull request, the author by name and address alone."""
    forge.pull()
    author = str(forge.github.world.pulls[7]["user"]["login"])
    assert _has_part(forge.app, named(author), CHANGE)
    assert not _has_part(forge.app, named("somebody-else"), CHANGE)
    alone = replace(CHANGE, number=None, author="Bo <bo@users.noreply.github.com>")
    assert _has_part(None, named("Bo"), alone)
    assert _has_part(forge.app, named("bo"), alone)
    assert not _has_part(forge.app, named("ann"), alone)
    assert not _has_part(forge.app, named(author, "token"), CHANGE)


def test_where_github_does_not_tell_nothing_is_put_on_record(forge: Forge):
    """It is asked again, and never taken for a no."""
    with pytest.raises(Problem) as caught:
        _has_part(forge.app, named("somebody-else"), replace(CHANGE, repository="octo/gone"))
    assert caught.value.status == 503
