"""What an hour of voicemail costs in memory, in and out: `python -m benchmarks.voicemail`.

The carrier is a process of its own: what is measured is fetched, checked, sealed, written, read back, and handed out,
in this one.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import tempfile
from datetime import UTC, datetime
from hashlib import sha256
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import uuid4

from aiohttp import ClientSession

from adapters.outbound.local.byte_store import LocalByteStore
from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.sealed.objects import SealedObjects
from adapters.outbound.twilio.api import TwilioApi
from adapters.outbound.twilio.recordings import TwilioRecordings
from adapters.outbound.twilio.simulator import LeftMessage, TwilioSimulator
from adapters.tones import tone
from application.recorded_audio import KeepAudio
from benchmarks.pictures import ACCOUNT, TOKEN, measured
from domain.kernel import AccountId, CarrierRef, ObjectId

SECONDS = 3600
MOST = 32 << 20
"""Bytes of memory that one voicemail may take."""
TIMES = 3


def carrier(tell: Connection) -> None:
    """Run a simulated Twilio that holds an hour of sound; tell its address and the recording."""

    async def serve() -> None:
        simulator = TwilioSimulator(account_sid=ACCOUNT, auth_token=TOKEN, now=lambda: datetime.now(UTC))
        async with simulator.running() as url:
            left = LeftMessage(f"CA{'0' * 32}", "+13105550178", "+12025550143", tone(SECONDS), SECONDS)
            tell.send((url, await simulator.leave_message(left)))
            await asyncio.Event().wait()

    asyncio.run(serve())


async def measure(url: str, ref: str) -> int:
    """Take the voicemail in and hand it out, some times; return the most memory that took."""
    account, keyring, most, size = AccountId(uuid4()), MemoryKeyring(), 0, 0
    await keyring.create(account)
    with tempfile.TemporaryDirectory() as folder:
        objects = SealedObjects(LocalByteStore(Path(folder)), keyring, "bench")
        async with ClientSession() as session:
            api = TwilioApi.over(
                session, account_sid=ACCOUNT, auth_token=TOKEN, public_url="http://127.0.0.1:1", api_url=url
            )
            twilio = TwilioRecordings(api)
            await twilio.look_up(CarrierRef(ref))
            for _ in range(TIMES):
                async with measured("in ", print) as taken, twilio.fetch(CarrierRef(ref)) as fetched:
                    audio = await KeepAudio(objects)(
                        account, ObjectId(account), fetched.content, fetched.type
                    )
                kept, size = str(audio.digest), audio.size
                most = max(most, *taken)
                got = sha256()
                async with (
                    measured("out", print) as taken,
                    objects.open(account, ObjectId(account)) as opened,
                ):
                    async for piece in opened.read():
                        got.update(piece)
                most = max(most, *taken)
                if got.hexdigest() != kept:
                    raise SystemExit("the voicemail came out otherwise")
    print(f"{size:,} bytes")
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
    print(f"at most {most / (1 << 20):.1f} MiB for an hour of voicemail")
    if most > MOST:
        raise SystemExit("a voicemail takes too much memory")


if __name__ == "__main__":
    main()
