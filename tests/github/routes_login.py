"""GitHub's side of a login by OAuth: its page where somebody says yes, and what codes and tokens are good for.

Who sits in front of the browser, and what they say, stands in `Registered`. The pages are beside the interface, at
/login/oauth, and are not in its description.
"""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import urlencode

from tests.github.double import route
from tests.github.exchange import Refusal, Reply, Request
from tests.github.routes_app import Code, Registered, app_of
from tests.github.world import JSON, World

_KNOWN = frozenset({"client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method"})


@route("GET", "/login/oauth/authorize")
def authorize(world: World, request: Request) -> Reply:
    registered, asked = app_of(world).oauth, request.query
    assert set(asked) == _KNOWN, f"GitHub knows no {set(asked) ^ _KNOWN}"
    if asked["client_id"] != registered.client_id or asked["redirect_uri"] != registered.callback:
        raise Refusal(404, "Not Found")
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43
    if registered.viewer is None:
        told = {"error": "access_denied", "state": asked["state"]}
    else:
        code = registered.code(Code(registered.viewer, asked["redirect_uri"], asked["code_challenge"]))
        told = {"code": code, "state": asked["state"]}
    return Reply(None, 302, {"location": f"{asked['redirect_uri']}?{urlencode(told)}"})


@route("POST", "/login/oauth/access_token")
def exchange(world: World, request: Request) -> Reply:
    """Refusals come with 200. Without being asked for JSON it answers a form."""
    registered = app_of(world).oauth
    told = _exchanged(registered, request.body)
    if "application/json" in request.accept:
        return Reply(told)
    return Reply(urlencode(told).encode(), headers={"content-type": "application/x-www-form-urlencoded"})


def _exchanged(registered: Registered, body: JSON) -> JSON:
    if (body["client_id"], body["client_secret"]) != (registered.client_id, registered.client_secret):
        return {"error": "incorrect_client_credentials"}
    code = registered.codes.pop(body["code"], None)
    if code is None:
        return {"error": "bad_verification_code"}
    if body.get("redirect_uri") != code.callback:
        return {"error": "redirect_uri_mismatch"}
    challenge = base64.urlsafe_b64encode(hashlib.sha256(body.get("code_verifier", "").encode()).digest())
    if challenge.decode().rstrip("=") != code.challenge:
        return {"error": "bad_verification_code"}
    return {"access_token": registered.token(code.login), "token_type": "bearer", "scope": ""}


@route("GET", "/user")
def user(world: World, request: Request) -> Reply:
    return Reply(world.user(_who(world, request)))


@route("GET", "/user/installations")
def installations(world: World, request: Request) -> Reply:
    """Those on what they have a role in; what all the world may read does not count."""
    known = [{"id": app_of(world).installation}] if _who(world, request) in world.permissions else []
    return Reply({"total_count": len(known), "installations": known})


@route("DELETE", "/applications/{client_id}/token")
def revoke(world: World, request: Request) -> Reply:
    registered = app_of(world).oauth
    word, _, given = request.headers.get("authorization", "").partition(" ")
    pair = f"{registered.client_id}:{registered.client_secret}"
    if word != "Basic" or base64.b64decode(given).decode() != pair:
        raise Refusal(401, "Requires authentication")
    if registered.tokens.pop(request.body["access_token"], None) is None:
        raise Refusal(404, "Not Found")
    return Reply(None, 204)


def _who(world: World, request: Request) -> str:
    login = app_of(world).oauth.tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
    if login is None:
        raise Refusal(401, "Bad credentials")
    return login
