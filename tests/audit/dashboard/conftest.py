"""One small store and its dashboard, worked out once for all tests that only read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from oversight.audit.dashboard import Dashboard
from oversight.audit.store import Store
from tests.audit.dashboard.stores import whole


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store with something for every section."""
    path = tmp_path_factory.mktemp("dashboard") / "audit.db"
    with Store.open(f"sqlite:///{path}") as store:
        whole(store)
    return path


@pytest.fixture(scope="session")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Dashboard:
    """The dashboard of such a store."""
    with Store.open(f"sqlite:///{tmp_path_factory.mktemp('gathered')}/audit.db") as store:
        return whole(store)
