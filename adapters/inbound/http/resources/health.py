"""Health: whether the process lives, and whether it can serve."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from adapters.inbound.http.ending import IsEnding
from adapters.inbound.http.request import Request
from adapters.inbound.http.route import OPEN, Route
from application.ports.keyring import KeysUnavailable
from application.ports.store import StoreFull, StoreUnavailable


class Health(TypedDict):
    """Pico lives."""

    status: Literal["ok"]


OK: Health = {"status": "ok"}


async def healthz(_request: Request[None]) -> Health:
    """Tell that the process lives."""
    return OK


async def readyz(request: Request[None]) -> Health:
    """Tell whether Pico can serve now."""
    await request.context.ready()
    return OK


ROUTES = (
    Route("GET", "/healthz", healthz, 200, guards=OPEN),
    Route(
        "GET",
        "/readyz",
        readyz,
        200,
        guards=OPEN,
        raises=(IsEnding, StoreUnavailable, StoreFull, KeysUnavailable),
    ),
)
