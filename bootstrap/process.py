"""What every process of Pico does, whichever world it runs in: serve, work through jobs, sweep, end when told to."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from aiohttp import web

from adapters.inbound.http.app import Watch, build
from adapters.inbound.http.context import Sandbox
from adapters.inbound.http.cors import shared_with
from adapters.inbound.http.ending import ClosingAnswers, Ending
from adapters.inbound.http.request_log import log_request
from adapters.inbound.http.server import serving
from adapters.inbound.http_io import Webhooks
from adapters.inbound.metrics import Meters
from adapters.inbound.metrics.process import PoolUse
from adapters.inbound.worker import SWEEP_EVERY, Worker, keep_catching_up, keep_sweeping
from adapters.outbound.system.limits import ProcessLimits
from application.ports.clock import Clock
from application.ports.jobs import Handle
from application.request_limits import LimitRequests
from application.retention import SweepResult
from application.use_cases import UseCases
from bootstrap.admission import Admission
from bootstrap.outside import Outside
from bootstrap.policy import POLICY, shown
from bootstrap.publication import published
from bootstrap.settings import Settings
from domain.kernel import PicoError
from domain.requests import RequestPolicy

COMPARE_EVERY = timedelta(minutes=1)
LOOPBACK = "127.0.0.1"
"""Where Pico listens: what faces the internet is a proxy that ends TLS."""

Ready = Callable[[], Awaitable[None]]
"""Raises a PicoError while the product cannot serve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A wired product, and what a process needs beside it to serve and to work."""

    outside: Outside
    use_cases: UseCases
    ready: Ready
    admission: Admission
    webhooks: tuple[Webhooks, ...]
    """One for each provider that calls us."""
    sweep_every: timedelta = SWEEP_EVERY
    meters: Meters | None = None
    """What counts, where metrics are wanted."""
    pools: Mapping[str, Callable[[], PoolUse]] = field(default_factory=dict)
    named: frozenset[str] = frozenset()
    """What the policy that is shown says besides, because somebody is configured: the headings of that."""
    request_policy: RequestPolicy = field(default_factory=RequestPolicy.of)
    drain: timedelta = timedelta()
    """How long before it ends a process says so, and serves on."""
    ending: Ending = field(default_factory=Ending)

    @property
    def limits(self) -> LimitRequests:
        """Who counts the requests of a process that serves."""
        return LimitRequests(ProcessLimits(), self.outside.limits, self.outside.clock, self.request_policy)


@asynccontextmanager
async def serve(
    product: Product,
    port: int,
    *,
    origins: frozenset[str] = frozenset(),
    sandbox: Sandbox | None = None,
    watches: Sequence[Watch] = (),
) -> AsyncIterator[None]:
    """Serve HTTP on `port` until the block ends, to pages of `origins` too; each of `watches` is told of each answer.

    Until the database is as the erasure ledger says, everything but health is answered with 503. Raises CannotListen,
    and what `Admission.check` raises.
    """
    await product.admission.check()

    async def ready() -> None:
        product.ending.must_be_far()
        await product.ready()

    app = build(
        product.use_cases,
        ready=ready,
        admitted=product.admission,
        webhooks=product.webhooks,
        sandbox=sandbox,
        watch=_together((*watches, *([product.meters.answered] if product.meters is not None else []))),
        policy=shown(POLICY.read_text("utf-8"), product.named).encode(),
        published=published(product.named),
        limits=product.limits,
    )
    comparing = asyncio.create_task(_keep_comparing(product.outside.clock))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(ended, comparing)
        stack.push_async_callback(ended, asyncio.create_task(product.admission.until_open()))
        handler = ClosingAnswers(shared_with(origins, app), product.ending)
        await stack.enter_async_context(serving(handler, LOOPBACK, port))
        stack.callback(product.use_cases.follow_events.close)  # what goes on for ever would use up all grace
        yield


@asynccontextmanager
async def drained(product: Product) -> AsyncIterator[None]:
    """Say at the end of the block that the process ends, and wait until those who send requests here have heard it."""
    yield
    product.ending.is_near = True
    await asyncio.sleep(product.drain.total_seconds())


@asynccontextmanager
async def work(product: Product) -> AsyncIterator[None]:
    """Run jobs and sweeps until the block ends; jobs under way may finish. Raises what `Admission.check` raises."""
    await product.admission.check()
    async with AsyncExitStack() as stack:
        meters = product.meters
        worker: Handle = Worker(product.use_cases, product.outside.clock)
        handle = worker if meters is None else meters.working(worker)

        async def sweep() -> SweepResult:
            result = await product.use_cases.sweep()
            if meters is not None:
                meters.count_sweep(result)
            return result

        loops = (
            partial(product.outside.queue.run, handle),
            partial(keep_sweeping, sweep, product.sweep_every),
            partial(keep_catching_up, product.use_cases.catch_up),
        )
        for loop in loops:
            stack.push_async_callback(ended, asyncio.create_task(_once_open(product.admission, loop)))
        yield


def watches_of(settings: Settings) -> tuple[Watch, ...]:
    """Return who is told of each answer, by the settings."""
    return (log_request,) if settings.log_requests else ()


def _together(watches: Sequence[Watch]) -> Watch | None:
    """Return one watch that tells them all; none where there is nobody to tell."""
    if len(watches) < 2:  # noqa: PLR2004 - then there is nothing to put together
        return watches[0] if watches else None

    def watch(method: str, route: str, answer: web.StreamResponse, seconds: float) -> None:
        for each in watches:
            each(method, route, answer, seconds)

    return watch


async def _once_open(admission: Admission, loop: Callable[[], Awaitable[None]]) -> None:
    """Run a loop once the process may work."""
    await admission.until_open()
    await loop()


async def _keep_comparing(clock: Clock) -> None:
    """Have the clocks compared, so that a process that does not sweep notices a lasting correction as well."""
    while True:
        with suppress(PicoError):
            await clock.agreed()
        await asyncio.sleep(COMPARE_EVERY.total_seconds())


def ending() -> asyncio.Event:
    """Return what is set when the process is told to end, by SIGINT (Ctrl-C) or SIGTERM.

    To be called before anybody is told that the process is ready: who is told may end it at once.
    """
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    return told


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.create_server((LOOPBACK, 0)) as probe:
        return int(probe.getsockname()[1])


async def ended(task: asyncio.Task[None]) -> None:
    """Cancel a background task and wait for its end."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
