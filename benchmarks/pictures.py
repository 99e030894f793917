"""What a picture of 5 MB costs in memory, in and out: `python -m benchmarks.pictures`.

The carrier is a process of its own: what is measured is fetched, checked, cleaned, sealed, written, read back, and
handed out, in this one.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import uuid4

from aiohttp import ClientSession

from adapters.outbound.local.byte_store import LocalByteStore
from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.pictures.cleaning import AllowListedPictures
from adapters.outbound.sealed.objects import SealedObjects
from adapters.outbound.twilio.api import TwilioApi
from adapters.outbound.twilio.messages import TwilioMessages
from adapters.outbound.twilio.simulator import TwilioSimulator
from application.media import KeepPicture, bounded
from domain.kernel import AccountId, CarrierRef, ObjectId
from domain.media import LARGEST

ACCOUNT, TOKEN, NUMBER = f"AC{'0' * 31}1", "a token of the bench", "+12025550143"
MOST = 16 << 20
"""Bytes of memory that one picture may take."""
TIMES = 5


def large_picture() -> bytes:
    """Return a JPEG of as many bytes as are taken in, of which one scan is nearly all."""
    head = b"\xff\xd8\xff\xe1\x00\x10Exif\0\0MM\0*\0\0\0\x08" + b"\xff\xdb\0\x43\0" + bytes(64)
    frame = b"\xff\xc0\0\x0b\x08\x0f\xa0\x0f\xa0\x01\x01\x11\0" + b"\xff\xda\0\x08\x01\x01\0\0\x3f\0"
    return head + frame + secrets.token_bytes(LARGEST - 200).replace(b"\xff", b"\xfe") + b"\xff\xd9"


def carrier(tell: Connection) -> None:
    """Run a simulated Twilio that holds one message with the picture; tell its address and the message."""

    async def serve() -> None:
        simulator = TwilioSimulator(account_sid=ACCOUNT, auth_token=TOKEN, now=lambda: datetime.now(UTC))
        async with simulator.running() as url:
            message = simulator._account.receive(  # noqa: SLF001 - no line leases the number: nobody is called
                "+13105550178", NUMBER, "", [("image/jpeg", large_picture())]
            )
            tell.send((url, message.resource["sid"]))
            await asyncio.Event().wait()

    asyncio.run(serve())


def peak() -> int:
    """Return the most memory this process had in use since `forget`, in bytes (proc(5): VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))


def forget() -> int:
    """Have the peak begin anew, and return what is in use now (proc(5): clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak()


@asynccontextmanager
async def measured(what: str, told: Callable[[str], None]) -> AsyncIterator[list[int]]:
    """Tell how much memory and time the block took beside what was there before; the list gets the memory."""
    before, began, taken = forget(), time.perf_counter(), list[int]()
    yield taken
    taken.append(peak() - before)
    told(f"{what}: {taken[0] / (1 << 20):.1f} MiB more, {time.perf_counter() - began:.2f} s")


async def measure(url: str, ref: str) -> int:
    """Take the picture in and hand it out, some times; return the most memory that took."""
    account, keyring, most = AccountId(uuid4()), MemoryKeyring(), 0
    await keyring.create(account)
    with tempfile.TemporaryDirectory() as folder:
        objects = SealedObjects(LocalByteStore(Path(folder)), keyring, "bench")
        async with ClientSession() as session:
            api = TwilioApi.over(
                session, account_sid=ACCOUNT, auth_token=TOKEN, public_url="http://127.0.0.1:1", api_url=url
            )
            twilio = TwilioMessages(api)
            await twilio.look_up(CarrierRef(ref))
            for _ in range(TIMES):
                async with measured("in ", print) as taken:
                    async with twilio.fetch_media(CarrierRef(ref), 0) as fetched:
                        picture = AllowListedPictures().clean(await bounded(fetched.content))
                    size = await KeepPicture(objects)(account, ObjectId(account), picture)
                    del picture
                most = max(most, *taken)
                async with (
                    measured("out", print) as taken,
                    objects.open(account, ObjectId(account)) as opened,
                ):
                    got = sum([len(piece) async for piece in opened.read()])
                most = max(most, *taken)
                if got != size:
                    raise SystemExit("the picture came out in another size")
    return most


def main() -> None:
    """Measure, and fail when it takes too much."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=carrier, args=(there,), daemon=True)
    process.start()
    try:
        most = asyncio.run(measure(*here.recv()))
    finally:
        process.terminate()
    print(f"at most {most / (1 << 20):.1f} MiB for a picture of {LARGEST:,} bytes")
    if most > MOST:
        raise SystemExit("a picture takes too much memory")


if __name__ == "__main__":
    main()
