"""The erasure ledger of one machine: a file that only grows, one JSON record a line."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from adapters.outbound.local import files
from application.ports.ledger import Intent, LedgerBroken, LedgerUnavailable, NoIntent, Receipt

T = TypeVar("T")


@dataclass(slots=True)
class _Records:
    """What the file says. A dictionary keeps its order, so an intent's mark is its place."""

    intents: dict[bytes, Intent] = field(default_factory=dict)
    receipts: dict[bytes, Receipt] = field(default_factory=dict)
    added: bytes = b""

    def read(self, line: bytes) -> None:
        """Take in one record; raises ValueError, KeyError or TypeError for what `add` never wrote."""
        match json.loads(line):
            case {"intent": name, "keys": keys, "at": at}:
                intent = Intent(bytes.fromhex(name), keys, datetime.fromisoformat(at))
                self.intents[intent.fingerprint] = intent
            case {"completed": name, "facts": facts, "signature": signature} if (
                bytes.fromhex(name) in self.intents
            ):
                receipt = Receipt(bytes.fromhex(name), facts, bytes.fromhex(signature))
                self.receipts[receipt.fingerprint] = receipt
            case _:
                raise ValueError

    def intend(self, intent: Intent) -> int:
        name = intent.fingerprint
        if name not in self.intents:
            self.add({"intent": name.hex(), "keys": intent.keys, "at": intent.at.isoformat()})
        return list(self.intents).index(name) + 1

    def finish(self, receipt: Receipt) -> Receipt:
        name = receipt.fingerprint
        if name not in self.intents:
            raise NoIntent
        if name not in self.receipts:
            self.add({"completed": name.hex(), "facts": receipt.facts, "signature": receipt.signature.hex()})
        return self.receipts[name]

    def add(self, record: Mapping[str, object]) -> None:
        self.added = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        self.read(self.added)


class LocalLedger:
    """`ErasureLedger` in one file, mode 0600, of a folder; several processes may share it.

    A record counts once its line has ended. A last line that a crash left torn was never promised to anyone: it is
    not read, and the next writer cuts it off. Any other line that cannot be read raises LedgerBroken.
    """

    def __init__(self, folder: Path, key: bytes) -> None:
        """`key` signs receipts; nothing is read or written yet."""
        self._file = folder / "erasures.jsonl"
        self._key = key

    async def open_intent(self, intent: Intent) -> int:
        """See `ErasureLedger.open_intent`."""
        return await self._do(lambda records: records.intend(intent), write=True)

    async def complete(self, fingerprint: bytes, facts: Mapping[str, object]) -> Receipt:
        """See `ErasureLedger.complete`."""
        receipt = Receipt.signed(self._key, fingerprint, facts)
        return await self._do(lambda records: records.finish(receipt), write=True)

    async def receipt(self, fingerprint: bytes) -> Receipt | None:
        """See `ErasureLedger.receipt`."""
        return await self._do(lambda records: records.receipts.get(fingerprint))

    async def pending(self) -> list[Intent]:
        """See `ErasureLedger.pending`."""
        return await self._do(
            lambda records: [
                intent for name, intent in records.intents.items() if name not in records.receipts
            ]
        )

    async def since(self, mark: int) -> list[Intent]:
        """See `ErasureLedger.since`."""
        return await self._do(lambda records: list(records.intents.values())[mark:])

    async def high_water(self) -> int:
        """See `ErasureLedger.high_water`."""
        return await self._do(lambda records: len(records.intents))

    async def _do(self, act: Callable[[_Records], T], *, write: bool = False) -> T:
        """Do one thing to the records as they are in the file now, in a thread: it waits for a lock and the disk."""
        try:
            return await asyncio.to_thread(self._do_on_file, act, write=write)
        except OSError:
            raise LedgerUnavailable from None

    def _do_on_file(self, act: Callable[[_Records], T], *, write: bool) -> T:
        with files.locked(self._file.parent):
            text = self._file.read_bytes() if self._file.exists() else b""
            end = text.rfind(b"\n") + 1
            records = _parsed(text[:end])
            result = act(records)
            if write:
                self._append(end, records.added)
            return result

    def _append(self, end: int, line: bytes) -> None:
        """Write the line after `end`, where the last whole one ends, durably.

        Without a line too: what this call found may be of a process that was killed before it was durable.
        """
        file = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(file).st_size > end:
                os.ftruncate(file, end)
            left = memoryview(line)
            while left:
                left = left[os.write(file, left) :]
            os.fsync(file)
        finally:
            os.close(file)
        files.sync(self._file.parent)


def _parsed(text: bytes) -> _Records:
    records = _Records()
    try:
        for line in text.splitlines():
            records.read(line)
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    else:
        return records
    raise LedgerBroken  # outside the handler: the error above quotes the file
