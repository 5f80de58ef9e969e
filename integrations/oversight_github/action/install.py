"""Makes the private environment that the Action runs in, and runs it there. Standard library alone.

    <tool cache>/oversight/<lock>-<Python>-<platform>/    a virtual environment, made once, found again by later jobs

Every file that pip installs has a sha256 in requirements.txt, and none is built: no code of a package runs on the way.
pip takes its addresses, proxies and certificates from the machine and the workflow, as it does everywhere, and nothing
else of its settings; the workspace is not where it runs.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import NoReturn

_HERE = Path(__file__).resolve().parent
LOCK = _HERE / "requirements.txt"
_DONE = "complete"
_WORKS_ON_OTHERS = (22, 3)
_FROM = (
    "INDEX_URL", "EXTRA_INDEX_URL", "FIND_LINKS", "NO_INDEX", "CERT", "CLIENT_CERT", "PROXY", "TRUSTED_HOST",
    "CACHE_DIR", "NO_CACHE_DIR", "CONFIG_FILE", "TIMEOUT", "DEFAULT_TIMEOUT", "RETRIES", "KEYRING_PROVIDER",
)  # fmt: skip
"""Settings of pip that say where packages come from; others could say where they go, or which."""

_INSTALL = (
    "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-compile",
    "--only-binary", ":all:", "--require-hashes", "--requirement", str(LOCK),
)  # fmt: skip


def main() -> None:
    """Make or find the environment, run the job in it, and end as the job ends."""
    try:
        python = environment(os.environ)
    except OSError as error:
        _fail(f"its environment cannot be made: {error.strerror or error}", "check the tool cache and the disk")
    sys.exit(subprocess.run([str(python), "-I", str(_HERE / "__main__.py")], check=False).returncode)


def environment(variables: Mapping[str, str]) -> Path:
    """Return the Python of the environment for this lock and this Python, which is made where it is missing."""
    place = _place(variables)
    found = _python(place)
    if (place / _DONE).is_file() and found.exists():
        return found
    # Made beside and moved there when it is whole: of two jobs at the same time one finds that of the other.
    fresh = Path(tempfile.mkdtemp(prefix="new-", dir=place.parent))
    try:
        _make(fresh, variables)
        (fresh / _DONE).touch()
        if place.exists() and not (place / _DONE).is_file():
            shutil.rmtree(place, ignore_errors=True)
        try:
            fresh.rename(place)
        except OSError:
            if not (place / _DONE).is_file():
                raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return found


def key() -> str:
    """Return the name of an environment: another lock, another Python or another machine has another one."""
    about = (LOCK.read_bytes(), sys.version.encode(), sys.base_prefix.encode(), platform.platform().encode())
    digest = hashlib.sha256(b"\0".join(about)).hexdigest()[:16]
    return f"{digest}-{sys.implementation.cache_tag}-{platform.system().lower()}-{platform.machine().lower()}"


def _place(variables: Mapping[str, str]) -> Path:
    """Return where the environment is or will be: the tool cache, or the job's folder where that cannot be written."""
    tools, temp = (variables.get(name) for name in ("RUNNER_TOOL_CACHE", "RUNNER_TEMP"))
    folder = Path(tools or temp or tempfile.gettempdir(), "oversight")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = Path(temp or tempfile.gettempdir(), "oversight")
        folder.mkdir(parents=True, exist_ok=True)
    return folder / key()


def _make(directory: Path, variables: Mapping[str, str]) -> None:
    settings = {name: value for name, value in variables.items() if not name.startswith(("PIP_", "PYTHON", "INPUT_"))}
    settings |= {f"PIP_{name}": variables[f"PIP_{name}"] for name in _FROM if f"PIP_{name}" in variables}
    settings |= {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
    _run([sys.executable, "-I", "-m", "venv", "--without-pip", str(directory)], settings)
    target = str(_python(directory))
    pip = [sys.executable, "-I", "-m", "pip", "--python", target]
    if not _pip_works_on_others():
        _run([target, "-I", "-m", "ensurepip", "--default-pip"], settings)
        pip = [target, "-I", "-m", "pip"]
    _run([*pip, *_INSTALL], settings)


def _pip_works_on_others() -> bool:
    """Whether this Python has a pip that can install into another one; unpacking one there takes seconds."""
    try:
        return tuple(map(int, metadata.version("pip").split(".")[:2])) >= _WORKS_ON_OTHERS
    except (metadata.PackageNotFoundError, ValueError):
        return False


def _run(command: Sequence[str], settings: Mapping[str, str]) -> None:
    done = subprocess.run(command, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        said = done.stdout.decode("utf-8", "replace").strip().splitlines() or ["nothing"]
        # Indented: what pip prints must not be taken for a command by the runner.
        print(*(f"    | {line}" for line in said[-30:]), sep="\n", flush=True)  # noqa: T201
        _fail(
            f"its packages cannot be installed (exit code {done.returncode})",
            "check that the runner reaches its package index; without one, set OVERSIGHT_PYTHON to a Python that has "
            "them, see docs/ACTION.md",
        )


def _python(directory: Path) -> Path:
    return directory / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _fail(what: str, mend: str) -> NoReturn:
    """Annotate what is wrong, set the outputs of a failure, and end with 2."""
    text = f"{what} ({mend})".replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    print(f"::error title=oversight::oversight could not start: {text}", flush=True)  # noqa: T201
    if os.environ.get("GITHUB_OUTPUT"):
        with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
            file.write("status=error\nflagged=true\n")
    sys.exit(2)


if __name__ == "__main__":
    main()
