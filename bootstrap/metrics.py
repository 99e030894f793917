"""Metrics of a process: what counts them, and the port on which they are shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from urllib.parse import urlsplit

from adapters.error_report import also_telling
from adapters.inbound.http.server import serving
from adapters.inbound.metrics import Exposition, Meters
from adapters.inbound.metrics.process import PoolUse, ProcessGauges
from adapters.outbound.postgres.pool import Database
from bootstrap.process import Product, ended
from bootstrap.release import release
from bootstrap.settings import Settings


def meters_of(settings: Settings, now: Callable[[], datetime]) -> Meters | None:
    """Return what counts, where there is a port to show it on."""
    return None if settings.admin_port is None else Meters(release(), now)


def by_host(**addresses: str) -> Mapping[str, str]:
    """Return providers' names by the host and port of their addresses; several addresses stand with commas between."""
    found = {}
    for name, listed in addresses.items():
        for address in filter(None, listed.split(",")):
            parts = urlsplit(address)
            port = parts.port or (80 if parts.scheme == "http" else 443)
            found[f"{parts.hostname}:{port}"] = name
    return found


def use_of(database: Database) -> Callable[[], PoolUse]:
    """Return what tells of a database's connections."""
    return lambda: PoolUse(database.most, database.busy, database.waiting)


@asynccontextmanager
async def shown(product: Product, settings: Settings) -> AsyncIterator[None]:
    """Show a process's metrics until the block ends, where there is a port for it. Raises CannotListen."""
    meters = product.meters
    if meters is None or settings.admin_port is None:
        yield
        return
    gauges = ProcessGauges(product.pools, lambda: product.admission.is_open)
    page = Exposition(meters.registry, product.use_cases.read_backlog, (gauges,))
    async with AsyncExitStack() as stack:
        stack.enter_context(also_telling(meters.rose))
        timing = asyncio.create_task(meters.keep_timing_the_loop())
        stack.push_async_callback(ended, timing)
        await stack.enter_async_context(
            serving(page, settings.admin_host, settings.admin_port, "PICO_ADMIN_PORT")
        )
        yield
