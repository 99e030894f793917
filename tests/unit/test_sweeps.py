"""What a sweep says it did: every purge counted, every failure too, and none of them holds up another."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.outbound.memory.system import HandClock
from application.ports.store import StoreUnavailable
from application.purge import PurgeResult, purge_each
from application.retention import BATCH, Sweep


async def fails_on_some(one: int) -> bool:
    match one:
        case 1 | 2:
            raise StoreUnavailable
        case 3 | 4 | 5:
            raise KeyError(one)
    return one < 10


async def test_purging_counts_what_went_and_what_failed_by_its_code() -> None:
    done = await purge_each([1, 2, 3, 4, 5, 6, 7, 10], fails_on_some)
    assert done == PurgeResult(2, Counter({StoreUnavailable.code: 2, "KeyError": 3}))


@dataclass(frozen=True)
class Purges:
    """Finds so many, or fails."""

    name: str
    result: PurgeResult | Exception

    async def __call__(self, _now: datetime, limit: int) -> PurgeResult:
        assert limit == BATCH
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


async def test_a_sweep_adds_up_what_its_purges_did() -> None:
    purges: Any = (
        Purges("a", PurgeResult(1, Counter({"x": 1}))), Purges("a", PurgeResult(2, Counter({"x": 2, "y": 1}))),
        Purges("b", StoreUnavailable()), Purges("b", StoreUnavailable()), Purges("c", KeyError()),
        Purges("c", KeyError()), Purges("a", PurgeResult(0)),
    )  # fmt: skip
    swept = await Sweep(purges, HandClock())()
    assert swept.counts == {"a": 3}
    assert swept.failed == {"x": 3, "y": 1, StoreUnavailable.code: 2, "KeyError": 2}
