"""What proofs are about. Each fixture makes worlds; a saboteur hands over the same maker with something broken."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.contract.conftest import Postgres
from tests.support.harness import Anywhere, Databases, Worlds, in_memory, on_postgres, opened_in_memory
from tests.support.http_client import Edge, the_edge


@pytest.fixture
def world() -> Worlds:
    """Makes worlds in memory: for the rules of life, with the clock moved."""
    return in_memory


@pytest.fixture
def stored(postgres: Postgres, tmp_path: Path) -> Databases:
    """Opens worlds on PostgreSQL: for the rules at rest."""
    return partial(on_postgres, postgres, tmp_path)


@pytest.fixture(params=["memory", "postgres"])
def anywhere(request: pytest.FixtureRequest) -> Anywhere:
    """Opens worlds in memory, and again on PostgreSQL: for the rules of life that SQL has its part in."""
    honest: Anywhere = opened_in_memory if request.param == "memory" else request.getfixturevalue("stored")
    return honest


@pytest.fixture
def edge() -> Edge:
    """Makes the HTTP edge of a world: for what comes in from outside, and what is noted on the way."""
    return the_edge
