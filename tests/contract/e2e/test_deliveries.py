"""Webhooks that come twenty times, many at a time, to servers that are killed: each message, event and push once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.deliveries import deliveries

pytestmark = pytest.mark.xdist_group("kills")

MESSAGES, KILLS = (int(os.environ.get(f"PICO_DELIVERIES_{name}", "0")) for name in ("MESSAGES", "KILLS"))
"""How many; unless they are given, a few."""


async def test_each_message_is_there_once_told_of_once_and_woken_for_once(folder: Path) -> None:
    told = list[str]()
    assert await deliveries(MESSAGES or 40, KILLS or 2, folder, told.append) == 0, told
