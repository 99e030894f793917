"""SendGrid's webhooks: verified on the bytes as they came; of what they say one thing is heeded, and nothing kept."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from multidict import CIMultiDict

from adapters.inbound.http.app import build
from adapters.inbound.webhooks.sendgrid import SendGridSignature, SendGridWebhooks
from adapters.inbound.webhooks.sendgrid.events import LATEST, Undelivered, undelivered
from adapters.outbound.memory.system import HandClock
from adapters.outbound.sendgrid.signature import public_key, sign, signing_key_of
from bootstrap.worlds import InMemory
from bootstrap.worlds.edge import HttpClient, always, calling
from domain.accounts import Unreachable
from domain.values import Email
from tests.support.actors import Person, sign_up
from tests.support.provider_files import sample_webhooks

SAMPLES = sample_webhooks("sendgrid_events.json")
KEY, OTHER = signing_key_of(b"ours"), signing_key_of(b"another")
NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
HEADER = "X-Twilio-Email-Event-Webhook-"
BOUNCE = {"event": "bounce", "type": "bounce", "status": "5.1.1", "reason": "550 user unknown"}


def at(sample: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(int(sample["headers"][f"{HEADER}Timestamp"]), UTC)


@pytest.mark.parametrize("name", ["event_batch", "upstream_vector"])
def test_the_samples_verify_for_ten_minutes_and_only_as_they_are(name: str) -> None:
    sample, shift = SAMPLES[name], timedelta()

    def verifies(body: bytes, **headers: str) -> bool:
        said = {key.removeprefix(HEADER): value for key, value in sample["headers"].items()} | headers
        keys = [public_key(OTHER), sample["public_key"]]
        signature = SendGridSignature(keys, lambda: at(sample) + shift)
        return signature.verify(said["Timestamp"], body, said["Signature"])

    body = sample["raw_body"].encode()
    assert body.endswith(b"\r\n")
    for minutes, holds in ((-10, True), (10, True), (-11, False), (11, False)):
        shift = timedelta(minutes=minutes)
        assert verifies(body) is holds, minutes
    shift = timedelta()
    for forged in (body.rstrip(), body + b" ", body.replace(b"bounce", b"bounds", 1), b""):
        assert verifies(forged) is (forged == body)
    for odd in ("", "MEUC", "=", "A" * 10_000, "\u05d0", public_key(KEY)):
        assert not verifies(body, Signature=odd)
    moved = str(int(sample["headers"][f"{HEADER}Timestamp"]) + 1)
    for odd in ("", "0", "-1", "1e9", " 1795392000", moved, "9" * 40, "\u0661" * 10):
        assert not verifies(body, Timestamp=odd)


@pytest.mark.parametrize(
    "keys", [[], [""], ["no key"], ["A" * 122 + "=="], ["TW9h/kTLNQ91bryXL6+REUjjhqoY/GtS0CjFVyKZV1Q="]]
)
def test_nothing_starts_without_a_key_on_the_right_curve(keys: list[str]) -> None:
    with pytest.raises(ValueError, match="SendGrid"):
        SendGridSignature(keys, lambda: NOW)


@dataclass
class Post:
    """The endpoint that SendGrid calls, and somebody whose mail it carries."""

    world: InMemory
    http: HttpClient
    ada: Person

    async def post(self, body: bytes, key: Any = KEY, **headers: str) -> int:
        now = str(int(self.world.clock.now().timestamp()))
        signed = {f"{HEADER}Signature": sign(key, now, body), f"{HEADER}Timestamp": now}
        async with self.http.session.post(
            f"{self.http.url}/webhooks/sendgrid", data=body, headers={**signed, **headers}
        ) as answer:
            return answer.status

    async def tell(self, *events: object, **headers: Any) -> int:
        return await self.post(json.dumps(events).encode() + b"\r\n", **headers)

    def event(self, **said: object) -> dict[str, object]:
        return {"email": self.ada.email, "timestamp": int(self.world.clock.now().timestamp()), **said}

    async def known(self) -> Unreachable | None:
        return (await self.world.use_cases.read_account(self.ada.id)).unreachable


@asynccontextmanager
async def post() -> AsyncIterator[Post]:
    clock = HandClock(NOW)
    world = InMemory(clock=clock)
    ada = await sign_up(world)
    signature = SendGridSignature([public_key(OTHER), public_key(KEY)], clock.now)
    app = build(world.use_cases, ready=always, webhooks=(SendGridWebhooks(world.use_cases, signature),))
    async with calling(app) as http:
        yield Post(world, http, ada)


@pytest.mark.parametrize(
    ("said", "known"),
    [
        (BOUNCE, Unreachable.RETURNED),
        ({"event": "bounce"}, Unreachable.RETURNED),
        ({"event": "bounce", "type": "blocked"}, None),
        ({"event": "spamreport"}, Unreachable.UNWANTED),
        ({"event": "dropped", "reason": "Bounced Address"}, Unreachable.RETURNED),
        ({"event": "dropped", "reason": "Invalid"}, Unreachable.INVALID),
        ({"event": "dropped", "reason": "Spam Reporting Address"}, Unreachable.UNWANTED),
        ({"event": "dropped", "reason": "Unsubscribed Address"}, None),
        ({"event": "dropped", "reason": ["Invalid"]}, None),
        *[
            ({"event": name}, None)
            for name in ("processed", "deferred", "delivered", "unsubscribe", "new", 7)
        ],
    ],
)
async def test_what_says_that_an_address_takes_no_mail_is_noted(
    said: dict[str, Any], known: Unreachable | None
) -> None:
    async with post() as at_sendgrid:
        for key in (KEY, OTHER):  # the one before, while keys are rotated
            assert await at_sendgrid.tell(at_sendgrid.event(**said), key=key) == 204
        assert await at_sendgrid.known() is known


def test_of_a_batch_each_address_is_told_once_by_the_first_event_that_says_so() -> None:
    ada = {**BOUNCE, "email": "Ada@Example.org", "timestamp": 1}
    bob = {**ada, "email": "bob@example.org", "timestamp": LATEST}
    later = {**ada, "event": "spamreport", "email": "ada@example.org", "timestamp": 2}
    ends = datetime.fromtimestamp(LATEST, UTC)
    assert list(undelivered([ada, bob, later, bob, later])) == [
        Undelivered(Email("Ada@example.org"), Unreachable.RETURNED, datetime.fromtimestamp(1, UTC)),
        Undelivered(Email("bob@example.org"), Unreachable.RETURNED, ends),
    ]
    for never in (0, LATEST + 1):
        assert list(undelivered([{**ada, "timestamp": never}])) == []


async def test_the_same_again_and_later_ones_change_nothing() -> None:
    async with post() as at_sendgrid:
        event = at_sendgrid.event(**BOUNCE)
        assert await at_sendgrid.tell(event, event) == 204
        first = await at_sendgrid.world.use_cases.read_account(at_sendgrid.ada.id)
        at_sendgrid.world.clock.advance(timedelta(minutes=9))
        assert await at_sendgrid.tell(event) == 204
        assert await at_sendgrid.tell(at_sendgrid.event(event="spamreport")) == 204
        later = await at_sendgrid.world.use_cases.read_account(at_sendgrid.ada.id)
        assert (later.unreachable, later.unreachable_since) == (Unreachable.RETURNED, first.unreachable_since)
        assert later.version == first.version


async def test_what_was_said_before_the_account_was_there_is_about_somebody_else() -> None:
    async with post() as at_sendgrid:
        early = at_sendgrid.event(**BOUNCE) | {"timestamp": int((NOW - timedelta(days=1)).timestamp())}
        assert await at_sendgrid.tell(early) == 204
        assert await at_sendgrid.known() is None
        ahead = at_sendgrid.event(**BOUNCE) | {"timestamp": int((NOW + timedelta(days=9)).timestamp())}
        assert await at_sendgrid.tell(ahead) == 204
        account = await at_sendgrid.world.use_cases.read_account(at_sendgrid.ada.id)
        assert account.unreachable_since == at_sendgrid.world.clock.now(), "nothing is noted of the future"


async def test_what_nobody_signed_is_refused_without_a_word() -> None:
    async with post() as at_sendgrid:
        body = json.dumps([at_sendgrid.event(**BOUNCE)]).encode()
        assert await at_sendgrid.post(body, signing_key_of(b"a stranger")) == 403
        for odd in ({f"{HEADER}Signature": "MEUC"}, {f"{HEADER}Timestamp": "1"}):
            assert await at_sendgrid.post(body, **odd) == 403
        async with at_sendgrid.http.session.post(
            f"{at_sendgrid.http.url}/webhooks/sendgrid", data=body
        ) as answer:
            assert (answer.status, await answer.read()) == (403, b"forbidden\n")
        assert await at_sendgrid.known() is None


@pytest.mark.parametrize("times", [0, 2])
@pytest.mark.parametrize("name", ["Signature", "Timestamp"])
async def test_what_was_signed_twice_or_not_at_all_is_refused(name: str, times: int) -> None:
    async with post() as at_sendgrid:
        body = json.dumps([at_sendgrid.event(**BOUNCE)]).encode()
        timestamp = str(int(NOW.timestamp()))
        said = {"Signature": sign(KEY, timestamp, body), "Timestamp": timestamp}
        each = [
            (f"{HEADER}{key}", value)
            for key, value in said.items()
            for _ in range(times if key == name else 1)
        ]
        url = f"{at_sendgrid.http.url}/webhooks/sendgrid"
        async with at_sendgrid.http.session.post(url, data=body, headers=CIMultiDict(each)) as answer:
            assert (answer.status, await answer.read()) == (403, b"forbidden\n")
        assert await at_sendgrid.known() is None


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"null", b"[NaN]", b"\xff", b"[" * 50_000, b'[{"email": 1}', b"events=1"]
)
async def test_what_is_no_batch_is_malformed(body: bytes) -> None:
    async with post() as at_sendgrid:
        assert await at_sendgrid.post(body) == 400


async def test_odd_events_hold_up_no_other() -> None:
    async with post() as at_sendgrid:
        good = at_sendgrid.event(**BOUNCE)
        odd: list[object] = [
            None, 7, [], {}, {"event": "bounce"}, good | {"email": None}, good | {"email": "no address"},
            good | {"email": "a" * 9999}, good | {"email": "stranger@example.org"}, good | {"timestamp": "1"},
            good | {"timestamp": 10**30}, good | {"timestamp": -1}, good | {"timestamp": 1.5},
            good | {"timestamp": True},
        ]  # fmt: skip
        assert await at_sendgrid.tell(*odd) == 204
        assert await at_sendgrid.known() is None
        assert await at_sendgrid.tell(*odd, good) == 204
        assert await at_sendgrid.known() is Unreachable.RETURNED


async def test_a_batch_comes_again_while_the_store_is_away() -> None:
    async with post() as at_sendgrid:
        at_sendgrid.world.store.outage = True
        assert await at_sendgrid.tell(at_sendgrid.event(**BOUNCE)) == 503
        at_sendgrid.world.store.outage = False
        assert await at_sendgrid.tell(at_sendgrid.event(**BOUNCE)) == 204
        assert await at_sendgrid.known() is Unreachable.RETURNED
