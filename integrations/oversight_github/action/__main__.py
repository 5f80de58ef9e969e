"""Runs the Action: `python -I .../action/__main__.py`, in an environment that has what requirements.txt names.

The Action's own code is not installed: GitHub has put this repository beside, at the very commit that the workflow
pinned. -I leaves the current folder, the script's own and PYTHONPATH off the path; ours goes in front of it here, in
this process alone.
"""

import sys
from pathlib import Path

if not __package__:
    _root = Path(__file__).resolve().parents[3]
    sys.path[:0] = [str(_root), str(_root / "integrations"), str(_root / "models")]

from oversight_github.action.run import main  # importable from here on

if __name__ == "__main__":
    main()
