"""What a child loads: what reviews need, and nothing that could go over the network or hold a secret."""

from __future__ import annotations

from tests.test_imports import HEAVY, loaded_by

NETWORKED = {
    "httpx", "tenacity", "pydantic", "starlette", "uvicorn", "dbos", "jwt", "cryptography", "prometheus_client",
    "multiprocessing",
}  # fmt: skip


def test_a_child_stays_light_and_knows_no_client() -> None:
    """No web framework, no client of GitHub, no database, no queue, no training."""
    program = "import oversight_server.children.child, oversight_server.children.work"
    assert not loaded_by(program) & {*HEAVY, *NETWORKED}
