"""Identities that sort by time, and random ones."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from typing_extensions import override

from application.ports.clock import Clock
from application.ports.ids import Ids

MILLISECOND = timedelta(milliseconds=1)


class TimeOrderedIds(Ids):
    """UUIDv7 by RFC 9562, 6.2 method 1: milliseconds, a 12-bit counter within them, 62 random bits."""

    def __init__(self, clock: Clock) -> None:
        """Count within the milliseconds of `clock`."""
        self._clock = clock
        self._last = 0

    @override
    def new(self, after: datetime | None = None) -> UUID:
        """Return a UUIDv7 that sorts after every earlier one, even when the clock goes back."""
        present = self._clock.now()
        earliest = present if after is None or after <= present else after + MILLISECOND
        self._last = stamp = max(int(earliest.timestamp() * 1000) << 12, self._last + 1)
        milliseconds, counter = stamp >> 12, stamp & 0xFFF
        tail = int.from_bytes(os.urandom(8)) & (1 << 62) - 1
        return UUID(int=milliseconds << 80 | 0x7 << 76 | counter << 64 | 0b10 << 62 | tail)

    @override
    def random_id(self) -> UUID:
        return uuid4()

    @override
    def random_bytes(self) -> bytes:
        return os.urandom(32)
