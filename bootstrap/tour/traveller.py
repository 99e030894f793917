"""Who takes the tour: a client of the API, and what it told us."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import ClientSession

from bootstrap.tour_failed import TourFailed

PASSWORD = "correct horse battery staple"  # noqa: S105 - of accounts that live for a minute
PATIENCE = 20.0
"""Seconds until something that should happen by itself counts as broken."""

T = TypeVar("T")


@dataclass
class Traveller:
    """One person: `planted` is what they told us, and so what must not be found afterwards."""

    client: ClientSession
    name: str
    planted: dict[str, str] = field(default_factory=dict)
    email: str = ""
    token: str = ""
    account_id: str = ""
    line: dict[str, Any] = field(default_factory=dict)

    @property
    def credentials(self) -> dict[str, str]:
        """What the person signs in with."""
        return {"email": self.email, "password": PASSWORD}

    async def ask(self, method: str, path: str, body: object = None, **headers: str) -> Any:  # noqa: ANN401 - JSON
        """Send one request and return the JSON answer. Raises TourFailed."""
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        async with self.client.request(method, path, json=body, headers=headers) as answer:
            if answer.status >= 400:  # noqa: PLR2004 - the class of errors
                raise TourFailed(f"{method} {path.split('?', maxsplit=1)[0]} answered {answer.status}")
            return await answer.json() if answer.content_type == "application/json" else None

    async def fetch(self, path: str, method: str = "GET", body: object = None) -> bytes:
        """Download something. Raises TourFailed."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.client.request(method, path, json=body, headers=headers) as answer:
            if answer.status != 200:  # noqa: PLR2004 - HTTP
                raise TourFailed(f"{path} answered {answer.status}")
            return await answer.read()

    async def ask_once(self, method: str, path: str, body: object) -> Any:  # noqa: ANN401 - JSON
        """Send a request with an idempotency key of its own. Raises TourFailed."""
        return await self.ask(method, path, body, **{"Idempotency-Key": secrets.token_hex(8)})

    def plant(self, what: str, value: str) -> str:
        """Remember a personal value, and return it."""
        self.planted[f"{self.name}'s {what}"] = value
        return value


def canary(text: str) -> str:
    """Make a value that occurs nowhere by chance."""
    return f"{text} {secrets.token_hex(6)}"


async def until(what: str, look: Callable[[], Awaitable[T]]) -> T:
    """Look until there is something to see, and return it. Raises TourFailed."""
    for _ in range(int(PATIENCE / 0.05)):
        if seen := await look():
            return seen
        await asyncio.sleep(0.05)
    raise TourFailed(f"{what} did not happen within {PATIENCE:.0f} s")
