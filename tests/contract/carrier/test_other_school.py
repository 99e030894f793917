"""The carrier of the other school: under both contracts, and through a whole life of an account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from application.inbound_messages import DeliveryReceipt, InboundMessage
from bootstrap.worlds import InMemory
from domain.kernel import CarrierRef
from domain.lines import LineState, NumberTaken
from domain.messages import Status
from domain.values import Peer, PhoneNumber
from pico_testkit.contracts.carrier import NUMBER, PEER, CarrierWorld, Picture
from pico_testkit.contracts.messages import MessageCarrierContract
from pico_testkit.contracts.numbers import NumberProviderContract
from tests.contract.carrier.other_school import OtherSchool
from tests.support.actors import PASSWORD, Person, sign_up

ASKED_AGAIN = timedelta(hours=1)
"""By then a job that was put off is due again."""


class OtherSchoolWorld(CarrierWorld):
    """The other school, with hooks that fill the inbox."""

    unreachable = Peer("+15005550001")

    def __init__(self) -> None:
        super().__init__()
        self.toy = OtherSchool(lambda: self.now)
        self.numbers = self.carrier = self.toy
        self.toy.unreachable.add(self.unreachable)
        self.toy.on_message = self._note_message
        self.toy.on_receipt = self._note_receipt

    async def _note_message(self, message: InboundMessage) -> None:
        self.inbox.append((message.sender, message.to, message.body))
        self.proofs.append(message.line_id or message.received_at)

    async def _note_receipt(self, receipt: DeliveryReceipt) -> None:
        self.receipts.append((receipt.message_id, receipt.ref, receipt.status))

    def outage(self, *, on: bool) -> None:
        self.toy.outage = on

    def lose_next_answer(self) -> None:
        self.toy.lose_answers = 1

    def take(self, number: PhoneNumber) -> None:
        self.toy.taken.add(number)

    def lie(self) -> None:
        self.toy.lies = True

    def too_early(self) -> None:
        raise AssertionError("it deletes nothing")

    async def receive(
        self, sender: Peer, to: PhoneNumber, body: str, media: Sequence[Picture] = ()
    ) -> CarrierRef:
        assert not media, "it carries none"
        return await self.toy.receive(sender, to, body)

    async def settle(self) -> None:
        await self.toy.decide()
        await self.toy.deliver()


class TestOtherSchoolNumbers(NumberProviderContract):
    @pytest.fixture
    def world(self) -> OtherSchoolWorld:
        return OtherSchoolWorld()


class TestOtherSchoolMessages(MessageCarrierContract):
    @pytest.fixture
    def world(self) -> OtherSchoolWorld:
        return OtherSchoolWorld()


# ------------------------------------------------------------------------------------------------ a whole life


@pytest.fixture
def world() -> InMemory:
    """The product in memory before this carrier, whose webhooks lead to it."""
    world = InMemory()
    toy = OtherSchool(world.clock.now)
    world.carrier = toy  # type: ignore[assignment]  # the world is typed for the fake it starts with
    world.wire()
    toy.on_message = world.use_cases.receive_message
    toy.on_receipt = world.use_cases.apply_delivery_receipt
    return world


def carrier_of(world: InMemory) -> OtherSchool:
    carrier: object = world.carrier
    assert isinstance(carrier, OtherSchool)
    return carrier


async def ordered(world: InMemory, name: str = "ada", number: PhoneNumber = NUMBER) -> Person:
    """Sign up and order a line."""
    person = await sign_up(world, name)
    person.line = (await world.use_cases.buy_line(person.id, number, None, f"buy-{name}")).line
    assert person.line.is_ordering
    return person


async def state_of(world: InMemory, person: Person) -> LineState:
    return (await world.use_cases.read_line(person.id, person.line_id)).state


async def with_line(world: InMemory, name: str = "ada", number: PhoneNumber = NUMBER) -> Person:
    """Sign up, order a line, and wait until it is active."""
    person = await ordered(world, name, number)
    await carrier_of(world).decide()
    await world.advance(ASKED_AGAIN)
    assert await state_of(world, person) is LineState.ACTIVE
    return person


async def test_a_life_from_order_to_receipt(world: InMemory) -> None:
    carrier, ada = carrier_of(world), await ordered(world)
    await world.advance(ASKED_AGAIN)
    assert await state_of(world, ada) is LineState.ORDERING, "asked, and not decided"
    await carrier.decide()
    await world.advance(ASKED_AGAIN)
    assert await state_of(world, ada) is LineState.ACTIVE
    assert len(carrier.orders) == 1

    await carrier.receive(PEER, NUMBER, "incoming")
    sent = await ada.sends("outgoing", to=PEER)
    await world.settle()
    await carrier.deliver()
    assert (await world.use_cases.read_message(ada.id, sent.id)).status is Status.DELIVERED
    regretted = await ada.sends("regret", to=PEER)
    await world.settle()
    await world.use_cases.delete_message(ada.id, regretted.id)
    await world.advance(timedelta(days=3))
    assert sorted(await ada.inbox()) == ["incoming", "outgoing"]
    assert (await world.store.count_rows(ada.id))["messages"] == 2, "what was deleted here is gone here"
    assert len(carrier.messages) == 3, "and stays there"
    assert await world.queue.waiting() == 0, "nobody waits for what will never come"

    await world.use_cases.delete_account(ada.id, PASSWORD)
    await world.advance(timedelta(days=30))
    receipt = await world.ledger.receipt(await world.fingerprint(ada.id))
    assert receipt is not None
    assert receipt.facts["numbers_released"] == receipt.facts["numbers_unlisted"] == 1
    assert receipt.facts["copies_unsupported"] == 2
    assert "messages_deleted" not in receipt.facts, "nothing was"
    assert carrier.bill == 0
    assert not any((await world.store.count_rows(ada.id)).values())


async def test_a_webhook_about_an_order_completes_it_at_once(world: InMemory) -> None:
    carrier, ada = carrier_of(world), await ordered(world)
    carrier.on_order = world.use_cases.apply_order_change
    await carrier.decide()
    assert await state_of(world, ada) is LineState.ACTIVE
    await world.use_cases.apply_order_change(NUMBER)
    await world.use_cases.apply_order_change(PhoneNumber("+12025550199"))
    await world.advance(ASKED_AGAIN)
    assert await world.queue.waiting() == 0


async def test_an_order_that_is_refused_later_fails_the_line_and_frees_the_number(world: InMemory) -> None:
    carrier, ada = carrier_of(world), await ordered(world)
    carrier.taken.add(NUMBER)
    await carrier.decide()
    await world.advance(ASKED_AGAIN)
    assert await state_of(world, ada) is LineState.FAILED
    assert carrier.bill == 0
    with pytest.raises(NumberTaken):
        await world.use_cases.buy_line(ada.id, NUMBER, None, "buy-ada")
    carrier.taken.clear()
    again = (await world.use_cases.buy_line(ada.id, NUMBER, None, "another key")).line
    await carrier.decide()
    await world.advance(ASKED_AGAIN)
    assert (await world.use_cases.read_line(ada.id, again.id)).state is LineState.ACTIVE


async def test_an_order_whose_answer_was_lost_is_placed_once_and_completed(world: InMemory) -> None:
    carrier = carrier_of(world)
    carrier.lose_answers = 1
    ada = await ordered(world)
    await world.advance(ASKED_AGAIN)
    await carrier.decide()
    await world.advance(ASKED_AGAIN)
    assert await state_of(world, ada) is LineState.ACTIVE
    assert len(carrier.orders) == carrier.bill == 1


@pytest.mark.parametrize("decided", ["before", "after"])
async def test_no_line_fails_while_the_carrier_bills_for_it(world: InMemory, decided: str) -> None:
    """An order placed twice is filled once: the refusal of the second says nothing about the first."""
    carrier, ada = carrier_of(world), await ordered(world)
    await carrier.order(NUMBER, ada.line_id)
    if decided == "before":
        await carrier.decide()
    await world.advance(ASKED_AGAIN)
    await carrier.decide()
    await world.advance(timedelta(hours=12))
    assert await state_of(world, ada) is LineState.ACTIVE
    assert carrier.bill == 1


async def test_an_account_is_not_erased_while_an_order_is_pending(world: InMemory) -> None:
    carrier, ada = carrier_of(world), await ordered(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    await world.advance(timedelta(days=31))
    assert await world.keyring.count(ada.id), "the number may yet be ours, and then it must be released"
    await carrier.decide()
    assert carrier.bill == 1
    for _ in range(3):
        await world.advance(timedelta(hours=12))
    assert carrier.bill == 0
    assert not await world.keyring.count(ada.id)


async def test_a_send_whose_answer_was_lost_is_repeated_under_its_key(world: InMemory) -> None:
    carrier, ada = carrier_of(world), await with_line(world)
    carrier.lose_answers = 1
    sent = await ada.sends("once", to=PEER)
    await world.settle()
    assert (await ada.keeps(sent.id)).ref is None
    await world.advance(ASKED_AGAIN)
    assert (await ada.keeps(sent.id)).ref in carrier.messages
    assert len(carrier.messages) == 1


async def test_a_send_is_not_repeated_once_its_key_may_have_been_forgotten(world: InMemory) -> None:
    carrier, ada = carrier_of(world), await with_line(world)
    carrier.lose_answers = 1
    sent = await ada.sends("at most once", to=PEER)
    await world.settle()
    carrier.outage = True
    await world.advance(timedelta(hours=25))
    carrier.outage = False
    carrier.by_key.clear()
    await world.advance(timedelta(hours=12))
    assert (await world.use_cases.read_message(ada.id, sent.id)).status is Status.UNCONFIRMED
    assert len(carrier.messages) == 1


async def test_a_message_from_before_the_lease_is_not_the_new_owners(world: InMemory) -> None:
    carrier, ada = carrier_of(world), await with_line(world)
    before = world.clock.now()
    await ada.gives_up()
    await world.advance(ASKED_AGAIN)
    boris = await with_line(world, "boris")
    await carrier.receive(PEER, NUMBER, "for Ada", at=before)
    await carrier.receive(PEER, NUMBER, "for Boris")
    assert await boris.inbox() == ["for Boris"]
    assert await ada.inbox() == []
