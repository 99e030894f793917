"""Reading what a provider answers: to its end, and within bounds."""

from __future__ import annotations

from aiohttp import ClientResponse


class AnswerTooLong(OSError):
    """An answer is longer than any that the provider has a reason to give."""


async def whole(response: ClientResponse, most: int) -> bytes:
    """Return a body of up to so many bytes, in however many pieces it comes. Raises AnswerTooLong, ClientError."""
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > most:
            raise AnswerTooLong
    return bytes(body)
