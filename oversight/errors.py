"""Every error a user can meet, and the exit code it leads to.

    OversightError                 exit 2, "the call or its input is wrong"
    ├── UsageError                 options or revisions that make no sense together
    ├── RepositoryError            not a repository, unknown revision, unrelated histories, git itself failing
    ├── DiffError                  text that is not a unified diff, or is cut off
    ├── ModelError                 a model directory that is damaged, foreign, or of another feature schema
    ├── LabelError                 label files and label sets from which nothing can be learned
    ├── ConfigError                a settings file or variable that cannot be read
    ├── OutputError                the result could not be written (full disk, missing folder)
    ├── StoreError                 the audit's database: cannot be reached, written, or believed
    ├── VaultError                 the vault of a study: in use, damaged, or asked for what it does not give
    ├── ResearchError              a study's folder, a worker or the sandbox: missing, damaged or in use
    └── MissingExtraError          a package of an optional extra is not installed
    UnscoredError                  exit 3, the change is understood but could not be scored: fail closed

The message says what is wrong in one line; `mend` says what to do about it. Both are shown; neither
ever carries raw text of a diff, a path or a payload without going through `oversight.reports.escape`.
"""

from __future__ import annotations

import copyreg
from typing import Any


class OversightError(Exception):
    """Base of all errors that are the caller's to mend. `exit_code` is what the CLI ends with."""

    exit_code = 2

    def __init__(self, message: str, *, mend: str) -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.message} ({self.mend})"

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions are pickled by their positional arguments, and `mend` is none: workers could not tell of one.
        return copyreg.__newobj__, (type(self), self.message), self.__dict__  # type: ignore[attr-defined]


class UsageError(OversightError):
    """Options or arguments that make no sense, alone or together."""


class RepositoryError(OversightError):
    """Not a repository, an unknown revision, unrelated histories, or git itself failing."""


class DiffError(OversightError):
    """Text that is not a unified diff, or that ends in the middle of one."""


class ModelError(OversightError):
    """A model directory that is damaged, not ours, or made for another feature schema."""


class LabelError(OversightError):
    """Labels that are malformed, contradictory, or too few to learn from."""


class ConfigError(OversightError):
    """A settings file or environment variable that cannot be understood."""


class OutputError(OversightError):
    """The result could not be written; nothing half-written is left behind."""


class StoreError(OversightError):
    """The audit's database cannot be reached, read or written, or holds what it should not."""


class ResearchError(OversightError):
    """A study cannot go on: its folder is damaged or in use, or a process that it needs cannot be had."""


class VaultError(OversightError):
    """The vault of a study is in use, is damaged, or was asked for what it does not give."""


class MissingExtraError(OversightError):
    """A feature needs packages of an optional extra that is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs packages that are not installed",
            mend=f"pip install 'oversight-review[{extra}]'",
        )


class UnscoredError(OversightError):
    """The change was read but could not be scored. Never to be mistaken for a low risk."""

    exit_code = 3
