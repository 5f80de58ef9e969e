"""A process that runs a study with one agent, to be killed: `python -m tests.research.killed URL STUDY`."""

from __future__ import annotations

import sys
from pathlib import Path

from oversight.research.study import Study
from tests.research.researcher import ran

if __name__ == "__main__":
    ran(Study(Path(sys.argv[2])), sys.argv[1], 9)
