"""Reports of errors to Sentry. Sentry's client is given an event of ours, and rebuilds it before it sends it.

The client is bound to nothing: no integration hooks into aiohttp, logging or threads, so nothing else in the process
makes an event, and what somebody hands to `sentry_sdk` itself has no client to go to.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

from sentry_sdk import Client
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import HttpTransport
from typing_extensions import override

from adapters.outbound.sentry.allowed import Json, rebuilt

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

CLOSE_SECONDS = 2.0
OURS = ("domain.", "application.", "adapters.", "bootstrap.")
LONGEST_CHAIN = 10


class OnlyEvents(HttpTransport):
    """The last gate: of whatever the client was made to send, only rebuilt events leave.

    `before_send` sees no transactions, logs, sessions, check-ins, attachments or headers of an envelope. This does.
    """

    @override
    def capture_envelope(self, envelope: Envelope) -> None:
        for item in envelope.items:
            if item.type == "event" and item.payload.json is not None:
                event = rebuilt(item.payload.json)
                passed = Envelope(
                    headers={"event_id": event.get("event_id"), "sent_at": event.get("timestamp")}
                )
                passed.add_event(cast("Event", event))
                super().capture_envelope(passed)


class SentryReports:
    """Tells Sentry what rose where. A call takes a place in a queue of 100 and returns; what finds it full is lost."""

    def __init__(self, dsn: str, *, release: str, environment: str) -> None:
        """Start the thread that sends. Raises ValueError when the DSN is none."""
        said: dict[str, Any] = {"release": f"pico@{release}", "environment": environment}
        self._client = Client(dsn=dsn, transport=OnlyEvents, **said, **SILENT)

    def __call__(self, error: BaseException) -> None:
        """Report an error and those that it rose from. May be called from any thread."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        chain = [_described(one) for one in chained(error)]
        event: Json = {
            "timestamp": now,
            "level": "error",
            "platform": "python",
            "exception": {"values": chain[::-1]},
        }
        self._client.capture_event(cast("Event", event))

    def flush(self, seconds: float = CLOSE_SECONDS) -> None:
        """Wait for what is queued to be sent, so long at most. Blocks."""
        self._client.flush(timeout=seconds)

    def close(self) -> None:
        """Send what is queued, for two seconds at most, and send nothing any more. Blocks."""
        self._client.close(timeout=CLOSE_SECONDS)


@asynccontextmanager
async def sentry(dsn: str, *, release: str, environment: str) -> AsyncIterator[SentryReports]:
    """Report to Sentry until the block ends."""
    reports = SentryReports(dsn, release=release, environment=environment)
    try:
        yield reports
    finally:
        await asyncio.to_thread(reports.close)


def chained(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that it rose from, as Python itself would show them: the last one first."""
    seen: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in seen and len(seen) < LONGEST_CHAIN:
        seen.append(following)
        yield following
        cause = following.__cause__
        following = cause if cause or following.__suppress_context__ else following.__context__


def _described(error: BaseException) -> Json:
    kind = type(error)
    return {
        "type": kind.__qualname__,
        "module": kind.__module__,
        "stacktrace": {"frames": list(_frames(error.__traceback__))},
    }


def _frames(trace: TracebackType | None) -> Iterator[Json]:
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", "unknown"))
        code = trace.tb_frame.f_code
        yield {
            "module": module,
            "function": code.co_qualname,
            "lineno": trace.tb_lineno,
            "in_app": module.startswith(OURS),
        }
        trace = trace.tb_next


def _nothing(_given: object, _hint: object) -> None:
    """Drop what was given."""


def _rebuilt(event: Event, hint: Hint) -> Event:
    hint.pop("attachments", None)
    return cast("Event", rebuilt(cast("Json", event)))


SILENT: dict[str, Any] = {
    "integrations": [],
    "default_integrations": False,
    "auto_enabling_integrations": False,
    "data_collection": {
        "user_info": False,
        "http_bodies": [],
        "cookies": {"mode": "off"},
        "http_headers": {"request": {"mode": "off"}},
        "url_query_params": {"mode": "off"},
        "stack_frame_variables": False,
        "frame_context_lines": 0,
        "database_query_data": False,
        "queues": False,
    },
    "max_request_body_size": "never",
    "include_local_variables": False,
    "include_source_context": False,
    "attach_stacktrace": False,
    "max_breadcrumbs": 0,
    "before_breadcrumb": _nothing,
    "before_send": _rebuilt,
    "before_send_transaction": _nothing,
    "before_send_log": _nothing,
    "before_send_metric": _nothing,
    "traces_sample_rate": 0,
    "trace_propagation_targets": [],
    "propagate_traces": False,
    "auto_session_tracking": False,
    "send_client_reports": False,
    "enable_backpressure_handling": False,
    "server_name": "",
    "project_root": "/",
    "spotlight": False,
    "debug": False,
}
"""What Sentry's client is told to leave alone. `spotlight` and `debug` are said, lest a variable switch them on."""
