"""Parts of GitHub's answers: None where a part may be missing, an error where the rest makes no sense without it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from oversight_github.errors import foreign
from oversight_github.shas import is_sha


def at(answer: Any, *keys: str) -> Any:
    """Return what stands at the end of `keys`, None where nothing does."""
    for key in keys:
        answer = answer.get(key) if isinstance(answer, dict) else None
    return answer


def text_at(answer: Any, *keys: str) -> str:
    """Return a string, empty where there is none."""
    found = at(answer, *keys)
    return found if isinstance(found, str) else ""


def sha_at(answer: Any, *keys: str) -> str:
    """Return a full sha; raises GitHubError where there is none."""
    found = text_at(answer, *keys)
    if not is_sha(found):
        raise foreign(f"no sha as {'.'.join(keys)}")
    return found


def number_at(answer: Any, *keys: str) -> int:
    """Return a whole number; raises GitHubError where there is none."""
    found = at(answer, *keys)
    if not isinstance(found, int) or isinstance(found, bool):
        raise foreign(f"no number as {'.'.join(keys)}")
    return found


def list_at(answer: Any, *keys: str) -> list[Any]:
    """Return a list; raises GitHubError where there is none."""
    found = at(answer, *keys)
    if not isinstance(found, list):
        raise foreign(f"no list as {'.'.join(keys)}")
    return found


def moment_at(answer: Any, *keys: str) -> datetime | None:
    """Return a moment, time-zone aware, None where there is none."""
    try:
        moment = datetime.fromisoformat(text_at(answer, *keys))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
