"""What promotion wrote down, read again, so that a model can be taught by it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oversight.audit import fields
from oversight.audit.fields import Fields
from oversight.errors import UsageError
from oversight.research.model import Configuration
from oversight.research.space import LARGEST_CODE, from_json

STAGE = "shadow"
"""Where everything that was promoted begins."""

_LARGEST = 8 * LARGEST_CODE + (
    1 << 20
)  # bytes; in JSON a character of code may take six, and evidence holds every query
_EVIDENCE = "evidence.json"
_WANTED: Fields = {
    "stage": fields.one_of(STAGE),
    "experiment": fields.like(r"e[0-9]{4,9}", "the name of an experiment"),
    "identity": fields.like(r"[0-9a-f]{16}", "the identity of a configuration"),
    "ledger": fields.OBJECT,
}
_AGAIN = "promote it again: oversight research promote STUDY --output FOLDER"


@dataclass(frozen=True)
class Promoted:
    """A configuration that was promoted, and its origin: `experiment`, `identity` and the head of the `ledger`."""

    configuration: Configuration
    origin: dict[str, str]


def read(path: Path) -> Promoted:
    """Return what stands in a method.json, of which the evidence beside it is.

    `UsageError` where one of them is missing or says something else, and for a method that a researcher wrote: its
    code runs in the sandbox alone.
    """
    configuration = from_json(_json(path))
    if configuration.code is not None:
        raise UsageError(
            "the method was written by a researcher, and runs in the sandbox alone",
            mend="read its method.py; what is good of it becomes a file of oversight/methods, which --method can name",
        )
    evidence = _json(path.with_name(_EVIDENCE))
    told = {name: evidence[name] for name in _WANTED if name in evidence}
    if reason := fields.amiss(told, _WANTED):
        raise UsageError(f"the evidence beside the method {reason}", mend=_AGAIN)
    head = told["ledger"].get("head")
    if not fields.SHA256.holds(head):
        raise UsageError("the evidence beside the method names no ledger", mend=_AGAIN)
    if told["identity"] != configuration.identity:
        raise UsageError("the evidence beside the method is of another one", mend=_AGAIN)
    return Promoted(configuration, {"experiment": told["experiment"], "identity": told["identity"], "ledger": head})


def _json(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            told = fields.load(file.read(_LARGEST).decode("utf-8"))
    except OSError as error:
        raise UsageError(
            f"{path.name} of the method cannot be read: {error.strerror or error}",
            mend="name the method.json that oversight research promote wrote, with its evidence.json beside it",
        ) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path.name} of the method is not JSON", mend=_AGAIN) from error
    if not isinstance(told, dict):
        raise UsageError(f"{path.name} of the method is no object", mend=_AGAIN)
    return told
