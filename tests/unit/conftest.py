"""Unit tests live in a world of fakes."""

from __future__ import annotations

import pytest

from bootstrap.worlds import InMemory


@pytest.fixture
def world() -> InMemory:
    """An empty world in memory, with its clock set by hand."""
    return InMemory()
