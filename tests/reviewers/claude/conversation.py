"""What tests on the `claude` reviewer share: changes from text, and a model that answers as one rule says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from oversight.changes.languages import language_of
from oversight.changes.model import Change, FileChange, Provenance, ProvenanceKind
from oversight.reviewers.claude.budget import Budget
from oversight.reviewers.claude.bulk import Labelling, Pace
from oversight.reviewers.claude.prices import price_of
from oversight.reviewers.claude.requests import MODEL, Recipe
from oversight.reviewers.claude.store import Store
from tests.builders import marked_file
from tests.claude_stub import Said, fits, text

AT_ONCE = Pace(poll=0, settle=0, sleep=lambda _seconds: None)
HUNKS = re.compile(r"Hunks to judge: ([^.]*)\.$")


def change_of(number: int, *rows: str, title: str = "A change", body: str = "", path: str = "src/a.py") -> Change:
    """A change by number, which adds these rows to one file."""
    added = [f"+{row}" for row in rows or (f"    step_{number}()",)]
    file = marked_file(language_of(path), [" def f():", "-    start()", *added, "     return 1"], section="class A:")
    files = [replace(file, old_path=path, new_path=path)]
    return with_files(number, *files, title=title, body=body)


def with_files(number: int, *files: FileChange, title: str = "A change", body: str = "") -> Change:
    """A change of these files."""
    sha = f"{number:040x}"
    return Change(sha, None, None, sha, None, Provenance(ProvenanceKind.UNKNOWN), None, title, body, files)


def asked_about(params: dict[str, Any]) -> list[str]:
    """The hunks that a request asks about, as it names them at its end."""
    found = HUNKS.search(params["messages"][0]["content"])
    assert found is not None
    return found[1].split(", ")


def answer(hunks: Iterable[str], risk: float = 0.2, **fields: Any) -> dict[str, Any]:
    """An answer of the right form."""
    said = [{"hunk": name, "risk": risk, "principle": None, "lines": []} for name in hunks]
    nothing = {"suspected": False, "hunks": []}
    return {"reasoning": "Because.", "hunks": said, "risk": risk, "principle": None, "injection": nothing} | fields


def model(params: dict[str, Any]) -> Said:
    """A model that finds `unsafe_free` risky, wherever it stands, and revises by a little."""
    asked = params["messages"][0]["content"]
    given = answer(asked_about(params), 0.9 if "unsafe_free" in asked else 0.1)
    if "revised" in params["output_config"]["format"]["schema"]["properties"]:
        given = {"critique": "Too sure.", "revised": given | {"risk": 0.8 if given["risk"] > 0.5 else 0.15}}
    written = json.dumps(given)
    assert fits(params, written)
    return text(written)


def labelling(store: Store, changes: Sequence[Change], recipe: Recipe | None = None, **options: Any) -> Labelling:
    """A labelling of these changes, which waits for nothing."""
    by_sha = {change.id: change for change in changes}
    return Labelling(
        read=lambda shas: [by_sha[sha] for sha in shas],
        recipe=recipe or Recipe(),
        price=price_of(MODEL),
        store=store,
        budget=options.pop("budget", Budget()),
        pace=AT_ONCE,
        **options,
    )
