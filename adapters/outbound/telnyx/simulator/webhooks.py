"""How the simulated Telnyx calls back: signed with its time, three tries of two seconds each."""

import asyncio
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from aiohttp import ClientError, ClientSession, ClientTimeout
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from yarl import URL

from adapters.outbound.telnyx.signature import sign
from adapters.outbound.telnyx.simulator.faults import Faults
from adapters.outbound.telnyx.simulator.resources import Resource, rfc3339

TRIES = 3
BETWEEN_TRIES = 0.05
"""Seconds. Telnyx takes longer; a test should not."""
LIMIT = ClientTimeout(total=2)


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Posts events to the customer."""

    session: ClientSession
    key: Ed25519PrivateKey
    faults: Faults
    now: Callable[[], datetime]

    async def post(
        self, target: str | None, event_type: str, payload: Resource, at: datetime | None = None
    ) -> None:
        """Send one event, and again while it is not taken; after three tries it is lost, as at Telnyx.

        `at` is when it happened, where that is not now.
        """
        if not target or self.faults.drop:
            return
        if self.faults.delay:
            await asyncio.sleep(self.faults.delay)
        data = {
            "record_type": "event",
            "id": str(uuid.uuid4()),
            "event_type": event_type,
            "occurred_at": rfc3339(at or self.now()),
            "payload": payload,
        }
        for _ in range(1 + self.faults.duplicate):
            for attempt in range(1, 1 + TRIES):
                meta = {"attempt": attempt, "delivered_to": target}
                if await self._once(target, json.dumps({"data": data, "meta": meta}).encode()):
                    break
                await asyncio.sleep(BETWEEN_TRIES * attempt)

    async def _once(self, target: str, body: bytes) -> bool:
        """Try once, signed anew; tell whether it was taken."""
        timestamp = str(int(self.now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "telnyx-webhooks",
            "telnyx-timestamp": timestamp,
            "telnyx-signature-ed25519": sign(self.key, timestamp, body),
        }
        try:
            async with self.session.post(
                URL(target, encoded=True), data=body, headers=headers, timeout=LIMIT, allow_redirects=False
            ) as answer:
                return 200 <= answer.status < 300  # noqa: PLR2004 - HTTP
        except (ClientError, TimeoutError, OSError):
            return False
