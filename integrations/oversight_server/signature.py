"""Whether a delivery comes from who knows the secret: HMAC-SHA256 of the raw bytes, as `X-Hub-Signature-256` has it.

The digest grows with every chunk that is read, so that 25 MB never hold up other deliveries, and nothing of a body
is looked at before it holds. The older `X-Hub-Signature` is SHA-1, and is not asked for.
https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable

HEADER = "X-Hub-Signature-256"

_FORM = re.compile(r"sha256=[0-9a-f]{64}")


class Signature:
    """The digests of one body under every secret that is valid.

    >>> signature = Signature([b"It's a Secret to Everybody"])
    >>> signature.update(b"Hello, World!")
    >>> signature.holds("sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")
    True
    """

    def __init__(self, secrets: Iterable[bytes]) -> None:
        self._digests = [hmac.new(secret, digestmod=hashlib.sha256) for secret in secrets]

    def update(self, chunk: bytes) -> None:
        """Take the next bytes of the body."""
        for digest in self._digests:
            digest.update(chunk)

    def holds(self, header: str) -> bool:
        """Whether `header` signs what was taken so far; compared in constant time."""
        return any(hmac.compare_digest(f"sha256={digest.hexdigest()}", header) for digest in self._digests)


def well_formed(header: str | None) -> bool:
    """Whether the header can be a signature at all."""
    return header is not None and _FORM.fullmatch(header) is not None


def sign(secret: bytes, body: bytes) -> str:
    """Return the header that GitHub sends with `body`."""
    return f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}"
