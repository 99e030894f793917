"""A life over HTTP on PostgreSQL, and somebody else who can write SQL to its store, but holds no key."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from structlog.testing import capture_logs

from adapters.outbound.memory.message_carrier import CarrierCopy, FetchableMedia
from adapters.outbound.postgres.directory import PostgresDirectory
from adapters.tones import tone
from application.inbound_calls import IncomingCall
from application.inbound_messages import InboundMessage
from application.inventory import Stored
from application.search import FIRST, segment_of
from domain.billing import BuyerToken, PurchaseToken, Subscription, SubscriptionId
from domain.calls import CallOutcome
from domain.kernel import AccountId, MessageId
from domain.media import MediaType
from domain.values import MessageBody, Peer, PhoneNumber
from tests.contract.conftest import Postgres
from tests.support.harness import ENVIRONMENT, OnPostgres, on_postgres
from tests.support.http_world import OURS, PASSWORD, STRANGER, Answer, HttpWorld
from tests.support.photographs import photograph

DAY, MONTH = timedelta(days=1), timedelta(days=31)
WENT = "+12025550177"
"""Whose STOP outlives their conversation."""
PORTED = {
    "number": "+16175550101",
    "subscriber_name": "Ada Levi",
    "signer_name": "Ada Levi",
    "signer_email": "ada@example.org",
    "street": "101 Spear Street",
    "city": "San Francisco",
    "region": "California",
    "postal_code": "94105",
    "account_number": "8471920",
    "pin": "4711",
}
"""What somebody says who brings a number along."""
BIT = 100
"""Somewhere in the nonce: the first byte of a cell only names the format."""


@dataclass(kw_only=True)
class Inhabitant:
    """Somebody with one of everything. Paths are of HTTP."""

    http: HttpWorld
    name: str
    number: str
    token: str
    id: AccountId
    session_id: UUID
    line: str
    conversation: str
    message: str
    """The one that came in; another went out."""

    async def call(self, method: str, path: str, body: object = None, **more: Any) -> Answer:
        return await self.http.call(method, path, body, token=self.token, **more)

    async def sign_in(self) -> Answer:
        return await self.http.call("POST", "/v1/sessions", self.credentials)

    @property
    def confirmed(self) -> dict[str, str]:
        return {"password": PASSWORD}

    @property
    def credentials(self) -> dict[str, str]:
        return {"email": f"{self.name}@example.org", "password": PASSWORD}


@dataclass
class Scene:
    """The product on PostgreSQL behind its edge, and the intruder's way in."""

    world: OnPostgres
    http: HttpWorld

    @classmethod
    @asynccontextmanager
    async def set(cls, postgres: Postgres, folder: Path) -> AsyncIterator[Scene]:
        async with on_postgres(postgres, folder) as world, HttpWorld.running(world) as http:
            yield cls(world, http)

    def forget(self) -> None:
        """Have the product remember nothing, as another process would."""
        directory = PostgresDirectory(self.world.database, self.world.keyring, environment=ENVIRONMENT)
        for use_case in (self.world.use_cases.authenticate,):
            object.__setattr__(use_case, "directory", directory)

    async def sql(self, statement: str, *values: object) -> list[Any]:
        return list(await self.world.pool.fetch(statement, *values))

    async def flip(self, stored: Stored, column: str, owner: AccountId, *, spare: UUID | None = None) -> int:
        """Flip one bit of a sealed column, in every row of one account but one; return in how many."""
        changed = await self.sql(
            f"UPDATE {stored.name} SET {column} = set_bit({column}, {BIT}, 1 - get_bit({column}, {BIT}))"  # noqa: S608 - names of our own
            f" WHERE {stored.owner} = $1 AND {column} IS NOT NULL AND id IS DISTINCT FROM $2 RETURNING id",
            owner, spare,
        )  # fmt: skip
        return len(changed)

    async def inhabitant(self, name: str = "ada", number: str = OURS) -> Inhabitant:
        """Let somebody sign up, use two devices, take a line, save a contact, be woken, hear, write, export."""
        http, world = self.http, self.world
        token = await http.person(name)
        credentials = {"email": f"{name}@example.org", "password": PASSWORD}
        assert (await http.call("POST", "/v1/sessions", credentials | {"label": "tablet"})).status == 201
        caller = await world.use_cases.authenticate(token)
        line = await http.line(token, number)
        hours = {"starts": "22:00", "ends": "07:00", "time_zone": "Asia/Jerusalem"}
        settings = {"label": "Work", "do_not_disturb": hours}
        assert (await http.call("PATCH", f"/v1/lines/{line}", settings, token=token)).status == 200
        there = {"to": "+13105550177", "when": ["busy"]}
        assert (await http.call("PUT", f"/v1/lines/{line}/forwarding", there, token=token)).status == 200
        ref = world.voice.ring(STRANGER, number)
        await world.use_cases.answer_call(IncomingCall(ref, PhoneNumber(number), Peer(STRANGER)))
        world.voice.end(ref, CallOutcome.NO_ANSWER)
        known = {"name": "Noa", "numbers": [STRANGER], "note": "climbs"}
        for path, new in (("/v1/contacts", known), ("/v1/port-requests", PORTED)):
            assert (await http.call("POST", path, new, token=token, headers=http.key())).status == 201
        assert (await http.call("PUT", "/v1/blocked-numbers/+12125550199", token=token)).status == 200
        device = {"platform": "ios", "device_token": secrets.token_hex(32)}
        assert (await http.call("POST", "/v1/push-tokens", device, token=token)).status == 201
        hook = {"url": "https://hooks.example.org/pico"}
        added = await http.call("POST", "/v1/webhook-endpoints", hook, token=token, headers=http.key())
        assert added.status == 201
        await http.call("POST", f"{added.headers['Location']}/secret", token=token)
        await self.hear(number, "STOP", sender=WENT)
        (stopped,) = (await http.call("GET", "/v1/conversations", token=token)).json["items"]
        assert (await http.call("DELETE", f"/v1/conversations/{stopped['id']}", token=token)).status == 204
        await world.settle()
        said = {"to": STRANGER, "body": "said", "client_reference": "order 1742"}
        path = f"/v1/lines/{line}/messages"
        assert (await http.call("POST", path, said, token=token, headers=http.key())).status == 202
        await world.settle()
        await self.hear(number, "heard")
        assert (
            await http.call("PUT", f"/v1/lines/{line}/greeting", {"words": "Ada"}, token=token)
        ).status == 200
        left = await world.recordings.leave(Peer(STRANGER), PhoneNumber(number), tone(2))
        await world.settle()
        await world.recordings.transcribe(left, "left")
        (conversation,) = (await http.call("GET", "/v1/conversations", token=token)).json["items"]
        path = f"/v1/conversations/{conversation['id']}/messages"
        heard = (await http.call("GET", path, token=token)).json["items"][0]
        assert heard["body"] == "heard"
        assert (await http.call("POST", "/v1/account/exports", token=token)).status == 202
        await world.settle()
        bought = Subscription(
            account_id=caller.account_id,
            id=SubscriptionId(caller.account_id),
            payer=await world.payments.make_payer(caller.account_id, caller.account_id),
            payer_asked_at=world.clock.now(),
            purchase=PurchaseToken("1000000012345678"),
            buyer=BuyerToken(str(world.ids.random_id())),
        )
        async with world.store.begin(caller.account_id) as tx:
            tx.save(bought)
            words = await tx.search.said_after(FIRST, MessageId(UUID(int=2**128 - 1)), 99)
            tx.save(segment_of(world.ids, caller.account_id, words))
        return Inhabitant(
            http=http, name=name, number=number, token=token, id=caller.account_id, session_id=caller.session_id,
            line=f"/v1/lines/{line}", conversation=f"/v1/conversations/{conversation['id']}",
            message=f"/v1/messages/{heard['id']}",
        )  # fmt: skip

    async def moves(self, person: Inhabitant, *, confirmed: bool) -> None:
        """Have somebody ask for another address, and confirm it."""
        wanted = {"email": f"{person.name}@example.com", "password": PASSWORD}
        asked = await self.http.call("POST", "/v1/account/email-changes", wanted, token=person.token)
        assert asked.status == 202
        await self.world.settle()
        if confirmed:
            link = next(mail.link_token for mail in self.world.mail.sent if mail.to == wanted["email"])
            path = "/v1/account/email-changes/verify"
            assert (await self.http.call("POST", path, {"token": link}, token=person.token)).status == 200
            await self.world.settle()

    async def hear(self, number: str, body: str, *, sender: str = STRANGER) -> None:
        """Have a message with a picture come in, the carrier keeping its copy."""
        picture = FetchableMedia("image/jpeg", photograph(MediaType.JPEG).content)
        peer, to = Peer(sender), PhoneNumber(number)
        ref = await self.world.carrier.receive(peer, to, body, [picture])
        inbound = InboundMessage(ref, to, peer, MessageBody(body), attachments=1)
        await self.world.use_cases.receive_message(inbound)

    def copies(self) -> list[CarrierCopy]:
        return list(self.world.carrier.messages.values())


@contextmanager
def alarm() -> Iterator[None]:
    """Expect that somebody is told of a broken seal."""
    with capture_logs() as logs:
        yield
    assert "seal broken" in [entry["event"] for entry in logs], "nobody was told"


async def put_back(scene: Scene, row: Any, table: str = "accounts") -> None:
    """Have a row be again what it was, its version and its seals included."""
    if "id" in row.keys():  # noqa: SIM118 - a record is no mapping
        await scene.sql(f"DELETE FROM {table} WHERE id = $1", row["id"])  # noqa: S608
    values = ", ".join(f"${at + 1}" for at in range(len(row)))
    await scene.sql(f"INSERT INTO {table} ({', '.join(row.keys())}) VALUES ({values})", *row.values())  # noqa: S608
