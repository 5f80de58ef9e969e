"""Whether somebody who judges a change wrote it, as far as names and addresses tell."""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import parseaddr

from oversight.audit.budget.entry import Entry


def wrote(entry: Entry, names: Iterable[str]) -> bool:
    """Whether one of the names is that of the author, or their address."""
    return not _forms(entry.author or "").isdisjoint(form for name in names for form in _forms(name))


def _forms(name: str) -> set[str]:
    return {part.strip().casefold() for part in (name, *parseaddr(name)) if part.strip()}
