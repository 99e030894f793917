"""Downloads: known sizes, single byte ranges (RFC 9110, section 14), and ends that do not lie."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Annotated

import pytest
from aiohttp import ClientPayloadError
from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from structlog.testing import capture_logs

from adapters.inbound.http import openapi
from adapters.inbound.http.byte_range import ByteRange
from adapters.inbound.http.problems import RangeNotSatisfiable
from adapters.inbound.http.reply import Download, Media
from adapters.inbound.http.request import Request
from adapters.inbound.http.route import OPEN, Route
from tests.support.http_world import PASSWORD, HttpWorld, serving_only

SOUND = bytes(range(256)) * 4
AUDIO = Media("audio/mpeg", filename="voicemail.mp3", ranges=True)


async def slices(content: bytes) -> AsyncGenerator[bytes, None]:
    for start, stop in pairwise([*range(0, len(content), 100), len(content)]):
        yield content[start:stop]


async def play(request: Request[None]) -> Annotated[Download, AUDIO]:
    """Play a recording."""
    part = request.byte_range(len(SOUND))
    return Download(slices(SOUND[part.start : part.stop]), AUDIO, range=part)


async def short(_request: Request[None]) -> Annotated[Download, AUDIO]:
    """Announce more than there is."""
    return Download(slices(SOUND[:-1]), AUDIO, size=len(SOUND))


async def long(_request: Request[None]) -> Annotated[Download, AUDIO]:
    """Announce less than there is."""
    return Download(slices(SOUND), AUDIO, size=10)


async def stream(_request: Request[None]) -> Annotated[Download, AUDIO]:
    """Stream what has no known size."""
    return Download(slices(SOUND), Media("audio/mpeg"))


TABLE = [
    Route("GET", "/play", play, 200, guards=OPEN),
    Route("POST", "/play", play, 200, guards=OPEN),
    Route("GET", "/short", short, 200, guards=OPEN),
    Route("GET", "/long", long, 200, guards=OPEN),
    Route("GET", "/stream", stream, 200, guards=OPEN),
]


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running() as world, serving_only(world, *TABLE):
        yield world


async def test_without_a_range_the_whole_is_sent_with_its_size(http: HttpWorld) -> None:
    answer = await http.call("GET", "/play")
    assert (answer.status, answer.body) == (200, SOUND)
    assert answer.headers["Content-Length"] == str(len(SOUND))
    assert answer.headers["Content-Type"] == "audio/mpeg"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="voicemail.mp3"'
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert "Content-Range" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


async def test_without_a_known_size_it_comes_in_chunks_and_in_no_ranges(http: HttpWorld) -> None:
    answer = await http.call("GET", "/stream", headers={"Range": "bytes=0-9"})
    assert (answer.status, answer.body) == (200, SOUND)
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert not {"Content-Length", "Accept-Ranges", "Content-Range", "Content-Disposition"} & set(
        answer.headers
    )


@pytest.mark.parametrize(
    ("header", "part", "told"),
    [
        ("bytes=0-0", SOUND[:1], "bytes 0-0/1024"),
        ("bytes=0-1023", SOUND, "bytes 0-1023/1024"),
        ("bytes=0-", SOUND, "bytes 0-1023/1024"),
        ("bytes=1000-5000", SOUND[1000:], "bytes 1000-1023/1024"),
        ("bytes=100-299", SOUND[100:300], "bytes 100-299/1024"),
        ("bytes=-5", SOUND[-5:], "bytes 1019-1023/1024"),
        ("bytes=-5000", SOUND, "bytes 0-1023/1024"),
        ("Bytes= 7-8 ", SOUND[7:9], "bytes 7-8/1024"),
    ],
)
async def test_one_range_is_206_with_just_those_bytes(
    header: str, part: bytes, told: str, http: HttpWorld
) -> None:
    answer = await http.call("GET", "/play", headers={"Range": header})
    assert (answer.status, answer.body) == (206, part)
    assert answer.headers["Content-Range"] == told
    assert answer.headers["Content-Length"] == str(len(part))


@pytest.mark.parametrize("header", ["bytes=1024-", "bytes=1024-1030", "bytes=-0", f"bytes={10**17}-"])
async def test_a_range_behind_the_end_is_416_and_tells_the_size(header: str, http: HttpWorld) -> None:
    answer = await http.call("GET", "/play", headers={"Range": header})
    assert (answer.status, answer.code) == (416, "range_not_satisfiable")
    assert answer.headers["Content-Range"] == "bytes */1024"


@pytest.mark.parametrize(
    "header",
    ["bytes=", "bytes=-", "bytes=5-4", "bytes=0-1,3-4", "lines=0-1", "bytes=a-b", "0-1", "bytes=\u0660-\u0661"],
)  # fmt: skip
async def test_a_range_that_is_none_or_several_is_ignored(header: str, http: HttpWorld) -> None:
    answer = await http.call("GET", "/play", headers={"Range": header})
    assert (answer.status, answer.body) == (200, SOUND)


async def test_a_condition_that_cannot_be_checked_gets_the_whole(http: HttpWorld) -> None:
    headers = {"Range": "bytes=0-1", "If-Range": '"v1"'}
    assert (await http.call("GET", "/play", headers=headers)).status == 200


async def test_a_method_has_ranges_where_its_route_says_so_and_head_has_none(http: HttpWorld) -> None:
    assert (await http.call("POST", "/play", headers={"Range": "bytes=0-1"})).status == 206
    assert (await http.call("HEAD", "/play", headers={"Range": "bytes=0-1"})).status == 200


@given(st.lists(st.binary(max_size=8), max_size=6), st.integers(0, 40), st.integers(0, 40))
async def test_a_range_of_a_source_that_cannot_seek_is_what_it_is_of_the_whole(
    pieces: list[bytes], start: int, length: int
) -> None:
    async def chunks() -> AsyncGenerator[bytes, None]:
        for piece in pieces:
            yield piece

    whole = b"".join(pieces)
    part = ByteRange(min(start, len(whole)), min(start + length, len(whole)), len(whole))
    assert b"".join([chunk async for chunk in part.of(chunks())]) == whole[part.start : part.stop]


async def test_an_export_that_broke_off_goes_on_where_it_did() -> None:
    async with HttpWorld.running() as http:
        token = await http.person()
        export = (await http.call("POST", "/v1/account/exports", token=token)).json
        await http.world.settle()
        path = f"/v1/account/exports/{export['id']}/download"
        body = {"password": PASSWORD}
        whole = await http.call("POST", path, body, token=token)
        assert whole.headers["Accept-Ranges"] == "bytes"
        begun, size = whole.body[:100], len(whole.body)
        rest = await http.call("POST", path, body, token=token, headers={"Range": "bytes=100-"})
        assert (rest.status, rest.headers["Content-Range"]) == (206, f"bytes 100-{size - 1}/{size}")
        assert begun + rest.body == whole.body
        beyond = await http.call("POST", path, body, token=token, headers={"Range": f"bytes={size}-"})
        assert (beyond.status, beyond.code) == (416, "range_not_satisfiable")
        wrong = await http.call(
            "POST", path, {"password": "wrong"}, token=token, headers={"Range": "bytes=100-"}
        )
        assert wrong.code == "wrong_credentials"
        await http.world.advance(timedelta(minutes=10))
        late = await http.call("POST", path, body, token=token, headers={"Range": "bytes=100-"})
        assert late.code == "export_not_ready"


async def test_a_source_that_holds_less_than_announced_is_visibly_broken_off(http: HttpWorld) -> None:
    with capture_logs() as events, pytest.raises(ClientPayloadError):
        await http.call("GET", "/short")
    assert [event["error"] for event in events] == ["DownloadTooShort"]


async def test_a_source_that_holds_more_is_cut_at_what_was_announced(http: HttpWorld) -> None:
    assert (await http.call("GET", "/long")).body == SOUND[:10]
    assert (await http.call("GET", "/play")).body == SOUND, "the connection is still in step"


def test_the_document_announces_ranges_where_there_are_some() -> None:
    document = openapi.document([TABLE[0]])
    OpenAPIV31SpecValidator(document).validate()
    operation = document["paths"]["/play"]["get"]
    assert [parameter["name"] for parameter in operation["parameters"]] == ["Range"]
    assert operation["responses"]["206"]["headers"].keys() == {"Accept-Ranges", "Content-Range", "Request-Id"}
    assert operation["responses"]["416"]["headers"].keys() == {"Content-Range", "Request-Id"}
    assert operation["responses"]["200"]["content"] == {"audio/mpeg": {"schema": {}}}


def headers() -> Iterator[st.SearchStrategy[str]]:
    number = st.integers(0, 40).map(str) | st.just("")
    yield st.builds("bytes={}-{}".format, number, number)
    yield st.text(max_size=12)


@given(st.one_of(*headers()), st.integers(0, 30))
def test_whatever_is_asked_a_range_lies_within_and_is_never_empty_when_partial(
    header: str, size: int
) -> None:
    try:
        found = ByteRange.wanted(header, size)
    except RangeNotSatisfiable:
        return
    assert 0 <= found.start <= found.stop <= size
    assert len(found) > 0 if found.partial else (found.start, found.stop) == (0, size)
