"""What a Sandbox refuses for its own good: a core dump, and a time in which it could not live."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from bootstrap.settings import Settings
from bootstrap.worlds.sandbox import LATEST, Sandbox
from tests.support.sandbox_process import ROOT, Command, Served

pytestmark = pytest.mark.xdist_group("sandbox")


def core_limits(pid: int) -> set[str]:
    """Return the limits of core dumps of a process and of all that it started."""
    task = Path(f"/proc/{pid}")
    children = [int(child) for thread in task.glob("task/*/children") for child in thread.read_text().split()]
    limits = (task / "limits").read_text().splitlines()
    mine = {" ".join(line.split()[4:6]) for line in limits if line.startswith("Max core file size")}
    return mine.union(*map(core_limits, children))


def test_no_process_that_holds_keys_or_rows_leaves_a_core_dump(folder: Path) -> None:
    served = Served(folder / "state", "--no-work")
    try:
        worked = Command(folder / "state", "work")
        try:
            for command in (served, worked):
                assert core_limits(command.process.pid) == {"0 0"}
            assert core_limits(served.postmaster) == {"0 0"}
        finally:
            worked.stop()
    finally:
        served.stop()


def test_the_kernel_dumps_no_memory_that_is_kept_private() -> None:
    look = "from bootstrap.private_memory import keep_private; import ctypes, resource; keep_private(); "
    look += "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), *resource.getrlimit(resource.RLIMIT_CORE))"
    said = subprocess.run([sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout == "0 0 0\n"


async def test_a_time_that_cannot_be_leaves_the_sandbox_as_it_was(folder: Path) -> None:
    settings = Settings(
        port=0, state_dir=folder / "state", database_url=None, keyring_url=None, public_url=None
    )
    for _ in range(2):
        async with Sandbox.running(settings) as sandbox:
            kept, before = (folder / "state" / "sandbox.json").read_text(), sandbox.now()
            for by in (timedelta(days=365 * 8_000), timedelta(days=365 * 10_000), timedelta.max):
                with pytest.raises(OverflowError):
                    await sandbox.advance(by)
            assert (folder / "state" / "sandbox.json").read_text() == kept
            assert sandbox.now() - before < timedelta(minutes=1)
    async with Sandbox.running(settings) as sandbox:
        latest = LATEST - sandbox.now() - timedelta(minutes=1)
        assert await sandbox.advance(latest) < LATEST
    async with Sandbox.running(settings) as sandbox:
        assert sandbox.now() > LATEST - timedelta(minutes=1)
