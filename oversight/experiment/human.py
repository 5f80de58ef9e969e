"""Labels that people gave, from a file: `labels.jsonl` as `oversight mine` writes it, or verdicts, one JSON
object a line.

| field | what |
|---|---|
| `commit` or `change_id` | the full sha |
| `risky` (true, false), or `decision` ("risky", "clean") | the label |
| `source` | "verdict" where absent |
| `decided_at` | ISO 8601; needed where the source is history |

What history decided after a moment was not known then and is censored. A verdict is made on the change itself,
whenever people get round to it, and is not.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from oversight.errors import LabelError
from oversight.history.model import GoldLabel
from oversight.history.pool import refuse_canaries

_DECISIONS = {"risky": True, "clean": False}
_NAMES = {risky: decision for decision, risky in _DECISIONS.items()}
_LARGEST = 256 << 20  # bytes


def read_labels(path: Path) -> dict[str, GoldLabel]:
    """Return the labels by sha; those that a change has several of must agree. `LabelError` names a line that is amiss,
    or that says the opposite of an earlier one.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise LabelError("the file of labels is too large", mend=f"keep it under {_LARGEST >> 20} MB")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LabelError("the file of labels cannot be read", mend="name a JSON Lines file in UTF-8") from error
    labels: dict[str, GoldLabel] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            label = _label(json.loads(line))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise LabelError(
                f"line {number} of the labels is not a label",
                mend='write {"commit": "<full sha>", "risky": true or false} on each line',
            ) from error
        refuse_canaries([label.change_id])
        if labels.setdefault(label.change_id, label).risky != label.risky:
            raise LabelError(
                f"line {number} of the labels says that {label.change_id[:12]} is {_NAMES[label.risky]}, and a line "
                f"before it that it is {_NAMES[not label.risky]}",
                mend="decide, and keep one label for each commit",
            )
    if not labels:
        raise LabelError("the file of labels is empty", mend="label some changes, or leave the file out")
    return labels


def is_verdict(label: GoldLabel) -> bool:
    """Whether a person decided, not history."""
    return label.source == "verdict"


def _label(entry: dict[str, Any]) -> GoldLabel:
    sha = entry["commit"] if "commit" in entry else entry["change_id"]
    risky = entry["risky"] if "risky" in entry else _DECISIONS[entry["decision"]]
    source = entry.get("source", "verdict")
    if not (isinstance(sha, str) and isinstance(risky, bool) and isinstance(source, str)):
        raise TypeError("fields of the wrong kind")
    if source != "verdict" or entry.get("decided_at"):
        decided = datetime.fromisoformat(entry["decided_at"])
    else:
        decided = datetime.fromtimestamp(0, UTC)
    return GoldLabel(sha, risky, source, decided if decided.tzinfo else decided.replace(tzinfo=UTC), ())
