"""Numbers that the person wants to hear nothing of: list, block, unblock."""

from __future__ import annotations

from datetime import datetime

from typing_extensions import TypedDict

import domain.blocked_numbers
from adapters.inbound.http.input import Paged
from adapters.inbound.http.json_format import id_cursor
from adapters.inbound.http.params import MaybeId
from adapters.inbound.http.reply import Id
from adapters.inbound.http.request import Request
from adapters.inbound.http.route import Route
from domain.blocked_numbers import BlockedNumberId, TooManyBlocked
from domain.values import PhoneNumber


class BlockedNumberPage(Paged):
    """A page of blocked numbers."""

    cursor: MaybeId = None


class BlockedNumber(TypedDict):
    """A number from which nothing is taken in. `number` is null when it was damaged and cannot be read."""

    id: Id
    number: str | None
    blocked_at: datetime


class BlockedNumbers(TypedDict):
    """A page of blocked numbers; `next_cursor` leads to the rest, null at the end."""

    items: list[BlockedNumber]
    next_cursor: str | None


def blocked_number(of: domain.blocked_numbers.BlockedNumber) -> BlockedNumber:
    """Show a blocked number."""
    return {"id": str(of.id), "number": of.number, "blocked_at": of.blocked_at}


async def list_blocked_numbers(request: Request[BlockedNumberPage]) -> BlockedNumbers:
    """List blocked numbers, newest first."""
    cursor = request.input.cursor
    page = await request.use_cases.list_blocked_numbers(
        request.account_id, None if cursor is None else BlockedNumberId(cursor), request.input.limit
    )
    return {
        "items": [blocked_number(one) for one in page.items],
        "next_cursor": id_cursor(page.next) if page.next else None,
    }


async def block_number(request: Request[None], number: PhoneNumber) -> BlockedNumber:
    """Block a number on every line. Nothing it sends is kept, and the carrier's copy goes; nothing is sent to it.

    A message to it that still waits fails with `not_allowed`. What was said before stays. A STOP or START that it sends
    counts all the same. Repeating it changes nothing.
    """
    return blocked_number(await request.use_cases.block_number(request.account_id, number))


async def unblock_number(request: Request[None], number: PhoneNumber) -> None:
    """Unblock a number. What it sent meanwhile does not come back."""
    await request.use_cases.unblock_number(request.account_id, number)


# fmt: off
ROUTES = (
    Route("GET", "/v1/blocked-numbers", list_blocked_numbers, 200, query=BlockedNumberPage),
    Route("PUT", "/v1/blocked-numbers/{number:e164}", block_number, 200, raises=(TooManyBlocked,)),
    Route("DELETE", "/v1/blocked-numbers/{number:e164}", unblock_number, 204),
)
# fmt: on
