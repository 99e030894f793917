"""Sealed frames: whatever is done to an object at rest, it opens to what was put, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.memory.byte_store import MemoryByteStore
from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.sealed.frames import FRAME, HEADER, SEALED_FRAME, TAG, Layout
from adapters.outbound.sealed.objects import SealedObjects
from domain.kernel import AccountId, ObjectId, SealBroken
from tests.contract.objects.contract import ANN, BEN, an_id, content, read, stream

LAST = 77
WHOLE = content(3 * FRAME + LAST)


class Bench:
    """Three objects at rest: two of Ann's, as long as each other, and one of Ben's."""

    def __init__(self) -> None:
        self.keyring, self.store = MemoryKeyring(), MemoryByteStore()
        self.objects = SealedObjects(self.store, self.keyring, "test")
        self.first, self.second = an_id(), an_id()

    async def fill(self) -> None:
        await self.keyring.create(ANN)
        await self.keyring.create(BEN)
        await self.objects.put(ANN, self.first, stream(WHOLE))
        await self.objects.put(ANN, self.second, stream(WHOLE[::-1]))
        await self.objects.put(BEN, self.first, stream(WHOLE))

    async def at_rest(self, account: AccountId, of: ObjectId) -> bytes:
        async with self.store.open(await self.name(account, of)) as opened:
            return await opened.read(0, opened.size)

    async def name(self, account: AccountId, of: ObjectId) -> str:
        return (await self.objects._names(account)).name(of)

    async def read_altered(self, altered: bytes) -> bytes:
        await self.store.write(await self.name(ANN, self.first), stream(altered))
        return await read(self.objects, ANN, self.first)


def parts(at_rest: bytes) -> list[bytes]:
    """Cut what lies at rest into header and frames."""
    frames = at_rest[HEADER:]
    return [at_rest[:HEADER], *(frames[at : at + SEALED_FRAME] for at in range(0, len(frames), SEALED_FRAME))]


async def refused(alter: Callable[[list[bytes], list[bytes], list[bytes]], bytes]) -> None:
    """Have Ann's first object altered, given all three in parts, and see that it does not open whole."""
    bench = Bench()
    await bench.fill()
    of = [(ANN, bench.first), (ANN, bench.second), (BEN, bench.first)]
    mine, other, foreign = [parts(await bench.at_rest(*each)) for each in of]
    altered = alter(mine, other, foreign)
    assert altered != b"".join(mine)
    with pytest.raises(SealBroken):
        await bench.read_altered(altered)


ALTERATIONS: dict[str, Callable[[list[bytes], list[bytes], list[bytes]], bytes]] = {
    "nothing left": lambda _m, _o, _f: b"",
    "the header alone": lambda m, _o, _f: m[0],
    "the last frame dropped": lambda m, _o, _f: b"".join(m[:-1]),
    "the first frame dropped": lambda m, _o, _f: b"".join([m[0], *m[2:]]),
    "a middle frame dropped": lambda m, _o, _f: b"".join([*m[:2], *m[3:]]),
    "two frames swapped": lambda m, _o, _f: b"".join([m[0], m[2], m[1], *m[3:]]),
    "a frame repeated": lambda m, _o, _f: b"".join([*m[:2], m[1], *m[2:]]),
    "a frame in the next one's place": lambda m, _o, _f: b"".join([*m[:2], m[1], *m[3:]]),
    "the last frame repeated": lambda m, _o, _f: b"".join([*m, m[-1]]),
    "an empty last frame": lambda m, _o, _f: b"".join([*m[:-1], b"\0" * TAG]),
    "a frame of another object": lambda m, o, _f: b"".join([*m[:2], o[2], *m[3:]]),
    "all frames of another object": lambda m, o, _f: b"".join([m[0], *o[1:]]),
    "another object whole": lambda _m, o, _f: b"".join(o),
    "another account's object whole": lambda _m, _o, f: b"".join(f),
    "another account's frame": lambda m, _o, f: b"".join([m[0], f[1], *m[2:]]),
    "another format": lambda m, _o, _f: b"\x02" + b"".join(m)[1:],
    "another key version": lambda m, _o, _f: b"\x01\x00\x02" + b"".join(m)[3:],
    "another salt": lambda m, o, _f: b"".join([o[0], *m[1:]]),
    "bytes behind it": lambda m, _o, _f: b"".join([*m, b"\0"]),
}


@pytest.mark.parametrize("what", ALTERATIONS)
async def test_an_altered_object_is_refused(what: str) -> None:
    await refused(ALTERATIONS[what])


async def test_a_frame_of_an_earlier_writing_is_refused() -> None:
    bench = Bench()
    await bench.fill()
    before = parts(await bench.at_rest(ANN, bench.first))
    await bench.objects.put(ANN, bench.first, stream(WHOLE))
    after = parts(await bench.at_rest(ANN, bench.first))
    assert not set(before) & set(after), "two writings share a key and a nonce"
    with pytest.raises(SealBroken):
        await bench.read_altered(b"".join([*after[:2], before[2], *after[3:]]))


async def test_the_sandboxs_objects_do_not_open_in_production() -> None:
    bench = Bench()
    await bench.fill()
    elsewhere = SealedObjects(bench.store, bench.keyring, "production")
    with pytest.raises(SealBroken):
        await read(elsewhere, ANN, bench.first)


async def test_a_range_of_a_cut_object_is_refused_though_its_own_frame_is_whole() -> None:
    bench = Bench()
    await bench.fill()
    mine = parts(await bench.at_rest(ANN, bench.first))
    await bench.store.write(await bench.name(ANN, bench.first), stream(b"".join(mine[:-1])))
    with pytest.raises(SealBroken):
        await read(bench.objects, ANN, bench.first, 0, 10)


async def test_nothing_of_a_broken_frame_is_handed_out() -> None:
    bench = Bench()
    await bench.fill()
    mine = parts(await bench.at_rest(ANN, bench.first))
    mine[2] = mine[2][:-1] + bytes([mine[2][-1] ^ 1])
    await bench.store.write(await bench.name(ANN, bench.first), stream(b"".join(mine)))
    async with bench.objects.open(ANN, bench.first) as opened:
        pieces = opened.read()
        assert await anext(pieces) == WHOLE[:FRAME]
        with pytest.raises(SealBroken):
            await anext(pieces)


def flip(at_rest: bytes, at: int, mask: int) -> bytes:
    at %= len(at_rest)
    return at_rest[:at] + bytes([at_rest[at] ^ mask]) + at_rest[at + 1 :]


@given(at=st.integers(0, 4 * SEALED_FRAME), mask=st.integers(1, 255))
def test_any_changed_byte_is_refused(at: int, mask: int) -> None:
    asyncio.run(refused(lambda m, _o, _f: flip(b"".join(m), at, mask)))


@given(length=st.integers(0, HEADER + 3 * SEALED_FRAME + LAST + TAG - 1))
def test_any_cut_is_refused(length: int) -> None:
    asyncio.run(refused(lambda m, _o, _f: b"".join(m)[:length]))


@given(order=st.lists(st.integers(1, 4), min_size=1, max_size=8).filter(lambda order: order != [1, 2, 3, 4]))
def test_any_other_order_of_frames_is_refused(order: list[int]) -> None:
    asyncio.run(refused(lambda m, _o, _f: b"".join([m[0], *(m[at] for at in order)])))


@given(
    pieces=st.lists(st.integers(0, 3 * FRAME), max_size=4),
    bounds=st.tuples(st.integers(0, 13 * FRAME), st.integers(0, 13 * FRAME)),
)
def test_any_range_of_any_content_cut_anyhow(pieces: list[int], bounds: tuple[int, int]) -> None:
    async def check() -> None:
        bench, of = Bench(), an_id()
        await bench.keyring.create(ANN)
        whole = content(sum(pieces))
        ends = [sum(pieces[:end]) for end in range(len(pieces) + 1)]
        cut = [whole[begin:end] for begin, end in pairwise(ends)]
        assert await bench.objects.put(ANN, of, stream(*cut)) == len(whole)
        assert await read(bench.objects, ANN, of, *bounds) == whole[bounds[0] : bounds[1]]

    asyncio.run(check())


@given(size=st.integers(0, 1 << 40))
def test_the_size_of_the_content_follows_from_the_size_at_rest(size: int) -> None:
    frames = max(1, -(-size // FRAME))
    layout = Layout.of(HEADER + size + TAG * frames)
    assert (layout.size, layout.frames) == (size, frames)
    assert layout.begin(layout.frames - 1) + layout.length(layout.frames - 1) == layout.at_rest
