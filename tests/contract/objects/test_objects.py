"""Objects under the one contract, over memory and over a folder, and what a folder must withstand."""

# ruff: noqa: ASYNC220, ASYNC240 - a test may wait for the disk and for a process

from __future__ import annotations

import asyncio
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from adapters.outbound.local.byte_store import UNFINISHED, LocalByteStore
from adapters.outbound.memory.byte_store import MemoryByteStore
from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.sealed.objects import SealedObjects
from application.ports.byte_store import ByteStore
from application.ports.objects import ObjectsUnavailable
from tests.contract.objects.contract import (
    ANN,
    FRAME,
    ByteStoreContract,
    ObjectsContract,
    an_id,
    content,
    read,
    stream,
)

WRITE_UNTIL_KILLED = """
import asyncio, sys
from pathlib import Path
from adapters.outbound.local.byte_store import LocalByteStore

async def pieces(n):
    for _ in range(4):
        yield b"%07d." % n * 8000
        await asyncio.sleep(0)

async def main():
    store, n = LocalByteStore(Path(sys.argv[1])), 0
    while True:
        await store.write("ab/%02x" % (n % 3), pieces(n))
        print(n, flush=True)
        if n % 4 == 3:
            await store.delete("ab/%02x" % (n % 3))
        n += 1

asyncio.run(main())
"""


@pytest.fixture
def keyring() -> MemoryKeyring:
    return MemoryKeyring()


class TestInMemory(ObjectsContract):
    @pytest.fixture
    def bytes_(self) -> MemoryByteStore:
        return MemoryByteStore()

    @pytest.fixture
    def objects(self, bytes_: MemoryByteStore, keyring: MemoryKeyring) -> SealedObjects:
        return SealedObjects(bytes_, keyring, "test")

    @pytest.fixture
    def outage(self, bytes_: MemoryByteStore) -> Callable[[], None]:
        return lambda: setattr(bytes_, "outage", True)


class TestInAFolder(ObjectsContract):
    @pytest.fixture
    def objects(self, tmp_path: Path, keyring: MemoryKeyring) -> SealedObjects:
        return SealedObjects(LocalByteStore(tmp_path / "objects"), keyring, "test")

    @pytest.fixture
    def outage(self, tmp_path: Path) -> Callable[[], None]:
        def happen() -> None:
            (tmp_path / "objects").rename(tmp_path / "elsewhere")
            (tmp_path / "objects").write_bytes(b"")

        return happen


class TestMemoryByteStore(ByteStoreContract):
    @pytest.fixture
    def store(self) -> ByteStore:
        return MemoryByteStore()


class TestLocalByteStore(ByteStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> LocalByteStore:
        return LocalByteStore(tmp_path / "objects")

    async def test_nobody_else_may_read(self, store: LocalByteStore) -> None:
        await store.write("ab/01", stream(b"x"))
        made = [path for path in store.folder.rglob("*") if path.is_file()]
        assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o600}
        folders = [store.folder, *(path for path in store.folder.rglob("*") if path.is_dir())]
        assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}

    async def test_the_last_file_takes_its_folder_along(self, store: LocalByteStore) -> None:
        await store.write("ab/01", stream(b"x"))
        await store.delete("ab/01")
        assert [path.name for path in store.folder.iterdir()] == [UNFINISHED]

    async def test_what_is_being_written_is_not_cleared(self, store: LocalByteStore) -> None:
        began, go_on = asyncio.Event(), asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield b"slow"
            began.set()
            await go_on.wait()

        writing = asyncio.create_task(store.write("ab/01", slow()))
        await began.wait()
        assert await store.clear() == 0
        go_on.set()
        await writing
        async with store.open("ab/01") as opened:
            assert await opened.read(0, 9) == b"slow"

    async def test_a_full_disk_keeps_nothing(
        self, store: LocalByteStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(_file: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("adapters.outbound.local.byte_store.os.fsync", full)
        with pytest.raises(ObjectsUnavailable):
            await store.write("ab/01", stream(b"x"))
        assert [path for path in store.folder.rglob("*") if path.is_file()] == []

    @pytest.mark.parametrize("after", range(6))
    async def test_a_kill_leaves_whole_files_and_nothing_that_is_not_cleared(
        self, store: LocalByteStore, after: int
    ) -> None:
        command = [sys.executable, "-c", WRITE_UNTIL_KILLED, str(store.folder)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        with writer.stdout as told:
            said = [int(told.readline()) for _ in range(3 + after)]
            await asyncio.sleep(0.0007 * after)
            writer.send_signal(signal.SIGKILL)
            said += [int(line) for line in told.read().split()]
        writer.wait()
        await store.clear()
        assert list((store.folder / UNFINISHED).iterdir()) == []
        last = said[-1]
        for name in [name async for name in store.names("ab")]:
            async with store.open(name) as opened:
                whole = await opened.read(0, 1 << 20)
            number = int(whole[:7])
            assert whole == b"%07d." % number * 32000
            assert number % 3 == int(name[3:], 16)
            assert last - 3 <= number <= last + 1
        if last % 4 != 3 and (last + 1) % 3 != last % 3:
            async with store.open(f"ab/{last % 3:02x}") as opened:
                assert await opened.read(0, 8) == b"%07d." % last


async def test_names_tell_nothing_and_nothing_lies_in_clear(tmp_path: Path, keyring: MemoryKeyring) -> None:
    objects = SealedObjects(LocalByteStore(tmp_path), keyring, "test")
    await keyring.create(ANN)
    of, whole = an_id(), content(2 * FRAME)
    await objects.put(ANN, of, stream(whole))
    (path,) = (path for path in tmp_path.rglob("*") if path.is_file())
    place, at_rest = str(path.relative_to(tmp_path)), path.read_bytes()
    for name in (of.hex, str(of), ANN.hex, str(ANN)):
        assert name not in place
    for value in (of.bytes, ANN.bytes, *(whole[at : at + 16] for at in range(0, len(whole), 997))):
        assert value not in at_rest


async def test_a_foreign_file_is_counted_and_goes_but_is_no_object(
    tmp_path: Path, keyring: MemoryKeyring
) -> None:
    store = LocalByteStore(tmp_path)
    objects = SealedObjects(store, keyring, "test")
    await keyring.create(ANN)
    of = an_id()
    await objects.put(ANN, of, stream(b"x"))
    (prefix,) = (path.name for path in tmp_path.iterdir() if path.name != UNFINISHED)
    await store.write(f"{prefix}/00ff", stream(b"left by a restore"))
    await store.write(f"{prefix}/{'0' * 64}", stream(b"or by somebody"))
    assert [each async for each in objects.list_all(ANN)] == [of]
    assert await objects.count(ANN) == 3
    assert await read(objects, ANN, of) == b"x"
    await objects.delete_all(ANN)
    assert await objects.count(ANN) == 0
