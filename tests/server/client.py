"""GitHub's side of a webhook: signed requests to a server on loopback."""

from __future__ import annotations

import json
import socket
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

from oversight_server.signature import sign

SECRET = "a secret of the tests"
HOOKS = "/webhooks/github"
PULL = {
    "action": "opened",
    "number": 7,
    "pull_request": {"number": 7, "head": {"sha": "a" * 40}},
    "repository": {"full_name": "octo/repo"},
}


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The content as JSON."""
        return json.loads(self.content)


@dataclass
class Client:
    """Sends requests to a server on loopback, each over a connection of its own."""

    port: int
    secret: str = SECRET

    def request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, **options: Any
    ) -> Answer:
        """Send one request; `body` may be bytes or, for a chunked one, an iterator of them."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.connect()
            with suppress(BrokenPipeError, ConnectionResetError):  # the server answered without reading on
                connection.request(method, path, body, dict(headers or {}), **options)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a GET."""
        return self.request("GET", path, headers=headers)

    def deliver(
        self,
        payload: object = PULL,
        *,
        event: str = "pull_request",
        delivery: str | None = None,
        without: tuple[str, ...] = (),
        **headers: str,
    ) -> Answer:
        """Deliver a payload (bytes, or anything as JSON) as GitHub would; `headers` go before GitHub's, _ being -."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        sent = {
            "Content-Type": "application/json",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
            "X-Hub-Signature-256": sign(self.secret.encode(), body),
        }
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request("POST", HOOKS, body, {name: sent[name] for name in sent if name not in without})

    def raw(self, content: bytes) -> bytes:
        """Send bytes as they are, and return all that comes back until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(content)
            received = bytearray()
            while chunk := connection.recv(65_536):
                received += chunk
            return bytes(received)

    def metric(self, name: str, **labels: str) -> float | None:
        """The value of a metric, None where there is none."""
        from prometheus_client.parser import text_string_to_metric_families

        text = self.get("/metrics").content.decode()
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        found = [sample.value for sample in samples if sample.name == name and sample.labels == labels]
        return found[0] if found else None
