"""Settings that make no sense: what is wrong with them in one line, with the variable and without its value."""

from __future__ import annotations

import json
import os
import re

from pydantic import ValidationError
from pydantic_settings import SettingsError

from oversight.errors import ConfigError
from oversight.reports.escape import terminal

PREFIX = "OVERSIGHT_"
NESTED = "__"


def variable(*path: object) -> str:
    """Return the variable of a setting.

    >>> variable("github", "app_id")
    'OVERSIGHT_GITHUB__APP_ID'
    """
    return PREFIX + NESTED.join(str(name) for name in path).upper()


def no_json(error: SettingsError) -> ConfigError:
    """Return which variable should hold JSON and does not, without its value."""
    group = re.search(r'field "(\w+)"', str(error))
    name = variable(group[1]) if group else PREFIX
    below = sorted(one for one in os.environ if one.startswith(f"{name}{NESTED}") and not _is_json(os.environ[one]))
    named = [name] if not _is_json(os.environ.get(name, "{}")) else below
    return ConfigError(
        f"{terminal(', '.join(named) or name, 200)} is no JSON",
        mend=f"correct it, or set {name}{NESTED}… one by one; docs/SERVER.md has their names",
    )


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def refused(error: ValidationError) -> ConfigError:
    """Return what is wrong with the first setting, and how many others there are; no value is repeated."""
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    first = errors[0]
    name = terminal(variable(*first["loc"]), 100)
    others = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
    if first["type"] == "missing":
        return ConfigError(f"{name} is not set{others}", mend="see docs/SERVER.md; `openssl rand -hex 32` makes one")
    if first["type"] == "extra_forbidden":
        return ConfigError(f"{name} is no setting{others}", mend="see docs/SERVER.md for their names")
    reason = terminal(str(first["msg"]).removeprefix("Value error, "), 200)
    return ConfigError(f"{name}: {reason}{others}", mend="correct it; docs/SERVER.md says what it is for")
