"""A carrier at its worst: wraps any other, and everything goes wrong that its port allows.

`chaos = Chaos()`, then `ChaosNumbers(numbers, chaos)` and `ChaosMessages(carrier, chaos)` in the place of what they
wrap, and `ChaosWebhooks(chaos, use_case)` between the carrier and each use case that its webhooks lead to. Writes are
done and their answer is lost, reads are not answered, numbers are gone before they are given back, and webhooks come
late, twice, in any order, and again long afterwards. All of it follows from the seed, which is printed: pytest shows it
where a test fails.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Generic, TypeVar

from typing_extensions import override

from application.ports.carrier_errors import CarrierUnavailable
from application.ports.message_carrier import FetchedMedia, ListedCopy, MessageCarrier, ReceivedCopy
from application.ports.numbers import (
    AvailableNumber,
    CarrierNumber,
    HeldNumber,
    NumberOrder,
    NumberProvider,
)
from domain.kernel import CarrierRef, LineId, MessageId, PicoError
from domain.messages import Sent
from domain.money import Money
from domain.values import Capability, Country, MessageBody, Peer, PhoneNumber

R = TypeVar("R")
T = TypeVar("T")


@dataclass(slots=True)
class Chaos:
    """What goes wrong, and when: each thing with the probability `rate`, and nothing any more once it is `calm`."""

    seed: int = field(default_factory=lambda: random.randrange(1 << 32))  # noqa: S311 - not a secret
    rate: float = 0.15
    calm: bool = False
    happened: Counter[str] = field(default_factory=Counter)
    """How often what went wrong so far."""
    random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Say what it follows from."""
        self.random = random.Random(self.seed)  # noqa: S311 - not a secret
        print(f"chaos: seed {self.seed}")  # noqa: T201 - for whoever reads why a test failed

    def strikes(self, what: str) -> bool:
        """Tell whether this goes wrong now."""
        struck = not self.calm and self.random.random() < self.rate
        self.happened[what] += struck
        return struck

    async def read(self, ask: Awaitable[R]) -> R:
        """Answer a question, or do not. Raises CarrierUnavailable."""
        answer = await ask
        if self.strikes("not answered"):
            raise CarrierUnavailable
        return answer

    async def write(self, do: Callable[[], Awaitable[R]]) -> R:
        """Do something, or do not, or do it and let the answer be lost. Raises CarrierUnavailable."""
        if self.strikes("not heard"):
            raise CarrierUnavailable
        answer = await do()
        if self.strikes("charged but timed out"):
            raise CarrierUnavailable
        return answer


class ChaosNumbers(NumberProvider):
    """Any provider of numbers, at its worst. Its abilities are those of what it wraps."""

    name: ClassVar[str] = "chaos"

    def __init__(self, inner: NumberProvider, chaos: Chaos) -> None:
        """Wrap a provider."""
        self.number_abilities = inner.number_abilities
        self._inner, self._chaos = inner, chaos

    @override
    async def search(
        self,
        country: Country,
        *,
        area_code: str | None,
        contains: str | None,
        capabilities: frozenset[Capability],
        limit: int,
    ) -> list[AvailableNumber]:
        found = self._inner.search(
            country, area_code=area_code, contains=contains, capabilities=capabilities, limit=limit
        )
        return await self._chaos.read(found)

    @override
    async def order(self, number: PhoneNumber, line_id: LineId) -> NumberOrder:
        return await self._chaos.write(lambda: self._inner.order(number, line_id))

    @override
    async def find_order(self, number: PhoneNumber, line_id: LineId) -> NumberOrder | None:
        return await self._chaos.read(self._inner.find_order(number, line_id))

    @override
    async def release(self, ref: CarrierRef, line_id: LineId) -> None:
        """Give it back; now and then somebody has done so by hand a moment before."""
        if self._chaos.strikes("404 on release"):
            await self._inner.release(ref, line_id)
        await self._chaos.write(lambda: self._inner.release(ref, line_id))

    @override
    async def held_for(self, line_id: LineId) -> HeldNumber | None:
        return await self._chaos.read(self._inner.held_for(line_id))

    @override
    async def list_numbers(self) -> list[CarrierNumber]:
        return await self._chaos.read(self._inner.list_numbers())

    @override
    async def price(self, country: Country) -> Money | None:
        return await self._inner.price(country)

    @override
    async def owns(self, ref: CarrierRef, line_id: LineId) -> bool:
        return await self._chaos.read(self._inner.owns(ref, line_id))


class ChaosMessages(MessageCarrier):
    """Any carrier of messages, at its worst. Its abilities are those of what it wraps."""

    name: ClassVar[str] = "chaos"

    def __init__(self, inner: MessageCarrier, chaos: Chaos) -> None:
        """Wrap a carrier."""
        self.message_abilities = inner.message_abilities
        self._inner, self._chaos = inner, chaos

    @override
    async def send(
        self,
        message_id: MessageId,
        sender: PhoneNumber,
        to: Peer,
        body: MessageBody,
        media: Sequence[str] = (),
    ) -> Sent:
        return await self._chaos.write(lambda: self._inner.send(message_id, sender, to, body, media))

    @override
    async def find_by_pair(
        self,
        sender: PhoneNumber,
        to: Peer,
        body: MessageBody | None,
        since: datetime,
        until: datetime | None = None,
    ) -> list[Sent]:
        return await self._chaos.read(self._inner.find_by_pair(sender, to, body, since, until))

    @override
    async def look_up(self, ref: CarrierRef) -> Sent | None:
        return await self._chaos.read(self._inner.look_up(ref))

    @override
    async def delete_copy(self, ref: CarrierRef) -> None:
        await self._chaos.write(lambda: self._inner.delete_copy(ref))

    @override
    @asynccontextmanager
    async def fetch_media(self, ref: CarrierRef, position: int) -> AsyncIterator[FetchedMedia]:
        if self._chaos.strikes("not answered"):
            raise CarrierUnavailable
        async with self._inner.fetch_media(ref, position) as fetched:
            yield fetched

    @override
    async def list_copies(self, number: PhoneNumber) -> list[ListedCopy]:
        return await self._chaos.read(self._inner.list_copies(number))

    @override
    async def list_received(self, since: datetime) -> AsyncIterator[list[ReceivedCopy]]:
        """List it, or break off after any page."""
        async for page in self._inner.list_received(since):
            if self._chaos.strikes("not answered"):
                raise CarrierUnavailable
            yield page

    @override
    async def read_received(self, ref: CarrierRef) -> ListedCopy | None:
        return await self._chaos.read(self._inner.read_received(ref))

    @override
    async def list_message_refs(self, number: PhoneNumber) -> list[CarrierRef]:
        return await self._chaos.read(self._inner.list_message_refs(number))


class ChaosWebhooks(Generic[T]):
    """What a carrier tells by one kind of webhook: late, twice, in any order, and again at any later time.

    Nothing is lost: what was not taken, or not told yet, is told by `all`.
    """

    def __init__(self, chaos: Chaos, take: Callable[[T], Awaitable[None]]) -> None:
        """Lead to `take`."""
        self._chaos, self._take = chaos, take
        self._waiting: list[T] = []
        self.told: list[T] = []
        """Everything there was to tell, in its order."""

    async def __call__(self, event: T) -> None:
        """Tell of something, now or later. Never raises."""
        self.told.append(event)
        self._waiting.append(event)
        if not self._chaos.strikes("delayed"):
            await self.some()

    async def some(self) -> None:
        """Tell what waits, perhaps in another order, some of it twice, and perhaps something that was told before."""
        waiting, self._waiting = self._waiting, []
        if self._chaos.strikes("reordered"):
            self._chaos.random.shuffle(waiting)
        for event in waiting:
            await self._tell(event)
            if self._chaos.strikes("duplicated"):
                await self._tell(event)
        if self.told and self._chaos.strikes("replayed"):
            await self._tell(self._chaos.random.choice(self.told))

    async def all(self) -> None:
        """Tell what waits, and then everything again, from the last to the first."""
        await self.some()
        for event in reversed(self.told):
            await self._tell(event)

    async def _tell(self, event: T) -> None:
        try:
            await self._take(event)
        except PicoError:
            self._waiting.append(event)  # it comes again
