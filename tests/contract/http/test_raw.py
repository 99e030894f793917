"""What is not HTTP gets a constant answer, and leaves nothing in answers or logs."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from adapters.inbound.http import problems
from adapters.inbound.http.listening import CannotListen
from adapters.inbound.http.server import serving
from adapters.inbound.http_io import TooSlow, read_body
from tests.support.http_world import HttpWorld

CANARY = b"c4n4ry-7f3e"
HOST = b"Host: pico.example\r\n"
POST = b"POST /v1/sessions HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"

NOT_HTTP = {
    "no request line": CANARY + b"\r\n\r\n",
    "bad method": CANARY + b"\x01 / HTTP/1.1\r\n" + HOST + b"\r\n",
    "TLS": b"\x16\x03\x01\x02\x00" + CANARY + b"\r\n\r\n",
    "bad version": b"GET /" + CANARY + b" HTTP/3.7\r\n" + HOST + b"\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + CANARY,
    "no Host": b"GET /" + CANARY + b" HTTP/1.1\r\n\r\n",
    "bytes in the path": b"GET /\xff" + CANARY + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "header without colon": b"GET / HTTP/1.1\r\n" + HOST + CANARY + b"\r\n\r\n",
    "space in header name": b"GET / HTTP/1.1\r\n" + HOST + b"Bad " + CANARY + b": x\r\n\r\n",
    "NUL in Authorization": b"GET / HTTP/1.1\r\n" + HOST + b"Authorization: Bearer " + CANARY + b"\x00\r\n\r\n",
    "folded header": b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n " + CANARY + b"\r\n\r\n",
    "bare line feeds": b"GET /" + CANARY + b" HTTP/1.1\nHost: pico.example\n\n",
    "oversize header": b"GET / HTTP/1.1\r\n" + HOST + b"A: " + CANARY * 2000 + b"\r\n\r\n",
    "oversize request line": b"GET /" + CANARY * 2000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "too many headers": b"GET / HTTP/1.1\r\n" + HOST + (b"A: " + CANARY + b"\r\n") * 300 + b"\r\n",
    "bad authority": b"GET http://[" + CANARY + b"/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "bad length": POST + b"Content-Length: " + CANARY + b"\r\n\r\n",
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + CANARY,
    "unknown transfer coding": POST + b"Transfer-Encoding: " + CANARY + b"\r\n\r\n",
    "bad chunk size": CHUNKED + b"\r\nzz" + CANARY + b"\r\n",
    "bad chunk end": CHUNKED + b"\r\n3\r\n{  " + CANARY + b"\r\n0\r\n\r\n",
    "chunks and length": CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\nGET /" + CANARY + b" HTTP/1.1\r\n\r\n",
}  # fmt: skip


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running() as world:
        yield world


async def talk(port: int, said: bytes, *, hang_up: bool = False) -> bytes:
    """Say something raw and listen until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    if hang_up:
        writer.write_eof()
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize("said", NOT_HTTP.values(), ids=NOT_HTTP.keys())
async def test_what_is_not_http_gets_one_constant_answer_that_echoes_and_logs_nothing(
    said: bytes, http: HttpWorld, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as events:
        answer = await talk(http.port, said)
        gc.collect()  # a task that died unseen would be logged now
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split(b" ", 2)[1] == b"400"
    problem = json.loads(body)
    assert f"Request-Id: {problem.pop('request_id')}".encode() in head.split(b"\r\n")
    assert problem == json.loads(
        problems.document(400, "bad_request", "The request is not well-formed HTTP.")
    )
    assert answer.count(b"HTTP/1.") == 1, "nothing after it was taken for a second request"
    assert b"\r\nServer: Pico\r\n" in head
    assert CANARY not in answer
    assert events == []
    assert [record for record in caplog.records if record.name.startswith("aiohttp")] == []
    assert CANARY.decode() not in caplog.text


async def test_a_body_that_breaks_off_is_nobodys_error(http: HttpWorld) -> None:
    with capture_logs() as events:
        answer = await talk(http.port, POST + b"Content-Length: 500\r\n\r\n" + CANARY, hang_up=True)
    assert answer == b""
    assert events == []


@pytest.mark.parametrize("rest", [b"", b"3\r\n{  zz" + CANARY + b"\r\n"], ids=["silence", "a bad chunk"])
async def test_a_body_is_not_waited_for_for_ever(rest: bytes) -> None:
    async def impatient(request: web.BaseRequest) -> web.Response:
        with pytest.raises(TooSlow):
            await read_body(request, within=0.1)
        response = problems.answer(TooSlow())
        response.force_close()
        return response

    with capture_logs() as events:
        async with serving(impatient, "127.0.0.1", 0) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(CHUNKED + b"Expect: 100-continue\r\n\r\n")
            async with asyncio.timeout(5):
                await reader.readuntil(b"\r\n\r\n")  # The handler is reading now.
                writer.write(rest)
                answer = await reader.readuntil(b"\r\n\r\n")
            writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert CANARY not in answer
    assert events == []


async def test_a_body_past_the_limit_is_413_announced_or_not(http: HttpWorld) -> None:
    big = b'"' + b"a" * 65535 + b'"'
    announced = POST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(big) + big
    chunked = CHUNKED + b"Connection: close\r\n\r\n%x\r\n" % len(big) + big + b"\r\n0\r\n\r\n"
    for said in (announced, chunked):
        answer = await talk(http.port, said)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b'"code":"body_too_large"' in answer
    fits = b'"' + b"a" * 65534 + b'"'
    answer = await talk(
        http.port, POST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(fits) + fits
    )
    assert answer.startswith(b"HTTP/1.1 422 ")


async def test_who_expects_100_continue_gets_it_before_the_body(http: HttpWorld) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", http.port)
    writer.write(POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    async with asyncio.timeout(5):
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"{}")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 422 ")
    writer.close()


async def test_the_absolute_form_is_understood_and_its_host_ignored(http: HttpWorld) -> None:
    answer = await talk(
        http.port, b"GET http://user:pw@elsewhere/healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 200 ")


LEADS_NOWHERE = [
    b"GET /v1/lines/{}",
    b"GET /v1/lines/{id}",
    b"GET /%zz%ff",
    b"GET //[::1/",
    b"GET /healthz#x",
    b"GET http://elsewhere",
    b"GET ftp://elsewhere/v1",
    b"OPTIONS *",
    b"CONNECT elsewhere:443",
    b"CONNECT [::1",
]


@pytest.mark.parametrize("line", LEADS_NOWHERE)
async def test_a_target_that_leads_nowhere_is_404_in_any_form(line: bytes, http: HttpWorld) -> None:
    with capture_logs() as events:
        answer = await talk(http.port, line + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert events == []


async def test_a_token_of_stray_bytes_is_a_wrong_token(http: HttpWorld) -> None:
    token = b"Authorization: Bearer pico_s1_\xff\xfe0123456789\r\n"
    said = b"GET /v1/lines HTTP/1.1\r\n" + HOST + b"Connection: close\r\n" + token + b"\r\n"
    assert (await talk(http.port, said)).startswith(b"HTTP/1.1 401 ")


async def test_pipelined_requests_are_answered_in_order(http: HttpWorld) -> None:
    answer = await talk(
        http.port,
        b"GET /healthz HTTP/1.1\r\n"
        + HOST
        + b"\r\nGET /nowhere HTTP/1.1\r\n"
        + HOST
        + b"Connection: close\r\n\r\n",
    )
    assert [line.split(b" ")[1] for line in answer.split(b"HTTP/1.1")[1:]] == [b"200", b"404"]


async def test_an_error_behind_the_handler_leaves_type_and_place_only() -> None:
    async def broken(_request: object) -> None:
        raise ValueError(CANARY.decode())

    with capture_logs() as events:
        async with serving(broken, "127.0.0.1", 0) as port:  # type: ignore[arg-type]
            answer = await talk(port, b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert CANARY not in answer
    assert [event["error"] for event in events] == ["ValueError"]
    assert CANARY.decode() not in repr(events)


async def test_a_taken_port_is_named_with_the_variable_that_changes_it(http: HttpWorld) -> None:
    with pytest.raises(CannotListen, match=rf"port {http.port} .*is taken.*PICO_PORT"):
        async with serving(None, "127.0.0.1", http.port):  # type: ignore[arg-type]
            pass
