"""A process that erases dies before or after one step or another, by `kill -9`: the next one leaves nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.erasure_kills import kills

pytestmark = pytest.mark.xdist_group("kills")

KILLS = int(os.environ.get("PICO_ERASURE_KILLS", "1"))
"""How often at each place."""


async def test_an_erasure_comes_to_its_end_wherever_it_was_cut_off(folder: Path) -> None:
    told = list[str]()
    assert await kills(KILLS, folder, told.append) == 0, told
    assert len(told) > 2 * 11, "not every step was cut off"
