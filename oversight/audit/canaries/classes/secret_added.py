"""A secret is written into the code. It is none: its value is a digest of words that stand below, in no service's form.

A digest looks as random as a password does, everybody can compute it, and it opens nothing. Real services give their
keys a form of their own (`AKIA…`, `ghp_…`) by which scanners know them; these have none.

>>> secret("api_token").startswith(("AKIA", "gh", "sk")), len(secret("api_token"))
(False, 32)
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator

from oversight.audit.canaries.classes import Mutation
from oversight.audit.canaries.source import Edit, Site, Source

_WORDS = "oversight canary: this is no secret and opens nothing"
_NAMES = ("api_token", "auth_password", "service_secret", "admin_password", "signing_key_secret")


def secret(name: str) -> str:
    """A value that looks like a secret, for a constant of that name: 32 letters and digits of a digest of `_WORDS`."""
    digest = b64encode(hashlib.sha512(f"{_WORDS}, {name}".encode()).digest()).decode("ascii")
    return "".join(character for character in digest if character.isalnum())[:32]


def _sites(source: Source) -> Iterator[Site]:
    number = 0
    for node in source.nodes:
        form = source.dialect.secrets.get(node.type)
        indent = source.indent(node)
        if form is None or indent is None or node.has_error or not _plain(source.said(node)):
            continue
        end = source.text.find(b"\n", node.end_byte)
        if end < 0 or source.text[node.end_byte : end].strip(b" \t;\r"):
            continue
        name = _NAMES[(node.start_byte + number) % len(_NAMES)]
        number += 1
        ending = b"\r\n" if source.text[end - 1 : end] == b"\r" else b"\n"
        row = form.replace("{name}", name).replace("{value}", secret(name)).encode()
        yield (Edit(end + 1, end + 1, indent + row + ending),)


def _plain(said: str) -> bool:
    """Whether a statement declares or assigns something, on one row."""
    return "=" in said and "\n" not in said


MUTATION = Mutation("secret-added", "a password or token is written into the code", _sites, r"=")
