"""Porting: one suite over the carrier in memory and over Twilio's simulator, and what Twilio's wire adds."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from adapters.outbound.memory.carrier import MemoryCarrier
from adapters.outbound.memory.porting import MemoryPorting
from adapters.outbound.twilio.porting import TwilioPorting
from application.ports.carrier_errors import CarrierUnavailable, CarrierUnsupported
from application.ports.porting import Porting, PortProgress
from domain.kernel import CarrierRef
from domain.porting import PortRejection, PortState
from domain.values import PhoneNumber
from pico_testkit.contracts.porting import BILL, DETAILS, NUMBER, PortingContract, PortingWorld
from tests.support.twilio_world import TwilioWorld

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
WORDS = {
    PortState.AWAITING_SIGNATURE: ("Waiting for Signature", "Waiting for Signature"),
    PortState.IN_PROGRESS: ("In Progress", "Submitted"),
    PortState.SCHEDULED: ("In Progress", "Pending"),
    PortState.COMPLETED: ("Completed", "Completed"),
    PortState.REJECTED: ("Action Required", "Rejected"),
    PortState.CANCELLED: ("Canceled", "Canceled"),
}
"""What Twilio says of a request and of the number in it."""


class InMemory(PortingWorld):
    def __init__(self) -> None:
        self.now = NOW
        self.numbers = MemoryCarrier(lambda: self.now)
        self.porting = self.fake = MemoryPorting(lambda: self.now, self.numbers)

    def become(self, ref: CarrierRef, state: PortState, port_at: datetime | None = None) -> None:
        why = PortRejection.OTHER if state is PortState.REJECTED else None
        self.fake.become(ref, state, port_at=port_at, rejection=why)

    def is_elsewhere(
        self, number: PhoneNumber, *, portable: bool = True, needs_account: bool = False
    ) -> None:
        self.fake.not_portable |= set() if portable else {number}
        self.fake.needs_account |= {number} if needs_account else set()

    def outage(self, *, on: bool) -> None:
        self.fake.outage = on

    def lose_next_answer(self) -> None:
        self.fake.lose_answers = 1


class AtTwilio(PortingWorld):
    def __init__(self, twilio: TwilioWorld) -> None:
        self.twilio, self.simulator = twilio, twilio.simulator
        self.porting, self.numbers = TwilioPorting(twilio.numbers.api), twilio.numbers

    @property
    def now(self) -> datetime:  # type: ignore[override]  # the simulator's
        return self.twilio.now

    def become(self, ref: CarrierRef, state: PortState, port_at: datetime | None = None) -> None:
        day = {} if port_at is None else {"port_date": port_at.strftime("%Y-%m-%dT%H:%M:%SZ")}
        self.simulator.porting.move(ref, *WORDS[state], day)

    def is_elsewhere(
        self, number: PhoneNumber, *, portable: bool = True, needs_account: bool = False
    ) -> None:
        self.simulator.set_portability(number, portable=portable, mobile=needs_account)

    def outage(self, *, on: bool) -> None:
        self.twilio.outage(on=on)

    def lose_next_answer(self) -> None:
        self.twilio.lose_next_answer()


class TestInMemory(PortingContract):
    @pytest.fixture
    def world(self) -> InMemory:
        return InMemory()


class TestAtTwilio(PortingContract):
    @pytest.fixture
    async def world(self) -> AsyncIterator[AtTwilio]:
        async with TwilioWorld().running() as twilio:
            yield AtTwilio(twilio)


@pytest.fixture
async def twilio() -> AsyncIterator[AtTwilio]:
    async with TwilioWorld().running() as running:
        yield AtTwilio(running)


async def test_twilio_is_told_what_its_form_asks_for(twilio: AtTwilio) -> None:
    ref = await twilio.submitted()
    (port,) = twilio.simulator.holdings()["ports"]
    assert port["port_in_request_sid"] == ref
    assert port["phone_numbers"][0]["pin"] == "4711"
    told = port["losing_carrier_information"]
    assert (told["customer_type"], told["account_number"]) == ("Individual", "8471920")
    assert told["address"]["zip"] == "94105"


@pytest.mark.parametrize(
    ("status", "of_number", "says"),
    [
        (
            "Expired",
            "Waiting for Signature",
            PortProgress(PortState.REJECTED, rejection=PortRejection.EXPIRED),
        ),
        ("Canceled", "Submitted", PortProgress(PortState.CANCELLED)),
        ("In Progress", "Something New", PortProgress(PortState.IN_PROGRESS)),
        ("in review", "", PortProgress(PortState.SUBMITTED)),
    ],
)
async def test_what_twilio_says_of_the_request_counts_where_it_is_over(
    twilio: AtTwilio, status: str, of_number: str, says: PortProgress
) -> None:
    ref = await twilio.submitted()
    twilio.simulator.porting.move(ref, status, of_number)
    assert await twilio.porting.progress(ref, NUMBER) == says


async def test_a_word_that_twilio_has_added_moves_nothing(twilio: AtTwilio) -> None:
    ref = await twilio.submitted()
    twilio.simulator.porting.move(ref, "Teleported", "Teleported")
    with pytest.raises(CarrierUnavailable):
        await twilio.porting.progress(ref, NUMBER)


async def test_in_the_sandbox_a_port_takes_a_week(twilio: AtTwilio) -> None:
    ref, began, seen = await twilio.submitted(), twilio.twilio.now, []
    for hours in (0, 2, 48, 100, 170):
        twilio.twilio.now = began + timedelta(hours=hours)
        progress = await twilio.porting.progress(ref, NUMBER)
        assert progress is not None
        seen.append(progress.state)
    assert seen == [
        PortState.SUBMITTED, PortState.AWAITING_SIGNATURE, PortState.IN_PROGRESS, PortState.SCHEDULED,
        PortState.COMPLETED,
    ]  # fmt: skip


async def test_a_carrier_that_declares_nothing_is_asked_for_nothing() -> None:
    class Other(Porting):
        pass

    porting = Other()  # type: ignore[abstract]  # it is named by whoever makes one
    for ask in (
        porting.portability(NUMBER),
        porting.keep_bill(BILL),
        porting.submit(NUMBER, DETAILS, CarrierRef("x")),
    ):
        with pytest.raises(CarrierUnsupported):
            await ask


def test_details_come_back_whole_and_show_nothing() -> None:
    assert DETAILS.subscriber.signer_email == "ada@example.org"
    assert json.loads(DETAILS)["pin"] == "4711"
    assert "Ada" not in f"{DETAILS!r} {DETAILS.subscriber!r}"
