"""Who may have code sent to Claude: whoever runs oversight, by a flag or the environment; never the code itself.

`oversight.toml` is written by those whose changes are reviewed, and refuses such a setting (`oversight.config`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from oversight.errors import ConfigError, UsageError

VARIABLE = "OVERSIGHT_SEND_CODE"
KEY = "ANTHROPIC_API_KEY"

_WORDS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def given(flag: bool | None, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether code may be sent: as the flag says, or else the environment; not where neither says anything.

    Raises ConfigError for a word that is neither yes nor no.
    """
    if flag is not None:
        return flag
    word = environment.get(VARIABLE, "")
    if word and word.lower() not in _WORDS:
        raise ConfigError(f"{VARIABLE} is neither yes nor no", mend=f"set {VARIABLE}=1, or leave it out")
    return _WORDS.get(word.lower(), False)


def key(environment: Mapping[str, str] = os.environ) -> str:
    """Return the key of Claude from the environment. Raises UsageError where there is none."""
    found = environment.get(KEY, "").strip()
    if not found:
        raise UsageError(f"there is no key of Claude in {KEY}", mend=f"set {KEY}; a key is taken from nowhere else")
    return found
