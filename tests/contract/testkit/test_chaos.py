"""Random lives over a carrier at its worst, on both stores: whatever goes wrong, the same things hold at the end."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from adapters.outbound.memory.carrier import MemoryCarrier
from adapters.outbound.memory.message_carrier import CarrierCopy
from application.outbound_messages import Attempt, SendQueuedMessage
from application.ports.carrier_errors import CarrierUnavailable
from bootstrap.container import NOTHING, Replaced
from bootstrap.worlds import InMemory
from bootstrap.worlds.people import Person
from domain.kernel import LineId, MessageId, PicoError
from domain.lines import LineState
from domain.messages import Status
from domain.values import Peer
from pico_testkit import Chaos, ChaosMessages, ChaosNumbers, ChaosWebhooks
from tests.contract.conftest import Postgres
from tests.support.harness import on_postgres, opened_in_memory

LIVES = int(os.environ.get("PICO_CHAOS_LIVES", "2"))
"""Worlds lived through per store."""
ACTS = int(os.environ.get("PICO_CHAOS_ACTS", "25"))
"""Things done in each."""
FRIENDS = [Peer(f"+1310555{n:04}") for n in range(4)]
REPORTED = (Status.SENDING, Status.SENT, Status.DELIVERED, Status.FAILED)

Opens = Callable[..., AbstractAsyncContextManager[InMemory]]


class Counting(MemoryCarrier):
    """The fake, which remembers how often each message was sent, though its copies go."""

    def __init__(self, world: InMemory) -> None:
        super().__init__(world.clock.now)
        self.sent: Counter[MessageId] = Counter()

    @override
    def _keep(self, *given: Any, **named: Any) -> CarrierCopy:
        copy = super()._keep(*given, **named)
        if copy.message_id is not None:
            self.sent[copy.message_id] += 1
        return copy


@dataclass(slots=True)
class Life:
    """Somebody in it, and what they must see at the end."""

    person: Person
    received: list[str] = field(default_factory=list)
    is_leaving: bool = False
    keeps_line: bool = True
    """Whether nobody has given the line up, lost it, or deleted a conversation on it."""


@dataclass(slots=True)
class Lives:
    """A world, people in it, and everything that happens to them."""

    world: InMemory
    fake: Counting
    chaos: Chaos
    webhooks: list[ChaosWebhooks[Any]]
    people: list[Life] = field(default_factory=list)
    serial: int = 0

    async def act(self) -> None:
        """Do something that can be done; what is refused or not answered is refused."""
        often = [self.join, *(self.receive, self.send) * 3, *(self.report, self.wait) * 2, self.tell]
        seldom = [self.forget, self.give_up, self.lose, self.leave]
        chance = self.chaos.random
        with suppress(PicoError):
            await chance.choice(seldom if chance.random() < 0.12 else often)()

    async def join(self) -> None:
        if len(self.people) >= 5:
            return
        self.chaos.calm = True  # a line that is ordered by hand is offered again to whoever wants one
        person = await self.world.signed_up(f"person{len(self.people)}")
        [offer, *_] = [o for o in self.fake.on_offer if o.number not in self.fake.owners]
        self.chaos.calm = False
        self.people.append(Life(await person.with_line(offer.number)))

    def somebody(self) -> Life:
        """Choose one. Raises CarrierUnavailable when there is nobody."""
        if not self.people:
            raise CarrierUnavailable
        return self.chaos.random.choice(self.people)

    async def receive(self) -> None:
        life, friend = self.somebody(), self.chaos.random.choice(FRIENDS)
        self.serial += 1
        body, number = f"in {self.serial}", life.person.number
        line = await self.world.use_cases.read_line(life.person.id, life.person.line_id)
        if line.state is LineState.ACTIVE and self.fake.owners.get(number) == line.id and not life.is_leaving:
            life.received.append(body)
        await self.fake.receive(friend, number, body)

    async def send(self) -> None:
        self.serial += 1
        friend = self.chaos.random.choice(FRIENDS)
        await self.somebody().person.sends(f"out {self.serial}", to=friend)
        await self.world.settle()

    async def report(self) -> None:
        sent = [copy for copy in self.fake.messages.values() if not copy.came_in]
        if sent:
            copy = self.chaos.random.choice(sent)
            await self.fake.report(copy.ref, self.chaos.random.choice(REPORTED))

    async def wait(self) -> None:
        minutes = self.chaos.random.choice((1, 10, 90, 600))
        await self.world.advance(timedelta(minutes=minutes))

    async def tell(self) -> None:
        for webhook in self.webhooks:
            await webhook.some()

    async def forget(self) -> None:
        life = self.somebody()
        listed = await self.world.use_cases.list_conversations(life.person.id, None, None, 10)
        if listed.items:
            gone = self.chaos.random.choice(listed.items)
            await self.world.use_cases.delete_conversation(life.person.id, gone.id)
            life.keeps_line = False

    async def give_up(self) -> None:
        life = self.somebody()
        life.keeps_line = False
        await self.world.use_cases.release_line(life.person.id, life.person.line_id)

    async def lose(self) -> None:
        """Let the carrier take a number away, as it does when a bill was not paid."""
        held = list(self.fake.numbers.items())
        if held:
            ref, owned = self.chaos.random.choice(held)
            del self.fake.numbers[ref], self.fake.owners[owned.number]
            for life in self.people:
                life.keeps_line &= owned.line_id != life.person.line_id

    async def leave(self) -> None:
        life = self.somebody()
        life.is_leaving = True
        life.keeps_line = False
        await life.person.deletes_account()

    async def end(self) -> None:
        """Let nothing go wrong any more, everything arrive, and 32 days pass."""
        self.chaos.calm = True
        for by in (
            timedelta(minutes=10),
            timedelta(hours=8),
            timedelta(days=31),
            *(timedelta(hours=13),) * 6,
        ):
            for copy in [copy for copy in self.fake.messages.values() if not copy.came_in]:
                await self.fake.report(copy.ref, Status.DELIVERED)
            for webhook in self.webhooks:
                await webhook.all()
            await self.world.advance(by)

    async def check(self) -> None:
        """Assert what must hold."""
        held: set[LineId] = set()
        for life in self.people:
            if life.is_leaving:
                left = [
                    count for count in (await self.world.store.count_rows(life.person.id)).values() if count
                ]
                assert not left, "something is left of somebody, or came back by a webhook"
                assert (
                    await self.world.ledger.receipt(await self.world.fingerprint(life.person.id)) is not None
                )
                continue
            lines = (await self.world.use_cases.list_lines(life.person.id)).items
            held |= {line.id for line in lines if line.holds_number}
            seen = Counter(body for body in await life.person.inbox() if body.startswith("in "))
            assert all(count == 1 for count in seen.values()), "a message is there twice"
            if life.keeps_line and [line.state for line in lines] == [LineState.ACTIVE]:
                assert set(seen) >= set(life.received), "a message is missing"
        assert {owned.line_id for owned in self.fake.numbers.values()} == held, (
            "the carrier bills for other numbers"
        )
        assert not [message for message, count in self.fake.sent.items() if count > 1], (
            "a message was sent twice"
        )
        assert await self.world.queue.waiting() <= 2 * len(held), "something waits for what will never come"


async def lived_through(opens: Opens, acts: int, replaced: Replaced = NOTHING) -> Lives:
    """Live through a world, and check it."""
    async with opens(carrier=Counting) as world:
        fake, chaos = world.carrier, Chaos()
        assert isinstance(fake, Counting)
        world.carrier = ChaosMessages(fake, chaos)  # type: ignore[assignment]  # typed for the fake
        world.numbers = ChaosNumbers(fake, chaos)
        world.wire(replaced)
        messages = ChaosWebhooks(chaos, world.use_cases.receive_message)
        receipts = ChaosWebhooks(chaos, world.use_cases.apply_delivery_receipt)
        fake.on_message, fake.on_receipt = messages, receipts
        lives = Lives(world, fake, chaos, [messages, receipts])
        await lives.join()
        for _ in range(acts):
            await lives.act()
        await lives.end()
        await lives.check()
    return lives


@asynccontextmanager
async def in_memory(**parts: Any) -> AsyncIterator[InMemory]:
    async with opened_in_memory(**parts) as world:
        yield world


async def test_whatever_goes_wrong_the_same_holds_in_the_end() -> None:
    """`PICO_CHAOS_LIVES` and `PICO_CHAOS_ACTS` say how much is tried."""
    for _ in range(LIVES):
        await lived_through(in_memory, ACTS)


class Blind(SendQueuedMessage):
    """Asks again without looking."""

    async def _find(self, attempt: Attempt) -> None:
        return None


async def lives_with_a_blind_sender() -> None:
    for _ in range(30):
        await lived_through(in_memory, 60, {"send_queued_message": Blind})


async def test_a_product_that_does_not_look_before_it_asks_again_is_found_out() -> None:
    with pytest.raises(AssertionError, match="a message was sent twice"):
        await lives_with_a_blind_sender()


async def test_whatever_goes_wrong_the_same_holds_in_the_end_on_postgresql(
    postgres: Postgres, tmp_path: Path
) -> None:
    for life in range(max(LIVES // 2, 1)):
        folder = tmp_path / str(life)
        folder.mkdir()
        await lived_through(partial(on_postgres, postgres, folder), ACTS // 2)
