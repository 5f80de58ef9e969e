"""Source files that git calls binary, as one NUL byte makes it, read as the text that they are.

git decides by the first 8,000 bytes of a file whether it is binary, and then shows no line of it. A second
diff of such files alone, `git diff-tree --text`, gives the lines. Asked for are files whose names say that they
are source, and kept is what is mostly text: pictures and programs stay binary, as UTF-16 does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BytesIO

from oversight.changes import paths
from oversight.changes.blobs import BLOB_BYTES
from oversight.changes.diff import parse_diff
from oversight.changes.languages import language_of
from oversight.changes.model import FileChange
from oversight.changes.quarantine import GitError, Quarantine
from oversight.changes.rendering import render
from oversight.errors import DiffError

_MARK = b"\nBinary files "
_SHOWN = re.compile(rb"^Binary files ([^\n]+) differ$", re.MULTILINE)
_MOST_BYTES = 32_000_000
_ARGUMENT_BYTES = 60_000
# Of random bytes a tenth are control characters, of compressed ones nearly as many.
_LEAST_CHARACTERS_PER_CONTROL = 12
_CONTROLS = dict.fromkeys(set(range(32)) - set(b"\b\t\n\f\r\x1b"))


def texts_of(git: Quarantine, sides: tuple[str, str], data: bytes, options: Sequence[str]) -> bytes:
    """Return the diff of the source files that `data` calls binary and that are text; empty where there are none.

    `data` is the diff between the two commits (or trees) `sides`, made by git with `options`.
    """
    if _MARK not in data or not any(map(_names_source, _SHOWN.findall(data))):
        return b""
    try:
        wanted = [file for file in parse_diff(data) if file.binary and file.language is not None]
        wanted = _of_readable_size(git, sides, wanted)
        names = {path for file in wanted for path in (file.old_path, file.new_path) if path is not None}
        specs = [":(top,literal)" + name for name in sorted(names)]
        if not specs or sum(map(len, specs)) > _ARGUMENT_BYTES:
            return b""
        with git.stream("diff-tree", "-r", "--text", *options, *sides, "--", *specs) as out:
            raw = out.read(_MOST_BYTES + 1)
        return render(filter(_is_text, parse_diff(BytesIO(raw)))) if len(raw) <= _MOST_BYTES else b""
    except (DiffError, GitError):
        return b""  # the files stay binary, and are flagged as that


def _names_source(names: bytes) -> bool:
    return any(language_of(name) is not None for name in paths.mentioned(names))


def _of_readable_size(git: Quarantine, sides: tuple[str, str], files: Sequence[FileChange]) -> list[FileChange]:
    """Those of `files` that have no more than `BLOB_BYTES` bytes on either side."""
    names = [
        [f"{side}:{path}" for side, path in zip(sides, (file.old_path, file.new_path), strict=True) if path is not None]
        for file in files
    ]
    asked = [name for pair in names for name in pair if "\n" not in name]
    if not asked:
        return []
    told = git.run("cat-file", "--batch-check=%(objectsize)", stdin=paths.encode("\n".join(asked) + "\n"))
    sizes = dict(zip(asked, told.split(b"\n"), strict=False))
    return [
        file
        for file, pair in zip(files, names, strict=True)
        if all((size := sizes.get(name, b"")).isdigit() and int(size) <= BLOB_BYTES for name in pair)
    ]


def _is_text(file: FileChange) -> bool:
    text = "\n".join(line.text for hunk in file.hunks for line in hunk.lines)
    controls = len(text) - len(text.translate(_CONTROLS))
    return bool(file.hunks) and controls * _LEAST_CHARACTERS_PER_CONTROL <= len(text)
