"""What every store of objects promises, and every store of bytes beneath it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from uuid import UUID, uuid4

import pytest

from adapters.outbound.memory.keyring import MemoryKeyring
from application.ports.byte_store import ByteStore
from application.ports.keyring import KeyGone, Keyring
from application.ports.objects import Objects, ObjectsUnavailable
from domain.kernel import AccountId, NotFound, ObjectId

ANN, BEN = AccountId(UUID(int=1)), AccountId(UUID(int=2))
FRAME = 64 << 10
SIZES = (0, 1, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME, 3 * FRAME + 7)


def an_id() -> ObjectId:
    return ObjectId(uuid4())


def content(size: int) -> bytes:
    return (b"%08d" * (size // 8 + 1) % tuple(range(size // 8 + 1)))[:size]


async def stream(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def cut(whole: bytes, into: int) -> Iterable[bytes]:
    return (whole[begin : begin + into] for begin in range(0, len(whole), into))


async def read(objects: Objects, account: AccountId, of: ObjectId, *bounds: int) -> bytes:
    async with objects.open(account, of) as opened:
        return b"".join([piece async for piece in opened.read(*bounds)])


class BrokenOff(Exception):
    """Whoever brought the content went away."""


async def breaking_off(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
    raise BrokenOff


class ObjectsContract:
    """Subclass it, and give the fixtures `objects`, standing on `keyring`, and `outage`."""

    @pytest.fixture
    def objects(self) -> Objects:
        raise NotImplementedError

    @pytest.fixture
    def keyring(self) -> Keyring:
        return MemoryKeyring()

    @pytest.fixture
    def outage(self) -> Callable[[], None]:
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    async def _keys(self, keyring: Keyring) -> None:
        await keyring.create(ANN)
        await keyring.create(BEN)

    @pytest.mark.parametrize("size", SIZES)
    async def test_what_was_put_is_read_however_it_was_cut(self, objects: Objects, size: int) -> None:
        whole = content(size)
        for into in (1 + size // 5, FRAME, 10 * FRAME):
            of = an_id()
            assert await objects.put(ANN, of, stream(*cut(whole, into))) == size
            assert await read(objects, ANN, of) == whole
            async with objects.open(ANN, of) as opened:
                assert opened.size == size
                assert all([len(piece) <= FRAME async for piece in opened.read()])

    async def test_any_range_is_read(self, objects: Objects) -> None:
        whole, of = content(2 * FRAME + 9), an_id()
        await objects.put(ANN, of, stream(whole))
        places = (0, 1, FRAME - 1, FRAME, FRAME + 1, 2 * FRAME, 2 * FRAME + 8, 2 * FRAME + 9, 3 * FRAME)
        for start in places:
            for stop in places:
                assert await read(objects, ANN, of, start, stop) == whole[start:stop]
            assert await read(objects, ANN, of, start) == whole[start:]

    async def test_putting_again_replaces(self, objects: Objects) -> None:
        of = an_id()
        await objects.put(ANN, of, stream(content(3 * FRAME)))
        async with objects.open(ANN, of) as before:
            await objects.put(ANN, of, stream(b"new"))
            assert b"".join([piece async for piece in before.read()]) == content(3 * FRAME)
        assert await read(objects, ANN, of) == b"new"
        assert await objects.count(ANN) == 1

    async def test_what_breaks_off_leaves_nothing(self, objects: Objects) -> None:
        with pytest.raises(BrokenOff):
            await objects.put(ANN, an_id(), breaking_off(content(2 * FRAME)))
        assert await objects.count(ANN) == 0

    async def test_what_breaks_off_leaves_what_was_there(self, objects: Objects) -> None:
        of = an_id()
        await objects.put(ANN, of, stream(b"first"))
        with pytest.raises(BrokenOff):
            await objects.put(ANN, of, breaking_off(content(2 * FRAME)))
        assert await read(objects, ANN, of) == b"first"

    async def test_an_unknown_object_is_not_found(self, objects: Objects) -> None:
        with pytest.raises(NotFound):
            await read(objects, ANN, an_id())

    async def test_another_accounts_object_is_not_found(self, objects: Objects) -> None:
        of = an_id()
        await objects.put(ANN, of, stream(b"ann's"))
        with pytest.raises(NotFound):
            await read(objects, BEN, of)
        await objects.delete(BEN, of)
        assert await read(objects, ANN, of) == b"ann's"

    async def test_a_deleted_object_is_gone_and_deleting_repeats(self, objects: Objects) -> None:
        of, other = an_id(), an_id()
        await objects.put(ANN, of, stream(b"one"))
        await objects.put(ANN, other, stream(b"two"))
        for _ in range(2):
            await objects.delete(ANN, of)
            with pytest.raises(NotFound):
                await read(objects, ANN, of)
        assert await read(objects, ANN, other) == b"two"

    async def test_objects_are_found_by_their_account_alone(self, objects: Objects) -> None:
        put = {an_id() for _ in range(3)}
        for of in put:
            await objects.put(ANN, of, stream(b"ann's"))
        await objects.put(BEN, an_id(), stream(b"ben's"))
        assert {of async for of in objects.list_all(ANN)} == put
        assert (await objects.count(ANN), await objects.count(BEN)) == (3, 1)

    async def test_all_of_an_account_goes_without_its_key(self, objects: Objects, keyring: Keyring) -> None:
        for _ in range(3):
            await objects.put(ANN, an_id(), stream(b"ann's"))
        bens = an_id()
        await objects.put(BEN, bens, stream(b"ben's"))
        await keyring.destroy(ANN)
        for _ in range(2):
            await objects.delete_all(ANN)
            assert await objects.count(ANN) == 0
        assert await read(objects, BEN, bens) == b"ben's"

    async def test_without_a_key_nothing_is_put_or_read(self, objects: Objects, keyring: Keyring) -> None:
        of = an_id()
        await objects.put(ANN, of, stream(b"ann's"))
        await keyring.destroy(ANN)
        with pytest.raises(KeyGone):
            await read(objects, ANN, of)
        with pytest.raises(KeyGone):
            await objects.put(ANN, an_id(), stream(b"more"))
        assert await objects.count(ANN) == 1

    async def test_many_write_one_object_and_one_of_them_wins_whole(self, objects: Objects) -> None:
        of = an_id()
        contents = [bytes([letter]) * (FRAME + letter) for letter in b"abcdefgh"]
        await asyncio.gather(*(objects.put(ANN, of, stream(*cut(each, 9000))) for each in contents))
        assert await read(objects, ANN, of) in contents

    async def test_an_outage_is_said(self, objects: Objects, outage: Callable[[], None]) -> None:
        of = an_id()
        await objects.put(ANN, of, stream(b"ann's"))
        outage()
        for act in (
            lambda: objects.put(ANN, an_id(), stream(b"more")),
            lambda: read(objects, ANN, of),
            lambda: objects.delete(ANN, of),
            lambda: objects.delete_all(ANN),
            lambda: objects.count(ANN),
        ):
            with pytest.raises(ObjectsUnavailable):
                await act()


class ByteStoreContract:
    """Subclass it, and give the fixture `store`."""

    @pytest.fixture
    def store(self) -> ByteStore:
        raise NotImplementedError

    async def test_what_was_written_is_read_in_any_piece(self, store: ByteStore) -> None:
        await store.write("ab/01", stream(b"hello ", b"world"))
        async with store.open("ab/01") as opened:
            assert opened.size == 11
            assert await opened.read(0, 11) == b"hello world"
            assert await opened.read(6, 3) == b"wor"
            assert await opened.read(6, 100) == b"world"
            assert await opened.read(11, 1) == b""

    async def test_names_are_listed_by_their_whole_prefix(self, store: ByteStore) -> None:
        for name in ("ab/01", "ab/02", "abc/01", "cd/01"):
            await store.write(name, stream(b"x"))
        assert {name async for name in store.names("ab")} == {"ab/01", "ab/02"}
        assert [name async for name in store.names("ef")] == []

    async def test_what_breaks_off_has_no_name(self, store: ByteStore) -> None:
        with pytest.raises(BrokenOff):
            await store.write("ab/01", breaking_off(b"half"))
        assert [name async for name in store.names("ab")] == []
        with pytest.raises(NotFound):
            async with store.open("ab/01"):
                pass

    async def test_what_is_open_outlives_its_name(self, store: ByteStore) -> None:
        await store.write("ab/01", stream(b"old"))
        async with store.open("ab/01") as replaced:
            await store.write("ab/01", stream(b"newer"))
            async with store.open("ab/01") as deleted:
                await store.delete("ab/01")
                assert (replaced.size, await replaced.read(0, 9)) == (3, b"old")
                assert (deleted.size, await deleted.read(0, 9)) == (5, b"newer")
        await store.delete("ab/01")
        assert [name async for name in store.names("ab")] == []
