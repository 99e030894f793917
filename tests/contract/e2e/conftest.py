"""What tests that start processes share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the database's user can reach, with a space in its name."""
    with tempfile.TemporaryDirectory(prefix="pico e2e ") as name:
        Path(name).chmod(0o755)
        yield Path(name)
