"""Handlers that exist only in the Sandbox: move the clock, read the mails, play the carrier."""

from __future__ import annotations

from typing import Any

from adapters.inbound.http import bodies
from adapters.inbound.http.problems import Flaw, InvalidInput
from adapters.inbound.http.request import Json, Request, Sandbox


def box(request: Request[Any]) -> Sandbox:
    """Return the Sandbox: these routes are mounted only where there is one."""
    if request.context.sandbox is None:
        raise LookupError
    return request.context.sandbox


async def read_clock(request: Request[None]) -> Json:
    """Read the Sandbox's clock."""
    return {"now": box(request).now()}


async def advance_clock(request: Request[bodies.ClockAdvance]) -> Json:
    """Move the clock forward; everything due on the way happens."""
    try:
        return {"now": await box(request).advance(request.input.advance)}
    except OverflowError:
        raise InvalidInput(Flaw("/advance", "out_of_range")) from None


async def list_mails(request: Request[None]) -> Json:
    """Read the mails that would have been sent, oldest first."""
    return {"items": await box(request).mails(), "next_cursor": None}


async def receive_text(request: Request[bodies.IncomingText]) -> Json:
    """Text one of our numbers, as somebody outside."""
    text = request.input
    try:
        return {"ref": await box(request).sms(text.sender, text.to, text.body)}
    except LookupError:
        raise InvalidInput(Flaw("/to", "not_our_number")) from None


async def set_faults(request: Request[bodies.Faults]) -> Json:
    """Make the simulated providers misbehave."""
    try:
        return box(request).faults(request.input.model_dump())
    except ValueError:
        raise InvalidInput(Flaw("", "unknown_fault")) from None


async def read_providers(request: Request[None]) -> Json:
    """See what each simulated provider still holds."""
    return box(request).providers()
