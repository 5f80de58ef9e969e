"""What runs in a child: it is told who reviews, then asked for one review after the other, until nobody asks.

    {"do": "start", "model": …, "megabytes": …}                           {"name": …, "version": …, "sha256": …}
    {"do": "revision", "path": …, "tip": …, "head": …, …}                 {"report": …} or {"lacking": [sha, …]}
    {"do": "span", "path": …, "span": "A..B", …}                          {"report": …}
    {"do": "diff", "text": …} or {"do": "change", "change": …, …}         {"report": …}
                                                                          {"error": [kind, message, mend]}

Nothing here goes over the network: what a clone lacks is named, and the parent, which has the token, fetches it. The
past and the present of a repository are read as everywhere, in quarantine. When the parent is gone, so is the child.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, BinaryIO, NoReturn

from oversight_server.children import wire

_NICE = 5
_GRACE = 10


Start = Callable[[Mapping[str, Any]], tuple[Any, dict[str, Any]]]
"""Makes tools, whose `do` answers messages, of the first one, and says what to answer to that."""


def main(start: Start) -> NoReturn:
    """Answer until the other end of the pipe is closed."""
    incoming, outgoing = wire.private_ends()
    messages: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(incoming, messages), daemon=True).start()
    tools: Any = None
    while True:
        message = messages.get()
        try:
            if message["do"] == "start":
                tools, answer = start(message)
            else:
                answer = _bounded(tools, message)
        except Exception as error:
            answer = {"error": _told(error)}
        try:
            wire.send(outgoing, answer)
        except (OSError, ValueError, RecursionError, MemoryError):
            os._exit(1)


def _listen(incoming: BinaryIO, messages: queue.SimpleQueue[Mapping[str, Any]]) -> None:
    """Pass messages on; at the end of them end everything, also in the middle of a review that nobody waits for."""
    with suppress(ValueError, OSError):
        while (message := wire.receive(incoming)) is not None:
            messages.put(message)
    os._exit(0)


def _start(message: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Load all that reviews need, then bound what is left to take."""
    os.nice(_NICE)
    from oversight_server.children.work import Tools

    tools = Tools.load(message["model"])
    bound_memory(message["megabytes"])
    info = tools.model.info
    return tools, {"name": info.name, "version": info.version, "sha256": info.sha256}


def _bounded(tools: Any, message: Mapping[str, Any]) -> dict[str, Any]:
    """Do what is asked; where nobody is left to stop it, it stops itself."""
    signal.alarm(int(message["seconds"]) + _GRACE)
    try:
        return {**tools.do(message)}
    finally:
        signal.alarm(0)


def bound_memory(megabytes: int) -> None:
    """Let no more than so much memory be taken, here and in each git that is started from here.

    Data, not address space: packs and weights are mapped, and take room in no memory that others need.
    """
    import resource

    most = megabytes * 1024 * 1024
    with suppress(ValueError, OSError):  # where the platform or who started the server allows less
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _told(error: Exception) -> list[str]:
    """Return an error as the parent can tell it: ours in their own words, others by their kind, since theirs may hold
    text of the change.
    """
    from oversight.errors import OversightError

    if isinstance(error, OversightError):
        kind = next(one.__name__ for one in type(error).__mro__ if one.__module__ == OversightError.__module__)
        return [kind, error.message, error.mend]
    if isinstance(error, MemoryError):
        return ["UnscoredError", "the review needed more memory than it may have", "raise OVERSIGHT_REVIEWS__MEGABYTES"]
    return ["UnscoredError", f"the review failed: {type(error).__name__}", "report it, please"]


if __name__ == "__main__":
    main(_start)
