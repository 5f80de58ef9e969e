"""A history long enough that canaries can be made from it: old changes of many sizes, repairs, and newer ones."""

from __future__ import annotations

from pathlib import Path

from tests.builders import EPOCH, HOUR, GitRepository

DAY = 24 * HOUR
PEOPLE = ("Ada Lovelace <ada@example.org>", "Grace Hopper <grace@example.org>")
ORDINARY = 84


def module(number: int, rows: int) -> str:
    """A file in Python with a guard, a lock and `rows` more rows."""
    body = "".join(f"    total += n * {row}\n" for row in range(rows))
    return (
        f"def f{number}(n, item):\n    total = {number}\n    if item is None:\n        return None\n"
        f"    if n < {number + 10}:\n        total += 1\n{body}    return total\n"
    )


def build(path: Path) -> GitRepository:
    """Modules added one after another, some of them repaired later, and as many young changes as keep the rest old."""
    repository = GitRepository.create(path)
    repository.commit("Start", {"README": "A project\n"})
    broken = []
    for number in range(ORDINARY):
        folder = "tests" if number % 7 == 3 else "lib"
        text = module(number, number % 5) + ("    assert total\n" if folder == "tests" else "")
        if folder == "tests":
            text = text.replace("    return total\n", "    check(total)\n")
        sha = repository.commit(
            f"Add module {number}", {f"{folder}/m{number}.py": text},
            author=PEOPLE[number % 2], at=EPOCH + number * DAY,
        )  # fmt: skip
        if number % 9 == 4:
            broken.append((number, sha, folder, text))
    for place, (number, sha, folder, text) in enumerate(broken[:6]):
        repaired = text.replace("    if item is None:\n", "    if item is None or n is None:\n")
        repository.commit(
            f"Fix a crash of module {number}\n\nFixes: {sha[:12]} (\"Add module {number}\")",
            {f"{folder}/m{number}.py": repaired}, at=EPOCH + (ORDINARY + place) * DAY,
        )  # fmt: skip
        other = 1 + 2 * place
        path_of = f"{'tests' if other % 7 == 3 else 'lib'}/m{other}.py"
        here = (repository.path / path_of).read_text()
        repository.commit(
            f"Speed up module {other}", {path_of: here.replace(f"total = {other}\n", f"total = {other + 100}\n")},
            at=EPOCH + (ORDINARY + place) * DAY + HOUR,
        )  # fmt: skip
    for number in range(ORDINARY // 5):
        repository.commit(f"Note {number}", {"notes.txt": f"{number}\n"}, at=EPOCH + (400 + number) * DAY)
    return repository
