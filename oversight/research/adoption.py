"""Out of the shadow, a person's act: a model that has only ranked so far may flag from here on.

Weights and figures stay as they are. The stage, and the card's word on who decided and why, are part of what the
manifest is over: the model has a new sha256, and says which one it had in the shadow.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from oversight.errors import ModelError, UsageError
from oversight.reports.escape import markdown
from oversight.students.checkpoint import IN_USE, check_target, read, write

_LONGEST = 1_000  # characters of a reason


def adopt(model: Path, output: Path, *, who: str, because: str) -> str:
    """Write a model that is in the shadow to `output` as one that is in use; return its sha256.

    `ModelError` where it is none, or not in the shadow; `UsageError` without a reason; `OutputError` where it cannot be
    written.
    """
    if not 0 < len(because.strip()) <= _LONGEST:
        raise UsageError(
            "why the model may flag from now on is part of its card", mend=f"say so in 1 to {_LONGEST} characters"
        )
    check_target(output, replace=False)
    artefact = read(model)
    if not artefact.shadow:
        raise ModelError("the model is not in the shadow", mend="use it as it is: oversight review --model")
    config = artefact.json("config.json") | {"stage": IN_USE, "shadow": artefact.sha256}
    said = (
        f"Put in use on {datetime.now(UTC):%Y-%m-%d} by {markdown(who)}: {markdown(because.strip())}\n"
        f"In the shadow its sha256 was {artefact.sha256}.\n"
    )
    changed = {
        "config.json": (json.dumps(config, indent=1, allow_nan=False) + "\n").encode(),
        "card.md": artefact.files["card.md"].rstrip() + b"\n\n" + said.encode(),
    }
    return write(output, {**artefact.files, **changed}, replace=False)
