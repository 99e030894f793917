"""The simulated Telnyx's HTTP face: Bearer authentication, JSON both ways, and the faults of the line."""

from contextlib import suppress
from dataclasses import dataclass
from hmac import compare_digest
from math import ceil
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from adapters.outbound.telnyx.simulator.account import Account
from adapters.outbound.telnyx.simulator.calls_api import CallsApi
from adapters.outbound.telnyx.simulator.console import Console
from adapters.outbound.telnyx.simulator.credentials import Credentials, CredentialsApi
from adapters.outbound.telnyx.simulator.oddities import odd
from adapters.outbound.telnyx.simulator.recordings import Recordings, RecordingsApi
from adapters.outbound.telnyx.simulator.resources import Refused, Resource, settings
from adapters.outbound.telnyx.simulator.state import Picture
from adapters.outbound.telnyx.simulator.traffic import Traffic

LARGEST_PAGE = 250


@dataclass(frozen=True, slots=True)
class Api:
    """Handlers, one an operation of the API v2."""

    account: Account
    traffic: Traffic
    api_key: str
    console: Console

    def application(self) -> web.Application:
        """Build the app."""
        app = web.Application(middlewares=[line(self.account, self.api_key)])
        app.add_routes(
            [
                web.get("/v2/available_phone_numbers", self.search),
                web.get("/v2/messaging_profiles", self.list_profiles),
                web.post("/v2/messaging_profiles", self.make_profile),
                web.delete("/v2/messaging_profiles/{id}", self.delete_profile),
                web.get("/v2/number_orders", self.list_orders),
                web.post("/v2/number_orders", self.place_order),
                web.get("/v2/phone_numbers", self.list_numbers),
                web.get("/v2/phone_numbers/{id}", self.number),
                web.get("/v2/phone_numbers/{id}/messaging", self.messaging_settings),
                web.delete("/v2/phone_numbers/{id}", self.release),
                web.get("/v2/portouts", self.list_portouts),
                web.post("/v2/messages", self.send),
                web.get("/v2/messages/{id}", self.message),
                web.get("/v2/detail_records", self.detail_records),
                web.get("/media/{id}", self.media),
                *CallsApi(self.traffic.player, one, page).routes(),
                *CredentialsApi(Credentials(self.account), one, page).routes(),
                *RecordingsApi(Recordings(self.account), one, page).routes(),
                *self.console.routes(),
            ]
        )
        return app

    async def search(self, request: web.Request) -> web.Response:
        """ListAvailablePhoneNumbers."""
        features = request.query.getall("filter[features][]", [])
        return whole(self.account.search(request.query, features))

    async def list_profiles(self, request: web.Request) -> web.Response:
        """ListMessagingProfiles."""
        name = request.query.get("filter[name][eq]")
        profiles = self.account.state.profiles.values()
        return page(request, [profile for profile in profiles if name in {None, profile["name"]}])

    async def make_profile(self, request: web.Request) -> web.Response:
        """CreateMessagingProfile."""
        return one(self.account.make_profile(await request.json()))

    async def delete_profile(self, request: web.Request) -> web.Response:
        """DeleteMessagingProfile."""
        return one(self.account.delete_profile(request.match_info["id"]))

    async def list_orders(self, request: web.Request) -> web.Response:
        """ListNumberOrders."""
        wanted = request.query.get("filter[customer_reference]")
        orders = self.account.state.orders.values()
        return page(request, [o for o in orders if wanted in {None, o["customer_reference"]}])

    async def place_order(self, request: web.Request) -> web.Response:
        """CreateNumberOrder."""
        placed = self.account.place_order(await request.json())
        answer = one(placed)
        self.traffic.ordered()
        return answer

    async def list_portouts(self, request: web.Request) -> web.Response:
        """ListPortoutRequest."""
        number, status = request.query.get("filter[phone_number]"), request.query.get("filter[status]")
        found = [
            left
            for left in self.account.state.portouts
            if number in {None, *left["phone_numbers"]} and status in {None, left["status"]}
        ]
        return page(request, found)

    async def list_numbers(self, request: web.Request) -> web.Response:
        """ListPhoneNumbers. As at Telnyx, `phone_number` takes digits and also matches parts."""
        digits, wanted = (
            request.query.get("filter[phone_number]", ""),
            request.query.get("filter[customer_reference]"),
        )
        numbers = self.account.state.numbers.values()
        fits = digits.isdecimal() or not digits
        found = [
            n for n in numbers if digits in n["phone_number"] and wanted in {None, n["customer_reference"]}
        ]
        return page(request, found if fits else [])

    async def number(self, request: web.Request) -> web.Response:
        """RetrievePhoneNumber."""
        return one(self.account.number(request.match_info["id"]))

    async def messaging_settings(self, request: web.Request) -> web.Response:
        """GetPhoneNumberMessagingSettings."""
        return one(settings(self.account.number(request.match_info["id"])))

    async def release(self, request: web.Request) -> web.Response:
        """DeletePhoneNumber."""
        return one(self.account.release(request.match_info["id"]))

    async def send(self, request: web.Request) -> web.Response:
        """SendMessage. The answer shows the first status; what follows happens behind it."""
        wish = await request.json()
        media = [await self.fetched(url) for url in wish.get("media_urls", ())]
        message, news = self.account.send(wish, request.headers.get("Idempotency-Key", ""), media)
        answer = one(message)
        if news:
            self.traffic.start(message)
        return answer

    async def fetched(self, url: str) -> Picture:
        """Fetch a picture that is to be sent."""
        async with self.traffic.webhooks.session.get(url) as answer:
            if answer.status != 200 or not answer.content_type.startswith("image/"):  # noqa: PLR2004 - HTTP
                raise Refused(40317, f"{url} is no picture")
            return answer.content_type, await answer.read()

    async def message(self, request: web.Request) -> web.Response:
        """RetrieveMessage."""
        return one(self.account.message(request.match_info["id"]))

    async def detail_records(self, request: web.Request) -> web.Response:
        """SearchDetailRecords."""
        if request.query.get("filter[record_type]") != "messaging":
            raise Refused(10004, "filter[record_type] is required")
        return page(request, self.account.detail_records(request.query))

    async def media(self, request: web.Request) -> web.StreamResponse:
        """Hand over a picture, or whatever the knob `media` has in its place."""
        held = self.account.state.content(request.path)
        if held is None:
            raise web.HTTPNotFound
        media_type, content = held
        match self.account.faults.media:
            case "html":
                return web.Response(body=b"<html>Bad Gateway</html>", content_type="text/html")
            case "lie":
                return web.Response(body=b"<html>Bad Gateway</html>", content_type=media_type)
            case "redirect":
                return web.Response(status=307, headers={"Location": "http://127.0.0.1:9/latest/meta-data"})
            case "huge":
                return await endless(request, media_type)
        return web.Response(body=content, content_type=media_type)


def line(account: Account, api_key: str) -> Middleware:
    """Build the middleware through which every request passes: faults, credentials, errors."""
    faults, credentials = account.faults, f"Bearer {api_key}".encode()

    def admit(request: web.Request) -> None:
        given = request.headers.get("Authorization", "").encode("utf-8", "replace")
        public = request.path.startswith("/media/")
        checks = (
            (10007, faults.outage),
            (10011, faults.spend("rate_limit")),
            (10009, not public and not compare_digest(given, credentials)),
            (faults.refuse, faults.refuse and request.method != "GET"),
        )
        for code, applies in checks:
            if applies:
                raise Refused(code)

    @web.middleware
    async def pass_through(request: web.Request, handler: Handler) -> web.StreamResponse:
        if faults.unreachable:
            return hang_up(request)
        account.tidy()
        try:
            admit(request)
            answer = await handler(request)
        except web.HTTPException:
            return refused(Refused(10005, f"{request.path} was not found"), faults.retry_after)
        except Refused as refusal:
            return refused(refusal, faults.retry_after)
        profiles = request.path.startswith("/v2/messaging_profiles")
        counter = "lose_profile" if profiles else "lose_answer"
        lost = request.method != "GET" and faults.spend(counter)
        return hang_up(request) if lost else odd(answer, faults.odd)

    return pass_through


async def endless(request: web.Request, media_type: str) -> web.StreamResponse:
    """Send 1 GB, for as long as anybody reads it."""
    answer = web.StreamResponse(headers={"Content-Type": media_type})
    answer.content_length = 1 << 30
    await answer.prepare(request)
    with suppress(ConnectionError):
        for _ in range(1 << 10):
            await answer.write(b"\xff\xd8\xff" + bytes((1 << 20) - 3))
    return answer


def refused(refusal: Refused, retry_after: int) -> web.Response:
    """Shape an error. Too many requests come with the seconds to wait, and an outage may."""
    told = refusal.code == 10011 or (refusal.status == 503 and retry_after)  # noqa: PLR2004 - Telnyx, HTTP
    headers = {"Retry-After": str(retry_after)} if told else {}
    return web.json_response(refusal.body, status=refusal.status, headers=headers)


def hang_up(request: web.Request) -> web.Response:
    """Close the connection under the caller's hands."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def one(resource: Resource) -> web.Response:
    """Answer with one resource."""
    return web.json_response({"data": resource})


def whole(items: list[Resource]) -> web.Response:
    """Answer with a list that has no pages."""
    return web.json_response({"data": items, "meta": {"total_results": len(items), "best_effort_results": 0}})


def page(request: web.Request, items: list[Resource]) -> web.Response:
    """Cut one page out of a list."""
    size, number = request.query.get("page[size]", "20"), request.query.get("page[number]", "1")
    if not (size.isdecimal() and number.isdecimal() and 1 <= int(size) <= LARGEST_PAGE and int(number)):
        raise Refused(10015, "Invalid page")
    at, width = int(number), int(size)
    meta: dict[str, Any] = {
        "page_number": at,
        "page_size": width,
        "total_results": len(items),
        "total_pages": max(ceil(len(items) / width), 1),
    }
    return web.json_response({"data": items[(at - 1) * width : at * width], "meta": meta})
