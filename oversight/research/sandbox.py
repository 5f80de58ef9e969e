"""Where code runs that a proposer wrote: bubblewrap, with namespaces of its own and nothing of ours in sight.

No network, no processes but its own, no capabilities, no environment, no way to write; of the file system Python, its
packages and this one, read only. What it learns from and what it predicts come and go by two pipes. Where bubblewrap is
missing, or may not make namespaces, such code is refused: it runs here or nowhere.
"""

from __future__ import annotations

import ctypes
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import oversight
from oversight.errors import ResearchError

NOWHERE = "/tmp"  # noqa: S108  # nothing is ever written there
"""A folder that is there, for libraries that ask for one."""

ENVIRONMENT: Mapping[str, str] = {
    "OMP_NUM_THREADS": "1",  # a training is one thread of one process; more would fight for the same cores
    "OPENBLAS_NUM_THREADS": "1",
    "PATH": "/usr/bin:/bin",
    "TORCHINDUCTOR_CACHE_DIR": NOWHERE,
}
"""All that a worker's environment has, in the sandbox and out of it."""

_SYSTEM = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache")
_KEYCTL = {"x86_64": 250, "aarch64": 219}  # the system call, which libc has no name for
_JOIN_SESSION_KEYRING = 1
_PATIENCE = 60  # seconds that the trial of the sandbox may take


def command(arguments: Sequence[str], *, hidden: Path | None = None) -> list[str]:
    """Return the command that runs Python with `arguments` in the sandbox.

    `ResearchError` where there is no sandbox to be had, or where `hidden`, the study's folder, would be seen in it.
    """
    program = _program()
    seen = _seen()
    # What is bound under the name of a link is what the link leads to.
    if hidden is not None and any(hidden.resolve().is_relative_to(path.resolve()) for path in seen):
        raise ResearchError(
            "the study lies where written methods may look",
            mend="start it in a folder outside of Python's and of this package's",
        )
    return [*_wrapped(program, seen), sys.executable, *arguments]


def apart() -> None:
    """Give this thread, and what it starts, a keyring of its own: namespaces share that of a session, in which one
    sandbox could leave to another what it was taught.
    """
    number = _KEYCTL.get(platform.machine())
    if sys.platform == "linux" and number is not None:
        ctypes.CDLL(None).syscall(ctypes.c_long(number), ctypes.c_long(_JOIN_SESSION_KEYRING), None)


@cache
def unavailable() -> str | None:
    """Return why there is no sandbox here, None where there is one."""
    program = shutil.which("bwrap")
    if program is None:
        return "bubblewrap is not installed"
    try:
        tried = subprocess.run(
            [*_wrapped(program, _seen()), sys.executable, "-I", "-c", "pass"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not run here: {type(error).__name__}"
    if tried.returncode:
        said = tried.stderr.decode("utf-8", "replace").strip().splitlines()
        return f"bubblewrap may not make namespaces here: {said[-1] if said else f'exit {tried.returncode}'}"
    return None


def _program() -> str:
    why = unavailable()
    if why is not None:
        raise ResearchError(f"a written method runs in a sandbox alone, and {why}", mend="install bubblewrap, on Linux")
    return shutil.which("bwrap") or "bwrap"


def _seen() -> tuple[Path, ...]:
    """Return what may be read: Python, its packages, and this one."""
    package = Path(oversight.__file__).resolve().parent
    wanted = [*map(Path, _SYSTEM), Path(sys.base_prefix), Path(sys.prefix), package]
    return tuple(dict.fromkeys(path for path in wanted if path.exists()))


def _wrapped(program: str, seen: Sequence[Path]) -> list[str]:
    binds = [argument for path in seen for argument in ("--ro-bind", str(path), str(path))]
    environment = [argument for name, value in ENVIRONMENT.items() for argument in ("--setenv", name, value)]
    return [
        program,
        "--unshare-all",
        "--unshare-user",  # in earnest: `all` goes on where there can be none
        "--disable-userns",
        "--die-with-parent",
        "--new-session",
        "--cap-drop", "ALL",
        "--uid", "65534",
        "--gid", "65534",
        "--clearenv",
        *environment,
        "--dev", "/dev",
        "--tmpfs", NOWHERE,
        *binds,  # after what they may lie in
        "--chdir", NOWHERE,
        "--remount-ro", "/dev",
        "--remount-ro", NOWHERE,
        "--remount-ro", "/",
    ]  # fmt: skip
