"""A number that somebody brings along: nothing is told twice, nothing is kept for longer than it is needed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.system.entitlements import FixedPlan
from application.ports.carrier_errors import CarrierUnsupported
from application.ports.porting import PortingAbilities
from bootstrap.worlds import InMemory
from domain.entitlements import LineLimitReached, Plan
from domain.idempotency import IdempotencyMismatch
from domain.kernel import AccountId, CarrierRef, LineId, NotFound
from domain.lines import LineState, NoCountry
from domain.porting import (
    DETAILS_KEPT,
    OVER,
    InvalidPortText,
    NotABill,
    NumberNotPortable,
    PortAccountMissing,
    PortNotADraft,
    PortOver,
    PortRejection,
    PortRequest,
    PortRequestId,
    PortState,
    PortText,
    PortUnderWay,
)
from domain.values import PhoneNumber
from pico_testkit.contracts.porting import BILL, DETAILS, NUMBER, OTHER
from tests.support.actors import PASSWORD, STRANGER, Person, sign_up, with_line

SOME_ID = UUID(int=7)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def pieces(content: bytes = BILL) -> AsyncIterator[bytes]:
    yield content[:5]
    yield content[5:]


async def asks(ada: Person, number: PhoneNumber = NUMBER, key: str = "one") -> PortRequest:
    return (await ada.world.use_cases.request_port(ada.id, number, DETAILS.subscriber, key)).port


async def now(ada: Person, port: PortRequest) -> PortRequest:
    return await ada.world.use_cases.read_port(ada.id, port.id)


async def submitted(ada: Person, number: PhoneNumber = NUMBER) -> tuple[PortRequest, CarrierRef]:
    port = await asks(ada, number, key=number)
    await ada.world.use_cases.prove_port(ada.id, port.id, pieces())
    await ada.world.settle()
    port = await now(ada, port)
    assert port.ref is not None
    return port, port.ref


async def test_a_number_comes_and_is_a_line() -> None:
    ada = await sign_up(InMemory())
    world, porting = ada.world, ada.world.porting
    port = await asks(ada)
    assert (port.state, port.details) == (PortState.DRAFT, DETAILS)
    await world.settle()
    assert porting.ports == {}, "the carrier hears of a draft"
    await world.use_cases.prove_port(ada.id, port.id, pieces())
    await world.settle()
    port = await now(ada, port)
    assert (port.state, port.details) == (PortState.SUBMITTED, None)
    (ref,) = porting.ports
    assert (porting.ports[ref].details, porting.bills[porting.ports[ref].bill]) == (DETAILS, BILL)
    day = world.clock.now() + 3 * DAY
    porting.become(ref, PortState.SCHEDULED, port_at=day)
    await world.advance(6 * HOUR)
    port = await now(ada, port)
    assert (port.state, port.port_at) == (PortState.SCHEDULED, day)
    porting.become(ref, PortState.COMPLETED, port_at=day)
    await world.advance(DAY)
    port = await now(ada, port)
    assert (port.state, port.ended_at is not None) == (PortState.COMPLETED, True)
    (line,) = (await world.use_cases.list_lines(ada.id)).items
    assert (line.id, line.number, line.state) == (port.line_id, NUMBER, LineState.ACTIVE)
    ada.line = line
    ref = await world.carrier.receive(STRANGER, NUMBER, "hello")
    await ada.receives("hello", STRANGER, ref=ref)
    assert await ada.inbox() == ["hello"]
    asked = len(porting.calls)
    await world.advance(DAY)
    assert len(porting.calls) == asked, "the carrier is asked about what is over"
    assert (await world.use_cases.reconcile_numbers(really=False)).agrees


async def test_a_lost_answer_makes_no_second_port() -> None:
    ada = await sign_up(InMemory())
    port = await asks(ada)
    await ada.world.use_cases.prove_port(ada.id, port.id, pieces())
    ada.world.porting.lose_answers = 1
    await ada.world.settle()
    assert (await now(ada, port)).state is PortState.REQUESTED
    await ada.world.advance(HOUR)
    assert len(ada.world.porting.ports) == 1
    assert (await now(ada, port)).state is PortState.SUBMITTED


async def test_asking_again_with_the_same_key_asks_once() -> None:
    ada = await sign_up(InMemory())
    first = await asks(ada)
    ada.world.porting.outage = True  # what is on record needs no answer of the carrier's
    again = await ada.world.use_cases.request_port(ada.id, NUMBER, DETAILS.subscriber, "one")
    assert (again.port.id, again.repeated) == (first.id, True)
    ada.world.porting.outage = False
    with pytest.raises(IdempotencyMismatch):
        await asks(ada, OTHER)
    assert len(await ada.world.use_cases.list_ports(ada.id)) == 1


async def test_what_cannot_come_is_refused_before_anybody_is_told() -> None:
    ada = await with_line(InMemory(entitlements=FixedPlan(Plan(2))))
    porting = ada.world.porting
    porting.not_portable.add(NUMBER)
    with pytest.raises(NumberNotPortable):
        await asks(ada)
    with pytest.raises(NumberNotPortable):
        await asks(ada, ada.number)
    with pytest.raises(NoCountry):
        await asks(ada, PhoneNumber("+8835100000000"))
    porting.not_portable.clear()
    await asks(ada)
    with pytest.raises(PortUnderWay):
        await asks(ada, key="two")
    with pytest.raises(LineLimitReached):
        await asks(ada, OTHER, key="three")
    assert porting.ports == {}
    porting.porting_abilities = PortingAbilities()
    with pytest.raises(CarrierUnsupported):
        await asks(ada, OTHER, key="four")


async def test_a_number_that_needs_a_pin_is_not_asked_for_without() -> None:
    ada = await sign_up(InMemory())
    ada.world.porting.needs_account.add(NUMBER)
    subscriber = DETAILS.subscriber
    object.__setattr__(subscriber, "pin", None)
    with pytest.raises(PortAccountMissing):
        await ada.world.use_cases.request_port(ada.id, NUMBER, subscriber, "one")


async def test_a_bill_is_a_pdf_and_is_taken_once() -> None:
    ada = await sign_up(InMemory())
    port, prove = await asks(ada), ada.world.use_cases.prove_port
    for wrong in (b"<html>", b""):
        with pytest.raises(NotABill):
            await prove(ada.id, port.id, pieces(wrong))
    await prove(ada.id, port.id, pieces())
    with pytest.raises(PortNotADraft):
        await prove(ada.id, port.id, pieces())
    with pytest.raises(NotFound):
        await prove(ada.id, PortRequestId(port.line_id), pieces())


async def test_a_rejection_is_told_with_its_reason() -> None:
    ada = await sign_up(InMemory())
    port, ref = await submitted(ada)
    ada.world.porting.become(ref, PortState.REJECTED, rejection=PortRejection.DETAILS_DIFFER)
    await ada.world.advance(HOUR)
    port = await now(ada, port)
    assert (port.state, port.rejection) == (PortState.REJECTED, PortRejection.DETAILS_DIFFER)
    assert (await ada.world.use_cases.list_lines(ada.id)).items == []
    other = await asks(ada, key="two")
    ada.world.porting.not_portable.add(NUMBER)
    await ada.world.use_cases.prove_port(ada.id, other.id, pieces())
    await ada.world.settle()
    other = await now(ada, other)
    assert (other.state, other.rejection, other.details) == (
        PortState.REJECTED,
        PortRejection.NOT_PORTABLE,
        None,
    )


async def test_a_draft_is_cancelled_at_once_and_forgotten_after_a_week() -> None:
    ada = await sign_up(InMemory())
    port, left = await asks(ada), await asks(ada, OTHER, key="two")
    cancelled = await ada.world.use_cases.cancel_port(ada.id, port.id)
    assert (cancelled.state, cancelled.details) == (PortState.CANCELLED, None)
    await ada.world.advance(DETAILS_KEPT - HOUR)
    assert (await now(ada, left)).details == DETAILS
    await ada.world.advance(HOUR)
    left = await now(ada, left)
    assert (left.state, left.details) == (PortState.CANCELLED, None)
    assert ada.world.porting.ports == {}


async def test_what_could_not_be_handed_on_for_a_week_is_forgotten() -> None:
    ada = await sign_up(InMemory())
    port = await asks(ada)
    await ada.world.use_cases.prove_port(ada.id, port.id, pieces())
    ada.world.porting.outage = True
    await ada.world.advance(DETAILS_KEPT)
    assert (await now(ada, port)).details is None
    ada.world.porting.outage = False
    await ada.world.advance(DAY)
    port = await now(ada, port)
    assert (port.state, port.rejection) == (PortState.REJECTED, PortRejection.EXPIRED)


async def test_a_port_under_way_is_cancelled_unless_it_is_too_far() -> None:
    ada = await sign_up(InMemory())
    port, _ = await submitted(ada)
    late, ref = await submitted(ada, OTHER)
    assert (await ada.world.use_cases.cancel_port(ada.id, port.id)).cancel_asked_at is not None
    await ada.world.advance(HOUR)
    assert (await now(ada, port)).state is PortState.CANCELLED
    await ada.world.use_cases.cancel_port(ada.id, port.id)
    ada.world.porting.stubborn = True
    await ada.world.use_cases.cancel_port(ada.id, late.id)
    ada.world.porting.become(ref, PortState.COMPLETED)
    await ada.world.advance(6 * HOUR)
    assert (await now(ada, late)).state is PortState.COMPLETED
    with pytest.raises(PortOver):
        await ada.world.use_cases.cancel_port(ada.id, late.id)


async def test_with_the_account_its_ports_end() -> None:
    ada = await sign_up(InMemory())
    port, ref = await submitted(ada)
    await ada.world.use_cases.delete_account(ada.id, PASSWORD)
    await ada.world.advance(6 * HOUR)
    assert ada.world.porting.ports[ref].progress.state is PortState.CANCELLED
    assert (await now(ada, port)).state is PortState.CANCELLED


async def test_a_number_that_comes_while_its_account_is_erased_is_given_back() -> None:
    ada = await sign_up(InMemory())
    _, ref = await submitted(ada)
    ada.world.porting.stubborn = True
    await ada.world.use_cases.delete_account(ada.id, PASSWORD)
    await ada.world.advance(30 * DAY)
    assert await ada.world.store.erasure(ada.id) is not None, "it does not wait for the number"
    ada.world.porting.become(ref, PortState.COMPLETED)
    for _ in range(12):
        await ada.world.advance(HOUR)
    assert ada.world.carrier.numbers == {}
    assert await ada.world.store.erasure(ada.id) is None


@given(
    moves=st.lists(
        st.sampled_from(sorted(set(PortState) - {PortState.DRAFT, PortState.REQUESTED})),
        min_size=1,
        max_size=12,
    )
)
def test_whatever_comes_in_whatever_order_no_state_goes_back(moves: list[PortState]) -> None:
    at = InMemory().clock.now()
    port = PortRequest(
        account_id=AccountId(SOME_ID), id=PortRequestId(SOME_ID),
        line_id=LineId(SOME_ID), number=NUMBER, details=DETAILS, state=PortState.REQUESTED, created_at=at,
    )  # fmt: skip
    order, seen = list(PortState), [port.state]
    for to in moves:
        port.advance(to, at)
        seen.append(port.state)
    assert [order.index(state) for state in seen] == sorted(order.index(state) for state in seen)
    ends = [to for to in moves if to in OVER]
    assert port.state is (ends[0] if ends else max(moves, key=order.index))
    assert (port.details is None) is bool(ends)


@pytest.mark.parametrize("text", ["", " Ada", "Ada ", "a\x00b", "a\u202eb", "x" * 101])
def test_what_a_carrier_is_told_can_be_seen(text: str) -> None:
    with pytest.raises(InvalidPortText):
        PortText.parse(text)
