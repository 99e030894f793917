"""The carrier's numbers and our lines, compared: what is billed for nothing, what is gone, and what is left alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.inbound.cli.number_report import shown, told
from adapters.outbound.memory.numbers import OwnedNumber
from application.inventory import BY_TYPE
from application.number_reconciliation import EVERY, Comparison, Mismatch
from application.ports.carrier_errors import CarrierUnavailable, CarrierUnsupported
from application.ports.numbers import AvailableNumber, NumberOrder
from bootstrap.worlds import InMemory
from domain.audit import AuditEntry, AuditKind
from domain.erasure import NotYetGone
from domain.kernel import CarrierRef, LineId
from domain.lines import LineState
from domain.money import Money, sums
from domain.orphan_numbers import OrphanRule, TooManyStrangers
from domain.values import Capability, Country, PhoneNumber
from tests.support.actors import Person, with_line

NUMBER = PhoneNumber("+12025550143")
DAY = OrphanRule().age


def found(compared: Comparison) -> list[tuple[Mismatch, CarrierRef | None, bool]]:
    return [(each.kind, each.ref, each.released) for each in compared.differences]


async def bought_for_nobody(world: InMemory, number: str = "+12025550150") -> CarrierRef:
    """Have a purchase whose line is nowhere: of a row that was lost, or a process that never wrote one."""
    order = await world.carrier.order(PhoneNumber(number), LineId(world.ids.new()))
    assert order.ref is not None
    return order.ref


async def lost_at_the_carrier(world: InMemory, ada: Person) -> None:
    assert ada.line is not None
    assert ada.line.ref is not None
    await world.carrier.release(ada.line.ref, ada.line_id)


async def test_where_both_agree_there_is_nothing_to_say(world: InMemory) -> None:
    await with_line(world, "ada", NUMBER)
    compared = await world.use_cases.reconcile_numbers(really=True)
    assert compared == Comparison(1, 1, ())
    assert compared.agrees


async def test_an_orphan_is_shown_with_its_price_and_nothing_is_done_unless_it_is_meant(
    world: InMemory,
) -> None:
    ref = await bought_for_nobody(world)
    await world.advance(DAY)
    compared = await world.use_cases.reconcile_numbers(really=False)
    assert found(compared) == [(Mismatch.ORPHAN, ref, False)]
    assert (compared.agrees, compared.wasted) == (False, [Money(115, "USD")])
    assert ref in world.carrier.numbers, "a comparison released a number"
    assert "release" not in world.carrier.calls


async def test_an_orphan_goes_once_it_was_held_for_a_day(world: InMemory) -> None:
    ref = await bought_for_nobody(world)
    await world.advance(DAY - timedelta(microseconds=1))
    early = await world.use_cases.reconcile_numbers(really=True)
    assert found(early) == [(Mismatch.ORPHAN, ref, False)], "an order may still be on its way to its line"
    await world.advance(timedelta(microseconds=1))
    compared = await world.use_cases.reconcile_numbers(really=True)
    assert found(compared) == [(Mismatch.ORPHAN, ref, True)]
    assert (compared.agrees, compared.wasted) == (True, [])
    assert not world.carrier.numbers
    assert (await world.use_cases.reconcile_numbers(really=True)).differences == ()


async def test_what_was_not_bought_here_is_left_alone_however_old(world: InMemory) -> None:
    """A staging environment that shares production's account at the carrier must not release production's numbers."""
    elsewhere, unmarked = await bought_for_nobody(world), CarrierRef("by hand")
    world.carrier.elsewhere.add(elsewhere)
    order = NumberOrder.active(unmarked, frozenset(Capability))
    world.carrier.numbers[unmarked] = OwnedNumber(PhoneNumber("+12025550151"), order, None, world.clock.now())
    await world.advance(timedelta(days=400))
    compared = await world.use_cases.reconcile_numbers(really=True)
    assert sorted(found(compared)) == [
        (Mismatch.UNKNOWN, unmarked, False),
        (Mismatch.UNKNOWN, elsewhere, False),
    ]
    assert compared.agrees
    assert world.carrier.numbers.keys() == {elsewhere, unmarked}


async def test_a_store_that_lacks_lines_releases_nothing(world: InMemory) -> None:
    """As after a backup was put back, or with another environment's database: every number would be an orphan."""
    for tail in range(OrphanRule().most + 1):
        await bought_for_nobody(world, f"+120255501{tail:02}")
    await world.advance(DAY)
    with pytest.raises(TooManyStrangers):
        await world.use_cases.reconcile_numbers(really=True)
    assert len(world.carrier.numbers) == OrphanRule().most + 1
    assert len((await world.use_cases.reconcile_numbers(really=False)).orphans) == OrphanRule().most + 1


async def test_a_carrier_that_shows_another_accounts_numbers_loses_no_line(world: InMemory) -> None:
    """Credentials of another account: it answers well, and holds nothing."""
    for tail in range(OrphanRule().most + 1):
        await with_line(world, f"ada{tail}", f"+120255501{tail:02}")
    await world.advance(DAY)
    held, world.carrier.numbers = world.carrier.numbers, {}
    with pytest.raises(TooManyStrangers):
        await world.use_cases.reconcile_numbers(really=True)
    world.carrier.numbers = held
    await world.settle()
    assert (await world.use_cases.reconcile_numbers(really=True)).agrees


async def test_an_order_whose_answer_was_lost_is_no_orphan(world: InMemory) -> None:
    ada = await world.signed_up("ada")
    world.carrier.lose_answers = 1
    await world.use_cases.buy_line(ada.id, NUMBER, None, "key")
    assert (await world.use_cases.reconcile_numbers(really=True)).differences == ()


async def test_a_number_that_was_released_but_is_still_billed_is_an_orphan(world: InMemory) -> None:
    ada = await with_line(world, "ada", NUMBER)
    await world.use_cases.release_line(ada.id, ada.line_id)
    await world.advance(timedelta(days=7))
    assert not world.carrier.numbers
    assert ada.line is not None
    assert ada.line.ref is not None
    order = NumberOrder.active(ada.line.ref, frozenset(Capability))
    back = OwnedNumber(NUMBER, order, ada.line_id, world.clock.now())  # the carrier had only said it
    world.carrier.numbers[ada.line.ref], world.carrier.owners[NUMBER] = back, ada.line_id
    await world.advance(DAY)
    compared = await world.use_cases.reconcile_numbers(really=True)
    assert found(compared) == [(Mismatch.ORPHAN, ada.line.ref, True)]


async def test_of_two_numbers_bought_for_one_line_the_one_it_does_not_lease_is_an_orphan(
    world: InMemory,
) -> None:
    ada = await with_line(world, "ada", NUMBER)
    second = await world.carrier.order(PhoneNumber("+12025550144"), ada.line_id)
    await world.advance(DAY)
    compared = await world.use_cases.reconcile_numbers(really=True)
    assert found(compared) == [(Mismatch.ORPHAN, second.ref, True)]
    await ada.sends("still there")


async def test_a_release_that_was_not_done_is_not_believed(world: InMemory) -> None:
    await bought_for_nobody(world)
    await world.advance(DAY)
    world.carrier.lies = True
    with pytest.raises(NotYetGone):
        await world.use_cases.reconcile_numbers(really=True)


async def test_a_line_whose_number_is_missing_is_looked_at_and_lost(world: InMemory) -> None:
    ada = await with_line(world, "ada", NUMBER)
    await world.advance(DAY)
    await lost_at_the_carrier(world, ada)
    missing = (Mismatch.MISSING, None, False)
    assert found(await world.use_cases.reconcile_numbers(really=False)) == [missing]
    assert (await world.use_cases.read_line(ada.id, ada.line_id)).state is LineState.ACTIVE
    assert found(await world.use_cases.reconcile_numbers(really=True)) == [missing]
    await world.settle()
    line = await world.use_cases.read_line(ada.id, ada.line_id)
    assert line.state in {LineState.LOST, LineState.RELEASED}
    async with world.store.begin(ada.id) as tx:
        audited = await tx.records.page(BY_TYPE[AuditEntry], None, 100)
    assert AuditKind.LINE_LOST in {entry["kind"] for entry in audited}
    assert (await world.use_cases.reconcile_numbers(really=True)).agrees


async def test_what_is_led_elsewhere_or_out_of_use_at_the_carrier_is_shown_and_kept(world: InMemory) -> None:
    ada = await with_line(world, "ada", NUMBER)
    assert ada.line is not None
    ref = CarrierRef(ada.line.ref or "")
    world.carrier.elsewhere.add(ref)
    assert found(await world.use_cases.reconcile_numbers(really=True)) == [(Mismatch.MISDIRECTED, ref, False)]
    world.carrier.suspended.add(ref)
    assert found(await world.use_cases.reconcile_numbers(really=True)) == [(Mismatch.SUSPENDED, ref, False)]
    assert ref in world.carrier.numbers


async def test_a_carrier_that_lists_nothing_is_not_compared(world: InMemory) -> None:
    world.carrier.number_abilities = replace(world.carrier.number_abilities, can_list=False)
    with pytest.raises(CarrierUnsupported):
        await world.use_cases.reconcile_numbers(really=False)
    await bought_for_nobody(world)
    assert not (await world.advance(EVERY)).failed


async def test_a_sweep_raises_the_alarm_about_orphans_a_few_times_a_day_and_releases_none(
    world: InMemory,
) -> None:
    await bought_for_nobody(world)
    assert (await world.advance(EVERY)).failed["orphan_numbers"] == 1
    assert (await world.advance(EVERY / 2)).failed["orphan_numbers"] == 0
    assert (await world.advance(EVERY / 2)).failed["orphan_numbers"] == 1
    assert len(world.carrier.numbers) == 1


async def test_without_an_answer_nothing_is_concluded(world: InMemory) -> None:
    await with_line(world, "ada", NUMBER)
    world.carrier.outage = True
    with pytest.raises(CarrierUnavailable):
        await world.use_cases.reconcile_numbers(really=True)


async def test_what_an_operator_reads_names_no_number(world: InMemory) -> None:
    ada = await with_line(world, "ada", NUMBER)
    orphan = await bought_for_nobody(world)
    world.carrier.on_offer.append(AvailableNumber(PhoneNumber("+442079460001"), Country("GB"), frozenset()))
    await bought_for_nobody(world, "+442079460001")
    await world.advance(DAY)
    await lost_at_the_carrier(world, ada)
    compared = await world.use_cases.reconcile_numbers(really=False)
    text, report = told(compared), shown(compared)
    assert "2 orphans cost 115 of USD's smallest unit a month" in text
    assert report["wasted_per_month"] == [{"amount": 115, "currency": "USD"}]
    assert [each["kind"] for each in report["differences"]] == ["orphan", "orphan", "missing"]
    assert str(orphan) in text
    assert not any(number in text + str(report) for number in ("2025550", "4420794"))


def test_amounts_are_added_by_currency() -> None:
    assert sums([Money(1, "USD"), Money(2, "EUR"), Money(3, "USD")]) == [Money(2, "EUR"), Money(4, "USD")]
    assert sums([]) == []


async def test_a_number_that_another_carrier_took_over_is_told_from_one_that_was_lost(
    world: InMemory,
) -> None:
    ada = await with_line(world, "ada", NUMBER)
    await ada.receives("hello")
    await world.advance(DAY)
    await lost_at_the_carrier(world, ada)
    world.carrier.ported_out.add(ada.number)
    await world.use_cases.reconcile_numbers(really=True)
    await world.settle()
    line = await world.use_cases.read_line(ada.id, ada.line_id)
    assert (line.state, line.released_at) == (LineState.PORTED_OUT, world.clock.now())
    assert await ada.inbox() == ["hello"], "what was said goes with the number"
    assert not (await world.use_cases.release_line(ada.id, ada.line_id)).holds_number
