"""A page on a screen, and keys: a line that says where one is, the page, and a line for keys, questions and answers.

A verdict is asked for once more, with its reason, before it is put on record: the ledger forgets nothing, and keys are
hit by accident.
"""

from __future__ import annotations

import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.cells import cell_len
from rich.console import Console, ConsoleDimensions
from rich.text import Text

from oversight.audit.lines import NOTE
from oversight.audit.looking.keys import PASTED, Keys, named
from oversight.audit.looking.page import Page, fold, page
from oversight.audit.looking.session import Session
from oversight.audit.verdict import Decision
from oversight.errors import OversightError
from oversight.reports.escape import terminal

HELP = "s safe  r risky  u unsure  d dismiss | n/p hunk  j/k change  ↑↓ scroll  q quit"
SHORT = "s r u d verdict  n/p hunk  j/k change  q quit"

_DECISIONS = {"s": Decision.SAFE, "r": Decision.RISKY, "u": Decision.UNSURE, "d": Decision.DISMISSED}
_LOOK = 0.5  # seconds between two looks at the size of the window
_ENTER, _ESCAPE, _BACK, _CLEAR = ("\r", "\n"), "\x1b", ("\x7f", "\b"), "\x15"


def look(session: Session, console: Console, descriptor: int) -> None:
    """Show the session's changes on the terminal until the person leaves."""
    with _unbuffered(descriptor), console.screen(hide_cursor=True) as screen:
        viewer = Viewer(session)
        keys = Keys(descriptor)
        size = None
        while not viewer.left:
            now = os.get_terminal_size(descriptor)
            if viewer.changed or size != now:
                size = now
                # What LINES and COLUMNS say was true of some other window, or before this one was resized.
                console.size = ConsoleDimensions(size.columns or 80, size.lines or 24)
                screen.update(*viewer.frame(*console.size))
            try:
                key = keys.next(_LOOK)
            except EOFError:
                return
            if key is not None:
                viewer.press(key)


@contextmanager
def _unbuffered(descriptor: int) -> Iterator[None]:
    """Get keys one by one and unseen, without what was typed before, and what is pasted marked as such."""
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        _tell("\x1b[?2004h")
        yield
    finally:
        _tell("\x1b[?2004l")
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)


def _tell(sequence: str) -> None:
    sys.stdout.write(sequence)
    sys.stdout.flush()


class Viewer:
    """What is on the screen, and what keys do to it. `changed` says that the screen is not as it should be."""

    def __init__(self, session: Session) -> None:
        self.left = False
        self.changed = True
        self._session = session
        self._page: Page | None = None
        self._lines: list[tuple[str, str]] = []
        self._hunks: list[int] = []
        self._width, self._height = 80, 24
        self._top = 0
        self._message = ""
        self._asked: Decision | None = None
        self._note = ""

    def frame(self, width: int, height: int) -> list[Text]:
        """Return the screen, line by line."""
        self._lay_out(width, height)
        self.changed = False
        body = self._lines[self._top : self._top + self._body]
        body += [("", "")] * (self._body - len(body))
        lines = [(self._where(), "reverse"), *body, (self._below(), "reverse")]
        return [Text(text, style, no_wrap=True, overflow="crop") for text, style in lines]

    def press(self, key: str) -> None:
        """Do what a key asks for."""
        self.changed, self._message = True, ""
        try:
            if self._asked is not None:
                self._write(key)
            elif key in _DECISIONS:
                self._asked, self._note = _DECISIONS[key], ""
            elif action := self._actions().get(named(key)):
                action()
        except OversightError as error:
            self._message = terminal(str(error))

    @property
    def _body(self) -> int:
        return max(self._height - 2, 1)

    def _actions(self) -> dict[str, Callable[[], None]]:
        return {
            "q": self._leave,
            "n": lambda: self._to_hunk(1),
            "p": lambda: self._to_hunk(-1),
            "j": lambda: self._to_change(1),
            "k": lambda: self._to_change(-1),
            "up": lambda: self._scroll(self._top - 1),
            "down": lambda: self._scroll(self._top + 1),
            "page-up": lambda: self._scroll(self._top - self._body + 1),
            "page-down": lambda: self._scroll(self._top + self._body - 1),
            "home": lambda: self._scroll(0),
            "end": lambda: self._scroll(len(self._lines)),
        }

    def _leave(self) -> None:
        self.left = True

    def _scroll(self, top: int) -> None:
        self._top = max(0, min(top, len(self._lines) - self._body))

    def _to_hunk(self, step: int) -> None:
        ahead = [top for top in self._hunks if (top > self._top if step > 0 else top < self._top)]
        if not ahead:
            self._message = "There are no hunks." if not self._hunks else f"This is the {_END[step]} hunk."
            return
        # Not `_scroll`: also a hunk near the end is put at the top, so that the next one is found from there.
        self._top = ahead[0] if step > 0 else ahead[-1]

    def _to_change(self, step: int) -> None:
        if self._session.move(step):
            self._page, self._top = None, 0
        else:
            self._message = f"This is the {_END[step]} change that waits."

    def _write(self, key: str) -> None:
        """Take a key while a reason is asked for."""
        if key == _ESCAPE:
            self._asked = None
        elif key in _ENTER:
            self._judge()
        elif key in _BACK:
            self._note = self._note[:-1]
        elif key == _CLEAR:
            self._note = ""
        else:
            typed = " ".join(key.removeprefix(PASTED).split()) if key.startswith(PASTED) else key
            if typed.isprintable():
                self._note = (self._note + typed)[:NOTE]

    def _judge(self) -> None:
        decision, note = self._asked, self._note.strip()
        if decision is None:
            return
        if decision is Decision.DISMISSED and not note:
            self._message = "Say why the flag is not wanted."
            return
        hidden, self._asked = self._session.hidden, None
        self._message = self._session.judge(decision, note)
        self._page, self._top = None, 0 if hidden else self._top

    def _lay_out(self, width: int, height: int) -> None:
        self._height = height
        if self._page is not None and width == self._width:
            return
        self._width = width
        self._page = page(self._session.dossier, hidden=self._session.hidden)
        starts = []
        self._lines = []
        for row in self._page.rows:
            starts.append(len(self._lines))
            self._lines += [(line, row.style) for line in fold(row, width)]
        self._hunks = [starts[place] for place in self._page.hunks]
        self._top = max(0, min(self._top, len(self._lines) - 1))

    def _where(self) -> str:
        session = self._session
        entry = session.dossier.entry
        blind = ", blind" if session.hidden else ""
        seen = min(self._top + self._body, len(self._lines))
        share = 100 * seen // max(len(self._lines), 1)
        told = f" {session.position + 1:,} of {session.count:,}{blind}: "
        told += f"{terminal(entry.repository, 60)} {entry.commit[:12]}"
        return _filled(told, f"{share}% ", self._width)

    def _below(self) -> str:
        if self._asked is None:
            keys = HELP if cell_len(HELP) < self._width else SHORT
            return _filled(f" {self._message or keys}", "", self._width)
        asked = self._message or f"{self._asked.value}, because:"
        keys = "Enter: on record  Esc: no "
        note = terminal(self._note)
        room = max(self._width - len(asked) - len(keys) - 6, 10)
        while cell_len(note) > room:
            note = note[1:]
        return _filled(f" {asked} {note}_", keys, self._width)


_END = {1: "last", -1: "first"}


def _filled(left: str, right: str, width: int) -> str:
    """Return both ends of a line of `width` columns."""
    return left + " " * max(width - cell_len(left) - cell_len(right), 1) + right
