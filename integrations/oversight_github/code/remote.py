"""A repository on a GitHub, as git reaches it, and the environment of a git that does.

git gets the machine's configuration here, unlike everywhere else, since proxies and certificates stand there; but no
hooks, no credential helper, no submodules, and one protocol. The token is in the environment alone.
"""

from __future__ import annotations

import base64
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from oversight.errors import UsageError

REPOSITORY = re.compile(r"(?!\.+/)[A-Za-z0-9._-]{1,100}/(?!\.+$)[A-Za-z0-9._-]{1,100}")
"""Names of repositories, "owner/name", of which no part leads anywhere else."""

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_KEPT = ("GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_SSL_CERT", "GIT_SSL_KEY", "GIT_PROXY_SSL_CAINFO")


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository on a GitHub, as git reaches it: by https, in tests on this machine. Raises UsageError otherwise."""

    server_url: str
    repository: str
    token: str | None

    def __post_init__(self) -> None:
        parts = urlsplit(self.server_url)
        # The exceptions are for tests: what stays on this machine crosses no wire.
        here = parts.scheme == "file" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        if parts.scheme != "https" and not here:
            raise UsageError("GITHUB_SERVER_URL is no https address", mend="a token is never sent in the clear")

    @property
    def url(self) -> str:
        """The repository's address, without a user or a token."""
        return f"{self.server_url}/{self.repository}"

    @property
    def place(self) -> Path:
        """A relative path of its own for each repository of each server."""
        owner, name = self.repository.split("/")
        host = urlsplit(self.server_url).netloc.replace(":", "_") or "local"
        return Path("github", host, owner, f"{name}.git")

    def environment(self, nothing: Path) -> dict[str, str]:
        """Return the environment of a git that talks to the server; at `nothing` there is no file."""
        settings = {
            "core.hooksPath": str(nothing), "core.fsmonitor": "false", "core.askPass": "", "credential.helper": "",
            "fetch.recurseSubmodules": "false", "fetch.unpackLimit": "1", "fetch.writeCommitGraph": "false",
            "gc.auto": "0", "maintenance.auto": "false", "protocol.version": "2", "http.lowSpeedLimit": "1000",
            "http.lowSpeedTime": "60",
        }  # fmt: skip
        # An empty header first: it takes away those that the machine's configuration adds.
        headers = ["", f"Authorization: Basic {basic(self.token)}"] if self.token is not None else [""]
        pairs = [*settings.items(), *((f"http.{self.url}.extraHeader", header) for header in headers)]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _KEPT}
        kept.pop("SSH_ASKPASS", None)
        given = {
            "GIT_CONFIG_COUNT": str(len(pairs)), "GIT_TERMINAL_PROMPT": "0", "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_ALLOW_PROTOCOL": urlsplit(self.server_url).scheme, "LC_ALL": "C", "LANGUAGE": "C",
        }  # fmt: skip
        for number, (key, value) in enumerate(pairs):
            given |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        return kept | given


def basic(token: str) -> str:
    """Return a token as the value of a header for git's HTTP, which wants a user before it."""
    return base64.b64encode(f"x-access-token:{token}".encode()).decode("ascii")
