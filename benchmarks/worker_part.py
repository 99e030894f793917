"""A worker beside the benchmark's server: `python -m benchmarks.worker_part <JSON>`. It works until its input ends.

It is what `./pico work` runs, but for its carrier, which takes every message and answers in its own time: a simulated
one would take the processor from those that are measured.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr
from typing_extensions import override

from adapters.inbound.worker import Worker
from adapters.outbound.twilio.messages import TwilioMessages
from benchmarks.sides import SPEND_A_DAY
from bootstrap.assembly import assembled
from bootstrap.container import wire
from bootstrap.databases import databases_in_use
from bootstrap.event_loop import run
from bootstrap.garbage import settle
from bootstrap.sandbox_state import FollowedClock, SandboxState
from bootstrap.settings import Settings
from bootstrap.worlds.sandbox import sandbox_parts
from domain.kernel import CarrierRef, MessageId
from domain.messages import Sent, Status
from domain.values import MessageBody, Peer, PhoneNumber

CARRIER_SECONDS = 0.05
"""How long the carrier takes for an answer."""


class DistantCarrier(TwilioMessages):
    """Takes every message. Whatever else is asked goes to the simulated one, but not within the benchmark's time."""

    @override
    async def send(
        self,
        message_id: MessageId,
        sender: PhoneNumber,
        to: Peer,
        body: MessageBody,
        media: Sequence[str] = (),
    ) -> Sent:
        await asyncio.sleep(CARRIER_SECONDS)
        return Sent(CarrierRef(f"SM{message_id.hex}"), Status.SENT)


async def main(database_url: str, keyring_url: str, state_dir: str, public_url: str) -> None:
    """Work through the queue of this database until standard input ends."""
    settings = Settings(
        public_url=public_url, state_dir=Path(state_dir),
        database_url=SecretStr(database_url), keyring_url=SecretStr(keyring_url), spend_a_day=SPEND_A_DAY,
    )  # fmt: skip
    saved = SandboxState(settings.state_dir / "sandbox.json")
    clock = FollowedClock(saved)
    found = await databases_in_use(settings, saved)
    input_ = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(input_), sys.stdin
    )
    async with assembled(sandbox_parts(settings, found, saved, clock, public_url)) as product:
        carrier = product.outside.carrier
        assert isinstance(carrier, TwilioMessages)
        outside = replace(product.outside, carrier=DistantCarrier(carrier.api))
        working = asyncio.create_task(outside.queue.run(Worker(wire(outside), clock)))
        settle()
        print("Pico works", flush=True)
        await input_.read()
        working.cancel()
        await asyncio.wait([working])


if __name__ == "__main__":
    run(main(**json.loads(sys.argv[1])))
