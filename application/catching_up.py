"""The use case that takes in what no webhook told of: an outage of ours, or of the carrier's calls, loses nothing."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from application.inbound_messages import InboundMessage, ReceiveMessage, passing_over_the_erased, was_taken_in
from application.ports.catch_ups import CatchUps, CatchUpTurn
from application.ports.clock import Clock
from application.ports.directory import Directory
from application.ports.message_carrier import MessageCarrier, ReceivedCopy
from application.ports.store import Store
from domain.kernel import CarrierRef, ErrorKind, PicoError
from domain.values import PhoneNumber

EVERY = timedelta(seconds=30)
TURN = timedelta(minutes=1)
"""How long a turn lasts unless it is kept: so long nobody catches up after a process died at it."""
KEPT_EVERY = TURN / 3
LEFT_TO_WEBHOOKS = timedelta(seconds=15)
"""A younger message is left to its webhook, which is on its way."""
OVERLAP = timedelta(minutes=10)
"""How far before the last time is looked again: a carrier may list a message some minutes after it came."""
FURTHEST = timedelta(days=7)
"""How far is looked back at most, however long nobody caught up. What is older is found line by line."""
LINES_AT_ONCE = 8
MOST, MOST_PAGES = 20_000, 4_000
"""Messages taken in, and pages read, at one time; who missed more goes on with the next."""


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What catching up came to: messages that no webhook had brought, and what failed, by code.

    `unforeseen` are those of the errors that nobody foresaw, for whoever reports them.
    """

    taken_in: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    unforeseen: tuple[Exception, ...] = ()

    def __add__(self, other: CaughtUp) -> CaughtUp:
        """Put together what two carriers came to."""
        return CaughtUp(
            self.taken_in + other.taken_in, self.failed + other.failed, self.unforeseen + other.unforeseen
        )


@dataclass(slots=True)
class CatchUp:
    """Asks the carrier what came to any number of ours lately, and takes in what is missing as a webhook would.

    One process at a time does so; no other waits for it. While nothing is missing, it costs one request to the carrier,
    and the store is asked once about each message. One that cannot be taken in holds up no other.
    """

    store: Store
    directory: Directory
    carrier: MessageCarrier
    catch_ups: CatchUps
    clock: Clock
    receive_message: ReceiveMessage
    known: set[CarrierRef] = field(default_factory=set, init=False)
    """What this process need not look at again, of what is listed again and again for a while."""

    async def __call__(self) -> CaughtUp:
        """Catch up, if it is time. Repeating is harmless.

        Raises CarrierUnavailable, StoreUnavailable, ClocksDisagree: what was taken in stays, the next one goes on.
        """
        name, now = self.carrier.name, await self.clock.agreed()
        can = self.carrier.message_abilities.can_list_received
        turn = await self.catch_ups.take(name, now, now + TURN) if can else None
        if turn is None:
            return CaughtUp()
        until = now - LEFT_TO_WEBHOOKS
        try:
            async with self._kept(turn):
                missing, is_all = await self._missing(look_back(turn, now), until)
                caught_up = await self._take_in(missing)
        except PicoError:
            with suppress(PicoError):
                await self.catch_ups.keep(turn, self.clock.now() + EVERY)
            raise
        await self.catch_ups.keep(turn, self.clock.now() + EVERY, until if is_all else None)
        return caught_up

    @asynccontextmanager
    async def _kept(self, turn: CatchUpTurn) -> AsyncIterator[None]:
        """Keep the turn for as long as it takes."""

        async def keep() -> None:
            while True:
                await asyncio.sleep(KEPT_EVERY.total_seconds())
                with suppress(PicoError):  # if it is lost, two do the same for a while, and nothing twice
                    await self.catch_ups.keep(turn, self.clock.now() + TURN)

        keeping = asyncio.create_task(keep())
        try:
            yield
        finally:
            keeping.cancel()

    async def _missing(self, since: datetime, until: datetime) -> tuple[list[ReceivedCopy], bool]:
        """Return what is listed and not known here; and whether that is all."""
        missing: list[ReceivedCopy] = []
        listed: set[CarrierRef] = set()
        pages = 0
        async for page in self.carrier.list_received(since):
            pages += 1
            listed |= {copy.ref for copy in page}
            missing += [copy for copy in page if copy.at <= until and copy.ref not in self.known]
            if len(missing) >= MOST or pages == MOST_PAGES:
                return missing, False
        self.known &= listed
        return missing, True

    async def _take_in(self, missing: Iterable[ReceivedCopy]) -> CaughtUp:
        """Take in a few lines' at once, each line's in the order in which they came."""
        by_number: dict[PhoneNumber, list[ReceivedCopy]] = defaultdict(list)
        for copy in sorted(missing, key=lambda copy: copy.at):
            by_number[copy.number].append(copy)
        lines, done = iter(by_number.values()), [CaughtUp()]

        async def some_lines() -> None:
            for copies in lines:
                done.extend([await self._one(copy) for copy in copies])

        workers = [asyncio.create_task(some_lines()) for _ in range(LINES_AT_ONCE)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.wait(workers)
        return sum(done, CaughtUp())

    async def _one(self, copy: ReceivedCopy) -> CaughtUp:
        """Take in one message, unless it is known. Raises when store or carrier do not answer."""
        try:
            taken_in = not await self._is_known(copy) and await self._receive(copy)
        except PicoError as error:
            if error.kind in {ErrorKind.UNAVAILABLE, ErrorKind.FULL}:
                raise
            return CaughtUp(failed=Counter([error.code]))
        except Exception as error:  # noqa: BLE001 - one message must hold up no other
            return CaughtUp(failed=Counter([type(error).__name__]), unforeseen=(error,))
        self.known.add(copy.ref)
        return CaughtUp(int(taken_in))

    async def _receive(self, copy: ReceivedCopy) -> bool:
        """Hand it over as the webhook would have; tell whether it was for somebody."""
        told = copy.copy or await self.carrier.read_received(copy.ref)
        if told is None:
            return False
        at = told.at.replace(microsecond=999_999)  # carriers date by the second, leases begin within one
        message = InboundMessage(
            copy.ref, copy.number, told.peer, told.body, attachments=told.attachments, received_at=at
        )
        await self.receive_message(message)
        return await self._is_known(copy)

    async def _is_known(self, copy: ReceivedCopy) -> bool:
        """Tell whether it is held or was, by whoever leases the number now."""
        lease = await self.directory.line(copy.number, fresh=True)
        if lease is not None:
            async with passing_over_the_erased(self.store, lease, fresh=True):
                return await was_taken_in(self.store, lease.account_id, copy.ref)
        return False


def look_back(turn: CatchUpTurn, now: datetime) -> datetime:
    """Return from when on is looked: a little before where the last one came to, and no further than the bound."""
    furthest = now - FURTHEST
    return max(min(turn.caught_up_to or furthest, now) - OVERLAP, furthest)
