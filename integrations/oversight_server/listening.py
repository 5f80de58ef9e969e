"""One socket, uvicorn on it, and signals."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from oversight.errors import UsageError
from oversight.reports.escape import terminal

_KEEP_ALIVE = 15  # seconds
_GRACE = 10  # seconds for requests that are being answered; GitHub waits no longer
_LARGEST_HEAD = 32 * 1024
_HEAD = 15.0  # seconds in which the head of a request has to be there; twice that at most
_BACKLOG = 2048

_log = logging.getLogger("oversight.server")


def stay(app: FastAPI, listening: socket.socket, connections: int) -> None:
    """Serve `app` on a socket until SIGTERM or SIGINT, `connections` at once."""
    # uvicorn raises the signal that stopped it once more when all is done; a stop that was asked for is no failure.
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: None)
    address = listening.getsockname()
    _log.info("listening", extra={"fields": {"host": address[0], "port": address[1]}})
    # What there is by now stays. Going through all of it now and then would hold every delivery up for a tenth of a
    # second.
    gc.collect()
    gc.freeze()
    running = server(app, connections)
    running.run(sockets=[listening])
    if running.started:
        # Jobs that could not be waited for were handed on, and their threads wait for others: nobody waits for them.
        logging.shutdown()
        os._exit(0)


class Impatient(H11Protocol):
    """Closes connections on which no request comes, or its head too slowly: uvicorn waits for the first for ever, and
    as many as it takes at once would keep everybody else out.
    """

    _since = 0.0
    _look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._wait()

    def on_response_complete(self) -> None:
        """Wait for the next one."""
        self._since = self.loop.time()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._since = self._since or self.loop.time()
        self._look = self.loop.call_later(_HEAD, self._looked)

    def _looked(self) -> None:
        answering = self.cycle is not None and not self.cycle.response_complete
        if not answering and self.loop.time() - self._since >= _HEAD:
            self.transport.close()
        elif not self.transport.is_closing():
            self._wait()


def server(app: FastAPI, connections: int) -> uvicorn.Server:
    """Return uvicorn as it runs here.

    h11 reads the requests: unlike httptools it has a limit on their heads, and waits for no head that is larger. The
    loop is uvloop where there is one, that is anywhere but on Windows.
    """
    return uvicorn.Server(
        uvicorn.Config(
            app,
            loop="auto",
            http=Impatient,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=connections,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=_GRACE,
            h11_max_incomplete_event_size=_LARGEST_HEAD,
        )
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises UsageError where there is no such address, or it is taken."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {terminal(host, 100)} port {port}: {error.strerror}",
            mend="stop what listens there, or choose others with --host and --port",
        ) from None
