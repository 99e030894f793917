"""The erasure ledgers, each under the one contract, and what a file must withstand."""

# ruff: noqa: ASYNC220, ASYNC240 - a test may wait for the disk and for a process

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.outbound.local.ledger import LocalLedger
from adapters.outbound.memory.ledger import MemoryLedger
from application.ports.ledger import LedgerBroken, LedgerUnavailable
from pico_testkit.contracts.ledger import ANNE, BEN, CLEO, FACTS, KEY, LedgerContract
from pico_testkit.contracts.ledger import TestReceipt as TestReceipt  # noqa: PLC0414 - collected here

WRITE_UNTIL_KILLED = """
import asyncio, hashlib, sys
from datetime import UTC, datetime
from pathlib import Path
from adapters.outbound.local.ledger import LocalLedger
from domain.receipts import Intent

async def main():
    ledger = LocalLedger(Path(sys.argv[1]), b"k" * 32)
    n = 0
    while True:
        name = hashlib.sha256(b"%d" % n).digest()
        await ledger.open_intent(Intent(name, 1, datetime(2027, 3, 1, tzinfo=UTC)))
        await ledger.complete(name, {"n": n})
        print(n, flush=True)
        n += 1

asyncio.run(main())
"""


class TestMemoryLedger(LedgerContract):
    @pytest.fixture
    def ledger(self) -> MemoryLedger:
        return MemoryLedger(KEY)

    @pytest.fixture
    def outage(self, ledger: MemoryLedger) -> Callable[[], None]:
        return lambda: setattr(ledger, "outage", True)

    async def test_it_answers_again_after_an_outage(self, ledger: MemoryLedger) -> None:
        ledger.outage = True
        with pytest.raises(LedgerUnavailable):
            await ledger.open_intent(ANNE)
        ledger.outage = False
        assert await ledger.high_water() == 0


class TestLocalLedger(LedgerContract):
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path / "new" / "ledger"

    @pytest.fixture
    def file(self, folder: Path) -> Path:
        return folder / "erasures.jsonl"

    @pytest.fixture
    def ledger(self, folder: Path) -> LocalLedger:
        return LocalLedger(folder, KEY)

    @pytest.fixture
    def outage(self, file: Path) -> Callable[[], None]:
        def strike() -> None:
            file.unlink()
            file.mkdir()  # even root cannot read it now

        return strike

    async def test_it_only_ever_grows(self, ledger: LocalLedger, file: Path) -> None:
        before = b""
        for act in (
            lambda: ledger.open_intent(ANNE), lambda: ledger.open_intent(BEN),
            lambda: ledger.complete(BEN.fingerprint, FACTS), lambda: ledger.complete(ANNE.fingerprint, FACTS),
        ):  # fmt: skip
            await act()
            after = file.read_bytes()
            assert after.startswith(before)
            assert after.count(b"\n") == before.count(b"\n") + 1
            await act()
            assert file.read_bytes() == after, "a repetition is not written"
            before = after

    async def test_it_outlives_the_process(self, ledger: LocalLedger, folder: Path) -> None:
        await ledger.open_intent(ANNE)
        await ledger.open_intent(BEN)
        receipt = await ledger.complete(ANNE.fingerprint, FACTS)
        again = LocalLedger(folder, KEY)
        assert await again.pending() == [BEN]
        assert await again.receipt(ANNE.fingerprint) == receipt
        assert receipt.verify(KEY)
        assert await again.open_intent(CLEO) == 3

    async def test_processes_that_share_the_folder_never_share_a_mark(
        self, ledger: LocalLedger, folder: Path
    ) -> None:
        others = [LocalLedger(folder, KEY) for _ in range(3)]
        marks = await asyncio.gather(
            *(o.open_intent(i) for o, i in zip(others, (ANNE, BEN, CLEO), strict=True))
        )
        assert sorted(marks) == [1, 2, 3]
        assert await ledger.high_water() == 3

    async def test_only_its_owner_may_read_it(self, ledger: LocalLedger, file: Path) -> None:
        await ledger.open_intent(ANNE)
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.parent.stat().st_mode & 0o777 == 0o700

    async def test_a_torn_last_line_is_not_a_record_wherever_it_tore(
        self, ledger: LocalLedger, file: Path
    ) -> None:
        await ledger.open_intent(ANNE)
        kept = file.read_bytes()
        await ledger.open_intent(BEN)
        whole = file.read_bytes()
        for end in range(len(kept), len(whole)):
            file.write_bytes(whole[:end])
            assert await ledger.since(0) == [ANNE]
            assert file.read_bytes() == whole[:end], "reading repairs nothing"
            assert await ledger.open_intent(BEN) == 2
            assert file.read_bytes() == whole

    async def test_a_record_altered_or_taken_from_the_middle_is_told(
        self, ledger: LocalLedger, file: Path
    ) -> None:
        await ledger.open_intent(ANNE)
        await ledger.open_intent(BEN)
        await ledger.complete(ANNE.fingerprint, FACTS)
        first, second, third = file.read_bytes().splitlines(keepends=True)
        damaged = (
            first[9:] + second, b"\n" + first, second + third, b"{}\n", b"[]\n", b"\xff\n",
            first.replace(b'"keys":1', b'"keys":"1"'), first.replace(ANNE.fingerprint.hex().encode(), b"00"),
        )  # fmt: skip
        for text in damaged:
            file.write_bytes(text)
            for call in (ledger.high_water(), ledger.open_intent(CLEO)):
                with pytest.raises(LedgerBroken) as told:
                    await call
                assert told.value.__context__ is None, "the parser's error quotes the file"
            assert file.read_bytes() == text, "evidence is left as it is"

    async def test_whoever_edits_it_without_the_key_is_found_out(
        self, ledger: LocalLedger, file: Path
    ) -> None:
        for each in (ANNE, BEN, CLEO):
            await ledger.open_intent(each)
        position = await ledger.position()
        one, two, three = file.read_bytes().splitlines(keepends=True)
        edited = (two + three, one + three, one + two + two + three, two + one + three, one + three + two,
                  one.replace(b"2027", b"2026") + two + three)  # fmt: skip
        for text in edited:
            file.write_bytes(text)
            with pytest.raises(LedgerBroken):
                await ledger.position()
        file.write_bytes(one + two)
        assert (await ledger.position()).number == 2, (
            "cut short it is an earlier ledger: the restore gate's to see"
        )
        stripped = [json.loads(line) for line in (one, two, three)]
        for record in stripped:
            del record["chain"]
        stripped[1]["keys"] = 7
        file.write_bytes(b"".join(json.dumps(each).encode() + b"\n" for each in stripped))
        assert await ledger.head_at(3) != position.head, "as if it were from before there was a chain"

    async def test_kill_9_loses_nothing_that_was_acknowledged(
        self, ledger: LocalLedger, folder: Path
    ) -> None:
        root = Path(__file__).parents[3]
        with subprocess.Popen(
            [sys.executable, "-c", WRITE_UNTIL_KILLED, folder], cwd=root, stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            told = [int(writer.stdout.readline()) for _ in range(20)]
            writer.send_signal(signal.SIGKILL)
            told += [int(line) for line in writer.stdout]
        everything = await ledger.since(0)
        assert len(everything) >= len(told)
        for each in everything[: len(told)]:
            receipt = await ledger.receipt(each.fingerprint)
            assert receipt is not None
            assert receipt.verify(KEY)
        assert await ledger.open_intent(ANNE) == len(everything) + 1
