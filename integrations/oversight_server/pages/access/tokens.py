"""The login by a token, where browser and server are on one machine: who reads the terminal may see the store."""

from __future__ import annotations

import getpass
import hashlib
import hmac
import secrets
import threading
from typing import Literal

from oversight_server.pages.access.roles import Everything


class TokenLogin:
    """Lets one person in who knows the token, as `login`. Without a `token` one is made up, which is good once."""

    via: Literal["token"] = "token"

    def __init__(self, login: str, token: str | None = None) -> None:
        self.login = login
        self.once = token is None
        self.token = secrets.token_urlsafe(32) if token is None else token
        self.issuer = hashlib.sha256(f"token {self.token}".encode()).hexdigest()
        self.roles = Everything()
        self._spent = False
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"TokenLogin({self.login!r}, once={self.once})"

    def admits(self, given: str) -> bool:
        """Whether that is the token, compared in constant time; it may be spent by this."""
        # Of digests, since texts of two lengths, and of letters beyond ASCII, are not compared so.
        digests = (hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in (given, self.token))
        with self._lock:
            fits = hmac.compare_digest(*digests) and not self._spent
            self._spent = (fits and self.once) or self._spent
        return fits


def user_of_this_machine() -> str:
    """Return the name of who runs this process, as the system knows it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a number without a name, as in containers
        return "local"
