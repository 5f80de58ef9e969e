"""Zip files from outside: whatever is amiss with one is one error.

`zipfile` documents `BadZipFile` alone. Damage also shows as what the decompressors raise, as a member that needs a
password or a method that is not there, and as numbers that lead out of the file.
"""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO


class ArchiveError(Exception):
    """A file that is no zip archive, or a member of one that cannot be unpacked or is not there."""


@contextmanager
def unpacking(file: IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """Give the archive for the length of a block that does nothing but read it. Raises ArchiveError."""
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except (
        zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, KeyError, NotImplementedError, OSError, RuntimeError,
        ValueError,
    ) as error:  # fmt: skip
        raise ArchiveError(str(error)) from error
