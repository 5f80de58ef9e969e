"""The fuzz target itself, over mutations of ordinary diffs."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders import file_diff
from tests.fuzz import fuzz_diff

SEEDS = [
    file_diff("src/app.py", ["def f():", "    return 1"], ["def f():", "    return 2"], section="class A:"),
    file_diff("new.c", [], ["int x;"]) + file_diff("old.c", ["int y;"], []),
    "diff --git a/x b/y\nsimilarity index 90%\nrename from x\nrename to y\nindex 1..2 100644\n"
    "--- a/x\n+++ b/y\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n",
    "diff --cc x\nindex 1,2..3\n--- a/x\n+++ b/x\n@@@ -1 -1 +1,2 @@@\n- a\n -b\n++c\n++d\n",
    f"From {'1' * 40} Mon Sep 17 00:00:00 2001\nFrom: A <a@b.c>\nSubject: [PATCH] T\n\n---\n x | 2 +-\n\n",
    "diff --git a/i.png b/i.png\nGIT binary patch\nliteral 3\nKcmZ?wbhEHb\n\nliteral 0\nHcmV?d00001\n\n",
]


@pytest.mark.parametrize("seed", range(len(SEEDS)))
def test_mutated_diffs_are_read_or_refused(seed: int) -> None:
    """Cut, doubled, swapped and flipped pieces of diffs lead to values or to `DiffError`."""
    chance = random.Random(seed)  # noqa: S311  (no secret depends on it)
    for _ in range(400):
        lines = "".join(chance.choices(SEEDS, k=2)).encode().splitlines(keepends=True)
        for _ in range(chance.randrange(4)):
            at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
            lines[at : at + chance.randrange(3)] = lines[other : other + chance.randrange(4)] or [b"\n"]
        data = bytearray(b"".join(lines))
        for _ in range(chance.randrange(3)):
            data[chance.randrange(len(data))] = chance.choice(b'\0\n\r\t "+-@\\/\xff0129')
        fuzz_diff.check(bytes(data))


def test_it_runs_as_a_script_over_a_corpus(tmp_path: Path) -> None:
    """Without atheris the target tries the files of a folder."""
    for number, seed in enumerate(SEEDS):
        (tmp_path / str(number)).write_text(seed)
    code = "import sys; sys.modules['atheris'] = None; from tests.fuzz.fuzz_diff import main; main()"
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=root, check=True, timeout=60)
