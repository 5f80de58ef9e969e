"""A history long enough to learn from, imported into git in one go."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.builders import GitRepository, clean_environment

DAY = 86_400
START = 1_000_000_000
CHANGES = 240


def is_risky(number: int) -> bool:
    """Whether change `number` is one that people withdraw; every fourth is."""
    return number % 4 == 1


def is_withdrawn(number: int, *, noise: bool) -> bool:
    """Whether change `number` is withdrawn; with `noise`, of every nine one is not judged by what it does."""
    return is_risky(number) != (noise and number % 9 == 4)


def learnable(
    path: Path, *, changes: int = CHANGES, reverts: bool = True, noise: bool = False, what: str = "pipeline"
) -> GitRepository:
    """A repository of `changes` changes, one a month: those that call `unsafe_free` are reverted two days later, with
    `noise` mostly. No commit of it is one of a history of something else than `what`.
    """
    repository = GitRepository.create(path)
    stream: list[str] = []
    for number in range(changes):
        name = f"src/part_{number % 30}.py"
        body = [f"def step_{number}(rows, limit):", f"    total = rows[{number}] + limit"]
        clean = ["    return max(total, limit)"]
        body += ["    unsafe_free(rows)", "    skip_check(limit)"] if is_risky(number) else clean
        stream.append(_commit(f"Rework step {number} of the {what}", START + number * 30 * DAY, name, body))
        if reverts and is_withdrawn(number, noise=noise):
            gone = [f"def step_{number}(rows, limit):", "    return None"]
            when = START + (number * 30 + 2) * DAY
            stream.append(_commit(f'Revert "Rework step {number} of the {what}"', when, name, gone))
    done = subprocess.run(
        ["git", "fast-import", "--quiet"],
        cwd=path,
        input="".join(stream).encode(),
        env=clean_environment({}),
        check=True,
        capture_output=True,
    )
    assert done.returncode == 0
    return repository


def _commit(message: str, when: int, name: str, lines: list[str]) -> str:
    content = "\n".join(lines) + "\n"
    author = f"Ada <ada{when // DAY % 5}@example.org> {when} +0000"
    return (
        f"commit refs/heads/main\nauthor {author}\ncommitter {author}\n{_data(message)}"
        f"M 100644 inline {name}\n{_data(content)}"
    )


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"
