"""What RFC 9110 and RFC 9112 allow works, and what they forbid is the client's error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from adapters.inbound.http import server
from adapters.inbound.http.server import serving
from tests.support.http_world import PASSWORD, HttpWorld

HOST = b"Host: pico.example\r\n"
CLOSE = b"Connection: close\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\n"
POST = b"POST /v1/sessions HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
CHUNKED = POST + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n"

GOOD = {
    "HTTP/1.0 needs no Host": b"GET /healthz HTTP/1.0\r\n\r\n",
    "an empty Host": HEALTH + b"Host:\r\n" + CLOSE + b"\r\n",
    "an IPv6 Host": HEALTH + b"Host: [2001:db8::1]:8080\r\n" + CLOSE + b"\r\n",
    "tabs around a value": HEALTH + b"Host:\tpico.example\t\r\n" + CLOSE + b"\r\n",
    "an empty line before": b"\r\n" + HEALTH + HOST + CLOSE + b"\r\n",
    "an upgrade nobody wants": HEALTH + HOST + b"Connection: upgrade, close\r\nUpgrade: h2c\r\n\r\n",
    "a header in Latin-1": HEALTH + HOST + CLOSE + b"X-A: caf\xe9\r\n\r\n",
    "a body that GET has no use for": HEALTH + HOST + CLOSE + b"Content-Length: 3\r\n\r\nabc",
    "needless percent-encoding": b"GET /%68ealth%7a HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n",
}
GOOD_BODIES = {
    "a coding in capitals": POST + CLOSE + b"Transfer-Encoding: Chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunk extensions": CHUNKED + b'2;a=b;c="d"\r\n{}\r\n0\r\n\r\n',
    "trailers": CHUNKED + b"2\r\n{}\r\n0\r\nX-T: 1\r\n\r\n",
    "100-Continue in capitals": POST + CLOSE + b"Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n{}",
    "an expectation in HTTP/1.0": POST.replace(b"1.1", b"1.0")
    + b"Expect: magic\r\nContent-Length: 2\r\n\r\n{}",
}
BAD = {
    "HTTP/2 without its preface": b"GET /healthz HTTP/2.0\r\n" + HOST + CLOSE + b"\r\n",
    "HTTP/1.2, which there is not": HEALTH.replace(b"1.1", b"1.2") + HOST + CLOSE + b"\r\n",
    "HTTP/0.9": b"GET /healthz\r\n\r\n",
    "two Hosts": HEALTH + HOST + HOST + CLOSE + b"\r\n",
    "a Host with blanks": HEALTH + b"Host: pico .example\r\n" + CLOSE + b"\r\n",
    "a Host with a path": HEALTH + b"Host: pico.example/x\r\n" + CLOSE + b"\r\n",
    "a Host with a person": HEALTH + b"Host: me@pico.example\r\n" + CLOSE + b"\r\n",
    "another coding": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "another coding of GET": HEALTH + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked is not last": POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": CHUNKED.replace(b"/1.1", b"/1.0") + b"2\r\n{}\r\n0\r\n\r\n",
    "a signed length": POST + b"Content-Length: +2\r\n\r\n{}",
    "two media types": POST + b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
}


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running() as world:
        yield world


async def talk(port: int, said: bytes) -> bytes:
    """Say something raw and listen until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    finally:
        writer.close()


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize("said", GOOD.values(), ids=GOOD.keys())
async def test_what_the_standard_allows_works(said: bytes, http: HttpWorld) -> None:
    assert status(await talk(http.port, said)) == 200


@pytest.mark.parametrize("said", GOOD_BODIES.values(), ids=GOOD_BODIES.keys())
async def test_bodies_that_the_standard_allows_are_read(said: bytes, http: HttpWorld) -> None:
    answer = await talk(http.port, said)
    assert status(answer) == 422, "read, and found empty"


@pytest.mark.parametrize("said", BAD.values(), ids=BAD.keys())
async def test_what_the_standard_forbids_is_400_and_the_end_of_the_connection(
    said: bytes, http: HttpWorld
) -> None:
    with capture_logs() as events:
        answer = await talk(http.port, said + HEALTH + HOST + CLOSE + b"\r\n")
    assert status(answer) == 400
    assert answer.count(b'"code":"bad_request"') == answer.count(b" 400 ") == 1
    assert b" 200 " not in answer, "nothing after it was taken for a second request"
    assert events == []


async def test_an_expectation_that_nobody_meets_is_417(http: HttpWorld) -> None:
    answer = await talk(http.port, POST + CLOSE + b"Expect: magic\r\nContent-Length: 2\r\n\r\n{}")
    assert status(answer) == 417
    assert b'"code":"expectation_failed"' in answer


async def test_who_sent_the_body_already_is_not_asked_for_it(http: HttpWorld) -> None:
    said = POST + CLOSE + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}"
    answers = [await talk(http.port, said) for _ in range(3)]
    assert any(b"100 Continue" not in answer for answer in answers)


async def test_who_may_not_send_the_body_is_told_so_at_once(http: HttpWorld) -> None:
    said = (
        POST.replace(b"application/json", b"text/plain")
        + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n"
    )
    answer = await talk(http.port, said)
    assert status(answer) == 415
    assert b"100 Continue" not in answer


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket"])
async def test_who_asked_for_an_upgrade_is_answered_and_told_to_connect_anew(
    protocol: bytes, http: HttpWorld
) -> None:
    said = HEALTH + HOST + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: " + protocol + b"\r\n\r\n"
    answer = await talk(http.port, said)
    assert status(answer) == 200
    assert b"\r\nConnection: close\r\n" in answer


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR", "Bearer "])
async def test_an_authentication_scheme_has_no_case(scheme: str, http: HttpWorld) -> None:
    token = await http.person()
    answer = await http.call("GET", "/v1/account", headers={"Authorization": f"{scheme} {token}"})
    assert answer.status == 200


async def test_two_tokens_are_none(http: HttpWorld) -> None:
    token = (await http.person()).encode()
    given = b"Authorization: Bearer " + token + b"\r\n"
    once = b"GET /v1/account HTTP/1.1\r\n" + HOST + CLOSE + given
    assert status(await talk(http.port, once + b"\r\n")) == 200
    assert status(await talk(http.port, once + given + b"\r\n")) == 401


# ------------------------------------------------------------------------------------------- slow heads


async def patient(_request: web.BaseRequest) -> web.Response:
    await asyncio.sleep(0.6)
    return web.Response(text="done")


@pytest.fixture
async def hurried(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.3)
    async with serving(patient, "127.0.0.1", 0) as port:
        yield port


async def hung_up(reader: asyncio.StreamReader) -> bool:
    """Wait for the end of a connection."""
    try:
        async with asyncio.timeout(5):
            return await reader.read() == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize("begun", [b"", b"GET", HEALTH, HEALTH + HOST[:-1]])
@pytest.mark.parametrize("before", [b"", HEALTH + HOST + b"\r\n"], ids=["first", "kept alive"])
async def test_a_head_that_does_not_end_is_not_waited_for(before: bytes, begun: bytes, hurried: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", hurried)
    if before:
        writer.write(before)
        assert (await reader.readuntil(b"done")).startswith(b"HTTP/1.1 200")
        begun = begun or b"G"
    started = asyncio.get_running_loop().time()
    writer.write(begun)
    with capture_logs() as events:
        for letter in b"X-Slow: " + b"a" * 6:
            await asyncio.sleep(0.02)
            if begun:
                writer.write(bytes([letter]))
        assert await hung_up(reader)
    assert asyncio.get_running_loop().time() - started < 3
    assert events == []
    writer.close()


PIPELINED = {
    "a word": b"GE", "a line": HEALTH, "a header": HEALTH + b"X-Slow: a", "all but the end": HEALTH + HOST,
}  # fmt: skip


@pytest.mark.parametrize("begun", PIPELINED.values(), ids=PIPELINED.keys())
@pytest.mark.parametrize(
    "before", [HEALTH + HOST + b"\r\n", POST + b"Content-Length: 2\r\n\r\n{}"], ids=["GET", "POST"]
)
async def test_half_a_head_behind_a_whole_request_is_not_waited_for(
    before: bytes, begun: bytes, hurried: int
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", hurried)
    started = asyncio.get_running_loop().time()
    writer.write(before + begun)
    assert (await reader.readuntil(b"done")).startswith(b"HTTP/1.1 200")
    with capture_logs() as events:
        assert await hung_up(reader)
    assert asyncio.get_running_loop().time() - started < 3
    assert events == []
    writer.close()


@pytest.mark.parametrize("size", [1, 7, 40])
async def test_whole_requests_behind_each_other_are_answered_and_the_connection_stays(
    size: int, hurried: int
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", hurried)
    for _ in range(2):
        said = (HEALTH + HOST + b"\r\n") * 3
        for at in range(0, len(said), size):
            writer.write(said[at : at + size])
            await asyncio.sleep(0.001)
        for _ in range(3):
            async with asyncio.timeout(5):
                assert (await reader.readuntil(b"done")).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(0.8)  # longer than half a head may take
    writer.close()


async def test_a_head_has_its_whole_time_whenever_it_begins(hurried: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", hurried)
    writer.write(HEALTH + HOST + b"\r\n")
    assert (await reader.readuntil(b"done")).startswith(b"HTTP/1.1 200")
    for wait in (0.1, 0.2, 0.28, 0.35, 0.5):
        await asyncio.sleep(wait)
        writer.write(HEALTH)
        await asyncio.sleep(0.2)
        writer.write(HOST + b"\r\n")
        async with asyncio.timeout(5):
            assert (await reader.readuntil(b"done")).startswith(b"HTTP/1.1 200")
    writer.close()


async def test_a_whole_request_has_its_time_and_so_has_who_waits_between_two(hurried: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", hurried)
    for _ in range(2):
        for piece in (HEALTH, HOST, b"\r\n"):
            writer.write(piece)
            await asyncio.sleep(0.02)
        async with asyncio.timeout(5):
            assert (await reader.readuntil(b"done")).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(0.6)
    writer.close()


def test_half_a_head_has_ten_seconds() -> None:
    assert server.HEAD_SECONDS == 10


# -------------------------------------------------------------------------------------------- the Sandbox


@pytest.mark.parametrize(("length", "answered"), [(1600, 202), (1601, 422), (60_000, 422)])
async def test_the_sandbox_takes_messages_as_long_as_its_document_says(length: int, answered: int) -> None:
    async with HttpWorld.running(sandbox=True) as http:
        await http.line(await http.person())
        message = {"from": "+13105550178", "to": "+12025550143", "body": "x" * length}
        answer = await http.call("POST", "/sandbox/sms", message)
        assert answer.status == answered
        if answered == 422:
            assert answer.flaws == {("/body", "malformed")}


async def test_signing_in_is_the_same_in_every_charset_that_is_utf_8(http: HttpWorld) -> None:
    await http.person()
    said = {"email": "ada@example.org", "password": PASSWORD}
    headers = {"Content-Type": "application/json; charset=utf8"}
    assert (await http.call("POST", "/v1/sessions", said, headers=headers)).status == 201
