"""A process that takes a voicemail in dies at one step or another, by `kill -9`: the next one leaves it whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.voicemail_kills import kills

pytestmark = pytest.mark.xdist_group("kills")

KILLS = int(os.environ.get("PICO_VOICEMAIL_KILLS", "0"))
"""How often at each step; unless it is given, once at a few of them."""


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pico kills ") as name:
        Path(name).chmod(0o755)  # the database's user must reach it
        yield Path(name)


async def test_no_audio_is_lost_and_none_is_there_twice(folder: Path) -> None:
    told = list[str]()
    assert await kills(KILLS or 1, folder, told.append, every=1 if KILLS else 15) == 0, told
