"""Pictures at Twilio: fetched from its own hosts by references alone, and from nowhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from adapters.inbound.webhooks.twilio.messages import inbound_message
from application.media import bounded
from application.ports.carrier_errors import CarrierRefused
from application.ports.message_carrier import MediaUnfit
from domain.kernel import CarrierRef
from domain.media import MediaTooLarge
from pico_testkit.contracts.carrier import BODY, MESSAGE, NUMBER, OTHER_MESSAGE, PEER
from tests.support.twilio_world import ACCOUNT, TwilioWorld


@pytest.fixture
async def world() -> AsyncIterator[TwilioWorld]:
    async with TwilioWorld().running() as world:
        yield world


async def fetched(world: TwilioWorld, ref: CarrierRef, position: int = 0) -> tuple[str, int]:
    async with world.carrier.fetch_media(ref, position) as media:
        return media.type, sum([len(piece) async for piece in media.content])


async def test_a_picture_is_followed_to_twilios_own_host_without_our_credentials(world: TwilioWorld) -> None:
    await world.bought()
    ref = await world.receive(PEER, NUMBER, BODY, [("image/gif", b"GIF89a")])
    sent: list[tuple[str, bool]] = []

    async def note(_: object, __: object, params: aiohttp.TraceRequestStartParams) -> None:
        sent.append((params.url.path.rpartition("/")[0], "Authorization" in params.headers))

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(note)
    async with aiohttp.ClientSession(trace_configs=[trace]) as world.session:
        world.connect()
        assert await fetched(world, ref) == ("image/gif", 6)
    messages = f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{ref}"
    parent = messages.rpartition("/")[0]
    assert sent == [(parent, True), (messages, True), (f"{messages}/Media", True), ("/content", False)]


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:9/latest/meta-data",
        "https://media.twiliocdn.com.example.org/x",
        "https://media.twiliocdn.com@example.org/x",
        "https://user:word@media.twiliocdn.com/x",
        "http://media.twiliocdn.com/x",
        "https://media.twiliocdn.com:8443/x",
        "//example.org/x",
        "file:///etc/passwd",
        "https://[::1/x",
        "",
    ],
)
async def test_a_picture_is_not_followed_anywhere_else(world: TwilioWorld, target: str) -> None:
    with pytest.raises(MediaUnfit) as refused:
        world.carrier.api.content.next(URL("https://api.twilio.com/x"), target)
    assert (refused.value.__cause__, refused.value.__context__) == (None, None)


def test_the_content_hosts_are_followed(world: TwilioWorld) -> None:
    for target in ("https://media.twiliocdn.com/AC1/x?y=%2F", "https://mms.twiliocdn.com/x"):
        assert str(world.carrier.api.content.next(URL("https://api.twilio.com/x"), target)) == target


async def test_a_redirect_to_somebody_else_fetches_nothing(world: TwilioWorld) -> None:
    await world.bought()
    ref = await world.receive(PEER, NUMBER, BODY, [("image/gif", b"GIF89a")])
    world.simulator.faults.set({"media": "redirect"})
    with pytest.raises(MediaUnfit) as refused:
        await fetched(world, ref)
    assert (refused.value.__cause__, refused.value.__context__) == (None, None)
    assert all(str(exchange.url).startswith(world.api_url) for exchange in world.exchanges)


async def test_of_a_huge_picture_no_more_is_read_than_somebody_asks_for(world: TwilioWorld) -> None:
    await world.bought()
    ref = await world.receive(PEER, NUMBER, BODY, [("image/jpeg", b"\xff\xd8\xff")])
    world.simulator.faults.set({"media": "huge"})
    with pytest.raises(MediaTooLarge):
        async with world.carrier.fetch_media(ref, 0) as media:
            await bounded(media.content)
    world.simulator.faults.set({"media": ""})
    assert await fetched(world, ref) == ("image/jpeg", 3)


async def test_the_address_in_a_form_is_nobodys_to_choose(world: TwilioWorld) -> None:
    await world.bought()
    await world.receive(PEER, NUMBER, BODY, [("image/gif", b"GIF89a")])
    form = world.hooks[-1].form
    assert form["MediaUrl0"].startswith("https://api.twilio.com/"), "the simulator says what Twilio says"
    assert form["NumMedia"] == "1"
    forged = {**form, "MediaUrl0": "https://example.org/x", "MediaContentType0": "text/html"}
    assert inbound_message(forged, "") == inbound_message(form, "")
    assert "example" not in repr(inbound_message(forged, ""))


async def test_pictures_are_sent_by_their_addresses_and_fetched_from_there(world: TwilioWorld) -> None:
    await world.bought()
    asked: list[str] = []

    async def hand_out(request: web.Request) -> web.Response:
        asked.append(request.path)
        if request.path == "/gone":
            raise web.HTTPNotFound
        return web.Response(body=b"GIF89a", content_type="image/gif")

    application = web.Application()
    application.router.add_get("/{name}", hand_out)
    async with TestServer(application) as server:
        addresses = [str(server.make_url(path)) for path in ("/1", "/2")]
        sent = await world.carrier.send(MESSAGE, NUMBER, PEER, BODY, addresses)
        assert asked == ["/1", "/2"]
        assert {await fetched(world, sent.ref, at) for at in (0, 1)} == {("image/gif", 6)}
        with pytest.raises(CarrierRefused):
            await world.carrier.send(OTHER_MESSAGE, NUMBER, PEER, BODY, [str(server.make_url("/gone"))])
    await world.settle()
    assert {receipt[1] for receipt in world.receipts} == {sent.ref}
    await world.carrier.delete_copy(sent.ref)
    assert world.simulator.holdings()["media"] == []
