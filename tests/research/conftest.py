"""The stub of Claude that tests on agents share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.claude_stub import Stub, served
from tests.research.researcher import proposing


@pytest.fixture(scope="module")
def account() -> Iterator[Stub]:
    with served(proposing) as stub:
        yield stub


@pytest.fixture
def stub(account: Stub) -> Stub:
    account.forget()
    account.reply = proposing
    return account
