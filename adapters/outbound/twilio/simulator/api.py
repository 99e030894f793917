"""The simulated Twilio's HTTP face: Basic authentication, forms in, JSON out, and the faults of the line."""

import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from hmac import compare_digest

from aiohttp import encode_basic_auth, web
from aiohttp.typedefs import Handler, Middleware

from adapters.outbound.twilio.simulator.account import Account
from adapters.outbound.twilio.simulator.call_player import Player, Script
from adapters.outbound.twilio.simulator.calls import Calls
from adapters.outbound.twilio.simulator.console import Console
from adapters.outbound.twilio.simulator.oddities import odd
from adapters.outbound.twilio.simulator.porting import Porting
from adapters.outbound.twilio.simulator.recordings import Recordings
from adapters.outbound.twilio.simulator.resources import VERSION, Refused, Resource
from adapters.outbound.twilio.simulator.state import Picture
from adapters.outbound.twilio.simulator.traffic import Traffic

LARGEST_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Api:
    """Handlers, one an operation of the 2010 API."""

    account: Account
    traffic: Traffic
    console: Console
    tickets: dict[str, tuple[str, str]] = field(default_factory=dict)

    def application(self) -> web.Application:
        """Build the app."""
        root = f"/{VERSION}/Accounts/{self.account.sid}"
        app = web.Application(middlewares=[line(self.account)])
        app.add_routes(
            [
                web.get(f"{root}/AvailablePhoneNumbers/{{country}}/{{kind}}.json", self.search),
                web.get(f"{root}/IncomingPhoneNumbers.json", self.list_numbers),
                web.post(f"{root}/IncomingPhoneNumbers.json", self.buy),
                web.get(f"{root}/IncomingPhoneNumbers/{{sid}}.json", self.number),
                web.post(f"{root}/IncomingPhoneNumbers/{{sid}}.json", self.configure),
                web.delete(f"{root}/IncomingPhoneNumbers/{{sid}}.json", self.release),
                web.get(f"{root}/Messages.json", self.list_messages),
                web.post(f"{root}/Messages.json", self.send),
                web.get(f"{root}/Messages/{{sid}}.json", self.message),
                web.get(f"{root}/Messages/{{sid}}/Media.json", self.list_media),
                web.get(f"{root}/Messages/{{sid}}/Media/{{media_sid}}", self.media),
                web.get("/content/{ticket}", self.content),
                web.post(f"{root}/Messages/{{sid}}.json", self.redact),
                web.delete(f"{root}/Messages/{{sid}}.json", self.delete_message),
                *Recordings(self.account, self.traffic.webhooks).routes(),
                *self.console.routes(),
                *Porting(self.account).routes(),
                web.get(f"{root}/Calls.json", self.list_calls),
                web.post(f"{root}/Calls.json", self.place_call),
                web.get(f"{root}/Calls/{{sid}}.json", self.call),
                web.post(f"{root}/Calls/{{sid}}.json", self.end_call),
                web.delete(f"{root}/Calls/{{sid}}.json", self.delete_call),
            ]
        )
        return app

    async def search(self, request: web.Request) -> web.Response:
        """ListAvailablePhoneNumberLocal and its like."""
        country, kind = request.match_info["country"], request.match_info["kind"]
        found = self.account.search(country, kind, request.query)
        return web.json_response({"available_phone_numbers": found, "uri": request.path})

    async def list_numbers(self, request: web.Request) -> web.Response:
        """ListIncomingPhoneNumber."""
        return page(request, "incoming_phone_numbers", self.account.list_numbers(request.query))

    async def buy(self, request: web.Request) -> web.Response:
        """CreateIncomingPhoneNumber."""
        return web.json_response(self.account.buy(await form_of(request)), status=201)

    async def number(self, request: web.Request) -> web.Response:
        """FetchIncomingPhoneNumber."""
        return web.json_response(self.account.number(request.match_info["sid"]))

    async def configure(self, request: web.Request) -> web.Response:
        """UpdateIncomingPhoneNumber."""
        return web.json_response(self.account.configure(request.match_info["sid"], await form_of(request)))

    async def release(self, request: web.Request) -> web.Response:
        """DeleteIncomingPhoneNumber."""
        self.account.release(request.match_info["sid"])
        return web.Response(status=204)

    async def list_messages(self, request: web.Request) -> web.Response:
        """ListMessage."""
        return page(request, "messages", self.account.list_messages(request.query))

    async def send(self, request: web.Request) -> web.Response:
        """CreateMessage. The answer shows the first status; what follows happens behind it."""
        form = await request.post()
        media = [await self.fetched(str(url)) for url in form.getall("MediaUrl", [])]
        message = self.account.create_message({name: str(value) for name, value in form.items()}, media)
        answer = web.json_response(message.resource, status=201)
        self.traffic.start(message)
        return answer

    async def fetched(self, url: str) -> Picture:
        """Fetch a picture that is to be sent. Twilio does so a moment later, and has the message fail instead."""
        async with self.traffic.webhooks.session.get(url) as answer:
            if answer.status != 200 or not answer.content_type.startswith("image/"):  # noqa: PLR2004 - HTTP
                raise Refused(21620, f"{url} is invalid")
            return answer.content_type, await answer.read()

    async def message(self, request: web.Request) -> web.Response:
        """FetchMessage."""
        return web.json_response(self.account.message(request.match_info["sid"]))

    async def list_media(self, request: web.Request) -> web.Response:
        """ListMedia."""
        return page(request, "media_list", self.account.list_media(request.match_info["sid"]))

    async def media(self, request: web.Request) -> web.Response:
        """Send to where a picture lies, for a while and without credentials, as Twilio does."""
        match = request.match_info
        self.account.media(match["sid"], match["media_sid"])
        if self.account.faults.media == "redirect":
            return web.Response(status=307, headers={"Location": "http://127.0.0.1:9/latest/meta-data"})
        ticket = secrets.token_urlsafe(16)
        self.tickets[ticket] = match["sid"], match["media_sid"]
        return web.Response(status=307, headers={"Location": f"/content/{ticket}"})

    async def content(self, request: web.Request) -> web.StreamResponse:
        """Hand over a picture, or whatever the knob `media` has in its place."""
        ticket = self.tickets.pop(request.match_info["ticket"], None)
        if ticket is None:
            raise web.HTTPNotFound
        media_type, content = self.account.media(*ticket)
        match self.account.faults.media:
            case "html":
                return web.Response(body=b"<html>Bad Gateway</html>", content_type="text/html")
            case "lie":
                return web.Response(body=b"<html>Bad Gateway</html>", content_type=media_type)
            case "huge":
                return await endless(request, media_type)
        return web.Response(body=content, content_type=media_type)

    async def list_calls(self, request: web.Request) -> web.Response:
        """ListCall."""
        return page(request, "calls", Calls(self.account).list(request.query))

    async def place_call(self, request: web.Request) -> web.Response:
        """CreateCall. The answer shows the first status; what follows happens behind it."""
        form = await form_of(request)
        shape = Calls(self.account).place(form)
        answer = web.json_response(shape, status=201)
        player, faults = Player(self.account, self.traffic.webhooks), self.account.faults
        script = Script(outcome=faults.placed, says=faults.placed_says or None)
        self.traffic.run(player.placed(shape, form, script))
        return answer

    async def call(self, request: web.Request) -> web.Response:
        """FetchCall."""
        return web.json_response(Calls(self.account).fetch(request.match_info["sid"]))

    async def end_call(self, request: web.Request) -> web.Response:
        """UpdateCall."""
        calls = Calls(self.account)
        shape = calls.fetch(request.match_info["sid"])
        calls.move(shape, str((await form_of(request)).get("Status") or shape["status"]))
        for leg in calls.list({"ParentCallSid": shape["sid"]}):
            calls.move(leg, shape["status"])
        return web.json_response(shape)

    async def delete_call(self, request: web.Request) -> web.Response:
        """DeleteCall."""
        Calls(self.account).delete(request.match_info["sid"])
        return web.Response(status=204)

    async def redact(self, request: web.Request) -> web.Response:
        """UpdateMessage."""
        return web.json_response(self.account.redact(request.match_info["sid"], await form_of(request)))

    async def delete_message(self, request: web.Request) -> web.Response:
        """DeleteMessage."""
        self.account.delete_message(request.match_info["sid"])
        return web.Response(status=204)


def line(account: Account) -> Middleware:
    """Build the middleware through which every request passes: faults, credentials, errors."""
    faults, credentials = account.faults, encode_basic_auth(account.sid, account.token).encode()

    def admit(request: web.Request) -> None:
        given = request.headers.get("Authorization", "").encode("utf-8", "replace")
        public = request.path.startswith("/content/")
        checks = (
            (20503, "Service unavailable", faults.outage),
            (20429, "Too many requests", faults.spend("rate_limit")),
            (20003, "Authenticate", not public and not compare_digest(given, credentials)),
            (faults.refuse, "The request was refused", faults.refuse and request.method != "GET"),
        )
        for code, message, applies in checks:
            if applies:
                raise Refused(code, message)

    @web.middleware
    async def pass_through(request: web.Request, handler: Handler) -> web.StreamResponse:
        if faults.unreachable:
            return hang_up(request)
        try:
            admit(request)
            answer = await handler(request)
        except web.HTTPException:
            return refused(Refused(20404, f"The requested resource {request.path} was not found"))
        except Refused as refusal:
            return refused(refusal)
        lost = request.method != "GET" and faults.spend("lose_answer")
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


def refused(refusal: Refused) -> web.Response:
    """Shape an error. Too many requests come with the seconds to wait."""
    headers = {"Retry-After": "0"} if refusal.body["code"] == 20429 else {}  # noqa: PLR2004 - too many requests
    return web.json_response(refusal.body, status=refusal.status, headers=headers)


def hang_up(request: web.Request) -> web.Response:
    """Close the connection under the caller's hands."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def form_of(request: web.Request) -> dict[str, str]:
    """Read the form."""
    return {name: str(value) for name, value in (await request.post()).items()}


def page(request: web.Request, key: str, items: list[Resource]) -> web.Response:
    """Cut one page out of a list, with the links that lead on."""
    size, number = request.query.get("PageSize", "50"), request.query.get("Page", "0")
    if not (size.isdecimal() and number.isdecimal() and 1 <= int(size) <= LARGEST_PAGE):
        raise Refused(20422, "Invalid page")
    at, width = int(number), int(size)

    def link(to: int) -> str:
        return str(request.rel_url.update_query(PageSize=width, Page=to))

    cut = items[at * width : (at + 1) * width]
    return web.json_response(
        {
            key: cut,
            "page": at,
            "page_size": width,
            "start": at * width,
            "end": at * width + max(len(cut) - 1, 0),
            "uri": str(request.rel_url),
            "first_page_uri": link(0),
            "next_page_uri": link(at + 1) if (at + 1) * width < len(items) else None,
            "previous_page_uri": link(at - 1) if at else None,
        }
    )
