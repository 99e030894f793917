"""What ends the load balancer's TLS within a task."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientError, ClientSession, TCPConnector, web

from bootstrap import front
from bootstrap.process import LOOPBACK, free_port


@asynccontextmanager
async def standing(pico: int) -> AsyncIterator[tuple[int, asyncio.Event, asyncio.Task[None]]]:
    told, port = asyncio.Event(), free_port()
    task = asyncio.create_task(front.front(LOOPBACK, port, pico, told))
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            break
    try:
        yield port, told, task
    finally:
        told.set()
        await task


@asynccontextmanager
async def serving(handler: object) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)  # type: ignore[arg-type]
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read(), headers={"X-Host": request.host})


async def test_bytes_pass_both_ways_by_tls() -> None:
    async with (
        serving(echo) as pico,
        standing(pico) as (port, _, _),
        ClientSession(connector=TCPConnector(ssl=False)) as client,
    ):
        sent = bytes(range(256)) * 4096
        async with client.post(
            f"https://{LOOPBACK}:{port}/x", data=sent, headers={"Host": "api.example"}
        ) as got:
            assert await got.read() == sent
            assert got.headers["X-Host"] == "api.example"


async def test_nothing_is_served_in_clear() -> None:
    async with serving(echo) as pico, standing(pico) as (port, _, _):
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"HTTP" not in await reader.read()
        writer.close()


async def test_old_versions_of_tls_are_refused() -> None:
    context = front.tls()
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


async def test_what_is_under_way_ends_before_the_process_does() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        begun.set()
        await go_on.wait()
        return web.Response(text="whole")

    async with (
        serving(slow) as pico,
        standing(pico) as (port, told, task),
        ClientSession(connector=TCPConnector(ssl=False, force_close=True)) as client,
    ):
        asked = asyncio.create_task(client.get(f"https://{LOOPBACK}:{port}/"))
        await begun.wait()
        told.set()
        await asyncio.sleep(0.05)
        assert not task.done()
        go_on.set()
        assert await (await asked).text() == "whole"
        await asyncio.wait_for(task, 5)


async def test_without_pico_a_connection_just_ends() -> None:
    async with (
        standing(free_port()) as (port, _, _),
        ClientSession(connector=TCPConnector(ssl=False)) as client,
    ):
        with pytest.raises(ClientError):
            await client.get(f"https://{LOOPBACK}:{port}/")
