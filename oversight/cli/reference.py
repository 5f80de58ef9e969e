"""The reference of the command line, written from the commands themselves: `docs/CLI.md`.

    python -m oversight.cli.reference > docs/CLI.md

is for a checkout of oversight itself. Inside a repository under review `python -m` would import what lies there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import typer

from oversight.cli import build_app

_HEAD = """# The command line

<!-- Written by `python -m oversight.cli.reference > docs/CLI.md`: change the commands, not this page. -->

Every command has `--help`. Exit codes: 0 reviewed; 1 flagged, with `--fail-on flagged`; 2 the call or its input is
wrong, said in one line with the mend; 3 a change could not be scored, which is never shown as safe; 130 interrupted.
`OVERSIGHT_DEBUG=1` adds a traceback to internal errors.
"""


def pages() -> Iterator[str]:
    """The help of each command, as Markdown, the same on every terminal and machine."""
    yield _HEAD
    group = typer.main.get_command(build_app())
    root = typer.Context(group, info_name="oversight", terminal_width=100, max_content_width=100)
    yield from _of(group, root)


def _of(group: Any, above: typer.Context) -> Iterator[str]:
    """The help of each command of a group, and of the commands below it."""
    for name in group.list_commands(above):
        command = group.get_command(above, name)
        context = typer.Context(command, info_name=name, parent=above, terminal_width=100, max_content_width=100)
        yield f"\n## {context.command_path}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"
        if hasattr(command, "list_commands"):
            yield from _of(command, context)


if __name__ == "__main__":
    sys.stdout.write("".join(pages()))
