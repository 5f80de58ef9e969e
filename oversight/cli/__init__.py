"""The command line: one file a command, and the one place where errors become exit codes.

Exit codes: 0 reviewed; 1 flagged and `--fail-on flagged`; 2 the call or its input is wrong; 3 a change
could not be scored (fail closed, which covers our own bugs as well); 130 interrupted.

A command is a function in a module of this package, or a group of them, listed in `_COMMANDS`, or an entry point of the
group `oversight.commands`, or `oversight.commands.audit` for those of `oversight audit`, by which packages above this
one add theirs. Command modules import what is
heavy inside the function, so that `oversight --help` stays instant.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import cast

import typer

from oversight import __version__
from oversight.errors import OversightError, UsageError

_COMMANDS = ("review", "mine", "score", "label", "train", "pgr", "audit", "canary", "research", "doctor")
_INTERRUPTED = 130
_UNSCORED = 3
_INPUT_WRONG = 2


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"oversight {__version__}")
        raise typer.Exit


def build_app() -> typer.Typer:
    """Return the application with every command of this package and of the entry points."""
    app = typer.Typer(
        name="oversight",
        help="Which changes deserve a human, which hunks, and why.",
        invoke_without_command=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def _root(
        context: typer.Context,
        version: bool = typer.Option(  # noqa: ARG001  # its callback does the work
            False, "--version", help="Show the version and exit.", callback=_version, is_eager=True
        ),
    ) -> None:
        if context.invoked_subcommand is None:
            typer.echo(context.get_help(), err=True)
            raise typer.Exit(_INPUT_WRONG)

    for name in _COMMANDS:
        command = getattr(import_module(f"oversight.cli.{name}"), name)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    for entry in entry_points(group="oversight.commands"):
        app.command(entry.name)(loaded(entry))
    return app


def loaded(entry: EntryPoint) -> Callable[..., object]:
    """Return the command of another package, or one that says why it is missing: a broken package stops no review."""
    try:
        return cast("Callable[..., object]", entry.load())
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"

        def missing() -> None:
            """Cannot be loaded; running it says why."""
            raise UsageError(f"the command cannot be loaded: {reason}", mend="reinstall the package it comes from")

        return missing


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; whatever goes wrong becomes one line on stderr."""
    try:
        # Not `app(...)`: its main() has exit codes of its own for Ctrl-C and for a reader that has left.
        command = typer.main.get_command(build_app())
        with command.make_context("oversight", list(sys.argv[1:] if arguments is None else arguments)) as context:
            command.invoke(context)
    except OversightError as error:
        _complain(error.message, error.mend)
        return error.exit_code
    except typer.Exit as stop:
        return stop.exit_code
    except typer.TyperException as error:
        _complain(error.format_message().replace(": Value error, ", ": "), "see --help")  # the checker's own word
        return _INPUT_WRONG
    except (KeyboardInterrupt, typer.Abort):
        _complain("interrupted", "nothing is half-written: run it again, `score` with --resume")
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has left (`| head`): not an error, and stdout cannot be flushed any more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        mend = (
            "free some space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "check the path and its permissions"
        )
        _complain(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", mend)
        return _INPUT_WRONG
    except Exception as error:
        if os.environ.get("OVERSIGHT_DEBUG"):
            traceback.print_exc()
        _complain(
            f"internal error, nothing was reviewed: {type(error).__name__}: {error}",
            "please report it with the output of OVERSIGHT_DEBUG=1",
        )
        return _UNSCORED
    return 0


def _complain(message: str, mend: str) -> None:
    from oversight.reports.escape import terminal

    print(f"oversight: {terminal(message)} ({terminal(mend)})", file=sys.stderr)  # noqa: T201


def main() -> None:
    """Entry point of the `oversight` command."""
    sys.exit(run())
