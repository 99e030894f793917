"""What a request passes before its body is read, and before anything is done for it: guards, limits, room."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from typing import Any, Concatenate, TypeAlias

from adapters.inbound.http.caller import caller_of
from adapters.inbound.http.context import EdgeContext
from adapters.inbound.http.reply import Reply
from adapters.inbound.http.request import Request
from adapters.inbound.http.route import Route
from application.ports.passwords import ASKING, Overloaded

Admit: TypeAlias = Callable[[Request[Any]], Awaitable[None]]
Work: TypeAlias = Callable[Concatenate[Request[Any], ...], Awaitable[Reply]]

NOWHERE = nullcontext()
"""Takes up no room."""


def admitting(route: Route[Any], context: EdgeContext) -> Admit:
    """Return what lets a route's requests pass: each client and each account so often, and whom its guards admit."""
    guards = [guard.admit for guard in route.guards]
    limits, room = (context.limits, context.room) if route.limited else (None, NOWHERE)
    waits, pace, signed_in = Overloaded in route.raises, route.pace, not route.open

    async def admit(request: Request[Any]) -> None:
        caller = caller_of(request.headers) if waits or limits is not None else ""
        if waits:
            ASKING.set(caller)
        if limits is not None:
            await limits.of_client(caller, pace, signed_in=signed_in)
        with room:
            for guard in guards:
                await guard(request)
        if limits is not None and signed_in:
            await limits.of_account(request.account_id, pace)

    return admit


def working(route: Route[Any], context: EdgeContext) -> Work:
    """Return what does a route's work, while there is room: but for an upload, which waits for the client to send."""
    handler, pace = route.handler, route.pace
    limits = context.limits if route.costs else None
    room = context.room if route.limited and route.upload is None else NOWHERE

    async def work(request: Request[Any], *values: object) -> Reply:
        with room:
            if limits is not None:
                await limits.of_what_costs(request.account_id, pace)
            return await handler(request, *values)

    return work
