"""Signatures as GitHub makes them."""

from __future__ import annotations

import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from oversight_server.signature import Signature, sign, well_formed

SECRETS = st.binary(min_size=1, max_size=100)


def test_the_example_of_the_documentation_holds():
    """GitHub's own example of a secret, a payload and their signature."""
    signed = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert sign(b"It's a Secret to Everybody", b"Hello, World!") == signed


@given(SECRETS, SECRETS, st.lists(st.binary(max_size=50)))
def test_a_body_in_pieces_is_signed_as_a_whole(secret: bytes, other: bytes, chunks: list[bytes]):
    """However a body arrives, what signs it under one of the secrets holds, and under no other secret."""
    signature = Signature([other, secret])
    for chunk in chunks:
        signature.update(chunk)
    body = b"".join(chunks)
    expected = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    assert sign(secret, body) == expected
    assert well_formed(expected)
    assert signature.holds(expected)
    assert not signature.holds(sign(secret, body + b"\n"))
    assert Signature([]).holds(expected) is False


@given(st.text(max_size=100))
def test_anything_else_is_no_signature(header: str):
    """What is not `sha256=` and 64 small hexadecimal digits is refused before a body is read."""
    assert not well_formed(header) or len(header) == 71
    assert not well_formed(f"sha256={header}") or len(header) == 64
