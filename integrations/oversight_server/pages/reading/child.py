"""What runs in a child that reads changes: it is asked for one after the other, until nobody asks.

    {"do": "start", "megabytes": …}                                  {}
    {"do": "look", "path": …, "index": …, "commit": …, "base": …,
     "past": true, "blobless": false, "colours": true, …}            {"change": …, "past": [...], "colours": [...]},
                                                                     {"absent": why} or {"lacking": [sha, …]}
                                                                     {"error": [kind, message, mend]}

`base` None: the first parent. `complete`: what is lacking now will not come.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from oversight.audit.looking.files import Files
from oversight.changes.repository import Repository
from oversight.errors import RepositoryError, UsageError
from oversight.history.index import Index
from oversight_github.code.clone import changed_blobs, missing_of
from oversight_server.children import wire
from oversight_server.children.child import bound_memory, main
from oversight_server.pages.reading.colours import colours_of


class Looker:
    """Answers messages of the parent."""

    def do(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Answer one message. Raises OversightError."""
        if message["do"] != "look":
            raise UsageError("no such message", mend="restart the server: its parts differ in version")
        with ExitStack() as stack:
            repository = stack.enter_context(Repository.open(Path(message["path"])))
            try:
                commit, base = repository.resolve(message["commit"]), message["base"]
                base = None if base is None else repository.resolve(base)
            except RepositoryError as error:
                return {"absent": str(error)}
            if message["blobless"] and not message["complete"]:
                before = base if base is not None else repository.span(commit).base
                if lacking := missing_of(repository, changed_blobs(repository, before, commit)):
                    return {"lacking": lacking}
            directory = message["index"]
            index = (
                stack.enter_context(Index.open(repository, directory=None if directory is None else Path(directory)))
                if message["past"]
                else None
            )
            change, reason, past = Files(repository, index).read(commit, base)
        if change is None:
            return {"absent": reason or "unknown"}
        coloured = colours_of(change) if message["colours"] else ()
        return {"change": wire.encode(change), "past": wire.encode(past), "colours": wire.encode(coloured)}


def start(message: Mapping[str, Any]) -> tuple[Looker, dict[str, Any]]:
    """Bound what is left to take."""
    bound_memory(message["megabytes"])
    return Looker(), {}


if __name__ == "__main__":
    main(start)
