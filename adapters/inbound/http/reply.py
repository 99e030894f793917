"""What a handler may answer, and how it becomes an HTTP response. Nothing is validated at run time: mypy did."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeAlias, TypeVar
from uuid import UUID

from aiohttp import web
from multidict import CIMultiDict
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema

from adapters.error_report import report
from adapters.inbound.http.byte_range import ByteRange
from adapters.inbound.http.event_stream import EventStream, tell
from adapters.inbound.http.json_format import encode
from adapters.inbound.http_io import COMMON_HEADERS

Json: TypeAlias = dict[str, Any]
Body_co = TypeVar("Body_co", covariant=True)

BARE = CIMultiDict(COMMON_HEADERS)
JSON_TYPE = "application/json"
JSON = CIMultiDict({**COMMON_HEADERS, "Content-Type": JSON_TYPE})


@dataclass(frozen=True, slots=True)
class SpelledOut:
    """Marks a `str` in a response as the spelling of an id or an enum, which the OpenAPI document then describes."""

    kind: Any

    def __get_pydantic_core_schema__(self, _source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler(self.kind)


Id: TypeAlias = Annotated[str, SpelledOut(UUID)]


@dataclass(frozen=True, slots=True)
class Media:
    """What a download is: media type, the name it is saved under, whether single byte ranges of it can be had.

    `content` is the type of what is in it where that is JSON: a TypedDict.
    """

    type: str
    filename: str | None = None
    ranges: bool = False
    content: Any = None

    def headers(self) -> CIMultiDict[str]:
        """Return the headers of an answer that holds it."""
        headers = CIMultiDict({**COMMON_HEADERS, "Content-Type": self.type})
        if self.filename is not None:
            headers["Content-Disposition"] = f'attachment; filename="{self.filename}"'
        if self.ranges:
            headers["Accept-Ranges"] = "bytes"
        return headers


@dataclass(frozen=True, slots=True)
class Download:
    """A body sent as it is read, never held whole. A handler that answers one says `Annotated[Download, media]`.

    `size`, in bytes, is announced where it is known. A source that can seek is opened at
    `request.byte_range(size)`, and that range is handed on here: `chunks` are then its bytes only.
    """

    chunks: AsyncGenerator[bytes, None]
    media: Media
    size: int | None = None
    range: ByteRange | None = None


@dataclass(frozen=True, slots=True)
class Answer(Generic[Body_co]):
    """A body with headers or a status of its own. The route declares both, for the document."""

    body: Body_co
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int | None = None


Body: TypeAlias = Mapping[str, object] | Download | EventStream | web.StreamResponse | None
Reply: TypeAlias = Body | Answer[Body]
"""JSON, a stream, an answer made by hand, or nothing to say; headers where there are any."""


class DownloadTooShort(Exception):
    """A download's source held fewer bytes than announced."""


async def respond(
    request: web.BaseRequest, status: int, reply: Reply, extra: Mapping[str, str]
) -> web.StreamResponse:
    """Put a handler's reply, and the `extra` headers of its guards, into an HTTP response."""
    if isinstance(reply, dict):  # Nearly always, and without extra headers.
        return web.Response(status=status, headers=_with(JSON, extra) if extra else JSON, body=encode(reply))
    if isinstance(reply, Answer):
        return await respond(request, reply.status or status, reply.body, {**extra, **reply.headers})
    if isinstance(reply, Download):
        return await _stream(request, status, reply, extra)
    if isinstance(reply, EventStream):
        return await tell(request, status, reply, extra)
    if isinstance(reply, web.StreamResponse):
        reply.headers.update(extra)
        return reply
    headers, body = (BARE, None) if reply is None else (JSON, encode(dict(reply)))
    return web.Response(status=status, headers=_with(headers, extra), body=body)


def _with(headers: CIMultiDict[str], extra: Mapping[str, str]) -> CIMultiDict[str]:
    merged = headers.copy()
    merged.update(extra)
    return merged


async def _stream(
    request: web.BaseRequest, status: int, download: Download, extra: Mapping[str, str]
) -> web.StreamResponse:
    part = download.range
    response = web.StreamResponse(status=status, headers=_with(download.media.headers(), extra))
    length = download.size
    if part is not None:
        length = len(part)
        if part.partial:
            response.set_status(206)
            response.headers["Content-Range"] = part.content_range
    if length is not None:
        response.content_length = length
    async with aclosing(download.chunks) as chunks:
        if request.method == "HEAD":
            await response.prepare(request)
            return response
        chunk = await anext(chunks, b"")  # An error here still has a status to go with.
        await response.prepare(request)
        try:
            sent = len(chunk)
            await response.write(chunk)
            async for chunk in chunks:
                sent += len(chunk)
                await response.write(chunk)
            if length is not None and sent < length:
                raise DownloadTooShort  # noqa: TRY301 - handled as any other break, a few lines below
        except Exception as error:  # noqa: BLE001 - the answer has begun: to break it off is the only way to say no
            if not isinstance(error, ConnectionError):
                report(error)
            request.protocol.force_close()
    return response
