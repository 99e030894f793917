"""What every keyring promises, whichever stands behind the port."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from application.ports.keyring import Ending, KeyGone, Keyring, KeysUnavailable
from domain.kernel import AccountId

ALICE = AccountId(UUID("01890000-0000-7000-8000-00000000000a"))
BOB = AccountId(UUID("01890000-0000-7000-8000-00000000000b"))


class KeyringContract:
    """Subclass it, and give the fixtures `keyring` and `outage` (a call after which nothing answers)."""

    @pytest.fixture
    def keyring(self) -> Keyring:
        raise NotImplementedError

    @pytest.fixture
    def outage(self, keyring: Keyring) -> Callable[[], Awaitable[None]]:
        raise NotImplementedError

    async def test_an_account_has_no_key_before_one_is_made(self, keyring: Keyring) -> None:
        with pytest.raises(KeyGone):
            await keyring.open(ALICE)
        assert await keyring.count(ALICE) == 0
        await keyring.create(ALICE)
        assert len((await keyring.open(ALICE)).material) == 32
        assert await keyring.count(ALICE) == 1

    async def test_the_same_key_opens_every_time(self, keyring: Keyring) -> None:
        await keyring.create(ALICE)
        key = await keyring.open(ALICE)
        assert key.version == 1
        assert await keyring.open(ALICE) == key

    async def test_a_key_that_is_opened_anew_is_the_same_and_none_that_is_gone(
        self, keyring: Keyring
    ) -> None:
        with pytest.raises(KeyGone):
            await keyring.reopen(ALICE)
        await keyring.create(ALICE)
        await keyring.create(BOB)
        assert await keyring.reopen(ALICE) == await keyring.open(ALICE) != await keyring.reopen(BOB)
        await keyring.destroy(ALICE)
        with pytest.raises(KeyGone):
            await keyring.reopen(ALICE)

    async def test_making_a_key_again_changes_nothing(self, keyring: Keyring) -> None:
        await keyring.create(ALICE)
        key = await keyring.open(ALICE)
        await keyring.create(ALICE)
        assert await keyring.open(ALICE) == key
        assert await keyring.count(ALICE) == 1

    async def test_many_makers_at_once_make_one_key(self, keyring: Keyring) -> None:
        async def make_and_open() -> bytes:
            await keyring.create(ALICE)
            return (await keyring.open(ALICE)).material

        assert len(set(await asyncio.gather(*(make_and_open() for _ in range(20))))) == 1
        assert await keyring.count(ALICE) == 1

    async def test_no_two_accounts_share_a_key(self, keyring: Keyring) -> None:
        accounts = [AccountId(uuid4()) for _ in range(20)]
        await asyncio.gather(*(keyring.create(account) for account in accounts))
        assert len({(await keyring.open(account)).material for account in accounts}) == len(accounts)

    async def test_a_destroyed_key_is_gone_for_those_who_just_had_it_too(self, keyring: Keyring) -> None:
        await keyring.create(ALICE)
        await keyring.open(ALICE)
        assert await keyring.destroy(ALICE) == 1
        with pytest.raises(KeyGone):
            await keyring.open(ALICE)
        assert await keyring.count(ALICE) == 0
        assert await keyring.destroy(ALICE) == 0

    async def test_destroying_one_accounts_key_leaves_the_others(self, keyring: Keyring) -> None:
        await keyring.create(ALICE)
        await keyring.create(BOB)
        theirs = await keyring.open(BOB)
        await keyring.destroy(ALICE)
        assert await keyring.open(BOB) == theirs
        assert await keyring.count(BOB) == 1

    async def test_whoever_opens_during_destruction_does_not_bring_the_key_back(
        self, keyring: Keyring
    ) -> None:
        await keyring.create(ALICE)
        opens = [asyncio.create_task(keyring.open(ALICE)) for _ in range(5)]
        await keyring.destroy(ALICE)
        await asyncio.gather(*opens, return_exceptions=True)
        with pytest.raises(KeyGone):
            await keyring.open(ALICE)

    async def test_what_has_ended_is_known_to_whoever_opens_the_key(self, keyring: Keyring) -> None:
        await keyring.create(ALICE)
        await keyring.create(BOB)
        held = await keyring.open(ALICE)
        assert held.ended == set()
        rows = [uuid4() for _ in range(3)]
        for _ in range(2):
            await keyring.note_endings(ALICE, [Ending(row) for row in rows])
        expected = {row.bytes for row in rows}
        assert (
            held.ended == (await keyring.open(ALICE)).ended == (await keyring.reopen(ALICE)).ended == expected
        )
        assert (await keyring.open(BOB)).ended == set()
        await keyring.destroy(ALICE)
        await keyring.create(ALICE)
        assert (await keyring.open(ALICE)).ended == set()

    async def test_an_ending_is_forgotten_when_it_cannot_matter_any_more(self, keyring: Keyring) -> None:
        await keyring.create(ALICE)
        for_ever, early, late = uuid4(), uuid4(), uuid4()
        until = datetime(2027, 3, 1, tzinfo=UTC)
        endings = [Ending(for_ever), Ending(early, until), Ending(late, until + timedelta(seconds=1))]
        await keyring.note_endings(ALICE, endings)
        assert [await keyring.purge_endings(until, 10) for _ in range(2)] == [1, 0]
        assert (await keyring.reopen(ALICE)).ended == {for_ever.bytes, late.bytes}

    async def test_another_key_stands_beside_the_first_until_that_is_destroyed(
        self, keyring: Keyring
    ) -> None:
        await keyring.create(ALICE)
        first = await keyring.open(ALICE)
        assert await keyring.finish(ALICE) == 0, "the only key is destroyed"
        assert [await keyring.add(ALICE), await keyring.add(ALICE)] == [2, 2]
        key = await keyring.open(ALICE)
        assert key.former is not None
        assert (key.version, key.former.material) == (2, first.material)
        assert key.material != first.material
        assert (await keyring.reopen(ALICE)).material == key.material
        assert await keyring.count(ALICE) == 2
        assert await keyring.holders(None, 9) == [ALICE]
        assert await keyring.unheard(ALICE) >= timedelta()
        assert [await keyring.finish(ALICE), await keyring.finish(ALICE)] == [1, 0]
        key = await keyring.open(ALICE)
        assert (key.version, key.former, await keyring.count(ALICE)) == (2, None, 1)
        assert await keyring.add(ALICE) == 3
        assert await keyring.destroy(ALICE) == 2
        for gone in (keyring.add(ALICE), keyring.finish(ALICE), keyring.unheard(ALICE)):
            with pytest.raises(KeyGone):
                await gone

    async def test_what_is_over_is_over_under_every_key(self, keyring: Keyring) -> None:
        rows = [uuid4() for _ in range(3)]
        await keyring.create(ALICE)
        await keyring.note_endings(ALICE, [Ending(rows[0])])
        await keyring.add(ALICE)
        await keyring.note_endings(ALICE, [Ending(rows[1])])
        key = await keyring.reopen(ALICE)
        wanted = {row.bytes for row in rows[:2]}
        assert key.former is not None
        assert key.ended >= wanted
        assert key.former.ended >= wanted
        await keyring.finish(ALICE)
        await keyring.note_endings(ALICE, [Ending(rows[2])])
        assert (await keyring.reopen(ALICE)).ended == wanted | {rows[2].bytes}

    async def test_whoever_has_a_key_is_listed_once_in_order_of_id(self, keyring: Keyring) -> None:
        accounts = sorted(AccountId(uuid4()) for _ in range(7))
        for account in accounts:
            await keyring.create(account)
        listed: list[AccountId] = []
        while page := await keyring.holders(listed[-1] if listed else None, 3):
            listed += page
        assert listed == accounts
        await keyring.destroy(accounts[0])
        assert list(await keyring.holders(None, 2)) == accounts[1:3]

    async def test_a_system_key_is_made_once_per_purpose(self, keyring: Keyring) -> None:
        keys = await asyncio.gather(*(keyring.system("index") for _ in range(20)))
        assert len(set(keys)) == 1
        assert len(keys[0]) == 32
        assert await keyring.system("index") == keys[0]
        assert await keyring.system("ledger") != keys[0]

    async def test_system_keys_outlive_every_account(self, keyring: Keyring) -> None:
        key = await keyring.system("index")
        await keyring.create(ALICE)
        await keyring.destroy(ALICE)
        assert await keyring.system("index") == key

    async def test_an_outage_is_told_as_such_by_every_method(
        self, keyring: Keyring, outage: Callable[[], Awaitable[None]]
    ) -> None:
        await keyring.create(ALICE)
        await outage()
        for call in (
            keyring.create(BOB), keyring.open(ALICE), keyring.destroy(ALICE), keyring.count(ALICE),
            keyring.holders(None, 1), keyring.purge_endings(datetime.now(UTC), 1),
            keyring.system("index"),
        ):  # fmt: skip
            with pytest.raises(KeysUnavailable) as told:
                await call
            assert told.value.__cause__ is None
            assert not told.value.args

    async def test_an_opened_key_does_not_show_itself(self, keyring: Keyring) -> None:
        await keyring.create(ALICE)
        key = await keyring.open(ALICE)
        assert key.material.hex() not in f"{key!r} {key}"
        assert repr(key.material) not in f"{key!r} {key}"
