"""The world of tests, ours and other people's.

The whole product on fakes. The real one is `bootstrap.worlds.sandbox`.
"""

from __future__ import annotations

from datetime import timedelta

from adapters.inbound.worker import Worker
from adapters.outbound.memory.carrier import MemoryCarrier
from adapters.outbound.memory.directory import MemoryDirectory
from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.memory.ledger import MemoryLedger
from adapters.outbound.memory.mail import MemoryMail
from adapters.outbound.memory.queue import MemoryQueue
from adapters.outbound.memory.store import MemoryStore
from adapters.outbound.memory.system import CountingIds, FakeHasher, FakeTokens, HandClock
from adapters.outbound.system.fingerprints import AccountFingerprint
from adapters.outbound.system.numbering import PhonenumbersPlan
from application.retention import SweepResult
from bootstrap.container import NOTHING, Replaced, wire
from bootstrap.outside import Outside
from domain.retention import Retention


class InMemory:
    """The whole product on fakes, with a clock set by hand.

    `world = InMemory()`, then `await world.use_cases.sign_up(...)`.

    Jobs and sweeps happen when `settle` or `advance` is called, and only then.
    """

    def __init__(self, retention: Retention = Retention()) -> None:  # noqa: B008 - a frozen value
        """Make an empty world. Every part is an attribute, fault knobs included."""
        self.clock = HandClock()
        self.ids = CountingIds(self.clock)
        self.keyring = MemoryKeyring()
        self.queue = MemoryQueue(self.clock)
        self.store = MemoryStore(self.keyring, self.queue, self.ids)
        self.directory = MemoryDirectory(self.store)
        self.carrier = MemoryCarrier(self.clock.now)
        self.plan = PhonenumbersPlan()
        self.mail = MemoryMail()
        self.ledger = MemoryLedger(b"k" * 32)
        self.fingerprint = AccountFingerprint(self.keyring)
        self.hasher = FakeHasher()
        self.tokens = FakeTokens()
        self.retention = retention
        self.pause = timedelta()
        self.wire()

    def outside(self) -> Outside:
        """Return the parts the world has now, by port."""
        return Outside(
            store=self.store, directory=self.directory, queue=self.queue, keyring=self.keyring, numbers=self.carrier,
            carrier=self.carrier, plan=self.plan, mail=self.mail, ledger=self.ledger, fingerprint=self.fingerprint,
            hasher=self.hasher, tokens=self.tokens, clock=self.clock, ids=self.ids, retention=self.retention,
            pause=self.pause,
        )  # fmt: skip

    def wire(self, replaced: Replaced = NOTHING) -> None:
        """Put the use cases together, over the parts the world has now: to be called again after one was exchanged."""
        self.use_cases = wire(self.outside(), replaced)
        self.worker = Worker(self.use_cases, self.clock)

    async def settle(self) -> None:
        """Do every job that is due, and those they bring about."""
        await self.queue.drain(self.worker)

    async def advance(self, by: timedelta) -> SweepResult:
        """Move the clock, do what fell due, sweep once; return what the sweep did."""
        self.clock.advance(by)
        await self.settle()
        swept = await self.use_cases.sweep()
        await self.settle()
        return swept
