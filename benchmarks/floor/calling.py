"""The floor is asked what is to be done with a call: it verifies who asks, and answers the same every time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from benchmarks.floor.receiving import PLAIN, XML, verified

if TYPE_CHECKING:
    from benchmarks.floor.server import Floor

VOICE = "/webhooks/twilio/voice"
CONSTANT = b"<?xml version='1.0' encoding='utf-8'?>\n<Response><Reject reason=\"busy\" /></Response>"


async def answer(floor: Floor, request: web.BaseRequest, query: str) -> web.Response:
    """Answer a question about a call that nobody looks up, and nobody puts on record."""
    if not await verified(floor, request, query, floor.voice_addresses):
        return web.Response(status=403, headers=PLAIN, body=b"forbidden\n")
    return web.Response(headers=XML, body=CONSTANT)
