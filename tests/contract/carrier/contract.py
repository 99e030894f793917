"""What every carrier promises, whichever stands behind the port."""

from __future__ import annotations

import traceback
from abc import ABC, abstractmethod
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from application.ports.carrier import (
    BadDestination,
    Carrier,
    CarrierRefused,
    CarrierUnavailable,
    NumberTaken,
    OptedOut,
    Purchase,
)
from domain.kernel import CarrierRef, LineId, MessageId, PicoError
from domain.messages import Status
from domain.values import Capability, Country, MessageBody, Peer, PhoneNumber

LINE = LineId(UUID("01890000-0000-7000-8000-000000000001"))
OTHER_LINE = LineId(UUID("01890000-0000-7000-8000-000000000002"))
MESSAGE = MessageId(UUID("01890000-0000-7000-8000-0000000000a1"))
OTHER_MESSAGE = MessageId(UUID("01890000-0000-7000-8000-0000000000a2"))
NUMBER, OTHER_NUMBER = PhoneNumber("+12025550143"), PhoneNumber("+14155550126")
PEER, OTHER_PEER = Peer("+13105550178"), Peer("+447700900461")
BODY = MessageBody("See you at café Ωmega, 7 o'clock & bring the keys 🗝️")
US, SMS = Country("US"), frozenset({Capability.SMS})
START = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)


class CarrierWorld(ABC):
    """A carrier, the network behind it, and us in front of it."""

    carrier: Carrier
    unreachable: Peer
    """A destination the carrier cannot reach."""

    def __init__(self) -> None:
        self.now = START
        self.inbox: list[tuple[str, str, str]] = []
        """Texts that came in to us: sender, our number, body."""
        self.reports: list[tuple[MessageId | None, CarrierRef, Status]] = []
        """Status reports that came in to us."""

    @abstractmethod
    def outage(self, *, on: bool) -> None:
        """Let nothing be done and nothing be answered."""

    @abstractmethod
    def lose_next_answer(self) -> None:
        """Let the next write be done, and its answer be lost."""

    @abstractmethod
    def take(self, number: PhoneNumber) -> None:
        """Let somebody else buy the number that is asked for next."""

    @abstractmethod
    def lie(self) -> None:
        """Let deletions be answered well and not be done."""

    @abstractmethod
    def too_early(self) -> None:
        """Let the next purge be put off."""

    @abstractmethod
    async def receive(self, sender: Peer, to: PhoneNumber, body: str) -> CarrierRef:
        """Let someone text a number of ours."""

    @abstractmethod
    async def settle(self) -> None:
        """Let every text under way arrive."""

    async def sent(self, message_id: MessageId = MESSAGE, to: Peer = PEER) -> CarrierRef:
        """Send a text that arrives."""
        sent = await self.carrier.send(message_id, NUMBER, to, BODY)
        await self.settle()
        return sent.ref


class CarrierContract:
    """Subclass it, and give the fixture `world`. `line` is a number already bought for LINE."""

    @pytest.fixture
    def world(self) -> CarrierWorld:
        raise NotImplementedError

    @pytest.fixture
    async def line(self, world: CarrierWorld) -> Purchase:
        return await world.carrier.buy(NUMBER, LINE)

    # ------------------------------------------------------------------------------------------ search

    async def test_a_search_shows_numbers_that_fit(self, world: CarrierWorld) -> None:
        found = await world.carrier.search(US, area_code="415", contains=None, capabilities=SMS, limit=5)
        assert len({offer.number for offer in found}) == 5
        for offer in found:
            assert offer.number.startswith("+1415")
            assert offer.country == US
            assert offer.capabilities >= SMS

    async def test_a_search_for_digits_shows_numbers_that_contain_them(self, world: CarrierWorld) -> None:
        found = await world.carrier.search(US, area_code=None, contains="55501", capabilities=SMS, limit=3)
        assert len(found) == 3
        assert all("55501" in offer.number for offer in found)

    async def test_a_search_that_nothing_fits_is_empty(self, world: CarrierWorld) -> None:
        assert (
            await world.carrier.search(US, area_code="202", contains="999999", capabilities=SMS, limit=5)
            == []
        )

    @pytest.mark.parametrize("country", ["ZZ", "IL", "", "US/../US"])
    async def test_a_country_without_numbers_is_empty(self, world: CarrierWorld, country: str) -> None:
        found = await world.carrier.search(
            Country(country), area_code=None, contains=None, capabilities=SMS, limit=5
        )
        assert found == []

    async def test_every_number_shown_can_be_bought_and_is_then_not_shown(self, world: CarrierWorld) -> None:
        for _ in range(3):
            [offer] = await world.carrier.search(
                US, area_code="646", contains=None, capabilities=SMS, limit=1
            )
            bought = await world.carrier.buy(offer.number, LINE)
            assert (bought.number, bought.capabilities) == (offer.number, offer.capabilities)

    # ------------------------------------------------------------------------------------- buy, release

    async def test_a_purchase_is_found_again_for_exactly_its_line_and_number(
        self, world: CarrierWorld, line: Purchase
    ) -> None:
        assert line.number == NUMBER
        assert await world.carrier.find_purchase(NUMBER, LINE) == line
        assert await world.carrier.find_purchase(NUMBER, OTHER_LINE) is None
        assert await world.carrier.find_purchase(OTHER_NUMBER, LINE) is None
        assert await world.carrier.owns(line.ref)

    async def test_a_number_bought_twice_is_taken(self, world: CarrierWorld, line: Purchase) -> None:
        with pytest.raises(NumberTaken):
            await world.carrier.buy(NUMBER, OTHER_LINE)
        assert await world.carrier.find_purchase(NUMBER, OTHER_LINE) is None
        assert await world.carrier.find_purchase(NUMBER, LINE) == line

    async def test_a_number_that_somebody_else_bought_meanwhile_is_taken(self, world: CarrierWorld) -> None:
        world.take(NUMBER)
        with pytest.raises(NumberTaken):
            await world.carrier.buy(NUMBER, LINE)
        assert await world.carrier.find_purchase(NUMBER, LINE) is None

    async def test_a_purchase_whose_answer_was_lost_is_found(self, world: CarrierWorld) -> None:
        world.lose_next_answer()
        with pytest.raises(CarrierUnavailable):
            await world.carrier.buy(NUMBER, LINE)
        found = await world.carrier.find_purchase(NUMBER, LINE)
        assert found is not None
        assert await world.carrier.owns(found.ref)

    async def test_a_purchase_during_an_outage_was_not_made(self, world: CarrierWorld) -> None:
        world.outage(on=True)
        with pytest.raises(CarrierUnavailable):
            await world.carrier.buy(NUMBER, LINE)
        world.outage(on=False)
        assert await world.carrier.find_purchase(NUMBER, LINE) is None

    async def test_a_release_is_read_back_and_may_be_repeated(
        self, world: CarrierWorld, line: Purchase
    ) -> None:
        await world.carrier.release(line.ref)
        assert not await world.carrier.owns(line.ref)
        assert await world.carrier.find_purchase(NUMBER, LINE) is None
        await world.carrier.release(line.ref)
        assert not await world.carrier.owns(line.ref)

    async def test_a_release_that_was_not_done_shows_when_read_back(
        self, world: CarrierWorld, line: Purchase
    ) -> None:
        world.lie()
        await world.carrier.release(line.ref)
        assert await world.carrier.owns(line.ref)
        assert await world.carrier.find_purchase(NUMBER, LINE) == line

    async def test_a_released_number_serves_its_next_line_only(
        self, world: CarrierWorld, line: Purchase
    ) -> None:
        await world.carrier.release(line.ref)
        again = await world.carrier.buy(NUMBER, OTHER_LINE)
        assert await world.carrier.find_purchase(NUMBER, OTHER_LINE) == again
        assert await world.carrier.find_purchase(NUMBER, LINE) is None

    # -------------------------------------------------------------------------------------------- texts

    async def test_a_text_to_a_bought_number_reaches_us(self, world: CarrierWorld, line: Purchase) -> None:
        ref = await world.receive(PEER, NUMBER, BODY)
        assert world.inbox == [(PEER, NUMBER, BODY)]
        found = await world.carrier.look_up(ref)
        assert found is not None
        assert (found.ref, found.status) == (ref, Status.RECEIVED)

    async def test_a_sent_text_is_queued_then_reports_under_our_own_id(
        self, world: CarrierWorld, line: Purchase
    ) -> None:
        sent = await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)
        assert (sent.status, sent.error) == (Status.QUEUED, None)
        await world.settle()
        assert {(tag, ref) for tag, ref, _ in world.reports} == {(MESSAGE, sent.ref)}
        assert world.reports[-1][2] is Status.DELIVERED
        found = await world.carrier.look_up(sent.ref)
        assert found is not None
        assert (found.ref, found.status) == (sent.ref, Status.DELIVERED)

    async def test_a_text_whose_answer_was_lost_is_found_once(
        self, world: CarrierWorld, line: Purchase
    ) -> None:
        since = world.now
        world.lose_next_answer()
        with pytest.raises(CarrierUnavailable):
            await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)
        [found] = await world.carrier.find_sent(NUMBER, PEER, BODY, since)
        assert await world.carrier.look_up(found.ref) is not None

    async def test_a_text_during_an_outage_was_not_sent(self, world: CarrierWorld, line: Purchase) -> None:
        world.outage(on=True)
        with pytest.raises(CarrierUnavailable):
            await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)
        world.outage(on=False)
        assert await world.carrier.find_sent(NUMBER, PEER, BODY, world.now) == []

    async def test_only_just_that_text_is_found_oldest_first(
        self, world: CarrierWorld, line: Purchase
    ) -> None:
        early = await world.sent()
        world.now += timedelta(hours=1)
        since = world.now
        first = await world.sent()
        await world.carrier.send(MESSAGE, NUMBER, OTHER_PEER, BODY)
        await world.carrier.send(MESSAGE, NUMBER, PEER, MessageBody(f"{BODY}!"))
        await world.carrier.buy(OTHER_NUMBER, OTHER_LINE)
        await world.carrier.send(MESSAGE, OTHER_NUMBER, PEER, BODY)
        await world.receive(PEER, NUMBER, BODY)
        world.now += timedelta(seconds=1)
        later = [await world.sent(OTHER_MESSAGE), await world.sent()]
        assert [s.ref for s in await world.carrier.find_sent(NUMBER, PEER, BODY, since)] == [first, *later]
        assert (await world.carrier.find_sent(NUMBER, PEER, BODY, START))[0].ref == early

    async def test_a_text_to_a_peer_who_said_stop_is_refused_until_they_say_start(
        self, world: CarrierWorld, line: Purchase
    ) -> None:
        await world.receive(PEER, NUMBER, "Stop")
        with pytest.raises(OptedOut):
            await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)
        assert (await world.carrier.send(MESSAGE, NUMBER, OTHER_PEER, BODY)).status is Status.QUEUED
        await world.receive(PEER, NUMBER, "START")
        assert (await world.carrier.send(OTHER_MESSAGE, NUMBER, PEER, BODY)).status is Status.QUEUED
        assert [body for _, _, body in world.inbox] == ["Stop", "START"]

    async def test_a_text_to_a_destination_out_of_reach_is_refused(
        self, world: CarrierWorld, line: Purchase
    ) -> None:
        with pytest.raises(BadDestination):
            await world.carrier.send(MESSAGE, NUMBER, world.unreachable, BODY)
        assert await world.carrier.list_message_refs(NUMBER) == []

    async def test_a_text_from_a_number_that_is_not_ours_is_refused(self, world: CarrierWorld) -> None:
        with pytest.raises(CarrierRefused):
            await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)

    # -------------------------------------------------------------------------------------------- purge

    async def test_a_purged_text_is_gone_and_purging_may_be_repeated(
        self, world: CarrierWorld, line: Purchase
    ) -> None:
        ref = await world.sent()
        assert await world.carrier.purge(ref) is None
        assert await world.carrier.look_up(ref) is None
        assert await world.carrier.find_sent(NUMBER, PEER, BODY, START) == []
        assert await world.carrier.purge(ref) is None

    async def test_a_purge_that_comes_too_early_says_how_long_to_wait(
        self, world: CarrierWorld, line: Purchase
    ) -> None:
        ref = await world.sent()
        world.too_early()
        wait = await world.carrier.purge(ref)
        assert wait is not None
        assert wait > timedelta(0)
        assert await world.carrier.look_up(ref) is not None
        assert await world.carrier.purge(ref) is None
        assert await world.carrier.look_up(ref) is None

    async def test_a_purge_that_was_not_done_shows_when_looked_up(
        self, world: CarrierWorld, line: Purchase
    ) -> None:
        ref = await world.sent()
        world.lie()
        assert await world.carrier.purge(ref) is None
        assert await world.carrier.look_up(ref) is not None
        assert await world.carrier.list_message_refs(NUMBER) == [ref]

    async def test_leftovers_are_the_texts_of_this_number_both_ways_until_purged(
        self, world: CarrierWorld, line: Purchase
    ) -> None:
        await world.carrier.buy(OTHER_NUMBER, OTHER_LINE)
        ours = {await world.sent(), await world.sent(to=OTHER_PEER), await world.receive(PEER, NUMBER, BODY)}
        await world.receive(PEER, OTHER_NUMBER, BODY)
        left = await world.carrier.list_message_refs(NUMBER)
        assert set(left) == ours
        assert len(left) == len(ours)
        for ref in left:
            assert await world.carrier.purge(ref) is None
        assert await world.carrier.list_message_refs(NUMBER) == []
        assert len(await world.carrier.list_message_refs(OTHER_NUMBER)) == 1

    # ------------------------------------------------------------------------------------------- errors

    async def test_during_an_outage_every_method_says_so(self, world: CarrierWorld, line: Purchase) -> None:
        ref = await world.sent()
        world.outage(on=True)
        for ask in every_method(world.carrier, line.ref, ref):
            with pytest.raises(CarrierUnavailable):
                await ask

    async def test_no_error_shows_anything_about_anybody(self, world: CarrierWorld, line: Purchase) -> None:
        await world.receive(PEER, NUMBER, "STOP")
        refused = [
            await error_of(world.carrier.buy(NUMBER, LINE)),
            await error_of(world.carrier.send(MESSAGE, NUMBER, PEER, BODY)),
            await error_of(world.carrier.send(MESSAGE, NUMBER, world.unreachable, BODY)),
            await error_of(world.carrier.send(MESSAGE, OTHER_NUMBER, PEER, BODY)),
        ]
        assert all(isinstance(error, CarrierRefused) for error in refused)
        world.outage(on=True)
        unavailable = [await error_of(ask) for ask in every_method(world.carrier, line.ref, line.ref)]
        for error in refused + unavailable:
            shown = repr(error) + "".join(traceback.format_exception(error))
            for secret in (NUMBER, OTHER_NUMBER, PEER, world.unreachable, BODY):
                assert str(secret) not in shown
                assert secret.removeprefix("+") not in shown
            assert (error.__cause__, error.__context__) == (None, None)


def every_method(carrier: Carrier, number: CarrierRef, text: CarrierRef) -> list[Awaitable[object]]:
    """Ask the carrier for everything once."""
    return [
        carrier.search(US, area_code=None, contains=None, capabilities=SMS, limit=1),
        carrier.buy(OTHER_NUMBER, OTHER_LINE),
        carrier.find_purchase(NUMBER, LINE),
        carrier.release(number),
        carrier.owns(number),
        carrier.send(MESSAGE, NUMBER, PEER, BODY),
        carrier.find_sent(NUMBER, PEER, BODY, START),
        carrier.look_up(text),
        carrier.purge(text),
        carrier.list_message_refs(NUMBER),
    ]


async def error_of(ask: Awaitable[object]) -> PicoError:
    """Return the error that comes of it."""
    with pytest.raises(PicoError) as raised:
        await ask
    return raised.value
