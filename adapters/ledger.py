"""The erasure ledger as a chain of records, one JSON object a line, wherever they are kept.

Each record carries the head of all up to it, under the key: what was altered, put in, taken out or moved shows.
"""

from __future__ import annotations

import hmac
import json
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self, TypeVar

from typing_extensions import override

from application.ports.ledger import ErasureLedger, LedgerBroken, NoIntent
from domain.receipts import START, Intent, LedgerPosition, Receipt, chained

T = TypeVar("T")


@dataclass(slots=True)
class Records:
    """What the records say. A dictionary keeps its order, so an intent's mark is its place.

    `added` is the line that the last act added, empty if it added none.
    """

    intents: dict[bytes, Intent] = field(default_factory=dict)
    interim: dict[bytes, Receipt] = field(default_factory=dict)
    completed: dict[bytes, Receipt] = field(default_factory=dict)
    confirmed: dict[bytes, Receipt] = field(default_factory=dict)
    requests: dict[bytes, datetime] = field(default_factory=dict)
    heads: list[bytes] = field(default_factory=lambda: [START.head])
    """After no record, after the first one, and so on."""
    chained: bool = False
    added: bytes = b""
    key: bytes = b""

    def copied(self) -> Self:
        """Return records of their own that say the same."""
        return replace(
            self,
            intents=dict(self.intents),
            interim=dict(self.interim),
            completed=dict(self.completed),
            confirmed=dict(self.confirmed),
            requests=dict(self.requests),
            heads=list(self.heads),
        )

    def read(self, line: bytes) -> None:
        """Take in one record. Raises ValueError, KeyError or TypeError for what `add` never wrote."""
        record = json.loads(line)
        chain = record.pop("chain", None)
        head = chained(self.key, self.heads[-1], _line(record))
        if chain is None and self.chained:
            raise ValueError
        if chain is not None and not hmac.compare_digest(bytes.fromhex(chain), head):
            raise ValueError
        self.chained |= chain is not None  # a ledger may begin with records from before there was a chain
        self._take_in(record)
        self.heads.append(head)

    def _take_in(self, record: object) -> None:
        match record:
            case {"intent": name, "keys": keys, "at": at}:
                intent = Intent(bytes.fromhex(name), keys, datetime.fromisoformat(at))
                self.intents[intent.fingerprint] = intent
            case {"requested": name, "due": None}:
                self.requests.pop(bytes.fromhex(name), None)
            case {"requested": name, "due": due}:
                self.requests[bytes.fromhex(name)] = datetime.fromisoformat(due)
            case {"completed": name, "facts": facts, "signature": signature}:
                self._take(self.completed, Receipt(bytes.fromhex(name), facts, bytes.fromhex(signature)))
            case {"confirmed": name, "facts": facts, "signature": signature}:
                if bytes.fromhex(name) not in self.completed:
                    raise ValueError
                self._take(self.confirmed, Receipt(bytes.fromhex(name), facts, bytes.fromhex(signature)))
            case {"interim": name, "facts": facts, "signature": signature}:
                self._take(self.interim, Receipt(bytes.fromhex(name), facts, bytes.fromhex(signature)))
            case _:
                raise ValueError

    def _take(self, among: dict[bytes, Receipt], receipt: Receipt) -> None:
        if receipt.fingerprint not in self.intents:
            raise ValueError
        among[receipt.fingerprint] = receipt

    def intend(self, intent: Intent) -> int:
        """Record an intent, and return its mark."""
        name = intent.fingerprint
        if name not in self.intents:
            self.add({"intent": name.hex(), "keys": intent.keys, "at": intent.at.isoformat()})
        return list(self.intents).index(name) + 1

    def request(self, name: bytes, due_at: datetime | None) -> None:
        """Record when an account is to be erased, or that it is not."""
        if self.requests.get(name) != due_at:
            self.add({"requested": name.hex(), "due": due_at and due_at.isoformat()})

    def finish(self, receipt: Receipt) -> Receipt:
        """Record a receipt, and return the one that stands."""
        return self._keep("completed", self.completed, receipt)

    def sign_interim(self, receipt: Receipt) -> Receipt:
        """Record an interim receipt, and return the one that stands."""
        return self._keep("interim", self.interim, receipt)

    def confirm(self, receipt: Receipt) -> Receipt:
        """Record that an erasure is final. Raises NoIntent."""
        if receipt.fingerprint not in self.completed:
            raise NoIntent
        return self._keep("confirmed", self.confirmed, receipt)

    def _keep(self, word: str, among: Mapping[bytes, Receipt], receipt: Receipt) -> Receipt:
        name = receipt.fingerprint
        if name not in self.intents:
            raise NoIntent
        if name not in among:
            self.add({word: name.hex(), "facts": receipt.facts, "signature": receipt.signature.hex()})
        return among[name]

    def add(self, record: Mapping[str, object]) -> None:
        """Add a record to the chain."""
        head = chained(self.key, self.heads[-1], _line(record))
        self.added = _line({**record, "chain": head.hex()}) + b"\n"
        self.read(self.added)


class ChainedLedger(ErasureLedger):
    """`ErasureLedger` over records. A subclass keeps them."""

    def __init__(self, key: bytes) -> None:
        """`key` signs receipts and chains records."""
        self._key = key

    @abstractmethod
    async def _use(self, act: Callable[[Records], T], *, write: bool = False) -> T:
        """Do one thing to the records as they are now; with `write`, what it added is durable afterwards.

        Raises LedgerUnavailable, LedgerBroken, and what `act` raises.
        """

    @override
    async def open_intent(self, intent: Intent) -> int:
        return await self._use(lambda records: records.intend(intent), write=True)

    @override
    async def intent(self, fingerprint: bytes) -> Intent | None:
        return await self._use(lambda records: records.intents.get(fingerprint))

    @override
    async def note_request(self, fingerprint: bytes, due_at: datetime | None) -> None:
        await self._use(lambda records: records.request(fingerprint, due_at), write=True)

    @override
    async def requested(self, fingerprint: bytes) -> datetime | None:
        return await self._use(lambda records: records.requests.get(fingerprint))

    @override
    async def overdue(self, due_by: datetime) -> frozenset[bytes]:
        def late(records: Records) -> frozenset[bytes]:
            due = frozenset(name for name, at in records.requests.items() if at <= due_by)
            return due - records.intents.keys()

        return await self._use(late)

    @override
    async def complete(self, fingerprint: bytes, facts: Mapping[str, object]) -> Receipt:
        receipt = Receipt.signed(self._key, fingerprint, facts)
        return await self._use(lambda records: records.finish(receipt), write=True)

    @override
    async def sign_interim(self, fingerprint: bytes, facts: Mapping[str, object]) -> Receipt:
        receipt = Receipt.signed(self._key, fingerprint, facts)
        return await self._use(lambda records: records.sign_interim(receipt), write=True)

    @override
    async def interim(self, fingerprint: bytes) -> Receipt | None:
        return await self._use(lambda records: records.interim.get(fingerprint))

    @override
    async def receipt(self, fingerprint: bytes) -> Receipt | None:
        return await self._use(lambda records: records.completed.get(fingerprint))

    @override
    async def confirm(self, fingerprint: bytes, facts: Mapping[str, object]) -> Receipt:
        receipt = Receipt.signed(self._key, fingerprint, facts)
        return await self._use(lambda records: records.confirm(receipt), write=True)

    @override
    async def confirmation(self, fingerprint: bytes) -> Receipt | None:
        return await self._use(lambda records: records.confirmed.get(fingerprint))

    @override
    async def unconfirmed(self) -> list[Receipt]:
        return await self._use(
            lambda records: [
                receipt for name, receipt in records.completed.items() if name not in records.confirmed
            ]
        )

    @override
    async def position(self) -> LedgerPosition:
        return await self._use(lambda records: LedgerPosition(len(records.heads) - 1, records.heads[-1]))

    @override
    async def head_at(self, number: int) -> bytes | None:
        return await self._use(lambda records: records.heads[number] if number < len(records.heads) else None)

    @override
    async def pending(self) -> list[Intent]:
        return await self._use(
            lambda records: [
                intent for name, intent in records.intents.items() if name not in records.completed
            ]
        )

    @override
    async def since(self, mark: int) -> list[Intent]:
        return await self._use(lambda records: list(records.intents.values())[mark:])

    @override
    async def high_water(self) -> int:
        return await self._use(lambda records: len(records.intents))


def _line(record: Mapping[str, object]) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode()


def parsed(text: bytes, key: bytes) -> Records:
    """Return what these lines say. Raises LedgerBroken."""
    records = Records(key=key)
    for line in text.splitlines():
        taken_in(records, line)
    return records


def taken_in(records: Records, line: bytes) -> None:
    """Have records hold one more. Raises LedgerBroken."""
    try:
        records.read(line)
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    else:
        return
    raise LedgerBroken  # outside the handler: the error above quotes what was read
