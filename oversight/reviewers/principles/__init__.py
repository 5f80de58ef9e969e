"""The constitution: principles as data, and the weak reviewer that reads a change by them.

    Principles().review(change, context)      one Opinion for each principle that fires, with all its places
    load([directory])                         a repository's own principles, read from its base revision
    builtin()                                 the principles that are shipped

A principle is one TOML file below `constitution/` (`schema` says what it holds) and one file of annotated
examples below `tests/reviewers/principles/examples/`. No code names a principle.
"""

from __future__ import annotations

from oversight.reviewers.principles.constitution_files import builtin, load, parse_named
from oversight.reviewers.principles.model import Principle
from oversight.reviewers.principles.reviewer import Principles

__all__ = ["Principle", "Principles", "builtin", "load", "parse_named"]
