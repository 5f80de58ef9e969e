"""What the commands of `oversight research` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from oversight.errors import MissingExtraError

Folder = Annotated[Path, typer.Argument(metavar="STUDY", help="The study's folder.", show_default=False)]


def check_installed() -> None:
    """Raise `MissingExtraError` where what trains is not installed: before any work, not after it."""
    try:
        import sklearn  # noqa: F401
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtraError("oversight research", "train") from error
