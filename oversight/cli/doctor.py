"""`oversight doctor`: what is installed, what is missing, and the mend."""

from __future__ import annotations

import json
import platform
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Annotated

import typer

_CORE = ("numpy", "onnxruntime", "GitPython", "tree-sitter", "safetensors")
_LOOP = ("uvloop",) if sys.platform != "win32" else ()  # which there is none of
_EXTRAS = {
    "train": ("torch", "transformers", "scikit-learn", "onnx"),
    "encoder": ("peft",),
    "audit": ("SQLAlchemy", "alembic", "psycopg"),
    "server": ("dbos", "fastapi", "prometheus-client", "pydantic-settings", "pygments", "pyjwt", "uvicorn", *_LOOP),
    "claude": ("anthropic",),
    "research": ("optuna",),
    "dask": ("distributed",),
    "plot": ("matplotlib",),
}


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report. `ok` None means optional and absent."""

    what: str
    ok: bool | None
    detail: str
    mend: str | None = None


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Say what is installed, what is missing, and how to mend it. Exit 2 if reviewing cannot work."""
    findings = [_python(), *_core(), _git(), _grammars(), _model(), _cache(), *_extras()]
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        marks = {True: "ok", None: "--", False: "!!"}
        for finding in findings:
            mend = f"  -> {finding.mend}" if finding.mend else ""
            typer.echo(f"{marks[finding.ok]:3}{finding.what:24}{finding.detail}{mend}")
    if any(finding.ok is False for finding in findings):
        raise typer.Exit(2)


def _python() -> Finding:
    return Finding("python", True, f"{platform.python_version()} on {sys.platform}")


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _core() -> list[Finding]:
    return [
        Finding(package, found is not None, found or "missing", None if found else "pip install oversight-review")
        for package in _CORE
        for found in [_installed(package)]
    ]


def _git() -> Finding:
    from oversight.changes.quarantine import git_version
    from oversight.errors import RepositoryError

    try:
        return Finding("git", True, git_version())
    except RepositoryError as error:
        return Finding("git", False, error.message, error.mend)


def _grammars() -> Finding:
    from oversight.changes.languages import LANGUAGES
    from oversight.changes.syntax.grammar import grammar_of

    missing = [language for language in LANGUAGES if find_spec(grammar_of(language).module) is None]
    if not missing:
        return Finding("grammars", True, f"all {len(LANGUAGES)} languages")
    # Code in these languages is still scored, from its text.
    return Finding("grammars", None, f"missing: {', '.join(missing)}", "reinstall oversight-review")


def _model() -> Finding:
    from oversight.errors import ModelError
    from oversight.students.runtime import load_named

    try:
        info = load_named("default").info
    except ModelError as error:
        return Finding("shipped model", False, error.message, error.mend)
    return Finding("shipped model", True, f"{info.name} {info.version}, sha256 {info.sha256[:12]}")


def _cache() -> Finding:
    from oversight.history.index import cache_directory

    directory = cache_directory()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / ".doctor"
        probe.touch()
        probe.unlink()
    except OSError as error:
        return Finding("cache", None, f"{directory}: {error.strerror}", "set OVERSIGHT_CACHE_DIR to a folder you own")
    return Finding("cache", True, str(directory))


def _extras() -> list[Finding]:
    findings = []
    for extra, packages in _EXTRAS.items():
        found = {package: _installed(package) for package in packages}
        missing = [package for package, at in found.items() if at is None]
        detail = ", ".join(f"{package} {at}" for package, at in found.items() if at) or "not installed"
        mend = f"pip install 'oversight-review[{extra}]'" if missing else None
        findings.append(Finding(f"extra {extra}", None if missing else True, detail, mend))
    return findings
