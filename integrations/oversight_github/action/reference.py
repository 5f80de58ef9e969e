"""The generated parts of `docs/ACTION.md`: `python -m oversight_github.action.reference --write` renews them.

What stands between two marks of the page is written anew, from `action.yml` and from the workflows in `docs/workflows`;
the rest of the page is kept as it is. Needs a checkout and PyYAML, which comes with the extra `dev`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
_MARK = re.compile(r"(<!-- (inputs|outputs|workflow ([\w-]+\.yml)) -->\n).*?(<!-- end -->\n)", re.DOTALL)


def page(root: Path = ROOT) -> str:
    """Return `docs/ACTION.md` of a checkout with its generated parts as they should be."""
    import yaml

    action = yaml.safe_load((root / "action.yml").read_text(encoding="utf-8"))

    def written(match: re.Match[str]) -> str:
        opening, kind, workflow, closing = match.groups()
        if workflow is not None:
            part = f"```yaml\n{(root / 'docs' / 'workflows' / workflow).read_text(encoding='utf-8')}```\n"
        else:
            part = _table(action[kind])
        return f"{opening}{part}{closing}"

    return _MARK.sub(written, (root / "docs" / "ACTION.md").read_text(encoding="utf-8"))


def _table(entries: Mapping[str, Mapping[str, Any]]) -> str:
    """Return inputs, which may have defaults, or outputs as a table."""
    with_default = any("default" in about for about in entries.values())
    head = ["name", "default", "what"] if with_default else ["name", "what"]
    rows = [head, ["---"] * len(head)]
    for name, about in entries.items():
        default = [f"`{about['default']}`" if "default" in about else ""] if with_default else []
        rows.append([f"`{name}`", *default, str(about["description"]).strip()])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        (ROOT / "docs" / "ACTION.md").write_text(page(), encoding="utf-8")
    else:
        sys.stdout.write(page())
