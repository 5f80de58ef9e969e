"""How the application runs: settings, logs, and a socket to listen on."""

from __future__ import annotations

from fastapi import FastAPI
from pydantic import SecretStr

from oversight_server import logs
from oversight_server.app import create_app
from oversight_server.listening import listen, stay
from oversight_server.settings import Settings, load


def run(*, host: str | None = None, port: int | None = None) -> None:
    """Serve until SIGTERM or SIGINT. Raises OversightError where it cannot start."""
    settings = load(host=host, port=port)
    logs.configure(settings.log_level, _secrets(settings))
    serve(create_app(settings), settings)


def serve(app: FastAPI, settings: Settings) -> None:
    """Serve `app` until SIGTERM or SIGINT. Raises UsageError where it cannot listen."""
    stay(app, listen(settings.host, settings.port), settings.connections)


def _secrets(settings: Settings) -> list[str]:
    """Return what no line of the log may show."""
    held = (settings.webhook_secret, settings.webhook_secret_previous, settings.api_token, settings.database_url,
            settings.github.private_key, settings.github.client_secret, settings.pages.token)  # fmt: skip
    return [secret.get_secret_value() for secret in held if isinstance(secret, SecretStr)]
