"""The small trained student as a directory that a test may damage."""

from __future__ import annotations

from pathlib import Path

import pytest

from oversight.students import checkpoint


@pytest.fixture
def directory(files: dict[str, bytes], tmp_path: Path) -> Path:
    checkpoint.write(tmp_path / "model", files)
    return tmp_path / "model"
