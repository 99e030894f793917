"""Where our own PostgreSQL keeps its files in these tests."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.postgres_server import start
from tests.contract.own_postgres.server import QUICK


@pytest.fixture
def folder() -> Iterator[Path]:
    """A state folder that everyone may pass, so that root too finds the database where it was asked for."""
    made = Path(tempfile.mkdtemp(prefix="pico test "))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """A database that every test finds stopped and leaves stopped: a start takes a tenth of making another."""
    made = Path(tempfile.mkdtemp())
    made.chmod(0o755)
    start(made / "data", settings=QUICK).stop()
    yield made / "data"
    shutil.rmtree(made)
