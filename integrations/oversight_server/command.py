"""`oversight serve`: the webhook server, until it is told to stop."""

from __future__ import annotations

from typing import Annotated

import typer

from oversight.errors import MissingExtraError


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; OVERSIGHT_HOST, otherwise 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Port, 0 for any; OVERSIGHT_PORT, otherwise 8000.")] = None,
) -> None:
    """Serve the webhooks of a GitHub App, and review what they tell of.

    Needs OVERSIGHT_WEBHOOK_SECRET; docs/SERVER.md lists all settings. Exits 0 when it is told to stop
    (SIGTERM, SIGINT), 2 where it cannot start.
    """
    try:
        from oversight_server.serving import run
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("oversight"):
            raise
        raise MissingExtraError("oversight serve", "server") from error
    run(host=host, port=port)
