"""docs/AUDIT.md: the program that it gives computes the head that the store has."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from oversight.audit.store import Store
from oversight.audit.store.export import json_lines
from tests.audit.store.test_ledger import SAID

PAGE = Path(__file__).parents[3] / "docs" / "AUDIT.md"


def test_the_head_can_be_computed_with_the_program_in_the_documentation(store: Store, tmp_path: Path):
    """Nobody has to believe ours."""
    store.append(SAID)
    (tmp_path / "verdicts.jsonl").write_text("".join(json_lines(store.engine, "verdicts")), newline="")
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    call = [sys.executable, "-I", "-c", program, str(tmp_path / "verdicts.jsonl")]
    done = subprocess.run(call, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == f"{store.head().hash}\n"
