"""Progress bars on stderr when it is a terminal, and silence when it is not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

Advance = Callable[[int], None]
"""Say that this many more steps are done."""

Tell = Callable[[str, int, int], None]
"""Say what is being done, how many more steps of it are done, and how many there are (0: unknown)."""


@contextmanager
def progress(description: str, total: int | None = None) -> Iterator[Advance]:
    """Show one bar for the length of the block; `total` None means unknown."""
    with stages() as tell:
        tell(description, 0, total or 0)
        yield lambda steps: tell(description, steps, total or 0)


@contextmanager
def priced(description: str, total: int, price: Callable[[], str]) -> Iterator[Advance]:
    """Show one bar as `progress` does, and beside it what `price` says at every step."""
    if not sys.stderr.isatty():
        yield lambda _steps: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(description), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(price(), total=total)
        yield lambda steps: bar.update(task, advance=steps, description=price())


@contextmanager
def stages() -> Iterator[Tell]:
    """Show a bar for each stage of the work, as the stages announce themselves."""
    if not sys.stderr.isatty():
        yield lambda _what, _steps, _total: None
        return
    bars: list[Progress] = []
    tasks: dict[str, int] = {}

    def tell(what: str, steps: int, total: int) -> None:
        # rich costs a tenth of a second to import: only work that takes time to show pays for it.
        if not bars:
            bars.append(_new_bars())
            bars[0].start()
        if what not in tasks:
            tasks[what] = bars[0].add_task(what, total=total or None)
        bars[0].advance(tasks[what], steps)  # type: ignore[arg-type]  # rich's TaskID is an int

    try:
        yield tell
    finally:
        for bar in bars:
            bar.stop()


def _new_bars() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
