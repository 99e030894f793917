"""Pictures with everything in them that cameras and programs write, made here: no real person's."""

from __future__ import annotations

import io
import secrets
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from PIL import ExifTags, Image, PngImagePlugin

from domain.media import MediaType

GPS = ExifTags.IFD.GPSInfo
WIDE_GAMUT = b"\0\0\x02\x0cappl" + bytes(120) + b"desc: a screen of somebody's"


@dataclass(frozen=True, slots=True)
class Photograph:
    """A picture, and the words hidden in it that nobody may keep."""

    content: bytes
    hidden: tuple[str, ...] = ()


def word() -> str:
    return secrets.token_hex(8)


def image(width: int = 61, height: int = 47) -> Image.Image:
    """Return a picture of which no two corners look alike."""
    made = Image.linear_gradient("L").resize((width, height))
    other = made.transpose(Image.Transpose.ROTATE_90).resize((width, height))
    return Image.merge("RGB", (made, other, made.transpose(Image.Transpose.FLIP_LEFT_RIGHT)))


def exif(hidden: Iterator[str], orientation: int = 1) -> Image.Exif:
    """Return Exif with a place in every form that Exif has for one, and in texts."""
    made = Image.Exif()
    for tag in (
        ExifTags.Base.Make,
        ExifTags.Base.Model,
        ExifTags.Base.ImageDescription,
        ExifTags.Base.Artist,
    ):
        made[tag] = next(hidden)
    made[ExifTags.Base.Orientation] = orientation
    place = made.get_ifd(GPS)
    place[ExifTags.GPS.GPSLatitudeRef], place[ExifTags.GPS.GPSLatitude] = "N", (52.0, 31.0, 12.0)
    place[ExifTags.GPS.GPSLongitudeRef], place[ExifTags.GPS.GPSLongitude] = "E", (13.0, 24.0, 18.0)
    place[ExifTags.GPS.GPSMapDatum], place[ExifTags.GPS.GPSAreaInformation] = (
        next(hidden),
        next(hidden).encode(),
    )
    more = made.get_ifd(ExifTags.IFD.Exif)
    more[ExifTags.Base.UserComment], more[ExifTags.Base.LensModel] = next(hidden).encode(), next(hidden)
    return made


def photograph(kind: MediaType, orientation: int = 1, size: tuple[int, int] = (61, 47)) -> Photograph:
    """Take a picture of this kind that tells as much as its format can hold."""
    told: list[str] = []

    def hidden() -> Iterator[str]:
        while True:
            told.append(word())
            yield told[-1]

    words = hidden()
    content = {
        MediaType.JPEG: _jpeg,
        MediaType.PNG: _png,
        MediaType.GIF: _gif,
        MediaType.WEBP: _webp,
    }[kind](image(*size), words, orientation)
    return Photograph(content + f"<trailer>{next(words)}</trailer>".encode(), tuple(told))


def _jpeg(of: Image.Image, words: Iterator[str], orientation: int) -> bytes:
    out = io.BytesIO()
    of.save(
        out, "JPEG", exif=exif(words, orientation), comment=next(words), icc_profile=WIDE_GAMUT,
        xmp=f"<x:xmpmeta>{next(words)}</x:xmpmeta>".encode(), dpi=(300, 300), quality=90,
    )  # fmt: skip
    made = out.getvalue()
    iptc = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + next(words).encode()
    return made[:2] + b"\xff\xed" + (len(iptc) + 2).to_bytes(2) + iptc + made[2:]


def _png(of: Image.Image, words: Iterator[str], orientation: int) -> bytes:
    out, texts = io.BytesIO(), PngImagePlugin.PngInfo()
    texts.add_text("Comment", next(words))
    texts.add_text("Location", next(words), zip=True)
    texts.add_itxt("XML:com.adobe.xmp", next(words))
    of.save(out, "PNG", pnginfo=texts, exif=exif(words, orientation), icc_profile=WIDE_GAMUT, dpi=(300, 300))
    made = out.getvalue()
    private = b"plAc" + next(words).encode()
    chunk = (len(private) - 4).to_bytes(4) + private + zlib.crc32(private).to_bytes(4)
    return made[:33] + chunk + made[33:]


def _gif(of: Image.Image, words: Iterator[str], _orientation: int) -> bytes:
    out = io.BytesIO()
    frames = [of, of.transpose(Image.Transpose.ROTATE_180)]
    frames[0].save(
        out, "GIF", save_all=True, append_images=frames[1:], duration=[40, 80], loop=0, comment=next(words)
    )
    made = out.getvalue()
    xmp = b"!\xff\x0bXMP DataXMP" + bytes((len(text := next(words)),)) + text.encode() + b"\0"
    return made[:-1] + xmp + b";"


def _webp(of: Image.Image, words: Iterator[str], orientation: int) -> bytes:
    out = io.BytesIO()
    of.save(
        out,
        "WEBP",
        lossless=True,
        exif=exif(words, orientation),
        xmp=next(words).encode(),
        icc_profile=WIDE_GAMUT,
    )
    return out.getvalue()


async def a_picture() -> AsyncIterator[bytes]:
    """Yield a picture as one that is uploaded."""
    yield photograph(MediaType.JPEG).content
