"""Telnyx's sample events, and a world in memory that they are about."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from aiohttp import ClientSession
from typing_extensions import override

from adapters.inbound.http.app import App
from adapters.inbound.http.context import EdgeContext
from adapters.inbound.http.server import serving
from adapters.inbound.http_io import Webhooks
from adapters.inbound.webhooks.telnyx import TelnyxSignature, TelnyxWebhooks
from adapters.outbound.memory.carrier import MemoryCarrier
from adapters.outbound.memory.message_carrier import CarrierCopy
from adapters.outbound.memory.system import HandClock
from adapters.outbound.telnyx.answers import ref_of
from adapters.outbound.telnyx.vocabulary import outcome_of
from bootstrap.worlds import InMemory
from bootstrap.worlds.people import Person
from domain.kernel import CarrierRef
from tests.support.http_world import OURS, PUBLIC_URL, STRANGER
from tests.support.provider_files import sample_webhooks

PATH = "/webhooks/telnyx"
BEFORE = datetime(2026, 11, 22, 23, 59, 50, tzinfo=UTC)
"""A moment before the samples happened, within their window."""

Request = tuple[dict[str, str], bytes]
"""Headers and body."""


def samples() -> dict[str, Any]:
    """Return the file of samples."""
    found: dict[str, Any] = sample_webhooks("telnyx_events.json")
    return found


def requests() -> list[Request]:
    """Return every sample about a message, in its order."""
    events = [event for event in samples()["events"] if event["event_type"].startswith("message.")]
    return [(event["headers"], event["raw_body"].encode()) for event in events]


class NamesTheSamples(MemoryCarrier):
    """The fake, which gives what is sent the references that the samples report on."""

    @override
    def _keep(self, *given: Any, **named: Any) -> CarrierCopy:
        copy = super()._keep(*given, **named)
        if copy.came_in:
            return copy
        del self.messages[copy.ref]
        renamed = replace(copy, ref=CarrierRef(f"telnyx:m-out-{next(self.serials)}"))
        self.messages[renamed.ref] = renamed
        return renamed

    def __init__(self, clock: HandClock) -> None:
        super().__init__(clock.now)
        self.serials = count(1)


def webhooks_of(world: InMemory) -> Webhooks:
    """Return Telnyx's webhooks before a world, which believe the key of the samples."""
    signature = TelnyxSignature([samples()["public_key"]], world.clock.now)
    return TelnyxWebhooks(world.use_cases, signature, outcome_of, ref_of, PUBLIC_URL)


@dataclass(frozen=True, slots=True)
class SampleWorld:
    """A world whose person has sent the two messages that the samples report on, behind Telnyx's webhooks."""

    world: InMemory
    ada: Person
    session: ClientSession
    url: str

    async def post(self, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Deliver a sample; return the answer's status and body."""
        async with self.session.post(self.url + PATH, data=body, headers=headers) as answer:
            return answer.status, await answer.read()

    async def state(self) -> list[tuple[str, str, str, str]]:
        """Return every message of the person: direction, body, status and failure."""
        await self.world.settle()
        use_cases, me = self.world.use_cases, self.ada.id
        found = [
            (shown.direction.value, str(shown.body), shown.status.value, str(shown.failure or ""))
            for chat in (await use_cases.list_conversations(me, None, None, 100)).items
            for shown in (await use_cases.list_messages(me, chat.id, None, 100)).items
        ]
        return sorted(found)


async def ready() -> None: ...


@asynccontextmanager
async def sample_world() -> AsyncIterator[SampleWorld]:
    """Serve such a world."""
    clock = HandClock(BEFORE)
    world = InMemory(clock=clock, carrier=NamesTheSamples(clock))
    ada = await (await world.signed_up("ada")).with_line(OURS)
    for _ in range(2):
        await ada.sends("ok", to=STRANGER)
        await world.settle()
    app = App(EdgeContext(world.use_cases, ready, bytes), (), [webhooks_of(world)])
    async with serving(app, "127.0.0.1", 0) as port, ClientSession() as session:
        yield SampleWorld(world, ada, session, f"http://127.0.0.1:{port}")


EXPECTED = [
    ("inbound", "Hello from the second provider", "received", ""),
    ("outbound", "ok", "delivered", ""),
    ("outbound", "ok", "failed", "unreachable"),
]
