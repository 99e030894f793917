"""How the simulated SendGrid tells what became of mails: in signed batches, tried again."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import ClientError, ClientSession, ClientTimeout
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from adapters.outbound.sendgrid.signature import sign
from adapters.outbound.sendgrid.simulator.faults import Faults

TRIES = 4
BETWEEN_TRIES = 0.05
"""Seconds. SendGrid goes on for a day; a test should not."""
HEADER = "X-Twilio-Email-Event-Webhook-"


@dataclass(slots=True)
class Webhooks:
    """Posts events to one endpoint; without its address or a key to sign with, to nobody."""

    session: ClientSession
    url: str
    key: EllipticCurvePrivateKey | None = field(repr=False)
    faults: Faults
    now: Callable[[], datetime]
    under_way: set[asyncio.Task[None]] = field(default_factory=set)

    def tell(self, address: str, category: str, *happened: dict[str, str]) -> None:
        """Begin to post what happened to one mail, and again until it is taken."""
        if not self.url or self.key is None or self.faults.drop:
            return
        shared = {"email": address, "timestamp": int(self.now().timestamp()), "category": [category]}
        batch = [{**shared, "sg_event_id": secrets.token_urlsafe(12), **each} for each in happened]
        body = json.dumps(batch).encode() + b"\r\n"
        for _ in range(1 + self.faults.duplicate):
            task = asyncio.get_running_loop().create_task(self._post(self.key, body))
            self.under_way.add(task)
            task.add_done_callback(self.under_way.discard)

    async def _post(self, key: EllipticCurvePrivateKey, body: bytes) -> None:
        for again in range(TRIES):
            await asyncio.sleep(BETWEEN_TRIES * again)
            at = str(int(self.now().timestamp()))
            headers = {
                "Content-Type": "application/json; charset=utf-8",
                f"{HEADER}Signature": sign(key, at, body),
                f"{HEADER}Timestamp": at,
            }
            try:
                async with self.session.post(
                    self.url, data=body, headers=headers, timeout=ClientTimeout(total=10)
                ) as answer:
                    if answer.ok:
                        return
            except (ClientError, TimeoutError):
                continue
