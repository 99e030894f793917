"""How the simulated Stripe tells of its events: signed, tried again, in no order."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import ClientError, ClientSession, ClientTimeout

from adapters.outbound.stripe.simulator.faults import Faults
from adapters.outbound.stripe.simulator.shapes import Object

TRIES = 4
BETWEEN_TRIES = 0.05
"""Seconds. Stripe takes hours; a test should not."""


def signed(secret: str, body: bytes, at: int) -> str:
    """Return the header by which an endpoint knows that Stripe sent a body."""
    signature = hmac.digest(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hex()
    return f"t={at},v1={signature}"


@dataclass(slots=True)
class Webhooks:
    """Posts events to one endpoint."""

    session: ClientSession
    url: str
    secret: str = field(repr=False)
    faults: Faults
    now: Callable[[], int]
    under_way: set[asyncio.Task[None]] = field(default_factory=set)

    def tell(self, event: Object) -> None:
        """Begin to post an event, and again until it is taken; after that it is lost, but for the list of events."""
        if self.url and not self.faults.drop:
            for _ in range(1 + self.faults.duplicate):
                task = asyncio.get_running_loop().create_task(self._post(json.dumps(event).encode()))
                self.under_way.add(task)
                task.add_done_callback(self.under_way.discard)

    async def _post(self, body: bytes) -> None:
        if self.faults.delay:
            await asyncio.sleep(self.faults.delay * random.random())  # noqa: S311 - no secret
        for again in range(TRIES):
            await asyncio.sleep(BETWEEN_TRIES * again)
            headers = {
                "Content-Type": "application/json; charset=utf-8",
                "Stripe-Signature": signed(self.secret, body, self.now()),
            }
            try:
                async with self.session.post(
                    self.url, data=body, headers=headers, timeout=ClientTimeout(total=10)
                ) as answer:
                    if answer.ok:
                        return
            except (ClientError, TimeoutError):
                continue
