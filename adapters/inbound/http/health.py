"""Handlers of health: whether the process lives, and whether it can serve."""

from __future__ import annotations

from adapters.inbound.http.request import Json, Request

OK: Json = {"status": "ok"}


async def healthz(_request: Request[None]) -> Json:
    """Tell that the process lives."""
    return OK


async def readyz(request: Request[None]) -> Json:
    """Tell whether Pico can serve now."""
    await request.context.ready()
    return OK
