"""Keys that belong to nobody go; a key that belongs to somebody never does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from application.credentials import DECOY
from application.orphan_keys import MOST
from bootstrap.worlds import InMemory
from domain.kernel import AccountId
from domain.values import Email, Label, Locale
from tests.support.actors import PASSWORD, sign_up

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def cut_off(world: InMemory) -> AccountId:
    """Sign up, and be killed between the key and the row."""
    account_id = AccountId(world.ids.new())
    await world.keyring.create(account_id)
    return account_id


async def keys(world: InMemory, *accounts: AccountId) -> list[int]:
    return [await world.keyring.count(each) for each in accounts]


async def test_a_key_that_no_account_has_goes_after_a_day_and_no_other(world: InMemory) -> None:
    orphan, ada = await cut_off(world), await sign_up(world)
    leaving, attempt = await sign_up(world, "leaving"), Email("attempt@example.org")
    await world.use_cases.delete_account(leaving.id, PASSWORD)
    await world.keyring.create(DECOY)
    await world.advance(DAY - HOUR)
    assert await keys(world, orphan) == [1], "its day is not over"
    await world.use_cases.sign_up(attempt, PASSWORD, Label("A"), Locale("en"))
    for _ in range(3):
        await world.advance(HOUR)
    assert await keys(world, orphan, ada.id, leaving.id, DECOY) == [0, 1, 1, 1]
    assert len(await world.keyring.holders(None, 9)) == 4, "an attempt keeps its key"


async def test_it_has_to_be_without_an_account_twice(world: InMemory) -> None:
    orphan = await cut_off(world)
    await world.advance(DAY)
    assert await keys(world, orphan) == [1]
    await world.advance(HOUR)
    assert await keys(world, orphan) == [0]


async def test_a_store_that_knows_hardly_anybody_is_the_wrong_one(world: InMemory) -> None:
    ada = await sign_up(world)
    orphans = [await cut_off(world) for _ in range(MOST + 1)]
    await world.advance(DAY)
    swept = await world.advance(HOUR)
    assert swept.failed["too_many_orphan_keys"] == 1, "nobody was told"
    assert sum(await keys(world, ada.id, *orphans)) == MOST + 2


@pytest.mark.parametrize("outage", ["store", "keyring"])
async def test_an_outage_destroys_nothing(world: InMemory, outage: str) -> None:
    orphan, ada = await cut_off(world), await sign_up(world)
    await world.advance(DAY)
    if outage == "store":
        world.store.outage = True
    else:
        world.keyring.outage = True
    world.clock.advance(HOUR)
    swept = await world.use_cases.sweep()
    world.store.outage = world.keyring.outage = False
    assert swept.failed
    assert await keys(world, orphan, ada.id) == [1, 1]
