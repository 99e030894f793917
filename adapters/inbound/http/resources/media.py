"""Pictures: what is known of them, and what they show."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic.json_schema import Examples
from typing_extensions import TypedDict

import domain.media
from adapters.inbound.http.reply import Download, Id, Media, SpelledOut
from adapters.inbound.http.request import Request
from adapters.inbound.http.route import Route
from domain.kernel import MediaId
from domain.media import MediaNotReady, MediaRefusal, MediaState


class Picture(TypedDict):
    """A picture of a message. It can be downloaded once it is `kept`; `type` and `size` are known from then on.

    One that is `refused` stays with the carrier until its message is deleted; `refusal` says why.
    """

    id: Id
    state: Annotated[str, SpelledOut(MediaState), Examples(["kept"])]
    type: Annotated[str | None, Examples(["image/jpeg"])]
    size: int
    refusal: Annotated[str, SpelledOut(MediaRefusal)] | None


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


async def download_picture(request: Request[None], media_id: MediaId) -> Annotated[Download, PICTURE]:
    """Download a picture."""
    media = await request.use_cases.read_media(request.account_id, media_id)
    kind = media.must_be_here()
    part = request.byte_range(media.size)
    chunks = request.use_cases.read_media.content(media, part.start, part.stop)
    return Download(chunks, replace(PICTURE, type=kind.mime, filename=f"picture.{kind.value}"), range=part)


ROUTES = (Route("GET", "/v1/media/{media_id:uuid}", download_picture, 200, raises=(MediaNotReady,)),)
