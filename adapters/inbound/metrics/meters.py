"""What this process counts as it goes along. Each is told by whoever does the thing; labels are words of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from time import perf_counter
from typing import Any

from aiohttp import web
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

from adapters.inbound.http_io import SAID_AT
from application.ports.jobs import Again, Done, Handle, LeasedJob, Outcome
from application.retention import SweepResult

NONE = "none"
"""The label of what has no name of ours: a path that leads nowhere, and the method that came with it."""
WEBHOOKS = "/webhooks/"
QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SLOW = (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800)
LAG_EVERY = 0.5


class Meters:
    """Counters of one process, in a registry of their own: nothing else in the process adds to it."""

    def __init__(self, release: str, now: Callable[[], datetime]) -> None:
        """Begin at zero."""
        disable_created_metrics()  # type: ignore[no-untyped-call]  # when each began to be counted is nobody's question, and doubles the page
        self.registry = CollectorRegistry()
        of: dict[str, Any] = {"registry": self.registry, "namespace": "pico"}
        ProcessCollector(registry=self.registry)
        self._now = now
        self._counted: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.requests = Counter("requests", "Answers given.", ("method", "route", "status"), **of)
        self.seconds = Histogram("request_seconds", "Until an answer began.", ("route",), buckets=QUICK, **of)
        self.webhook_lag = Histogram(
            "webhook_lag_seconds", "From what a provider says of when it happened, until we answered.",
            ("provider",), buckets=SLOW, **of,
        )  # fmt: skip
        self.calls = Counter("provider_requests", "Requests to providers.", ("provider", "outcome"), **of)
        self.call_seconds = Histogram(
            "provider_request_seconds", "Until a provider answered.", ("provider",), buckets=QUICK, **of
        )
        self.jobs = Counter("jobs", "Jobs tried: done, again or dead.", ("job", "outcome"), **of)
        self.job_seconds = Histogram("job_seconds", "Until a job was over.", ("job",), buckets=SLOW, **of)
        self.purged = Counter("purged", "Records that went because their time was over.", ("purge",), **of)
        self.failed = Counter("purge_failures", "What sweeps could not do, by code.", ("error",), **of)
        self.swept_at = Gauge("swept_timestamp_seconds", "When the last sweep ended.", **of)
        self.lag = Histogram(
            "event_loop_lag_seconds", "How late the event loop wakes who sleeps.", buckets=QUICK, **of
        )
        self.errors = Counter("errors", "Errors that nobody foresaw.", ("error",), **of)
        Gauge("build_info", "Which release this is.", ("release",), **of).labels(release).set(1)

    def answered(self, method: str, route: str, answer: web.StreamResponse, seconds: float) -> None:
        """Count an answer. What is streamed goes on after it began, so its duration says nothing."""
        counted = self._counted.get((method, route, answer.status))
        if counted is None:  # to look labels up costs more than to count
            named = self.requests.labels(method or NONE, route or NONE, answer.status)
            counted = named, self.seconds.labels(route or NONE)
            self._counted[method, route, answer.status] = counted
        counted[0].inc()
        if isinstance(answer, web.Response):
            counted[1].observe(seconds)
        said_at = SAID_AT.get()
        if said_at is not None and route.startswith(WEBHOOKS):
            provider = route.removeprefix(WEBHOOKS).partition("/")[0]
            self.webhook_lag.labels(provider).observe(max(0.0, (self._now() - said_at).total_seconds()))

    def called(self, provider: str, outcome: str, seconds: float) -> None:
        """Count a request to a provider: its status's class, `429`, or `unanswered`."""
        self.calls.labels(provider, outcome).inc()
        self.call_seconds.labels(provider).observe(seconds)

    def rose(self, error: BaseException) -> None:
        """Count an unforeseen error, by its type."""
        self.errors.labels(type(error).__name__).inc()

    def working(self, handle: Handle) -> Handle:
        """Return what does jobs as `handle` does, counted."""

        async def counted(leased: LeasedJob) -> Outcome:
            began = perf_counter()
            outcome = await handle(leased)
            self.jobs.labels(leased.job.name, _word(outcome)).inc()
            self.job_seconds.labels(leased.job.name).observe(perf_counter() - began)
            return outcome

        return counted

    def count_sweep(self, result: SweepResult) -> None:
        """Count what a sweep did."""
        for purge, count in result.counts.items():
            self.purged.labels(purge).inc(count)
        for code, count in result.failed.items():
            self.failed.labels(code).inc(count)
        self.swept_at.set(self._now().timestamp())

    async def keep_timing_the_loop(self) -> None:
        """Measure, until cancelled, how late the event loop is."""
        while True:
            asleep_at = perf_counter()
            await asyncio.sleep(LAG_EVERY)
            self.lag.observe(max(0.0, perf_counter() - asleep_at - LAG_EVERY))


def _word(outcome: Outcome) -> str:
    return "done" if isinstance(outcome, Done) else "again" if isinstance(outcome, Again) else "dead"
