"""Pictures: what is known of them, and what they show."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic.json_schema import Examples
from typing_extensions import TypedDict

import domain.media
from adapters.inbound.http.reply import Download, Id, Media, SpelledOut
from adapters.inbound.http.request import Request
from adapters.inbound.http.route import OPEN, Route
from adapters.inbound.http.upload import Upload
from application.ports.objects import ObjectsUnavailable
from application.ports.pictures import NotAPicture
from domain.kernel import MediaId
from domain.media import MediaNotReady, MediaRefusal, MediaState, MediaTooLarge, TooManyUploads
from domain.requests import Pace


class Picture(TypedDict):
    """A picture of a message. It can be downloaded once it is `kept`; `type` and `size` are known from then on.

    One that is `refused` stays with the carrier until its message is deleted; `refusal` says why.
    """

    id: Id
    state: Annotated[str, SpelledOut(MediaState), Examples(["kept"])]
    type: Annotated[str | None, Examples(["image/jpeg"])]
    size: int
    refusal: Annotated[str, SpelledOut(MediaRefusal)] | None


SMALLEST_GIF = "GIF89a\x01\0\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"
FILE = Upload(tuple(sorted(kind.mime for kind in domain.media.MediaType)), domain.media.LARGEST, SMALLEST_GIF)
PICTURE = Media("image/*", filename="picture", ranges=True)


def picture(of: domain.media.Media) -> Picture:
    """Show what is known of a picture."""
    return {
        "id": str(of.id),
        "state": str(of.state),
        "type": None if of.type is None else of.type.mime,
        "size": of.size,
        "refusal": None if of.refusal is None else str(of.refusal),
    }


async def upload_picture(request: Request[None]) -> Picture:
    """Upload a picture to be sent. Its place, time and camera are removed; unless it is sent, it goes after a day."""
    return picture(await request.use_cases.upload_media(request.account_id, request.upload))


async def download_picture(request: Request[None], media_id: MediaId) -> Annotated[Download, PICTURE]:
    """Download a picture."""
    media = await request.use_cases.read_media(request.account_id, media_id)
    return handed_out(request, media)


async def download_offered_picture(request: Request[None], offer: str) -> Annotated[Download, PICTURE]:
    """Let a carrier fetch a picture that it is to send: whoever has the address may, while it is offered."""
    return handed_out(request, await request.use_cases.read_offered_media(offer))


def handed_out(request: Request[None], media: domain.media.Media) -> Download:
    """Answer with what a picture shows."""
    kind = media.must_be_here()
    part = request.byte_range(media.size)
    chunks = request.use_cases.read_media.content(media, part.start, part.stop)
    return Download(chunks, replace(PICTURE, type=kind.mime, filename=f"picture.{kind.value}"), range=part)


UPLOADING = (NotAPicture, MediaTooLarge, TooManyUploads, ObjectsUnavailable)

# fmt: off
ROUTES = (
    Route("POST", "/v1/media", upload_picture, 201, upload=FILE, raises=UPLOADING, location="/v1/media/{id}",
          pace=Pace.HEAVY),
    Route("GET", "/v1/media/{media_id:uuid}", download_picture, 200, raises=(MediaNotReady,)),
    Route("GET", "/v1/offered-media/{offer:offer}", download_offered_picture, 200, guards=OPEN, hidden=True),
)
# fmt: on
