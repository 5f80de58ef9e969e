"""The generated part of `docs/SERVER.md`: `python -m oversight_server.reference --write` renews the table of settings.

What stands between the marks of the page is written from the settings themselves; the rest of it is kept as it is.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from oversight_server.settings import Settings, variable

PAGE = Path(__file__).resolve().parents[2] / "docs" / "SERVER.md"
_MARKED = re.compile(r"(<!-- settings -->\n).*?(<!-- end -->\n)", re.DOTALL)


def page() -> str:
    """Return the page with its table as it should be."""
    return _MARKED.sub(lambda match: f"{match[1]}{table()}{match[2]}", PAGE.read_text(encoding="utf-8"))


def table() -> str:
    """Return all settings as a Markdown table."""
    rows = ["| variable | default | what |", "| --- | --- | --- |"]
    rows += [f"| `{name}` | {_default(field)} | {field.description} |" for name, field in settings(Settings)]
    return "".join(f"{row}\n" for row in rows)


def settings(model: type[BaseModel], *path: str) -> Iterator[tuple[str, FieldInfo]]:
    """Give every setting by its variable, those of groups after the others."""
    groups = []
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            groups.append((name, field.annotation))
        else:
            yield variable(*path, name), field
    for name, group in groups:
        yield from settings(group, *path, name)


def _default(field: FieldInfo) -> str:
    """Return the default as one writes it in a variable; nothing for what is unset, or differs between machines."""
    value = field.default
    if value is None or value is PydanticUndefined:
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        sys.stdout.write(page())
