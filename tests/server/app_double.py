"""A GitHub on which an App is installed, with keys that are made once."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from oversight_server.github_app import GitHubApp
from tests.github.double import Double
from tests.github.routes_app import Installed, install


@cache
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def pem() -> str:
    """The key as GitHub hands it out."""
    made = key().private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return made.decode()


def installed(github: Double) -> Installed:
    """Install an App on the double, which from now on lets in nobody else."""
    return install(github, Installed(key().public_key()))


def app_of(github: Double, app: Installed) -> GitHubApp:
    """The App as the server sees it; its waits take no time, and its clock is GitHub's."""
    return GitHubApp(app.app_id, pem(), api_url=github.url, sleep=github.slept.append, clock=lambda: app.clock())
