"""The key management services, each under the one contract, and what is peculiar to each."""

# ruff: noqa: ASYNC240 - a test may wait for the disk

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.outbound.local import files
from adapters.outbound.local.kms import LocalKms
from adapters.outbound.memory.kms import MemoryKms
from application.ports.kms import KmsKeyDisabled, KmsKeyGone, KmsKeyPendingDeletion, KmsUnavailable
from pico_testkit.contracts.kms import CONTEXT, DAY, KEY, HandClock, KmsContract


class TestMemoryKms(KmsContract):
    @pytest.fixture
    def kms(self, clock: HandClock) -> MemoryKms:
        return MemoryKms(clock)

    @pytest.fixture
    def outage(self, kms: MemoryKms) -> Callable[[], None]:
        return lambda: setattr(kms, "outage", True)

    async def test_it_answers_again_after_an_outage(self, kms: MemoryKms) -> None:
        wrapped = await kms.wrap(KEY, CONTEXT)
        kms.outage = True
        with pytest.raises(KmsUnavailable):
            await kms.unwrap(wrapped, CONTEXT)
        kms.outage = False
        assert await kms.unwrap(wrapped, CONTEXT) == KEY
        assert kms.calls == {"wrap": 1, "unwrap": 2}


class TestLocalKms(KmsContract):
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path / "new" / "kms"

    @pytest.fixture
    def kms(self, folder: Path, clock: HandClock) -> LocalKms:
        return LocalKms(folder, clock)

    @pytest.fixture
    def outage(self, folder: Path) -> Callable[[], None]:
        def strike() -> None:
            (folder / "master-keys.json").unlink()
            (folder / "master-keys.json").mkdir()  # even root cannot read it now

        return strike

    async def test_keys_outlive_the_process(self, kms: LocalKms, folder: Path, clock: HandClock) -> None:
        wrapped = await kms.wrap(KEY, CONTEXT)
        again = LocalKms(folder, clock)
        assert await again.unwrap(wrapped, CONTEXT) == KEY
        assert (await again.wrap(KEY, CONTEXT)).key_id == wrapped.key_id

    async def test_only_its_owner_may_read_it(self, kms: LocalKms, folder: Path) -> None:
        await kms.create_key()
        await kms.create_key()
        assert [(path.name, path.stat().st_mode & 0o777) for path in folder.iterdir()] == [
            ("master-keys.json", 0o600)
        ]
        assert folder.stat().st_mode & 0o777 == 0o700

    async def test_the_material_of_a_deleted_key_leaves_the_disk(
        self, kms: LocalKms, folder: Path, clock: HandClock
    ) -> None:
        lost = await kms.create_key()
        file = folder / "master-keys.json"
        material = json.loads(file.read_text())["keys"][lost]["material"]
        await kms.schedule_deletion(lost, 7 * DAY)
        assert material in file.read_text()
        clock.move(7 * DAY)
        with pytest.raises(KmsKeyGone):
            await kms.state(lost)
        assert not any(material.encode() in path.read_bytes() for path in folder.iterdir())

    async def test_a_retired_key_leaves_the_disk_at_once_and_the_file_that_held_it(
        self, kms: LocalKms, folder: Path
    ) -> None:
        retired = await kms.create_key()
        await kms.create_key()
        file = folder / "master-keys.json"
        material = json.loads(file.read_text())["keys"][retired]["material"]
        os.link(file, folder / "the same blocks")
        await kms.retire(retired)
        assert material.encode() not in file.read_bytes()
        assert not (folder / "the same blocks").read_bytes().strip(b"\0"), (
            "what lay on the disk lies there still"
        )

    async def test_processes_that_share_the_folder_agree_at_once(
        self, kms: LocalKms, folder: Path, clock: HandClock
    ) -> None:
        """The first wrap makes the first key: from many sides at once it makes one, and none is lost."""
        others = [LocalKms(folder, clock) for _ in range(8)]
        wrapped = await asyncio.gather(*(each.wrap(KEY, CONTEXT) for each in others))
        assert len({one.key_id for one in wrapped}) == 1
        created = await asyncio.gather(*(each.create_key() for each in others))
        for key_id in created:
            await kms.state(key_id)

    async def test_a_damaged_file_is_an_outage_and_is_left_alone(self, kms: LocalKms, folder: Path) -> None:
        await kms.create_key()
        file = folder / "master-keys.json"
        for damaged in (
            b"",
            b"{",
            file.read_bytes()[:-40],
            b"[]",
            b'{"newest": "a", "keys": {"a": {}}}',
            b"\xff",
        ):
            file.write_bytes(damaged)
            with pytest.raises(KmsUnavailable) as told:
                await kms.wrap(KEY, CONTEXT)
            assert told.value.__context__ is None, "the parser's error quotes the file"
            assert file.read_bytes() == damaged

    async def test_what_a_crash_left_half_written_is_of_no_account(
        self, kms: LocalKms, folder: Path, clock: HandClock
    ) -> None:
        wrapped = await kms.wrap(KEY, CONTEXT)
        (folder / "master-keys.json.new").write_bytes(b'{"newest": "half a fi')
        assert await LocalKms(folder, clock).unwrap(wrapped, CONTEXT) == KEY
        assert [path.name for path in folder.iterdir()] == ["master-keys.json"]

    async def test_the_file_is_read_once_while_it_stays_the_same(
        self, kms: LocalKms, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wrapped = await kms.wrap(KEY, CONTEXT)
        age(folder)
        reads: list[Path] = []
        read = files.read

        def counted(path: Path) -> bytes | None:
            reads.append(path)
            return read(path)

        monkeypatch.setattr(files, "read", counted)
        for _ in range(5):
            assert await kms.unwrap(wrapped, CONTEXT) == KEY
            await kms.wrap(KEY, CONTEXT)
            await kms.state(wrapped.key_id)
        assert len(reads) == 1

    async def test_a_change_by_another_process_holds_at_once(
        self, kms: LocalKms, folder: Path, clock: HandClock
    ) -> None:
        wrapped = await kms.wrap(KEY, CONTEXT)
        other = LocalKms(folder, clock)
        for change, refusal in (
            (other.disable, KmsKeyDisabled),
            (other.schedule_deletion, KmsKeyPendingDeletion),
        ):
            age(folder)
            assert await kms.state(wrapped.key_id) is await kms.state(wrapped.key_id)
            await change(wrapped.key_id)
            age(folder)
            with pytest.raises(refusal):
                await kms.unwrap(wrapped, CONTEXT)
            with pytest.raises(refusal):
                await kms.wrap(KEY, CONTEXT)

    async def test_a_key_known_from_memory_is_gone_when_its_window_passes(
        self, kms: LocalKms, folder: Path, clock: HandClock
    ) -> None:
        wrapped = await kms.wrap(KEY, CONTEXT)
        await kms.schedule_deletion(wrapped.key_id, 7 * DAY)
        age(folder)
        await kms.state(wrapped.key_id)
        clock.move(7 * DAY)
        with pytest.raises(KmsKeyGone):
            await kms.unwrap(wrapped, CONTEXT)
        assert wrapped.key_id not in json.loads((folder / "master-keys.json").read_text())["keys"]


def age(folder: Path) -> None:
    """Date the file back by an hour: what was changed just now is never answered from memory."""
    then = time.time_ns() - 3_600 * 10**9
    os.utime(folder / "master-keys.json", ns=(then, then))
