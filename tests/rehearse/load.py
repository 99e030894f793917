"""Mixed load: people who stay, and write, are written to and called all the time; and people who come and go."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from itertools import count, cycle
from time import monotonic
from typing import Any

from aiohttp import ClientError

from adapters.outbound.sendgrid.simulator import as_read
from adapters.outbound.telnyx.simulator import Script as SecondScript
from adapters.outbound.twilio.simulator import Script
from adapters.outbound.twilio.simulator.pictures import tiny_picture
from benchmarks.kills import PASSWORD, STRANGER, Stage
from tests.rehearse.ground import Ground

AREAS = "212", "213", "214", "215", "216", "303", "305", "310"
RESIDENTS = 6
PACE = (0.3, 0.9)
"""Seconds between two things that somebody does."""
ARRIVALS = 4.0
"""Seconds between two sign-ups."""
MOST_VISITORS = 4
"""How many come and go at the same time at the most."""
PATIENCE = 240
OVER = {"delivered", "failed", "unconfirmed"}


@dataclass
class Person:
    """Somebody with a line, and how often each message must be there for them."""

    name: str
    token: str
    number: str
    line: str
    account: str
    at_second: bool = False
    """Whether the second carrier has the line."""
    inbox: Counter[str] = field(default_factory=Counter)
    voicemails: int = 0
    cut_short: int = 0
    """Calls that the carrier ended, because nobody said what was to be done with them in time."""


@dataclass
class Load:
    """What is asked, and what must have come of it."""

    ground: Ground
    residents: list[Person] = field(default_factory=list)
    sent: dict[str, Person] = field(default_factory=dict)
    """By what it says, who sent each message."""
    stayed: list[Person] = field(default_factory=list)
    """Who came, asked to be deleted and thought again."""
    gone: list[str] = field(default_factory=list)
    """The account's id of each who was erased at once."""
    leaving: list[str] = field(default_factory=list)
    """Of each who asked to be deleted and has thirty days to think again."""
    payers: int = 0
    """How many customers there must be at Stripe."""
    failed: list[str] = field(default_factory=list)
    """What somebody waited for in vain."""
    done: Counter[str] = field(default_factory=Counter)
    """How often each thing was done."""
    stage: Stage = field(init=False)
    _names: count[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        """See the ground as people do."""
        self.stage = self.ground.stage
        numbers = (f"+1{area}55501{tail:02}" for tail in range(1, 99) for area in AREAS)
        self._numbers = cycle(list(numbers))

    async def settle(self) -> None:
        """Have those move in who stay; the last of them has a line with the second carrier."""
        self.residents += await asyncio.gather(*(self._moved_in() for _ in range(RESIDENTS - 1)))
        self.residents.append(await self._moved_in(country="GB"))

    async def run(self, meanwhile: Coroutine[None, None, None]) -> None:
        """Let everybody live until something else has come to its end, and those who came come to theirs."""
        changing = asyncio.create_task(meanwhile)
        staying = [asyncio.create_task(self._stay(person, changing)) for person in self.residents]
        visitors = set[asyncio.Task[None]]()
        while not changing.done():
            visitors = {each for each in visitors if not each.done()}
            if len(visitors) < MOST_VISITORS:
                visitors.add(asyncio.create_task(self._tried(self._come_and_go())))
            await asyncio.wait({changing}, timeout=ARRIVALS)
        await asyncio.gather(changing, *staying, *visitors)

    async def _tried(self, deed: Coroutine[None, None, None]) -> None:
        """Do something; what did not come to its end is told later, and others go on."""
        try:
            await deed
        except (RuntimeError, ClientError, TimeoutError) as error:
            self.failed.append(f"{type(error).__name__}: {error}")

    async def _moved_in(self, country: str = "") -> Person:
        name = f"person{next(self._names)}"
        token = await self._signed_up(f"{name}@example.org")
        account = str((await self.stage.ask("GET", "/v1/account", token=token))["id"])
        number = next(self._numbers)
        if country:
            path = f"/v1/available-numbers?country={country}"
            number = (await self.stage.ask("GET", path, token=token))["items"][0]["number"]
        bought = await self._once("POST", "/v1/lines", {"number": number, "label": name}, token)
        line = str(bought["id"])
        await self._until(token, f"/v1/lines/{line}", state="active")
        device = {"platform": "android", "device_token": secrets.token_hex(32)}
        await self.stage.ask("POST", "/v1/push-tokens", device, token)
        self.done["sign-ups"] += 1
        return Person(name, token, number, line, account, at_second=bool(country))

    async def _signed_up(self, email: str) -> str:
        """Sign up, verify by the mail, and return a token; sign in if the answer was lost that had it."""
        new = {"email": email, "password": PASSWORD, "display_name": email.partition("@")[0], "locale": "en",
               "accepted": {"terms": True, "privacy": True}}  # fmt: skip
        await self.stage.ask("POST", "/v1/accounts", new)
        end = monotonic() + PATIENCE
        while not (mails := [mail for mail in self.ground.post.mails if mail["to"] == email]):
            if monotonic() > end:
                raise RuntimeError("no mail came")
            await asyncio.sleep(0.3)
        proof = {"token": as_read(mails[-1])["token"], "password": PASSWORD}
        try:
            verified = await self.stage.ask("POST", "/v1/account-verifications", proof)
        except RuntimeError:
            verified = await self.stage.ask("POST", "/v1/sessions", {"email": email, "password": PASSWORD})
        return str(verified["token"])

    async def _stay(self, person: Person, meanwhile: asyncio.Task[None]) -> None:
        deeds = (
            [self._write] * 6 + [self._hear] * 6 + [self._read] * 4 + [self._hear_with_picture] * 2
            + [self._show] + [self._take_call] + [self._miss_call]
        )  # fmt: skip
        await self._tried(self._export(person))
        while not meanwhile.done():
            await self._tried(random.choice(deeds)(person))
            await asyncio.sleep(random.uniform(*PACE))

    async def _come_and_go(self) -> None:
        """Live a short life with something of everything, and leave in one of three ways."""
        person = await self._moved_in()
        host = random.choice([each for each in self.residents if not each.at_second])
        message = await self._send(person, host.number)
        host.inbox[message[1]] += 1
        await self._hear_with_picture(person)
        await self._miss_call(person)
        if pays := random.random() < 0.4:
            page = await self._once("POST", "/v1/billing/checkout", {"plan": "plus"}, person.token)
            self.ground.till.complete(self.ground.till.opened_with(f"checkout-{page['id']}"))
            self.payers += 1
            await self._until(person.token, "/v1/subscription", state="active")
            self.done["plans bought"] += 1
        await self._export(person)
        await self._until(person.token, f"/v1/messages/{message[0]}", status=OVER)
        way = random.choice(["waive", "waive", "leave", "return"])
        body = {"password": PASSWORD, **({"waive_recovery": True} if way == "waive" else {})}
        await self._deleted(person, body)
        self.done["deletions"] += 1
        self.sent = {
            body: sender for body, sender in self.sent.items() if sender is not person or way == "return"
        }
        if way == "waive":
            self.gone.append(person.account)
            self.payers -= pays
        elif way == "leave":
            self.leaving.append(person.account)
        else:
            who = {"email": f"{person.name}@example.org", "password": PASSWORD}
            person.token = (await self.stage.ask("POST", "/v1/account-recoveries", who))["token"]
            self.stayed.append(person)
            self.done["recoveries"] += 1

    async def _deleted(self, person: Person, body: object) -> None:
        """Ask for deletion. Where the answer was lost with the server that gave it, being signed out says the same."""
        try:
            await self.stage.ask("DELETE", "/v1/account", body, person.token)
        except RuntimeError:
            headers = {"Authorization": f"Bearer {person.token}"}
            async with self.stage.session.get(f"{self.ground.url}/v1/account", headers=headers) as answer:
                if answer.status != 401:
                    raise

    async def _write(self, person: Person) -> None:
        """Write to the next of those who stay; whoever is with another carrier writes to a stranger."""
        others = [each for each in self.residents if each is not person and not each.at_second]
        to = None if person.at_second else random.choice(others)
        _, body = await self._send(person, STRANGER if to is None else to.number)
        if to is not None:
            to.inbox[body] += 1

    async def _send(self, person: Person, to: str, **more: object) -> tuple[str, str]:
        body = f"from {person.name} {self._count('messages out')}"
        message = await self._once(
            "POST", f"/v1/lines/{person.line}/messages", {"to": to, "body": body, **more}, person.token
        )
        self.sent[body] = person
        person.inbox[body] += 1
        return str(message["id"]), body

    async def _show(self, person: Person) -> None:
        """Send a picture to a stranger; a carrier that sends none has plain words."""
        if person.at_second:
            await self._write(person)
        else:
            kept = await self._uploaded(person.token, tiny_picture(f"{self._count('pictures out')}"))
            await self._send(person, STRANGER, media=[kept])

    async def _hear(self, person: Person, *pictures: tuple[str, bytes]) -> None:
        body = f"to {person.name} {self._count('messages in')}"
        carrier = self.ground.second if person.at_second else self.ground.simulator
        person.inbox[body] += 1
        await carrier.inbound_sms(STRANGER, person.number, body, pictures)

    async def _hear_with_picture(self, person: Person) -> None:
        pictures = () if person.at_second else (("image/png", tiny_picture(f"{self._count('pictures in')}")),)
        await self._hear(person, *pictures)

    async def _take_call(self, person: Person) -> None:
        await self._call(person, "answered", None)

    async def _miss_call(self, person: Person) -> None:
        cut_short = person.cut_short
        await self._call(person, "no_answer", f"voicemail {self._count('voicemails')}")
        person.voicemails += cut_short == person.cut_short

    async def _call(self, person: Person, outcome: str, says: str | None) -> None:
        self.done["calls"] += 1
        if not person.at_second:
            await self.ground.simulator.inbound_call(STRANGER, person.number, Script(outcome, says=says))
            return
        try:
            await self.ground.second.inbound_call(STRANGER, person.number, SecondScript(outcome, says=says))
        except TimeoutError:
            person.cut_short += 1
            self.done["calls cut short"] += 1

    async def _read(self, person: Person) -> None:
        self.done["reads"] += 1
        found = await self.stage.ask("GET", "/v1/conversations?limit=20", token=person.token)
        for conversation in found["items"][:2]:
            path = f"/v1/conversations/{conversation['id']}/messages?limit=20"
            await self.stage.ask("GET", path, token=person.token)
        await self.stage.ask("GET", "/v1/calls", token=person.token)

    async def _export(self, person: Person) -> None:
        started = await self.stage.ask("POST", "/v1/account/exports", token=person.token)
        path = f"/v1/account/exports/{started['id']}"
        await self._until(person.token, path, state={"ready", "downloaded"})
        await self._downloaded(person.token, f"{path}/download")
        self.done["exports"] += 1

    async def _uploaded(self, token: str, content: bytes) -> str:
        headers = {"Content-Type": "image/png", "Authorization": f"Bearer {token}",
                   "Idempotency-Key": secrets.token_hex(8)}  # fmt: skip
        for _ in range(PATIENCE):
            async with self.stage.session.post(
                f"{self.ground.url}/v1/media", data=content, headers=headers
            ) as answer:
                self.stage.asked[answer.status] += 1
                if answer.status < 300:
                    return str((await answer.json())["id"])
            await asyncio.sleep(0.5)
        raise RuntimeError("a picture was not taken")

    async def _downloaded(self, token: str, path: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        for _ in range(PATIENCE):
            async with self.stage.session.post(
                self.ground.url + path, json={"password": PASSWORD}, headers=headers
            ) as answer:
                self.stage.asked[answer.status] += 1
                if answer.status == 200 and (await answer.read()).startswith(b"PK"):
                    return
            await asyncio.sleep(0.5)
        raise RuntimeError("an export was not to be had")

    async def _once(self, method: str, path: str, body: object, token: str) -> dict[str, Any]:
        """Ask with an idempotency key, until there is an answer: it is done once."""
        key = {"Idempotency-Key": secrets.token_hex(8)}
        return await self.stage.ask(method, path, body, token, **key)

    async def _until(self, token: str, path: str, **wanted: str | set[str]) -> None:
        """Look until a field says what it should."""
        [(name, values)] = wanted.items()
        end = monotonic() + PATIENCE
        while (said := (await self.stage.ask("GET", path, token=token))[name]) not in (
            values if isinstance(values, set) else {values}
        ):
            if monotonic() > end:
                raise RuntimeError(f"{path.partition('/v1/')[2].partition('/')[0]}: {name} is still {said}")
            await asyncio.sleep(0.3)

    def _count(self, what: str) -> int:
        self.done[what] += 1
        return self.done[what]
