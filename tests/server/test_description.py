"""What the server says of itself in /openapi.json, held against what it does, by a tool that knows nothing else.

It finds answers that are not described and failures of the server. It does not find all that is wrong: what every
route has to refuse is in the tests of that route.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.server.conftest import settings_of
from tests.server.recorder import Recorder
from tests.server.test_api import BEARER, TOKEN
from tests.server.thread import Served

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    unsupported_method,
]  # fmt: skip


@pytest.fixture(scope="module")
def described(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The description of a server that runs."""
    folder = tmp_path_factory.mktemp("described")
    with Served(settings_of(folder, api_token=TOKEN, model=str(model)), Recorder()) as served:
        yield schemathesis.openapi.from_url(f"http://127.0.0.1:{served.port}/openapi.json")


# schemathesis's own integration with pytest reaches into parts of pytest that newer ones no longer have.
def attack(described: Any, examples: int, **options: Any) -> int:
    """Send requests to every operation that is described; how many operations these were."""
    operations = [result.ok() for result in described.get_all_operations()]
    for operation in operations:

        @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def attacked(case: Any) -> None:
            case.call_and_validate(checks=CHECKS, **options)

        attacked()
    return len(operations)


def test_the_server_does_what_it_says(described: Any) -> None:
    """For whoever may ask: every answer is one of those described, in the shape described."""
    assert attack(described, 60, headers=BEARER) >= 5


def test_and_to_whoever_may_not(described: Any) -> None:
    """Without a token, or with whatever the tool thinks of."""
    assert attack(described, 15) >= 5
