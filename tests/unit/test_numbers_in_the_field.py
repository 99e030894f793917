"""How other systems lose numbers, buy them twice or keep paying for them, as their users report it: tried on ours."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from application.ports.jobs import JobLease
from application.ports.store import StoreUnavailable
from application.reconciliation import ReconcileLine
from bootstrap.worlds import InMemory
from domain.kernel import AccountId, CarrierRef, LineId
from domain.lines import LineState, NumberTaken
from domain.values import Peer, PhoneNumber
from tests.support.actors import PASSWORD, sign_up, with_line

NUMBER = PhoneNumber("+12025550143")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def test_a_number_that_is_deleted_at_the_carrier_first_holds_up_neither_its_line_nor_its_account(
    world: InMemory,
) -> None:
    """github.com/0perationPrivacy/VoIP, issue 4."""
    ada = await with_line(world, "ada", NUMBER)
    assert ada.line is not None
    assert ada.line.ref is not None
    await world.carrier.release(ada.line.ref, ada.line_id)
    await world.use_cases.release_line(ada.id, ada.line_id)
    await world.advance(8 * DAY)
    assert (await world.use_cases.read_line(ada.id, ada.line_id)).state in {
        LineState.RELEASED,
        LineState.LOST,
    }
    again = await ada.with_line(NUMBER)
    assert again.line is not None
    assert again.line.state is LineState.ACTIVE
    await world.use_cases.delete_account(ada.id, PASSWORD)
    await world.advance(31 * DAY)
    await world.advance(DAY)
    assert await world.ledger.receipt(await world.fingerprint(ada.id)) is not None


async def test_a_store_that_is_away_is_not_taken_for_a_number_that_is_free(world: InMemory) -> None:
    """github.com/juspay/clairvoyance, pull request 897: nothing may be bought that cannot be written down."""
    ada = await sign_up(world)
    world.store.outage = True
    with pytest.raises(StoreUnavailable):
        await world.use_cases.buy_line(ada.id, NUMBER, None, "key")
    assert "order" not in world.carrier.calls


async def test_whoever_loses_the_race_for_a_number_neither_buys_it_nor_gives_it_back(world: InMemory) -> None:
    """The same: the loser of the race bought it, too, and released the winner's."""
    people = [await sign_up(world, f"p{place}") for place in range(5)]
    answers = await asyncio.gather(
        *(world.use_cases.buy_line(each.id, NUMBER, None, "key") for each in people), return_exceptions=True
    )
    assert sum(isinstance(answer, NumberTaken) for answer in answers) == 4
    await world.advance(8 * DAY)
    assert world.carrier.calls.count("order") == 1
    assert "release" not in world.carrier.calls
    (owned,) = world.carrier.numbers.values()
    assert owned.number == NUMBER


async def test_a_purchase_that_is_decided_later_is_not_shown_as_failed_meanwhile(world: InMemory) -> None:
    """github.com/AccelerateNetworks/NumberSearch, issue 264."""
    ada = await sign_up(world)
    world.carrier.orders_wait = True
    line = (await world.use_cases.buy_line(ada.id, NUMBER, None, "key")).line
    assert line.state is LineState.ORDERING
    world.carrier.decide()
    await world.advance(HOUR)
    assert (await world.use_cases.read_line(ada.id, line.id)).state is LineState.ACTIVE


async def test_a_number_given_up_by_mistake_is_not_sold_before_it_can_be_taken_back(world: InMemory) -> None:
    """github.com/twilio/terraform-provider-twilio, issue 138: it was released at once and could not be bought again."""
    ada = await with_line(world, "ada", NUMBER)
    await world.use_cases.release_line(ada.id, ada.line_id)
    await world.advance(6 * DAY)
    assert "release" not in world.carrier.calls
    await world.use_cases.cancel_release(ada.id, ada.line_id)
    await world.advance(8 * DAY)
    assert (await world.use_cases.read_line(ada.id, ada.line_id)).state is LineState.ACTIVE


@pytest.mark.parametrize("too_early", [0, 3])
async def test_nothing_older_than_a_day_is_at_the_carrier_that_we_do_not_hold(
    world: InMemory, too_early: int
) -> None:
    """Webhooks are missed for a day; what came in and went out is imported, and the carrier's copies go."""
    assert await unknown_at_the_carrier(world, too_early) == set(), "the carrier holds what we do not"


async def test_it_would_be_seen_if_nothing_compared_the_messages(world: InMemory) -> None:
    class ComparesNothing(ReconcileLine):
        async def __call__(self, account_id: AccountId, line_id: LineId, lease: JobLease) -> None:
            return None

    world.wire({"reconcile_line": ComparesNothing})
    assert await unknown_at_the_carrier(world, 0)


async def unknown_at_the_carrier(world: InMemory, too_early: int) -> set[CarrierRef]:
    """Live through thirty hours without a webhook; return what was older than a day at the carrier and unknown here."""
    ada = await with_line(world, "ada", NUMBER)
    unknown = set[CarrierRef]()
    world.carrier.silent, world.carrier.too_early = True, too_early
    for hour in range(30):
        await world.carrier.receive(Peer("+13105550178"), NUMBER, f"heard {hour}")
        if hour % 3 == 0:
            await ada.sends(f"said {hour}")
        await world.advance(HOUR)
        old = [copy for copy in await world.carrier.list_copies(NUMBER) if copy.at < world.clock.now() - DAY]
        async with world.store.begin(ada.id) as tx:
            unknown |= {copy.ref for copy in old if await tx.messages.by_ref(copy.ref) is None}
    return unknown
