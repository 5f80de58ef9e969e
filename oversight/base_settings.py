"""What a repository may say about reviews of itself: read from the base revision, never from the change.

A change can thereby not raise its own budget, leave its own files out, or drop a principle that would find it.
"""

from __future__ import annotations

from oversight.changes.repository import Repository
from oversight.config import FILE_LIMIT, FILE_NAME
from oversight.errors import ConfigError
from oversight.reviewers.principles.constitution_files import EXTRA_LIMIT

Files = tuple[tuple[str, bytes], ...]
"""Principle files as they are: name and content. Unlike compiled principles they can be sent to workers."""


def settings_file(repository: Repository, base: str | None) -> bytes | None:
    """Return the bytes of `oversight.toml` at the base revision, None where there is none.

    Raises ConfigError where there is one that is no regular file, is too large, or whose content cannot be read:
    reviewing without it might leave out a principle that it names.
    """
    if base is None:
        return None
    content = repository.read(base, FILE_NAME)
    entry = repository.run("ls-tree", "--long", base, "--", FILE_NAME).split()
    if not entry:
        return None
    mode, _, _, size = entry[:4]
    if not mode.startswith(b"100"):
        raise ConfigError(f"{FILE_NAME} at the base revision is no regular file", mend="commit the file itself")
    if content is None and size.isdigit():
        raise ConfigError(f"{FILE_NAME} has more than {FILE_LIMIT:,} bytes", mend="keep it to review settings")
    if content is None:
        raise ConfigError(f"{FILE_NAME} at the base revision cannot be read", mend="fetch the whole repository")
    return content


def principle_files(repository: Repository, base: str | None, folder: str | None) -> Files:
    """Return the principle files below `folder` at the base revision.

    Raises ConfigError where the folder is not there, or holds too many files or one that cannot be read.
    """
    if folder is None or base is None:
        return ()
    prefix = folder.strip("/") + "/"
    listed = repository.run("ls-tree", "-r", "-z", "--name-only", base, "--", prefix).split(b"\0")
    paths = sorted(path.decode("utf-8", "surrogateescape") for path in listed if path.endswith(b".toml"))
    if not paths:
        raise ConfigError(
            "the folder that `principles` names holds no principle files at the base revision",
            mend="commit them to the base branch first, or leave the setting out",
        )
    if len(paths) > EXTRA_LIMIT:
        raise ConfigError(f"there are {len(paths)} principle files", mend=f"keep at most {EXTRA_LIMIT}")
    files = []
    for path in paths:
        content = repository.read(base, path)
        if content is None:
            raise ConfigError("a principle file at the base revision cannot be read", mend="fetch the whole repository")
        files.append((path.removeprefix(prefix), content))
    return tuple(files)
