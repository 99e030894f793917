"""A line of the log for each request, where an operator wants one: by the route's template, never by its path."""

from __future__ import annotations

import structlog
from aiohttp import web

log = structlog.get_logger()


def log_request(method: str, route: str, answer: web.StreamResponse, seconds: float) -> None:
    """Log what was answered: method and route's template, unless there is none, status and milliseconds."""
    asked = {"method": method, "route": route} if route else {}
    log.info("request", **asked, status=answer.status, milliseconds=round(seconds * 1000, 1))
