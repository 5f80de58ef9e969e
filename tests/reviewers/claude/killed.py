"""A process that forks labellings to be killed: `python -m tests.reviewers.claude.killed URL DIRECTORY`.

Loading everything takes a second, forking nothing: so each of many kills costs little. For each line on standard input
it forks a child, writes its process id, waits for another line, lets the child begin, and writes how it ended.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from oversight.reviewers.claude.client import Client
from oversight.reviewers.claude.requests import Recipe
from oversight.reviewers.claude.store import Alone, Store
from tests.claude_stub import KEY
from tests.reviewers.claude.conversation import change_of, labelling

CHANGES = [change_of(number, f"    {'unsafe_free' if number == 2 else 'step'}({number})") for number in range(1, 4)]
RECIPE = Recipe(wordings=1, critique=True)


def label(client: Client, directory: Path) -> None:
    """Label a few changes, as a run of the command does."""
    path = directory / "claude.sqlite"
    with Alone(path), Store(path) as store:
        labelling(store, CHANGES, RECIPE).run([change.id for change in CHANGES], client)


def main(url: str) -> None:
    """Serve forks until standard input ends."""
    client = Client(KEY, base_url=url, sleep=lambda _: None)
    with tempfile.TemporaryDirectory() as directory, Store(Path(directory) / "s") as store:
        list(labelling(store, CHANGES, RECIPE).states([CHANGES[0].id]))  # loads what is loaded when it is needed
    for line in sys.stdin:
        ready, begin = os.pipe()
        child = os.fork()
        if not child:
            os.read(ready, 1)
            label(client, Path(line.strip()))
            os._exit(0)
        print(child, flush=True)  # noqa: T201
        sys.stdin.readline()
        os.write(begin, b"x")
        os.close(begin)
        os.close(ready)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
