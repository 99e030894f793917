"""The edge over the memory world, spoken to over a real socket."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from fnmatch import fnmatch
from functools import cache
from itertools import count
from typing import IO, Any, Self
from urllib.parse import unquote, urlencode
from uuid import UUID

from aiohttp import ClientSession
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from adapters.inbound.http.app import App, build
from adapters.inbound.http.context import EdgeContext
from adapters.inbound.http.route import Route
from adapters.inbound.http.server import serving
from adapters.inbound.http_io import Webhooks
from adapters.inbound.webhooks.twilio import TwilioSignature, TwilioWebhooks
from adapters.outbound.memory.message_carrier import FetchableMedia
from adapters.outbound.sendgrid.letters import letter
from adapters.outbound.sendgrid.simulator import ReadMail, as_read
from adapters.outbound.system.limits import ProcessLimits
from adapters.outbound.twilio.recordings import caller_of, transcription_of
from adapters.outbound.twilio.signature import sign
from adapters.outbound.twilio.simulator.pictures import tiny_picture
from adapters.outbound.twilio.twiml import twiml
from adapters.outbound.twilio.vocabulary import outcome_of
from adapters.tones import tone
from application.inbound_calls import IncomingCall
from application.ports.numbers import AvailableNumber
from application.request_limits import LimitRequests
from bootstrap.policy import IF_CONFIGURED, POLICY
from bootstrap.publication import published
from bootstrap.worlds import InMemory, edge
from domain.calls import CallOutcome
from domain.kernel import PicoError
from domain.requests import RequestPolicy
from domain.values import Capability, Country, Peer, PhoneNumber

Also = Callable[[InMemory], Webhooks]

PUBLIC_URL = "https://api.pico.example"
AUTH_TOKEN = "pico-test-auth-token-not-a-secret"
PASSWORD = "correct horse battery staple"
STRANGER = "+13105550178"
OURS = "+12025550143"


class Answer(edge.Answer):
    """What came back, as a problem too."""

    @property
    def code(self) -> str:
        """The problem's code, after making sure that this is a problem document."""
        assert self.headers["Content-Type"] == "application/problem+json"
        assert self.json["status"] == self.status
        assert self.json["request_id"] == self.headers["Request-Id"]
        return str(self.json["code"])

    @property
    def flaws(self) -> set[tuple[str, str]]:
        return {(flaw["pointer"], flaw["code"]) for flaw in self.json["errors"]}


def shape_of(path: str, operation: dict[str, Any]) -> re.Pattern[str]:
    """Return what the paths of an operation look like, by its parameters' patterns."""
    patterns = {one["name"]: one["schema"].get("pattern", "") for one in operation.get("parameters", ())}
    return re.compile(re.sub(r"{(\w+)}", lambda name: f"(?:{patterns[name[1]].strip('^$')})", path))


@cache  # reading it takes longer than anything else that a test's world is made of
def _judging(
    document: bytes,
) -> tuple[dict[str, Any], dict[str, Any], list[tuple[str, str, re.Pattern[str], Any]]]:
    """Return the headers, the schemas, and each operation's method, path, shape and responses."""
    read = json.loads(document)
    operations = [
        (method.upper(), path, shape_of(path, operation), operation["responses"])
        for path, operations in read["paths"].items()
        for method, operation in operations.items()
    ]
    return read["components"]["headers"], {"$id": "urn:pico", "components": read["components"]}, operations


class Contract:
    """The OpenAPI document as a judge: every answer of a documented route must be one it announces."""

    def __init__(self, document: bytes) -> None:
        self.done: set[tuple[str, str]] = set()
        """Operations that have succeeded so far."""
        self._headers, self._schemas, self._operations = _judging(document)

    def check(self, method: str, path: str, answer: Answer) -> None:
        """Fail unless the document announces this status, this kind of content, this shape and these headers."""
        for known, template, shape, responses in self._operations:
            if known == method and shape.fullmatch(unquote(path.partition("?")[0])):
                announced = responses[str(answer.status)]
                if answer.status < 300:
                    self.done.add((method, template))
                for header, described in announced.get("headers", {}).items():
                    said = (
                        self._headers[described["$ref"].rpartition("/")[2]]
                        if "$ref" in described
                        else described
                    )
                    assert header in answer.headers or not said["required"]
                kinds = announced.get("content", {})
                said = answer.headers.get("Content-Type", "")
                assert (
                    [kind for kind in kinds if fnmatch(said, kind)] == list(kinds)
                    if kinds
                    else not answer.body
                )
                told = answer.status != 206  # a part of JSON is none
                for kind in (said for name, said in kinds.items() if "json" in name and told):
                    schema = json.loads(json.dumps(kind["schema"]).replace('"#/', '"urn:pico#/'))
                    resource = Resource.from_contents(self._schemas, DRAFT202012)
                    registry = Registry().with_resource("urn:pico", resource)
                    Draft202012Validator(
                        schema, registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER
                    ).validate(answer.json)


def filled(route: Route, value: str) -> str:
    """Return a route's path with one id for every id in it, a number of ours for every number, and no real offer."""
    said = {"uuid": value, "e164": OURS, "offer": "A" * 96}
    return re.sub(r"{\w+:(\w+)}", lambda of: said[of[1]], route.path)


@asynccontextmanager
async def serving_only(http: HttpWorld, *routes: Route) -> AsyncIterator[None]:
    """Have a world's client talk to an edge of just these routes for a while."""

    async def ready() -> None: ...

    port = http.port
    app = App(EdgeContext(http.world.use_cases, ready, bytes), routes)
    async with serving(app, "127.0.0.1", 0) as http.port:
        yield
    http.port = port


class HandSandbox:
    """The Sandbox's controls, over the memory world."""

    def __init__(self, world: InMemory) -> None:
        self.world = world
        self.knobs: dict[str, Any] = {"outage": False}

    async def advance(self, by: timedelta) -> datetime:
        await self.world.advance(by)
        return self.now()

    def now(self) -> datetime:
        return self.world.clock.now()

    async def mails(self) -> list[ReadMail]:
        at = self.now().isoformat().replace("+00:00", "Z")
        written = [
            (mail, letter(mail.kind, mail.locale, mail.link_token, f"{PUBLIC_URL}/docs#/{{}}".format))
            for mail in self.world.mail.sent
        ]
        return [
            as_read({
                "to": str(mail.to), "sender": "", "subject": read.subject, "text": read.text, "html": read.html,
                "language": read.language, "categories": [mail.kind.value], "at": at,
            })
            for mail, read in written
        ]  # fmt: skip

    async def sms(self, from_: str, to: str, body: str, picture: str | None = None) -> str:
        if await self.world.directory.line(to) is None:
            raise LookupError
        media = [] if picture is None else [FetchableMedia("image/png", tiny_picture(picture))]
        return await self.world.carrier.receive(Peer(from_), PhoneNumber(to), body, media)

    async def call(self, from_: str, to: str, outcome: str, voicemail: str | None = None) -> str:
        if await self.world.directory.line(to) is None:
            raise LookupError
        ref = self.world.voice.ring(from_, to)
        await self.world.use_cases.answer_call(IncomingCall(ref, PhoneNumber(to), Peer(from_)))
        self.world.voice.end(ref, CallOutcome.NO_ANSWER)
        if voicemail is not None:
            await self.world.recordings.leave(Peer(from_), PhoneNumber(to), tone(3), seconds=3)
        return ref

    def complete_checkout(self, checkout_id: UUID) -> None:
        for ref, payer in self.world.payments.payers.items():
            if payer.open_page == checkout_id:
                self.world.payments.buy(ref)
                return
        raise LookupError

    def faults(self, wanted: dict[str, Any]) -> dict[str, Any]:
        if wanted.keys() - self.knobs.keys():
            raise ValueError
        self.knobs |= wanted
        return self.knobs

    def providers(self) -> dict[str, Any]:
        return {"carrier": {"texts": len(self.world.carrier.messages)}}


class HttpWorld:
    """A client of a running edge; `outage` is what keeps it from being ready."""

    def __init__(self, world: InMemory) -> None:
        self.world = world
        self.outage: PicoError | None = None
        self.port = 0
        self.contract: Contract
        self._session: ClientSession
        self._keys = count(1)

    @classmethod
    @asynccontextmanager
    async def running(
        cls,
        world: InMemory | None = None,
        *,
        sandbox: bool = False,
        publishes: bool = True,
        also: Also | None = None,
        admitted: Callable[[], Awaitable[None]] | None = None,
        limited: RequestPolicy | None = None,
    ) -> AsyncIterator[Self]:
        """Serve a world, with a second provider's webhooks where `also` makes some, and requests `limited`."""
        self = cls(world or InMemory())
        self.world.use_cases.follow_events.hub.longest = (
            timedelta()
        )  # lest a test wait for the end of a stream
        app = build(
            self.world.use_cases,
            ready=self._ready,
            admitted=admitted,
            webhooks=[
                TwilioWebhooks(
                    self.world.use_cases,
                    TwilioSignature([AUTH_TOKEN]),
                    outcome_of,
                    twiml,
                    caller_of,
                    transcription_of,
                    PUBLIC_URL,
                ),
                *([also(self.world)] if also is not None else []),
            ],
            sandbox=HandSandbox(self.world) if sandbox else None,
            policy=POLICY.read_bytes(),
            published=published(IF_CONFIGURED) if publishes else None,
            limits=None
            if limited is None
            else LimitRequests(ProcessLimits(), self.world.limits, self.world.clock, limited),
        )
        async with serving(app, "127.0.0.1", 0) as self.port, ClientSession() as self._session:
            async with self._session.get(f"{self.url}/openapi.json") as response:
                self.contract = Contract(await response.read())
            yield self

    async def _ready(self) -> None:
        if self.outage is not None:
            raise self.outage

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        raw: bytes | IO[bytes] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send a request; `body` as JSON, or `raw` as it is."""
        sent = dict(headers or {})
        if token is not None:
            sent.setdefault("Authorization", f"Bearer {token}")
        if body is not None:
            raw = json.dumps(body).encode()
        if raw is not None:
            sent.setdefault("Content-Type", "application/json")
        request = self._session.request(
            method, self.url + path, data=raw, headers=sent, skip_auto_headers=["Content-Type"]
        )
        async with request as response:
            wire = {name.decode(): said.decode() for name, said in response.raw_headers}
            answer = Answer(response.status, wire, await response.read())
        self.contract.check(method, path, answer)
        return answer

    async def person(self, name: str = "ada", address: str | None = None, password: str = PASSWORD) -> str:
        """Sign somebody up and return their token."""
        return await self.verified(await self.attempt(name, address, password), password)

    async def attempt(self, name: str = "ada", address: str | None = None, password: str = PASSWORD) -> str:
        """Have somebody sign up, and return the token that is mailed to them."""
        email = address or f"{name}@example.org"
        new = {
            "email": email,
            "password": password,
            "display_name": name.title(),
            "locale": "en",
            "accepted": {"terms": True, "privacy": True},
        }
        assert (await self.call("POST", "/v1/accounts", new)).status == 202
        await self.world.settle()
        return str(next(mail.link_token for mail in reversed(self.world.mail.sent) if mail.to == email))

    async def verified(self, link: str, password: str = PASSWORD) -> str:
        """Verify with a mailed token, and return the session's."""
        answer = await self.call("POST", "/v1/account-verifications", {"token": link, "password": password})
        assert answer.status == 201
        return str(answer.json["token"])

    def offer(self, number: str = OURS) -> None:
        """Have the carrier offer a number that can do everything."""
        everything = frozenset(Capability)
        self.world.carrier.on_offer.append(AvailableNumber(PhoneNumber(number), Country("US"), everything))

    async def line(self, token: str, number: str = OURS) -> str:
        """Have the carrier offer a number, buy it, and return the line's id."""
        self.offer(number)
        answer = await self.call(
            "POST",
            "/v1/lines",
            {"number": number},
            token=token,
            headers=self.key(),
        )
        assert answer.status == 201
        return str(answer.json["id"])

    def key(self, name: str | None = None) -> dict[str, str]:
        """Return an Idempotency-Key, a new one unless named."""
        return {"Idempotency-Key": name or f"key-{next(self._keys)}"}

    async def webhook(self, path: str, form: dict[str, str], *, signed: str | None = None) -> Answer:
        """Post a form as Twilio does, signed over the public URL (or with the signature given)."""
        signature = sign(AUTH_TOKEN, PUBLIC_URL + path, form.items()) if signed is None else signed
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "X-Twilio-Signature": signature,
        }
        return await self.call("POST", path, raw=urlencode(form).encode(), headers=headers)
