"""The server in a thread of the test's own process: a real socket, and its parts within reach."""

from __future__ import annotations

import threading
import time
from typing import Self

from fastapi import FastAPI

from oversight_server.app import create_app
from oversight_server.dispatcher import Jobs
from oversight_server.listening import listen, server
from oversight_server.settings import Settings
from tests.server.client import Client


class Served(Client):
    """A server that answers as long as the block lasts, and a client of it; `app`: of another application."""

    def __init__(self, settings: Settings, jobs: Jobs | None, *, app: FastAPI | None = None) -> None:
        self.app = create_app(settings, jobs=jobs) if app is None else app
        self._socket = listen("127.0.0.1", 0)
        self._server = server(self.app, settings.connections)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)
        super().__init__(self._socket.getsockname()[1])

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(60)
        assert not self._thread.is_alive()
