"""Sentry on loopback: takes envelopes of whoever names the right key, and keeps every byte that reached it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from adapters.simulators import listening

LARGEST = 64 << 20
"""Bytes: what a client says that holds nothing back is large, and is to be seen whole."""
KEY = "0123456789abcdef0123456789abcdef"


@dataclass
class SentrySimulator:
    """One project of Sentry's. `outage`, a knob, has it answer 503."""

    outage: bool = False
    requests: list[bytes] = field(default_factory=list)
    """Each request line with its headers and its body, unpacked; oldest first."""
    items: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Kind and content of each item of each envelope."""

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events among the items."""
        return [content for kind, content in self.items if kind == "event"]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Listen, and yield the DSN."""
        app = web.Application(client_max_size=LARGEST)
        app.router.add_route("*", "/{rest:.*}", self._take)
        async with listening(app) as port:
            yield f"http://{KEY}@127.0.0.1:{port}/1"

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()  # aiohttp has unpacked it
        head = f"{request.method} {request.raw_path} {dict(request.headers)}".encode()
        self.requests.append(head + b"\n" + body)
        if self.outage:
            return web.Response(status=503)
        if f"sentry_key={KEY}" not in request.headers.get("X-Sentry-Auth", ""):
            return web.Response(status=403)
        # The first line is the envelope's own header; each item is a header and a line.
        lines = body.split(b"\n")[1:]
        for said, content in zip(lines[::2], lines[1::2], strict=False):
            self.items.append((str(json.loads(said)["type"]), json.loads(content)))
        return web.json_response({"id": "0" * 32})
