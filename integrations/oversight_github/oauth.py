"""Who somebody is, by GitHub's word: a code of the web application flow becomes a token, the token a name.

The token is for this alone: it is revoked when the name is known, and stands in no file, log, `repr` or error. A code
is good once, so that nothing here is sent twice.
https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
"""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from oversight.reports.escape import terminal
from oversight_github.addresses import quoted, root
from oversight_github.client import HEADERS, certificates
from oversight_github.errors import SHOWN, Forbidden, GitHubError, Unavailable, failure, foreign

_TIMEOUT = httpx.Timeout(10.0)
_SECONDS = 20.0
_LARGEST = 1024 * 1024
_LONGEST = 100  # letters of a login
_HEADERS = {**HEADERS, "Accept": "application/json"}
_TOKEN = re.compile(r"[!-~]{1,1000}")  # what may stand in a header


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody on GitHub. `login` may change and be taken by somebody else, `account` never.

    `installations`: of the App, on what they have a role in; what all the world may read does not count.
    """

    login: str
    account: int
    installations: int


@dataclass(frozen=True, slots=True)
class OAuth:
    """An App at one GitHub. UsageError for addresses that are none, or not https."""

    client_id: str
    client_secret: str = field(repr=False)
    server_url: str
    api_url: str

    def __post_init__(self) -> None:
        for address in (self.server_url, self.api_url):
            root(address)

    def address(self, *, callback: str, state: str, challenge: str) -> str:
        """Return where a browser goes to say yes. `challenge`: the SHA-256 of the verifier, in base64url."""
        params = {
            "client_id": self.client_id,
            "redirect_uri": callback,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return str(httpx.URL(f"{root(self.server_url)}/login/oauth/authorize", params=params))

    def identity(self, code: str, *, callback: str, verifier: str) -> Identity:
        """Return who has said yes. Raises Forbidden for a code that GitHub does not take, GitHubError."""
        with httpx.Client(timeout=_TIMEOUT, verify=certificates(), headers=_HEADERS) as http:
            token = self._token(http, code, callback, verifier)
            try:
                return _identity(*(self._told(http, path, token) for path in ("/user", "/user/installations")))
            finally:
                self._revoke(http, token)

    def _told(self, http: httpx.Client, path: str, token: str) -> dict[str, Any]:
        request = http.build_request("GET", self._api(path), headers={"Authorization": f"Bearer {token}"})
        return _asked(http, request, hidden=token)

    def _api(self, path: str) -> str:
        return f"{root(self.api_url)}{path}"

    def _token(self, http: httpx.Client, code: str, callback: str, verifier: str) -> str:
        fields = {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "code": code,
            "redirect_uri": callback,
            "code_verifier": verifier,
        }
        request = http.build_request("POST", f"{root(self.server_url)}/login/oauth/access_token", data=fields)
        said = _asked(http, request, hidden=self.client_secret)
        # GitHub refuses with 200 and a word.
        if (error := said.get("error")) is not None:
            raise Forbidden(
                f"GitHub refused the login: {terminal(str(error), SHOWN)}",
                mend="log in again; if that does not help, check the client's id, its secret and its callback address",
            )
        token = said.get("access_token")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise foreign("a login without a token")
        return token

    def _revoke(self, http: httpx.Client, token: str) -> None:
        """Have GitHub forget the token. Where that fails it ends by itself within hours, and nobody has it."""
        address = self._api(f"/applications/{quoted(self.client_id)}/token")
        request = http.build_request("DELETE", address, json={"access_token": token})
        with suppress(GitHubError):
            _asked(http, request, hidden=token, auth=httpx.BasicAuth(self.client_id, self.client_secret))


def _asked(
    http: httpx.Client, request: httpx.Request, *, hidden: str, auth: httpx.BasicAuth | None = None
) -> dict[str, Any]:
    """Return the object that GitHub answers, empty where it answers nothing. Raises GitHubError without `hidden`."""
    what = f"{request.method} {terminal(request.url.path, SHOWN)}"
    try:
        response = http.send(request, stream=True, auth=auth)
        content = _content(response)
    except httpx.HTTPError as error:
        # From None: the chain leads to the request, and there are secrets.
        raise Unavailable(
            f"{what}: no answer ({type(error).__name__})",
            mend="check the network, the proxy and the addresses of GitHub",
        ) from None
    if not 200 <= response.status_code < 300:
        raise failure(
            what, response.status_code, response.headers, content, safe=False, now=time.time(),
            mask=lambda text: text.replace(hidden, "***"),
        )  # fmt: skip
    try:
        said = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise foreign("something that is no JSON object")
    return said


def _content(response: httpx.Response) -> bytes:
    began, content = time.monotonic(), bytearray()
    try:
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > _LARGEST or time.monotonic() - began > _SECONDS:
                raise foreign("more than it should")
    finally:
        response.close()
    return bytes(content)


def _identity(user: dict[str, Any], installed: dict[str, Any]) -> Identity:
    login, account, installations = user.get("login"), user.get("id"), installed.get("total_count")
    if not isinstance(login, str) or not 0 < len(login) <= _LONGEST or not login.isprintable():
        raise foreign("a user without a name")
    if not isinstance(account, int) or isinstance(account, bool):
        raise foreign("a user without a number")
    if not isinstance(installations, int):
        raise foreign("installations without their number")
    return Identity(login, account, installations)
