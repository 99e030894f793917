"""Cleaning leaves what a picture shows, judged by another program, and nothing else."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageOps

from adapters.outbound.pictures.cleaning import AllowListedPictures
from application.ports.pictures import NotAPicture
from bootstrap.plaintext_scan import search_bytes
from domain.media import MediaType
from tests.support.photographs import exif, image, photograph, word

TURNED = tuple(kind for kind in MediaType if kind is not MediaType.GIF)
"""The kinds that say which way is up."""


def clean(content: bytes) -> bytes:
    return b"".join(AllowListedPictures().clean(content).pieces)


def shown(content: bytes) -> list[tuple[bytes, object]]:
    """Return every frame's pixels as they are to be seen, and how long each is shown."""
    with Image.open(io.BytesIO(content)) as opened:
        frames = []
        for index in range(getattr(opened, "n_frames", 1)):
            opened.seek(index)
            upright = ImageOps.exif_transpose(opened.convert("RGBA") if index else opened)
            frames.append((upright.convert("RGBA").tobytes(), opened.info.get("duration")))
        return frames


def found_in(content: bytes, words: Iterable[str]) -> set[str]:
    """Return those of the words that stand in it, in any spelling."""
    return {trace.name for trace in search_bytes("picture", content, {each: each for each in words})}


def told(content: bytes) -> dict[str, object]:
    """Return what else another program finds in it."""
    with Image.open(io.BytesIO(content)) as opened:
        opened.load()
        technical = {"jfif", "jfif_version", "jfif_unit", "jfif_density", "adobe", "adobe_transform"}
        technical |= {"background", "version", "duration", "extension", "loop", "timestamp", "transparency"}
        found = {
            name: value for name, value in opened.info.items() if name not in technical | {"exif", "dpi"}
        }
        return found | {str(tag): value for tag, value in opened.getexif().items()}


@pytest.mark.parametrize("kind", MediaType)
def test_it_looks_the_same_and_tells_nothing(kind: MediaType) -> None:
    taken = photograph(kind)
    assert len(taken.hidden) >= 3
    cleaned = clean(taken.content)
    assert AllowListedPictures().clean(taken.content).type is kind
    assert shown(cleaned) == shown(taken.content)
    assert told(cleaned) == {}
    assert found_in(taken.content, taken.hidden), "nothing was hidden"
    assert found_in(cleaned, taken.hidden) == set()
    for tell in (b"Photoshop", b"GPS", b"http", b"xmp", b"appl", b"desc"):
        assert tell not in cleaned


@pytest.mark.parametrize("kind", TURNED)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_which_way_is_up_stays_and_nothing_beside_it(kind: MediaType, orientation: int) -> None:
    taken = photograph(kind, orientation)
    cleaned = clean(taken.content)
    assert shown(cleaned) == shown(taken.content)
    assert told(cleaned) == ({} if orientation == 1 else {str(int(ExifTags.Base.Orientation)): orientation})


def varieties() -> Iterator[tuple[str, bytes]]:
    """Yield pictures as programs of all sorts write them."""
    plain = image(40, 30)
    for name, made, options in (
        ("progressive", plain, {"format": "JPEG", "progressive": True}),
        ("grey", plain.convert("L"), {"format": "JPEG"}),
        ("four colours", plain.convert("CMYK"), {"format": "JPEG"}),
        ("restarts", plain, {"format": "JPEG", "restart_marker_blocks": 2}),
        ("coarse colours", plain, {"format": "JPEG", "subsampling": 2}),
        ("palette", plain.quantize(16), {"format": "PNG", "transparency": 3}),
        ("one bit", plain.convert("1"), {"format": "PNG"}),
        ("sixteen bits", plain.convert("I;16"), {"format": "PNG"}),
        ("alpha", plain.convert("RGBA"), {"format": "PNG"}),
        ("moving", plain, {"format": "PNG", "save_all": True, "append_images": [plain.rotate(90)]}),
        ("still", plain.quantize(8), {"format": "GIF"}),
        ("lossy", plain, {"format": "WEBP"}),
        ("see-through", plain.convert("RGBA"), {"format": "WEBP"}),
        ("moving", plain, {"format": "WEBP", "save_all": True, "append_images": [plain.rotate(90)]}),
    ):
        out = io.BytesIO()
        made.save(out, **options)
        yield f"{options['format']}, {name}", out.getvalue()


VARIETIES = dict(varieties())


@pytest.mark.parametrize("name", VARIETIES)
def test_every_variety_survives(name: str) -> None:
    content = VARIETIES[name]
    assert shown(clean(content)) == shown(content)
    assert clean(clean(content)) == clean(content)


@given(
    kind=st.sampled_from(MediaType),
    tags=st.lists(st.sampled_from([tag for tag in ExifTags.GPS if tag.value]), min_size=1, max_size=6),
    seed=st.integers(),
)
def test_no_tag_with_a_place_in_it_is_left(kind: MediaType, tags: list[ExifTags.GPS], seed: int) -> None:
    draw = random.Random(seed)
    hidden = [word() for _ in range(40)]
    made = exif(iter(hidden), draw.randint(0, 9))
    for tag in tags:
        made.get_ifd(ExifTags.IFD.GPSInfo)[tag] = draw.choice([hidden[-1], hidden[-1].encode()])
    out = io.BytesIO()
    try:
        image(9, 7).save(out, kind.value.upper(), **({} if kind is MediaType.GIF else {"exif": made}))
    except (ValueError, TypeError, OverflowError, struct.error):  # a tag that cannot hold it
        reject()
    cleaned = clean(out.getvalue())
    assert found_in(cleaned, hidden) == set()
    assert set(told(cleaned)) <= {str(int(ExifTags.Base.Orientation))}


@given(kind=st.sampled_from(MediaType), cut=st.floats(0, 1), noise=st.binary(max_size=30), at=st.floats(0, 1))
def test_a_damaged_picture_is_refused_or_clean(kind: MediaType, cut: float, noise: bytes, at: float) -> None:
    taken = photograph(kind)
    left = taken.content[: int(cut * len(taken.content))]
    place = int(at * len(left))
    damaged = left[:place] + noise + left[place + len(noise) :]
    try:
        cleaned = clean(damaged)
    except NotAPicture:
        return
    assert clean(cleaned) == cleaned
    assert len(cleaned) <= len(damaged) + 64


@given(
    st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF"])
)
def test_noise_is_no_picture(noise: bytes, head: bytes) -> None:
    with pytest.raises(NotAPicture):
        clean(head + noise)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><body>Not Found</body></html>",
        b"\0\0\0\x18ftypheic" + bytes(40),
        b"%PDF-1.7",
        b"BM" + bytes(60),
    ],
    ids=["nothing", "HTML", "HEIC", "PDF", "BMP"],
)
def test_what_cannot_be_cleaned_is_no_picture(content: bytes) -> None:
    with pytest.raises(NotAPicture):
        clean(content)
