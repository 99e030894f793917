"""Code that goes wrong with every value at hand, and spreads them as thoughtless code would."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, NoReturn, TypeAlias

import sentry_sdk
import structlog

from adapters.outbound.sentry.reports import SentryReports

Reporting: TypeAlias = Callable[[str], AbstractAsyncContextManager[Any]]
"""Reports to the Sentry of a DSN, until its block ends."""

PLACES = (
    "message", "local variable", "URL", "query", "header", "form", "breadcrumb", "log argument", "exception text",
    "note", "tag", "user",
)  # fmt: skip


PATIENCE = 30.0
"""Seconds that a busy machine has for what is queued."""


class Telling(Exception):
    """Says all that it was given, whichever way it is asked."""


def fail(planted: Mapping[str, str], given: object) -> NoReturn:
    """Go wrong in a way that has every value at hand, and spread them as thoughtless code would."""
    somewhere = {"kept": planted["local variable"], "given": given}
    sentry_sdk.add_breadcrumb(message=planted["breadcrumb"], data=somewhere)
    sentry_sdk.set_tag("said", planted["tag"])
    sentry_sdk.set_user({"email": planted["user"]})
    sentry_sdk.capture_message(planted["message"])
    logging.getLogger("aiohttp.server").error("about %s", planted["log argument"])
    structlog.get_logger().error("thoughtless", text=planted["message"], error=planted["log argument"])
    structlog.get_logger().error(planted["message"], exc_info=True)
    error = Telling(planted["exception text"], somewhere)
    error.add_note(planted["note"])
    raise error from ValueError(planted["exception text"])


async def flushed(reports: object) -> None:
    """Wait for what is queued to arrive, so that the queue of a hundred never overflows."""
    if isinstance(reports, SentryReports):
        await asyncio.to_thread(reports.flush, PATIENCE)
