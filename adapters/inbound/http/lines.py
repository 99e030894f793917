"""Handlers of phone lines: find a number, lease it, name it, give it back."""

from __future__ import annotations

from adapters.inbound.http import bodies
from adapters.inbound.http.request import Json, Request
from application.ports.carrier import AvailableNumber
from domain.kernel import LineId
from domain.lines import PhoneLine


def offer(of: AvailableNumber) -> Json:
    """Show a number on offer."""
    return {
        "number": str(of.number),
        "country": str(of.country),
        "capabilities": sorted(map(str, of.capabilities)),
    }


def line(of: PhoneLine) -> Json:
    """Show a line."""
    return {
        "id": str(of.id),
        "number": str(of.number),
        "country": str(of.country),
        "capabilities": sorted(map(str, of.capabilities)),
        "label": None if of.label is None else str(of.label),
        "state": str(of.state),
        "created_at": of.created_at,
        "released_at": of.released_at,
    }


async def search_numbers(request: Request[bodies.NumberSearch]) -> Json:
    """Find numbers on offer."""
    wanted = request.input
    found = await request.use_cases.search_numbers(
        wanted.country, wanted.area_code, wanted.contains, wanted.capabilities
    )
    return {"items": [offer(one) for one in found], "next_cursor": None}


async def buy_line(request: Request[bodies.Purchase]) -> Json:
    """Lease a number. While the carrier has not answered, the line's state is `ordering`."""
    wanted = request.input
    return line(
        await request.use_cases.buy_line(
            request.account_id, wanted.number, wanted.country, wanted.label, request.key
        )
    )


async def list_lines(request: Request[None]) -> Json:
    """List all lines, released ones too."""
    found = await request.use_cases.list_lines(request.account_id)
    return {"items": [line(one) for one in found], "next_cursor": None}


async def read_line(request: Request[None]) -> Json:
    """Read one line."""
    return line(await request.use_cases.read_line(request.account_id, LineId(request.id)))


async def relabel_line(request: Request[bodies.Relabelling]) -> Json:
    """Give a line another label, or none."""
    return line(
        await request.use_cases.relabel_line(request.account_id, LineId(request.id), request.input.label)
    )


async def release_line(request: Request[None]) -> Json:
    """Give a number back. It refuses texts at once; the state is `released` when the carrier has let go."""
    return line(await request.use_cases.release_line(request.account_id, LineId(request.id)))
