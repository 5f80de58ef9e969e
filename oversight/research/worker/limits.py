"""What one training may use, by the kernel's own limits: for the life of the process, and of all that it starts."""

from __future__ import annotations

import resource
import sys
from dataclasses import dataclass

_MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one training: seconds of processor time, megabytes of address space (torch alone maps two thousand). Of one
    experiment: seconds by the clock.
    """

    cpu: int = 120
    memory: int = 6_000
    wall: float = 600.0


def bind(limits: Limits, *, written: bool) -> None:
    """Bind this process to its limits. One that runs a `written` method may start no others and write no files."""
    _set(resource.RLIMIT_CPU, limits.cpu)
    if sys.platform != "darwin":  # which has the name of this limit, and not the limit
        _set(resource.RLIMIT_AS, limits.memory * _MEGABYTE)
    _set(resource.RLIMIT_CORE, 0)
    if written:
        _set(resource.RLIMIT_FSIZE, 0)
        _set(resource.RLIMIT_NPROC, 0)


def _set(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (bound, bound))
