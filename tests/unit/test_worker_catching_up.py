"""The loop that catches up goes on whatever happens, and tells operators counts and codes only."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import structlog

from adapters.inbound.worker import keep_catching_up
from application.catching_up import CaughtUp
from application.ports.carrier_errors import CarrierUnavailable


async def test_it_goes_on_after_every_failure_and_tells_what_was_missing() -> None:
    ends = iter(
        [CarrierUnavailable(), RuntimeError("+12025550143"), CaughtUp(3), CaughtUp(0, Counter(gone=2))]
    )
    over = asyncio.Event()

    async def catch_up() -> CaughtUp:
        match next(ends, None):
            case Exception() as error:
                raise error
            case CaughtUp() as caught_up:
                return caught_up
        over.set()
        return CaughtUp()

    with structlog.testing.capture_logs() as logged:
        looping = asyncio.create_task(keep_catching_up(catch_up, timedelta()))  # type: ignore[arg-type]
        await over.wait()
        looping.cancel()
    assert [entry["event"] for entry in logged] == [
        "catching up failed", "catching up failed", "messages without a webhook", "catching up failed",
    ]  # fmt: skip
    assert logged[0]["error"] == "carrier_unavailable"
    assert logged[2]["messages"] == 3
    assert logged[3]["failed"] == {"gone": 2}
    assert "+1202" not in str(logged)
