"""The git side of a GitHub: repositories over HTTP on loopback, through git's own `http-backend`."""

from __future__ import annotations

import base64
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from tests.builders import clean_environment


class GitServer:
    """Serves the repositories below `root` as <url>/<owner>/<name>, to those who bring `token` where there is one.

    `asked` are the paths of all requests, refused ones included; `broken` lets every one of them fail.
    """

    def __init__(self, root: Path, token: str | None = None) -> None:
        self.root = root
        self.token = token
        self.asked: list[str] = []
        self.broken = False
        self._answers = threading.Event()
        self._answers.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def stalled(self) -> Iterator[None]:
        """For the length of the block it takes requests and answers none."""
        self._answers.clear()
        try:
            yield
        finally:
            self._answers.set()

    def wait(self) -> None:
        self._answers.wait(60)

    def admits(self, header: str) -> bool:
        if self.token is None:
            return True
        return header == "Basic " + base64.b64encode(f"x-access-token:{self.token}".encode()).decode()

    def backend(self, handler: BaseHTTPRequestHandler, body: bytes) -> bytes:
        """What `git http-backend` answers: headers and content, as CGI has them."""
        parts = urlsplit(handler.path)
        variables = {
            "GIT_PROJECT_ROOT": str(self.root), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query, "REQUEST_METHOD": handler.command, "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": handler.headers.get("content-type", ""), "REMOTE_ADDR": "127.0.0.1",
            "HTTP_CONTENT_ENCODING": handler.headers.get("content-encoding", ""),
            "GIT_PROTOCOL": handler.headers.get("git-protocol", ""),
            "GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "uploadpack.allowFilter", "GIT_CONFIG_VALUE_0": "true",
            "GIT_CONFIG_KEY_1": "safe.directory", "GIT_CONFIG_VALUE_1": "*",
        }  # fmt: skip
        done = subprocess.run(
            ["git", "http-backend"], input=body, capture_output=True, env=clean_environment(variables), check=False
        )
        return done.stdout


def _handler(server: GitServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(self.path)
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            server.wait()
            if server.broken:
                self.send_error(503)
                return
            if not server.admits(self.headers.get("authorization", "")):
                self.send_error(403)
                return
            head, _, content = server.backend(self, body).partition(b"\r\n\r\n")
            headers = [line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line]
            status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
            self.send_response(status)
            for name, value in headers:
                if name != "Status":
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815  # http.server's names

        def log_message(self, *_: object) -> None:
            pass

    return Handler
