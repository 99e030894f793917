"""A process that takes in what was recorded dies at one step or another, by `kill -9`: the next one leaves it whole."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks import greeting_kills, voicemail_kills

pytestmark = pytest.mark.xdist_group("kills")

KILLS = int(os.environ.get("PICO_RECORDING_KILLS", "0"))
"""How often at each step; unless it is given, once at a few of them."""


@pytest.mark.parametrize("of", [voicemail_kills, greeting_kills], ids=["a voicemail", "a greeting"])
async def test_no_audio_is_lost_and_none_is_there_twice(folder: Path, of: ModuleType) -> None:
    told = list[str]()
    assert await of.kills(KILLS or 1, folder, told.append, every=1 if KILLS else 15) == 0, told
