"""What every carrier that takes numbers over promises: one port of a number at a time, and its states as they come."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from application.ports.carrier_errors import CarrierUnavailable
from application.ports.numbers import NumberProvider
from application.ports.porting import Porting, PortProgress, PortRefused
from domain.kernel import CarrierRef, LineId
from domain.porting import PortDetails, PortRejection, PortState, PortText, Subscriber
from domain.values import Email, PhoneNumber

NUMBER, OTHER = PhoneNumber("+16175550101"), PhoneNumber("+16175550102")
UNKNOWN = CarrierRef(f"KW{'a' * 32}")
UNKNOWN_LINE = UUID(int=9)
BILL = b"%PDF-1.7 a bill"
DETAILS = PortDetails.of(
    Subscriber(
        is_business=False, name=PortText("Ada Levi"), signer=PortText("Ada Levi"),
        signer_email=Email("ada@example.org"), street=PortText("101 Spear Street"), city=PortText("San Francisco"),
        region=PortText("California"), postal_code=PortText("94105"), account_number=PortText("8471920"),
        pin=PortText("4711"),
    )
)  # fmt: skip


class PortingWorld(ABC):
    """An adapter, and whatever stands behind it, for one promise."""

    porting: Porting
    numbers: NumberProvider
    now: datetime

    @abstractmethod
    def become(self, ref: CarrierRef, state: PortState, port_at: datetime | None = None) -> None:
        """Have the people at both carriers bring a port to a state; a completed one brings its number."""

    @abstractmethod
    def is_elsewhere(
        self, number: PhoneNumber, *, portable: bool = True, needs_account: bool = False
    ) -> None:
        """Say what is to be known of a number at another carrier."""

    @abstractmethod
    def outage(self, *, on: bool) -> None:
        """Have no answer come, or come again."""

    @abstractmethod
    def lose_next_answer(self) -> None:
        """Have the next write be done, and its answer lost."""

    async def submitted(self, number: PhoneNumber = NUMBER) -> CarrierRef:
        """Have a port under way."""
        return await self.porting.submit(number, DETAILS, await self.porting.keep_bill(BILL))


class PortingContract:
    """Subclass it, and give the fixture `world`."""

    @pytest.fixture
    def world(self) -> PortingWorld:
        raise NotImplementedError

    async def test_it_says_beforehand_what_it_takes(self, world: PortingWorld) -> None:
        assert world.porting.porting_abilities.can_port_in
        world.is_elsewhere(NUMBER, needs_account=True)
        world.is_elsewhere(OTHER, portable=False)
        known = await world.porting.portability(NUMBER)
        assert (known.portable, known.needs_account) == (True, True)
        assert not (await world.porting.portability(OTHER)).portable
        with pytest.raises(PortRefused) as refusal:
            await world.submitted(OTHER)
        assert refusal.value.rejection is PortRejection.NOT_PORTABLE

    async def test_a_number_is_ported_once_at_a_time(self, world: PortingWorld) -> None:
        ref = await world.submitted()
        with pytest.raises(PortRefused) as refusal:
            await world.submitted()
        assert refusal.value.rejection is PortRejection.UNDER_WAY
        world.become(ref, PortState.CANCELLED)
        assert await world.submitted() != ref

    async def test_a_port_whose_answer_was_lost_is_found(self, world: PortingWorld) -> None:
        since, bill = world.now - timedelta(minutes=1), await world.porting.keep_bill(BILL)
        assert await world.porting.find(NUMBER, since) is None
        world.lose_next_answer()
        with pytest.raises(CarrierUnavailable):
            await world.porting.submit(NUMBER, DETAILS, bill)
        ref = await world.porting.find(NUMBER, since)
        assert ref is not None
        assert await world.porting.progress(ref, NUMBER) == PortProgress(PortState.SUBMITTED)
        assert await world.porting.find(OTHER, since) is None
        assert await world.porting.find(NUMBER, world.now + timedelta(minutes=1)) is None

    async def test_where_it_stands_is_told_until_the_number_is_here(self, world: PortingWorld) -> None:
        ref, day = await world.submitted(), world.now.replace(microsecond=0) + timedelta(days=7)
        for state in (PortState.AWAITING_SIGNATURE, PortState.IN_PROGRESS):
            world.become(ref, state)
            assert await world.porting.progress(ref, NUMBER) == PortProgress(state)
        world.become(ref, PortState.SCHEDULED, day)
        assert await world.porting.progress(ref, NUMBER) == PortProgress(PortState.SCHEDULED, day)
        line = LineId(UNKNOWN_LINE)
        assert await world.porting.take_over(NUMBER, line) is None
        world.become(ref, PortState.COMPLETED, day)
        order = await world.porting.take_over(NUMBER, line)
        assert order is not None
        assert order.ref is not None
        assert await world.porting.take_over(NUMBER, line) == order
        assert await world.numbers.owns(order.ref, line)
        assert await world.numbers.find_order(NUMBER, line) == order
        assert not (await world.porting.portability(NUMBER)).portable
        await world.numbers.release(order.ref, line)
        assert not await world.numbers.owns(order.ref, line)

    async def test_a_rejection_says_why_as_far_as_that_is_known(self, world: PortingWorld) -> None:
        ref = await world.submitted()
        world.become(ref, PortState.REJECTED)
        assert await world.porting.progress(ref, NUMBER) == PortProgress(
            PortState.REJECTED, rejection=PortRejection.OTHER
        )

    async def test_a_port_can_be_cancelled_and_cancelled_again(self, world: PortingWorld) -> None:
        ref = await world.submitted()
        for _ in range(2):
            await world.porting.cancel(ref)
            assert await world.porting.progress(ref, NUMBER) == PortProgress(PortState.CANCELLED)
        await world.porting.cancel(UNKNOWN)
        assert await world.porting.progress(UNKNOWN, NUMBER) is None
        assert await world.porting.progress(ref, OTHER) is None

    async def test_without_an_answer_nothing_is_certain(self, world: PortingWorld) -> None:
        ref, bill = await world.submitted(), await world.porting.keep_bill(BILL)
        world.outage(on=True)
        for ask in (
            world.porting.portability(OTHER),
            world.porting.keep_bill(BILL),
            world.porting.submit(OTHER, DETAILS, bill),
            world.porting.find(NUMBER, world.now),
            world.porting.progress(ref, NUMBER),
            world.porting.cancel(ref),
            world.porting.take_over(NUMBER, LineId(UNKNOWN_LINE)),
        ):
            with pytest.raises(CarrierUnavailable):
                await ask
        world.outage(on=False)
        assert await world.porting.progress(ref, NUMBER) is not None
