"""The erasure ledger of one machine: a file that only grows, one record a line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from typing_extensions import override

from adapters.ledger import ChainedLedger, Records, parsed
from adapters.outbound.local import files
from application.ports.ledger import LedgerUnavailable

T = TypeVar("T")


class LocalLedger(ChainedLedger):
    """`ErasureLedger` in one file, mode 0600, of a folder; several processes may share it.

    A record counts once its line has ended. A last line that a crash left torn was never promised to anyone: it is
    not read, and the next writer cuts it off. A ledger that was cut short reads as an earlier one, which is for the
    restore gate to see.
    """

    def __init__(self, folder: Path, key: bytes) -> None:
        """Nothing is read or written yet."""
        super().__init__(key)
        self._file = folder / "erasures.jsonl"

    @override
    async def _use(self, act: Callable[[Records], T], *, write: bool = False) -> T:
        # In a thread: it waits for a lock and the disk.
        try:
            return await asyncio.to_thread(self._use_file, act, write=write)
        except OSError:
            raise LedgerUnavailable from None

    def _use_file(self, act: Callable[[Records], T], *, write: bool) -> T:
        with files.locked(self._file.parent):
            text = self._file.read_bytes() if self._file.exists() else b""
            end = text.rfind(b"\n") + 1
            records = parsed(text[:end], self._key)
            result = act(records)
            if write:
                files.append(self._file, end, records.added)
            return result
