"""Files as the body of a request: read as they arrive, up to a size of the route's own, and never held whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from aiohttp import web

from adapters.inbound.http.reply import Json
from adapters.inbound.http_io import (
    BadRequest,
    ExpectationFailed,
    Refused,
    TooSlow,
    meet_expectation,
)

UPLOAD_SECONDS = 300.0


class FileTooLarge(Refused):
    """The file is larger than what is taken here."""

    status = 413
    code = "file_too_large"


class NotThisFile(Refused):
    """A file of this media type is not taken here."""

    status = 415
    code = "unsupported_media_type"


UPLOAD_REFUSALS = (BadRequest, ExpectationFailed, FileTooLarge, NotThisFile, TooSlow)


@dataclass(frozen=True, slots=True)
class Upload:
    """What file a route takes: of which media types, of how many bytes at most, and what one looks like."""

    types: Sequence[str]
    most: int
    example: str
    refusals: Sequence[type[Refused]] = UPLOAD_REFUSALS

    @property
    def content(self) -> Json:
        """What the document says of it."""
        return {kind: {"schema": {"type": "string"}, "example": self.example} for kind in self.types}

    async def chunks(self, request: web.BaseRequest) -> AsyncGenerator[bytes, None]:
        """Yield the file as it arrives. Raises what `refusals` names."""
        kinds = request.headers.getall("Content-Type", ())
        kind = kinds[0].partition(";")[0].strip().lower() if len(kinds) == 1 else ""
        if kind not in self.types or "Content-Encoding" in request.headers:
            raise NotThisFile
        if (request.content_length or 0) > self.most:
            raise FileTooLarge
        if "Expect" in request.headers:
            await meet_expectation(request)
        left, ends = self.most, asyncio.get_running_loop().time() + UPLOAD_SECONDS
        while chunk := await self._next(request, ends):
            left -= len(chunk)
            if left < 0:
                raise FileTooLarge
            yield chunk

    async def _next(self, request: web.BaseRequest, ends: float) -> bytes:
        try:
            async with asyncio.timeout_at(ends):
                return await request.content.readany()
        except TimeoutError:
            raise TooSlow from None
        except (web.RequestPayloadError, ConnectionError):
            raise BadRequest from None
