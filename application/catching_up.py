"""The use case that takes in what no webhook told of: an outage of ours, or of the carrier's calls, loses nothing."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from application.inbound_messages import InboundMessage, ReceiveMessage, passing_over_the_erased
from application.ports.catch_ups import CatchUps, CatchUpTurn
from application.ports.clock import Clock
from application.ports.directory import Directory
from application.ports.message_carrier import MessageCarrier, ReceivedCopy
from application.ports.store import Store
from domain.kernel import CarrierRef, ErrorKind, PicoError
from domain.values import PhoneNumber

EVERY = timedelta(seconds=30)
"""Who finds something missing looks again sooner, once no webhook is waited for of what came meanwhile."""
TURN = timedelta(seconds=30)
"""How long a turn lasts unless it is kept: so long nobody catches up after a process died at it."""
KEPT_EVERY = TURN / 3
LEFT_TO_WEBHOOKS = timedelta(seconds=15)
"""A younger message is left to its webhook, which is on its way, unless older ones turn out to have had none."""
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
    and the store is asked once about each line's new ones. A message that cannot be taken in holds up no other.
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
                listed, is_all = await self._not_known(look_back(turn, now))
                caught_up = await self._take_in(copy for copy in listed if copy.at <= until)
                if caught_up.taken_in:  # no webhook came: none is waited for
                    caught_up += await self._take_in(copy for copy in listed if copy.at > until)
        except PicoError:
            with suppress(PicoError):
                await self.catch_ups.keep(turn, self.clock.now() + EVERY)
            raise
        goes_on = caught_up.taken_in or not is_all
        again = now + LEFT_TO_WEBHOOKS if goes_on else self.clock.now() + EVERY
        await self.catch_ups.keep(turn, again, until if is_all else None)
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

    async def _not_known(self, since: datetime) -> tuple[list[ReceivedCopy], bool]:
        """Return what is listed and was not looked at before; and whether that is all."""
        found: list[ReceivedCopy] = []
        listed: set[CarrierRef] = set()
        pages = 0
        async for page in self.carrier.list_received(since):
            pages += 1
            listed |= {copy.ref for copy in page}
            found += [copy for copy in page if copy.ref not in self.known]
            if len(found) >= MOST or pages == MOST_PAGES:
                return found, False
        self.known &= listed
        return found, True

    async def _take_in(self, listed: Iterable[ReceivedCopy]) -> CaughtUp:
        """Take in what is missing of a few numbers' at once, each number's in the order in which they came."""
        by_number: dict[PhoneNumber, list[ReceivedCopy]] = defaultdict(list)
        for copy in sorted(listed, key=lambda copy: copy.at):
            by_number[copy.number].append(copy)
        numbers, done = iter(by_number.items()), [CaughtUp()]

        async def some_numbers() -> None:
            for number, copies in numbers:
                done.append(await self._of(number, copies))

        workers = [asyncio.create_task(some_numbers()) for _ in range(LINES_AT_ONCE)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.wait(workers)
        return sum(done, CaughtUp())

    async def _of(self, number: PhoneNumber, copies: Sequence[ReceivedCopy]) -> CaughtUp:
        """Take in what is missing of one number's. Raises when store or carrier do not answer."""
        refs, done = [copy.ref for copy in copies], CaughtUp()
        try:
            held = await self._held(number, refs)
            self.known |= set(refs) if held is None else held
            missing = [copy for copy in copies if copy.ref not in self.known]
            for copy in missing:
                done += await self._one(copy)
            now_held = await self._held(number, [copy.ref for copy in missing]) if missing else None
        except Exception as error:  # noqa: BLE001 - one account must hold up no other
            return done + failure(error, len(copies))
        return done + CaughtUp(len(now_held or ()))

    async def _held(self, number: PhoneNumber, refs: Sequence[CarrierRef]) -> set[CarrierRef] | None:
        """Return those that are held by whoever leases the number now; None when nobody does."""
        lease = await self.directory.line(number, fresh=True)
        if lease is not None:
            async with (
                passing_over_the_erased(self.store, lease, fresh=True),
                self.store.begin(lease.account_id) as tx,
            ):
                return await tx.messages.known_refs(refs)
        return None

    async def _one(self, copy: ReceivedCopy) -> CaughtUp:
        """Take in one message. Raises when store or carrier do not answer."""
        try:
            await self._receive(copy)
        except Exception as error:  # noqa: BLE001 - one message must hold up no other
            return failure(error, 1)
        self.known.add(copy.ref)
        return CaughtUp()

    async def _receive(self, copy: ReceivedCopy) -> None:
        """Hand it over as the webhook would have; one that was taken in earlier stays as it is."""
        told = copy.copy or await self.carrier.read_received(copy.ref)
        if told is None:
            return
        at = told.at.replace(microsecond=999_999)  # carriers date by the second, leases begin within one
        message = InboundMessage(
            copy.ref, copy.number, told.peer, told.body, attachments=told.attachments, received_at=at
        )
        await self.receive_message(message)


def failure(error: Exception, messages: int) -> CaughtUp:
    """Count what failed. Raises the error if store or carrier do not answer: nothing else would succeed."""
    if not isinstance(error, PicoError):
        return CaughtUp(failed=Counter({type(error).__name__: messages}), unforeseen=(error,))
    if error.kind in {ErrorKind.UNAVAILABLE, ErrorKind.FULL}:
        raise error
    return CaughtUp(failed=Counter({error.code: messages}))


def look_back(turn: CatchUpTurn, now: datetime) -> datetime:
    """Return from when on is looked: a little before where the last one came to, and no further than the bound."""
    furthest = now - FURTHEST
    return max(min(turn.caught_up_to or furthest, now) - OVERLAP, furthest)
