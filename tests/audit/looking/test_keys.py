"""Keys: what a terminal sends, in whichever pieces it comes."""

from __future__ import annotations

import os
import pty
import tty
from collections.abc import Iterator

import pytest

from oversight.audit.looking.keys import PASTED, Keys, named


@pytest.fixture
def wire() -> Iterator[tuple[int, int]]:
    """Both ends of a terminal that passes on bytes as they are."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    yield ours, theirs
    for end in (ours, theirs):
        os.close(end)


def taken(keys: Keys) -> list[str]:
    """All keys that wait."""
    found = []
    while (key := keys.next(0.2)) is not None:
        found.append(key)
    return found


def test_characters_and_keys_with_names(wire: tuple[int, int]):
    """Sequences are one key each, also of terminals that send others; escape by itself is a key."""
    ours, theirs = wire
    keys = Keys(theirs)
    os.write(ours, "né☃\x1b[A\x1bOB\x1b[6~\x1b[1;5Cq".encode())
    assert [named(key) for key in taken(keys)] == ["n", "é", "☃", "up", "down", "page-down", "\x1b[1;5C", "q"]
    os.write(ours, b"\x1b")
    assert taken(keys) == ["\x1b"]
    assert taken(keys) == []


def test_what_is_pasted_is_one_piece(wire: tuple[int, int]):
    """Whatever stands in it, so that no line of it is taken for a command."""
    ours, theirs = wire
    os.write(ours, b"\x1b[200~r\rq\x1b[A\x1b[201~x")
    assert taken(Keys(theirs)) == [f"{PASTED}r\rq\x1b[A", "x"]


def test_bytes_that_are_no_text_are_no_trouble(wire: tuple[int, int]):
    """They become U+FFFD; half a character waits for its other half."""
    ours, theirs = wire
    keys = Keys(theirs)
    os.write(ours, b"\xff\xe2\x98")
    assert taken(keys) == ["\ufffd"]
    os.write(ours, b"\x83")
    assert taken(keys) == ["☃"]


def test_a_terminal_that_has_gone_ends_it():
    """Its window was closed: nobody waits for a key any more."""
    ours, theirs = os.pipe()
    os.close(theirs)
    with pytest.raises(EOFError):
        Keys(ours).next(0.2)
    os.close(ours)
