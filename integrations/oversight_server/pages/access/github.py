"""The login through GitHub: OAuth's web application flow, of which the browser alone keeps what it began with.

    /login/github            a random secret goes into a cookie; state and PKCE's verifier are made of it
    github.com/login/oauth   who is there says yes, and comes back with the state and a code
    …/callback               the state has to be that of the cookie; the code and the verifier become a token, the
                             token a name and a number, and then it is revoked

So a login that somebody else began cannot be ended in this browser, a code that was caught is of no use, and strangers
leave nothing in memory or database.
https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from typing import Literal

from oversight_github.client import Forbidden
from oversight_github.oauth import Identity, OAuth
from oversight_server.pages.access.roles import Roles
from oversight_server.pages.access.site import within

CALLBACK = "/login/github/callback"
SECONDS = 600
"""As long as GitHub's codes last."""

_COOKIE = re.compile(r"([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{0,2000})")
_CODE = re.compile(r"[A-Za-z0-9_-]{1,200}")


class GitHubLogin:
    """Lets in who GitHub says somebody is. `origin` is the pages' own, to which GitHub leads back.

    `public`: also those who have a role in nothing that the App is installed on, and may see what all the world may.
    """

    via: Literal["github"] = "github"

    def __init__(self, oauth: OAuth, origin: str, roles: Roles, *, public: bool = False) -> None:
        self.roles = roles
        self.public = public
        self.issuer = hashlib.sha256(f"github {oauth.server_url} {oauth.client_id}".encode()).hexdigest()
        self._oauth = oauth
        self._callback = f"{origin}{CALLBACK}"

    def begin(self, target: str) -> tuple[str, str]:
        """Return what goes into the browser's cookie, and the address at GitHub to go to."""
        secret = secrets.token_urlsafe(32)
        challenge = _text(hashlib.sha256(_made(secret, "verifier").encode()).digest())
        address = self._oauth.address(callback=self._callback, state=_made(secret, "state"), challenge=challenge)
        return f"{secret}.{_text(within(target).encode())}", address

    def state_holds(self, cookie: str | None, state: str | None) -> bool:
        """Whether a browser that has come back is the one that was sent. Costs a digest."""
        parts = _COOKIE.fullmatch(cookie or "")
        return parts is not None and hmac.compare_digest(_made(parts[1], "state").encode(), _bytes(state))

    def finish(self, cookie: str, code: str | None) -> tuple[Identity, str]:
        """Return who it is, and where they wanted to go. Raises GitHubError, Forbidden for a code that is none."""
        secret, _, target = cookie.partition(".")
        if code is None or not _CODE.fullmatch(code):
            raise Forbidden("no code of GitHub's came back", mend="begin the login again")
        identity = self._oauth.identity(code, callback=self._callback, verifier=_made(secret, "verifier"))
        return identity, within(_read(target))


def _made(secret: str, purpose: str) -> str:
    """Return what is made of a secret for one purpose; it tells neither the secret nor what serves another one."""
    return _text(hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).digest())


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _read(text: str) -> str | None:
    """Return what `_text` wrote, None for anything else: the browser has had it in hand."""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    except ValueError:
        return None


def _bytes(text: str | None) -> bytes:
    return (text or "").encode("utf-8", "surrogatepass")
