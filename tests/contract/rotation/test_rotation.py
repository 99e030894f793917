"""An account gets another key while it is in use: nothing changes for anybody, and the former key opens nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.outbound.postgres.codec import CODECS
from adapters.outbound.postgres.sealing import FORMAT, HEADER, AccountCipher
from adapters.outbound.sealed.frames import version_of
from adapters.tones import tone
from application.inventory import INVENTORY
from application.key_rotation import NotHeardYet, RotateAccountKey
from application.ports.keyring import AccountKey, KeyGone
from application.ports.store import Tx
from bootstrap.worlds import InMemory
from domain.audit import AuditKind
from domain.classification import StorageKind
from domain.kernel import AccountId, CarrierRef, MediaId, NotFound, ObjectId, SealBroken
from domain.media import Media
from domain.values import Label, MessageBody, Peer, PhoneNumber
from pico_testkit import STRANGER
from tests.contract.conftest import Postgres
from tests.support.actors import with_line
from tests.support.canary_account import Planted, lived
from tests.support.harness import ENVIRONMENT, OnPostgres, in_memory, on_postgres


@dataclass
class House:
    """A world with somebody in it who has something everywhere."""

    world: InMemory
    ada: Planted
    blocked: PhoneNumber
    object_id: ObjectId

    @property
    def rotate(self) -> RotateAccountKey:
        return self.world.use_cases.rotate_account_key

    async def heard(self) -> None:
        """Let so much time pass that every process knows of the new key."""
        if isinstance(self.world, OnPostgres):
            await self.world.pool.execute("UPDATE account_keys SET created_at = now() - interval '1 hour'")

    async def seen(self) -> object:
        """Return all that can be read of the account, and what its blind indexes lead to."""
        do, ada = self.world.use_cases, self.ada
        async with self.world.store.begin(ada.id) as tx:
            records = {
                of.name: sorted(map(shown, await tx.records.page(of, None, 10_000)))
                for of in INVENTORY if of.name not in {"audit_entries", "live_events", "live_streams"}
            }  # fmt: skip
            found = (
                await tx.conversations.with_peer(ada.line_id, ada.peer) is not None,
                await tx.blocked_numbers.find(self.blocked) is not None,
                list(await tx.contacts.names([ada.peer])),
            )
        again = await do.send_message(ada.id, ada.line_id, STRANGER, MessageBody("Once."), "once")
        assert again.body == "Once.", "what is done once is done again"
        async with self.world.objects.open(ada.id, self.object_id) as opened:
            content = b"".join([piece async for piece in opened.read()])
        return records, found, content


async def content(of: bytes) -> AsyncIterator[bytes]:
    yield of


@asynccontextmanager
async def housed(world: InMemory) -> AsyncIterator[House]:
    ada = await lived(world)
    blocked = PhoneNumber("+13105550111")
    await world.use_cases.block_number(ada.id, blocked)
    await world.use_cases.send_message(ada.id, ada.line_id, STRANGER, MessageBody("Once."), "once")
    await world.settle()
    object_id = ObjectId(world.ids.new())

    async def expect(tx: Tx) -> None:
        tx.save(Media.upload(ada.id, MediaId(object_id), world.clock.now()))

    await world.store.update(ada.id, expect)
    await world.objects.put(ada.id, object_id, content(b"what it shows" * 9_000))
    house = House(world, ada, blocked, object_id)
    assert await house.seen() == await house.seen()
    yield house


@pytest.fixture(params=["memory", "postgres"])
async def house(request: pytest.FixtureRequest, postgres: Postgres, tmp_path: Path) -> AsyncIterator[House]:
    if request.param == "memory":
        async with housed(in_memory()) as found:
            yield found
        return
    async with on_postgres(postgres, tmp_path) as world, housed(world) as found:
        yield found


@pytest.fixture
async def stored(postgres: Postgres, tmp_path: Path) -> AsyncIterator[House]:
    async with on_postgres(postgres, tmp_path) as world, housed(world) as found:
        yield found


async def rotated(house: House) -> None:
    await house.rotate.begin(house.ada.id)
    await house.heard()
    await house.rotate.finish(house.ada.id)


async def test_nothing_changes_for_anybody_and_one_key_is_left(house: House) -> None:
    before, former = await house.seen(), await house.world.keyring.open(house.ada.id)
    await rotated(house)
    key = await house.world.keyring.reopen(house.ada.id)
    assert (key.version, key.former, await house.world.keyring.count(house.ada.id)) == (2, None, 1)
    assert key.material != former.material
    assert await house.seen() == before
    await rotated(house)
    assert await house.seen() == before
    assert (await house.world.keyring.reopen(house.ada.id)).version == 3
    log = (await house.world.use_cases.list_audit_log(house.ada.id, None, 100)).items
    assert sum(entry.kind is AuditKind.ACCOUNT_KEY_ROTATED for entry in log) == 2


async def test_it_can_be_used_at_every_stage(house: House) -> None:
    ada, world = house.ada, house.world

    async def used(word: str) -> None:
        await ada.sends(f"said {word}", ada.peer)
        await ada.receives(f"heard {word}", ada.peer)
        await world.settle()
        for _ in range(2):
            await world.use_cases.send_message(ada.id, ada.line_id, STRANGER, MessageBody(word), word)
        await world.use_cases.change_profile(ada.id, Label(word), None)
        await world.use_cases.sign_out(
            ada.id, (await world.use_cases.sign_in(ada.email, ada.password)).session.id
        )
        await house.seen()
        text = await tx_rows(world, ada.id)
        assert f"said {word}" in text
        assert f"heard {word}" in text

    await used("before")
    await house.rotate.begin(ada.id)
    await used("begun")
    with suppress(NotHeardYet):
        await house.rotate.finish(ada.id)
    await house.heard()
    await world.resealing.turn(ada.id)
    await used("turned")
    await house.rotate.finish(ada.id)
    await used("after")


def shown(row: Mapping[str, Any]) -> str:
    """Return a record as text, personal values too."""
    return str({name: str(value) for name, value in row.items()})


async def tx_rows(world: InMemory, account_id: AccountId) -> str:
    async with world.store.begin(account_id) as tx:
        return "\n".join([shown(row) for of in INVENTORY for row in await tx.records.page(of, None, 10_000)])


async def test_what_is_over_stays_over(stored: House) -> None:
    house, ada, world = stored, stored.ada, stored.world
    (conversation, *_) = (await world.use_cases.list_conversations(ada.id, None, None, 9)).items
    await world.use_cases.delete_conversation(ada.id, conversation.id)
    ended = set((await world.keyring.reopen(ada.id)).ended)
    assert conversation.id.bytes in ended
    await house.rotate.begin(ada.id)
    assert (await world.keyring.reopen(ada.id)).ended >= ended
    other = await world.use_cases.sign_in(ada.email, ada.password)
    await world.use_cases.sign_out(ada.id, other.session.id)
    await house.heard()
    await house.rotate.finish(ada.id)
    assert (await world.keyring.reopen(ada.id)).ended >= ended | {other.session.id.bytes}


async def test_who_is_erased_meanwhile_has_no_key_afterwards(house: House) -> None:
    await house.rotate.begin(house.ada.id)
    await house.world.keyring.destroy(house.ada.id)
    await house.world.store.delete_rows(house.ada.id)
    for act in (house.rotate.begin, house.rotate.finish):
        with pytest.raises((KeyGone, NotFound)):
            await act(house.ada.id)
    assert await house.world.keyring.count(house.ada.id) == 0


async def test_an_object_deleted_while_it_is_sealed_anew_stays_deleted(house: House) -> None:
    world, ada = house.world, house.ada
    there = [True, False]

    class Deleting(type(world.resealing)):  # type: ignore[misc]  # either
        async def holder(self, *_: object) -> object:
            return object if there.pop(0) else None

    ports = {name: getattr(world.resealing, name) for name in world.resealing.__dataclass_fields__}  # type: ignore[attr-defined]
    rotate = replace(house.rotate, resealing=Deleting(**ports))
    await rotate.begin(ada.id)
    await house.heard()
    await rotate.finish(ada.id)
    with pytest.raises(NotFound):
        async with world.objects.open(ada.id, house.object_id):
            pass


async def test_what_no_record_wants_any_more_is_not_brought_back(house: House) -> None:
    """As where a rotation died after it had sealed anew what a job was deleting."""
    world, ada = house.world, house.ada

    async def withdraw(tx: Tx) -> None:
        media = await tx.media.get(MediaId(house.object_id))
        media.withdraw()
        tx.save(media)

    await world.store.update(ada.id, withdraw)
    orphan = ObjectId(world.ids.new())
    await world.objects.put(ada.id, orphan, content(b"of no record"))
    await rotated(house)
    for gone in (house.object_id, orphan):
        with pytest.raises(NotFound):
            async with world.objects.open(ada.id, gone):
                pass


@pytest.mark.parametrize("deleted", [False, True])
async def test_audio_that_a_rotation_puts_back_as_it_goes_does_not_stay(*, deleted: bool) -> None:
    world = InMemory()
    ada = await with_line(world)
    await world.recordings.leave(Peer(STRANGER), ada.number, tone(2))
    await world.settle()
    [left] = (await world.use_cases.list_voicemails(ada.id, None, None, 9)).items
    delete, resealing = world.byte_store.delete, world.use_cases.rotate_account_key.resealing

    async def raced(name: str) -> None:
        """Delete it while a rotation has it in hand, which writes it, and then looks whether it is wanted."""
        held = world.byte_store.kept.get(name)
        await delete(name)
        if held is not None and await resealing.holder(ada.id, left.object_id) is not None:
            world.byte_store.kept[name] = held

    world.byte_store.delete = raced  # type: ignore[method-assign]
    if deleted:
        await world.use_cases.delete_voicemail(ada.id, left.id)
    await world.advance(timedelta(days=91))
    with pytest.raises(NotFound):
        async with world.objects.open(ada.id, left.object_id):
            pass


# ------------------------------------------------------------------------------------------------ crashes


class Cut(Exception):
    """The process died."""


class Cutting:
    """Stands for a port: its calls are counted, and at one of them, before or after it, the process dies."""

    def __init__(self, of: Any, at: list[int]) -> None:
        self._of, self._at = of, at

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._of, name)
        if name == "list_all":
            return found

        async def cut(*given: Any, **named: Any) -> Any:
            self._count()
            result = await found(*given, **named)
            self._count()
            return result

        return cut

    def _count(self) -> None:
        self._at[0] -= 1
        if not self._at[0]:
            raise Cut


@pytest.mark.parametrize("seed", range(3))
async def test_wherever_it_is_cut_off_it_goes_on_and_comes_to_its_end(house: House, seed: int) -> None:
    chance, before = random.Random(seed), await house.seen()
    for version in range(2, 12):
        at = [chance.randrange(1, 26)]
        ports: dict[str, Any] = {
            name: Cutting(getattr(house.rotate, name), at) for name in ("keyring", "resealing", "objects")
        }
        cutting = replace(house.rotate, **ports)
        with suppress(Cut):
            await cutting.begin(house.ada.id)
            await house.heard()
            await cutting.finish(house.ada.id)
        assert await house.seen() == before, f"cut off in the making of key {version}"
        await rotated_on(house, version)
        assert await house.seen() == before
        assert await house.world.keyring.count(house.ada.id) == 1


async def rotated_on(house: House, version: int) -> None:
    """Go on until the account has this key and no other."""
    key = await house.world.keyring.reopen(house.ada.id)
    if key.version < version:
        await house.rotate.begin(house.ada.id)
    await house.heard()
    await house.rotate.finish(house.ada.id)
    assert (await house.world.keyring.reopen(house.ada.id)).version == version


# ------------------------------------------------------------------------------------------------ PostgreSQL


def cells() -> list[tuple[str, str]]:
    return [
        (codec.name, column.name)
        for codec in CODECS.values() for column in codec.table.c if column.info["kind"] is StorageKind.SEALED
    ]  # fmt: skip


async def held(house: House) -> dict[tuple[str, str], list[tuple[Any, bytes]]]:
    """Return every sealed cell of the account."""
    assert isinstance(house.world, OnPostgres)
    found = {}
    for table, column in cells():
        owner = "id" if table == "accounts" else "account_id"
        rows = await house.world.rows(table, **{owner: house.ada.id})
        found[table, column] = [(row["id"], row[column]) for row in rows if row[column] is not None]
    return found


def opens(key: AccountKey, house: House, table: str, column: str, row_id: Any, blob: bytes) -> bool:
    try:
        AccountCipher(ENVIRONMENT, house.ada.id, key).column(table, column).open(row_id.bytes, blob)
    except SealBroken:
        return False
    return True


async def test_the_former_key_opens_nothing_and_makes_no_index_that_leads_anywhere(stored: House) -> None:
    world = stored.world
    assert isinstance(world, OnPostgres)
    former = await world.keyring.open(stored.ada.id)
    indexes = await indexed(world, stored.ada.id)
    assert any(
        opens(former, stored, *place, *cell) for place, some in (await held(stored)).items() for cell in some
    )
    await rotated(stored)
    after = await held(stored)
    assert sum(map(len, after.values())) > 40
    for place, some in after.items():
        for row_id, blob in some:
            assert blob[:HEADER] == FORMAT + (2).to_bytes(2), f"{place} is under the former key"
            assert not opens(former, stored, *place, row_id, blob)
    assert not indexes & await indexed(world, stored.ada.id), "a blind index is as it was"
    async with world.objects.open(stored.ada.id, stored.object_id) as opened:
        assert version_of(opened.cipher.header) == 2  # type: ignore[attr-defined]  # a sealed one
    rows = await world.rows("account_keys", account_id=stored.ada.id)
    assert [row["version"] for row in rows] == [2]


async def indexed(world: OnPostgres, account_id: AccountId) -> set[bytes]:
    found = set[bytes]()
    for codec in CODECS.values():
        for column in codec.table.c:
            if column.info["kind"] is StorageKind.INDEX:
                found |= {row[column.name] for row in await world.rows(codec.name, account_id=account_id)}
    return found - {None}


@pytest.mark.parametrize("renamed", [False, True])
async def test_a_unit_of_work_from_before_the_turn_goes_again(stored: House, *, renamed: bool) -> None:
    ada, world = stored.ada, stored.world
    await stored.rotate.begin(ada.id)
    await stored.heard()
    tries = []

    async def change(tx: Tx) -> None:
        account = await tx.accounts.get_even_broken()
        tries.append(account.version)
        if len(tries) == 1:
            await world.resealing.turn(ada.id)
        if renamed:
            account.change_profile(Label("Another"), None, world.clock.now())
            tx.save(account)
        tx.note(AuditKind.PROFILE_CHANGED, ada.id, world.clock.now())

    await world.store.update(ada.id, change)
    assert len(tries) == 2, "what was sealed under the former key was committed after the turn"
    await stored.rotate.finish(ada.id)
    await stored.seen()


async def test_before_others_can_know_of_the_key_nothing_is_sealed_under_it(stored: House) -> None:
    await stored.rotate.begin(stored.ada.id)
    with pytest.raises(NotHeardYet) as early:
        await stored.rotate.finish(stored.ada.id)
    assert early.value.retry_after is not None
    assert timedelta(minutes=5) < early.value.retry_after <= timedelta(minutes=6)
    await stored.ada.sends("meanwhile", stored.ada.peer)
    blobs = [blob for some in (await held(stored)).values() for _, blob in some]
    assert {blob[:HEADER] for blob in blobs} == {FORMAT + (1).to_bytes(2)}


async def test_writers_go_on_throughout(stored: House) -> None:
    ada, world = stored.ada, stored.world
    written: list[str] = []
    over = asyncio.Event()

    async def write(name: str) -> None:
        number = 0
        while not over.is_set():
            number += 1
            body = f"{name} {number}"
            for _ in range(2):
                await ada.receives(body, ada.peer, ref=CarrierRef(body))
            written.append(body)

    writers = [asyncio.create_task(write(name)) for name in ("one", "two")]
    try:
        for _ in range(3):
            await rotated(stored)
            await asyncio.sleep(0.1)
    finally:
        over.set()
        await asyncio.gather(*writers)
    text = await tx_rows(world, ada.id)
    assert len(written) > 6
    for body in written:
        assert text.count(f"'body': '{body}'") == 1, "a message is lost, or there twice"


async def test_older_keys_are_found_and_those_that_were_cut_off(stored: House) -> None:
    ada, world = stored.ada, stored.world
    now = world.clock.now()
    long_ago: Callable[[int], Any] = lambda days: now - timedelta(days=days)  # noqa: E731 - said thrice
    await world.pool.execute("UPDATE account_keys SET created_at = $1", long_ago(10))  # type: ignore[attr-defined]
    assert ada.id in [each async for each in stored.rotate.older(long_ago(5))]
    assert [each async for each in stored.rotate.older(long_ago(20))] == []
    await stored.rotate.begin(ada.id)
    assert [each async for each in stored.rotate.older(long_ago(20))] == [ada.id]
