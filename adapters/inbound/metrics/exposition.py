"""The page that Prometheus reads: `GET /metrics` on a port of its own, which must not face the internet."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

from adapters.error_report import report
from adapters.inbound.http_io import COMMON_HEADERS
from adapters.inbound.metrics.backlog import BacklogGauges
from application.backlog import Overview
from domain.kernel import PicoError

READ_EVERY = 10.0
"""Seconds for which what was read of the backlog is told again: each look goes over all that is open."""
READ_SECONDS = 5.0
"""How long a look may take; then the page says that it is not known."""


@dataclass(slots=True)
class Exposition:
    """Answers `/metrics` with everything in a registry, and `/healthz`; all else is 404 or 405."""

    registry: CollectorRegistry
    read: Callable[[], Awaitable[Overview]]
    also: tuple[Collector, ...] = ()
    _gauges: BacklogGauges = field(default_factory=BacklogGauges)
    _read_at: float = field(default=float("-inf"))
    _alone: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        """Tell of the backlog as well."""
        for collector in (self._gauges, *self.also):
            self.registry.register(collector)

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        path = request.raw_path.partition("?")[0]
        if path not in {"/metrics", "/healthz"}:
            return web.Response(status=404, headers=COMMON_HEADERS)
        if request.method not in {"GET", "HEAD"}:
            return web.Response(status=405, headers={**COMMON_HEADERS, "Allow": "GET, HEAD"})
        if path == "/healthz":
            return web.Response(headers=COMMON_HEADERS)
        async with self._alone:
            await self._look()
            page = generate_latest(self.registry)
        return web.Response(body=page, headers={**COMMON_HEADERS, "Content-Type": CONTENT_TYPE_LATEST})

    async def _look(self) -> None:
        """Read the backlog, unless that was done a moment ago. What cannot be read is told as not known."""
        if monotonic() - self._read_at < READ_EVERY:
            return
        try:
            async with asyncio.timeout(READ_SECONDS):
                self._gauges.overview = await self.read()
        except (PicoError, TimeoutError):
            self._gauges.overview = None
        except Exception as error:  # noqa: BLE001 - the other metrics are needed all the more
            report(error)
            self._gauges.overview = None
        self._read_at = monotonic()
