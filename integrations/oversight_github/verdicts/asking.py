"""Which pull requests people are asked to judge: those of the random slice that were merged and have no verdict."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from oversight.audit.verdict import Selection, Verdict
from oversight_github.client import Client
from oversight_github.verdicts.answers import moment_at, number_at, text_at
from oversight_github.verdicts.pulls import Pulls
from oversight_github.verdicts.sampling import in_slice

MOST = 20
_ADDRESS = re.compile(r"https?://[A-Za-z0-9._:/~-]+")


@dataclass(frozen=True, slots=True)
class Asked:
    """A pull request to judge, and its address, None where GitHub gives none that is plain."""

    number: int
    address: str | None


def asked(client: Client, pulls: Pulls, verdicts: Iterable[Verdict], since: datetime) -> list[Asked]:
    """Return at most `MOST` pull requests of the slice, merged since then, that were reviewed and not flagged."""
    judged = {one.source.number for one in verdicts if one.counts and one.finding is None}
    waiting = (one for one in _merged(client, since) if number_at(one, "number") not in judged)
    drawn = (one for one in waiting if in_slice(client.repository, number_at(one, "number")))
    unflagged = (one for one in drawn if _unflagged(pulls, one))
    return [Asked(number_at(one, "number"), _address(one)) for one in islice(unflagged, MOST)]


def _merged(client: Client, since: datetime) -> Iterator[Any]:
    """Yield pull requests that were merged since then, the last one to change first."""
    for pull in client.pages(client.here("pulls"), state="closed", sort="updated", direction="desc"):
        changed, merged = moment_at(pull, "updated_at"), moment_at(pull, "merged_at")
        if changed is not None and changed < since:
            return
        if merged is not None and merged >= since:
            yield pull


def _unflagged(pulls: Pulls, pull: Any) -> bool:
    merged = moment_at(pull, "merged_at")
    seen = None if merged is None else pulls.seen(number_at(pull, "number"), merged)
    return seen is not None and seen.shown.selection is Selection.RANDOM


def _address(pull: Any) -> str | None:
    address = text_at(pull, "html_url")
    return address if _ADDRESS.fullmatch(address) else None
