"""Settings of a review: flag > environment (`OVERSIGHT_…`, nested with `__`) > `oversight.toml` > default.

    setting         flag          environment                oversight.toml
    budget          --budget      OVERSIGHT_BUDGET           budget = 10
    paths.include   (none)        OVERSIGHT_PATHS__INCLUDE   [paths] include = ["src/**"]
    paths.exclude   (none)        OVERSIGHT_PATHS__EXCLUDE   [paths] exclude = ["third_party"]
    principles      (none)        OVERSIGHT_PRINCIPLES       principles = ".oversight/principles"
    model           --model       OVERSIGHT_MODEL            (never)

`oversight.toml` is written by the people whose changes are reviewed. It is therefore read from the base
revision (the caller reads it, this module gets bytes), and holds review settings alone: a secret, an address,
a database, a model, or leave to send code to an LLM is refused, with a word on where it belongs.

Why not pydantic-settings, which suits the server's settings: importing it takes 171-192 ms here (three runs,
two cores, Python 3.11; 143-184 ms of CPU in five more), an eighth of what a review may take from process start.
This module with tomllib takes 7-8 ms of CPU. Five settings do not need more, and an unknown key gets a better
answer here.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from oversight.errors import ConfigError

FILE_NAME = "oversight.toml"
FILE_LIMIT = 65_536
"""Bytes that a settings file may have."""

_PREFIX = "OVERSIGHT_"
_KNOWN = ("budget", "paths", "principles")
_KNOWN_PATHS = ("include", "exclude")
_GLOBS_LIMIT = 200
_GLOB_LIMIT = 300

_RUNNER = "the flags or the environment of whoever runs the review"
_ELSEWHERE = {
    "model": "--model or OVERSIGHT_MODEL",
    "database": "OVERSIGHT_DATABASE_URL",
    "database_url": "OVERSIGHT_DATABASE_URL",
    "webhook_secret": "OVERSIGHT_WEBHOOK_SECRET",
    "webhook_secret_previous": "OVERSIGHT_WEBHOOK_SECRET_PREVIOUS",
    "api_token": "OVERSIGHT_API_TOKEN",
    "github": "OVERSIGHT_GITHUB__APP_ID and its like",
    "api_url": "OVERSIGHT_GITHUB__API_URL",
    "server_url": "OVERSIGHT_GITHUB__SERVER_URL",
    "cache_dir": "OVERSIGHT_CACHE_DIR",
    "fail_on": "--fail-on",
    "format": "--format",
    "output": "--output",
}
_TELLTALE = (
    "secret", "token", "password", "passwd", "credential", "key", "url", "uri", "host", "endpoint", "database", "dsn",
    "llm", "claude", "anthropic", "openai", "send", "model", "command", "hook",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Paths:
    """Which files a review looks at: those that `include` names (all, where it is empty) without those of `exclude`.

    Patterns are relative to the repository's root; `*` and `?` stay within a folder, `**` is any number of
    folders, and a pattern that matches a folder takes everything below it. Case matters.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def covers(self, path: str) -> bool:
        """Whether a review looks at `path`.

        >>> paths = Paths(include=("src",), exclude=("**/generated/*.py",))
        >>> paths.covers("src/a.py"), paths.covers("docs/a.md"), paths.covers("src/x/generated/a.py")
        (True, False, False)
        """
        parts = path.split("/")
        included = not self.include or any(_matches(glob.split("/"), parts) for glob in self.include)
        return included and not any(_matches(glob.split("/"), parts) for glob in self.exclude)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a review was asked to do.

    `budget` is the percentage of changes that people are willing to read, 0 < budget <= 100. `principles`
    is a folder of the repository with principles of its own, to be read from the base revision. `model` is a
    name or a folder; None means the shipped one.
    """

    budget: float = 10.0
    paths: Paths = field(default_factory=Paths)
    principles: str | None = None
    model: str | None = None


def load(
    file: bytes | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    budget: float | None = None,
    include: Sequence[str] | None = None,
    exclude: Sequence[str] | None = None,
    principles: str | None = None,
    model: str | None = None,
) -> Settings:
    """Return the settings of a review; keyword arguments are flags, None where one was not given.

    `file` is the content of `oversight.toml` at the base revision, None where there is none; `environment` is
    that of the process unless given. An empty variable counts as unset, since that is what an unset input
    of a workflow becomes. ConfigError on anything that is not understood, whichever source it is in.
    """
    values = _from_file(file) if file is not None else {}
    values |= _from_environment(os.environ if environment is None else environment)
    flags = {
        "budget": budget,
        "paths.include": include,
        "paths.exclude": exclude,
        "principles": principles,
        "model": model,
    }
    for name, flag in flags.items():
        if flag is not None:
            values[name] = (f"--{name.rpartition('.')[2]}", flag)
    checked = {name: _CHECKS[name](source, value) for name, (source, value) in values.items()}
    paths = Paths(checked.pop("paths.include", ()), checked.pop("paths.exclude", ()))
    return Settings(paths=paths, **checked)


def _from_file(content: bytes) -> dict[str, tuple[str, Any]]:
    """Return each setting of the file with the name to call it by in an error."""
    import tomllib

    if len(content) > FILE_LIMIT:
        raise ConfigError(f"{FILE_NAME} has more than {FILE_LIMIT:,} bytes", mend="keep it to review settings")
    try:
        document = tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{FILE_NAME} is not UTF-8", mend="save it as UTF-8") from error
    except RecursionError as error:
        raise ConfigError(f"{FILE_NAME} is nested too deeply", mend="keep it to review settings") from error
    except ValueError as error:  # TOMLDecodeError, and Python's own limit on the digits of a number
        raise ConfigError(f"{FILE_NAME} is not TOML: {_shown(str(error), 200)}", mend="correct the file") from error
    _refuse_unknown(document, _KNOWN, "")
    paths = document.pop("paths", {})
    if not isinstance(paths, dict):
        raise ConfigError(f"{FILE_NAME}: paths is not a table", mend='write [paths] and below it include = ["src/**"]')
    _refuse_unknown(paths, _KNOWN_PATHS, "paths.")
    flat = document | {f"paths.{name}": value for name, value in paths.items()}
    return {name: (f"{FILE_NAME}: {name}", value) for name, value in flat.items()}


def _from_environment(environment: Mapping[str, str]) -> dict[str, tuple[str, Any]]:
    values: dict[str, tuple[str, Any]] = {}
    for name in ("budget", "principles", "model"):
        variable = _PREFIX + name.upper()
        if environment.get(variable):
            values[name] = (variable, environment[variable])
    nested = f"{_PREFIX}PATHS__"
    given = {variable[len(nested) :].lower(): variable for variable in environment if variable.startswith(nested)}
    for name, variable in given.items():
        if name not in _KNOWN_PATHS:
            _refuse(f"{_shown(variable)} is no setting", name, _KNOWN_PATHS, nested, str.upper)
        if environment[variable]:
            values[f"paths.{name}"] = (variable, _listed(variable, environment[variable]))
    return values


def _listed(source: str, text: str) -> Any:
    """Return a list from a variable: a JSON array, or words between commas or newlines."""
    if not text.lstrip().startswith("["):
        return [word.strip() for word in text.replace("\n", ",").split(",") if word.strip()]
    import json

    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{source} is no JSON array", mend='write ["src/**", "lib/**"], or src/**,lib/**') from error


def _refuse_unknown(table: Mapping[str, Any], known: Sequence[str], prefix: str) -> None:
    for key in table:
        if key in known:
            continue
        name = key.lower().replace("-", "_")
        where = _ELSEWHERE.get(name) or (_RUNNER if any(word in name for word in _TELLTALE) else None)
        if where is not None and name not in known:
            raise ConfigError(
                f"{FILE_NAME} may not set {_shown(prefix + key)}: who writes it is who is reviewed",
                mend=f"use {where}",
            )
        _refuse(f"{FILE_NAME} sets {_shown(prefix + key)}, which is no setting", name, known, prefix)


def _refuse(message: str, name: str, known: Sequence[str], prefix: str, spell: Any = str) -> NoReturn:
    from difflib import get_close_matches

    near = get_close_matches(name[:100], known, n=1, cutoff=0.6)
    everything = ", ".join(prefix + spell(one) for one in known)
    mend = f"did you mean {prefix}{spell(near[0])}?" if near else f"the settings are {everything}"
    raise ConfigError(message, mend=mend)


def _budget(source: str, value: Any) -> float:
    try:
        # True is an int to Python; nobody means a budget of 1 % by it.
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not 0 < number <= 100:
        raise ConfigError(
            f"{source} is {_shown(str(value))}, which is no budget",
            mend="give the percentage of changes that people can read, above 0 and at most 100",
        )
    return number


def _globs(source: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(one, str) for one in value):
        raise ConfigError(f"{source} is no list of patterns", mend='write ["src/**", "lib/**"]')
    if len(value) > _GLOBS_LIMIT:
        raise ConfigError(f"{source} has more than {_GLOBS_LIMIT} patterns", mend="name folders instead of files")
    return tuple(_glob(source, one) for one in value)


def _glob(source: str, glob: str) -> str:
    parts = glob.rstrip("/").split("/")
    wrong = (
        f"has more than {_GLOB_LIMIT} characters" if len(glob) > _GLOB_LIMIT
        else "starts with !, which means nothing here: use paths.exclude" if glob.startswith("!")
        else "has a backslash: folders are separated by /" if "\\" in glob
        else "is empty, starts with / or has an empty, . or .. part: name it from the repository's root"
        if any(part in {"", ".", ".."} for part in parts)
        else "has ** inside of a name: write **/*.py for all .py files"
        if any("**" in part and part != "**" for part in parts)
        else None
    )  # fmt: skip
    if wrong is not None:
        what, _, mend = wrong.partition(": ")
        raise ConfigError(f"{source}: the pattern {_shown(glob)} {what}", mend=mend or "shorten it")
    return "/".join(parts)


def _folder(source: str, value: Any) -> str:
    """Check a folder of the repository: relative, downwards, and nothing that git could take for an option."""
    parts = value.rstrip("/").split("/") if isinstance(value, str) and len(value) <= _GLOB_LIMIT else [""]
    plain = all(part not in {"", ".", ".."} and part.isprintable() for part in parts)
    if not plain or "\\" in value or ":" in value or value.startswith("-"):
        raise ConfigError(
            f"{source} is {_shown(str(value))}, which is no folder of the repository",
            mend="name it from the repository's root, such as .oversight/principles",
        )
    return "/".join(parts)


def _model(source: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ConfigError(f"{source} names no model", mend="give the name of a model or the folder it is in")
    return value


_CHECKS: dict[str, Any] = {
    "budget": _budget,
    "paths.include": _globs,
    "paths.exclude": _globs,
    "principles": _folder,
    "model": _model,
}


def _matches(glob: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether the pattern matches the path or a folder above it.

    Goes through the path once with the set of places in the pattern that may come next: a pattern full of
    `**` costs no more than its length for each folder, whatever the path.
    """
    from fnmatch import fnmatchcase

    places = _with_skipped({0}, glob)
    for part in parts:
        if len(glob) in places:
            return True
        onward = (
            place if glob[place] == "**" else place + 1
            for place in places
            if glob[place] == "**" or fnmatchcase(part, glob[place])
        )  # fmt: skip
        places = _with_skipped(onward, glob)
    return len(glob) in places


def _with_skipped(places: Iterable[int], glob: Sequence[str]) -> set[int]:
    """Add the places behind every `**`, which may stand for no folder at all."""
    reached: set[int] = set()
    for place in places:
        reached.add(place)
        while place < len(glob) and glob[place] == "**":
            place += 1
            reached.add(place)
    return reached


def _shown(text: str, limit: int = 80) -> str:
    """Return hostile text in quotes, as printable ASCII; `oversight.reports.escape` is a layer above."""
    return ascii(text if len(text) <= limit else f"{text[:limit]}...")
