"""What we never collect: handed to us on purpose, then looked for everywhere, under the seals too."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import partial

from aiohttp import web

from adapters.inbound.webhooks.twilio import TwilioWebhooks
from adapters.inbound.webhooks.twilio.messages import SMS
from adapters.outbound.memory.system import FakeHasher
from bootstrap.worlds import InMemory
from domain.values import Label, Password, PasswordHash
from tests.support.canary_account import lived
from tests.support.harness import Databases
from tests.support.http_client import Edge, Handler, calling, the_edge
from tests.support.proofs import proves


class KeepsPasswords(FakeHasher):
    """Hashes nothing. Under the seal, who would see it?"""

    async def hash(self, password: Password) -> PasswordHash:
        return PasswordHash(password)

    async def verify(self, password: Password, phc: PasswordHash | None) -> bool:
        return str(password) == str(phc)


def keeps_passwords(stored: Databases) -> Databases:
    return partial(stored, hasher=lambda _: KeepsPasswords())


@proves("N1", text="eeb504bd39bd", saboteur=keeps_passwords, says="a password is stored under a seal")
async def test_no_password_is_stored_not_even_under_a_seal(stored: Databases) -> None:
    async with stored() as world:
        ada = await lived(world)
        await world.use_cases.start_export(ada.id)
        await world.settle()
        await world.use_cases.delete_account(ada.id, ada.password)
        await world.use_cases.recover_account(ada.email, ada.password)
        assert ada.heard in await world.opened(ada.id), "the search looks in the wrong place"
        assert ada.password not in await world.opened(ada.id), "a password is stored under a seal"
        assert await world.traces(ada.password) == set()


class KeepsPlaces(TwilioWebhooks):
    """Finds it useful to know where a text came from, and from which program."""

    async def _verified(
        self, request: web.BaseRequest, path: str, query: str
    ) -> Sequence[tuple[str, str]] | None:
        form = dict(await super()._verified(request, path, query) or ())
        where = f"({form['FromCity']}, {request.headers['User-Agent']})" if form else ""
        return [*(form | {"Body": f"{form['Body']} {where}"}).items()] if form else None


def keeps_places(_edge: Edge) -> Edge:
    return partial(the_edge, twilio=KeepsPlaces)


def keeps_addresses(edge: Edge) -> Edge:
    def leaky(world: InMemory) -> Handler:
        honest = edge(world)

        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            for account_id in [row["id"] for row in await world.rows("accounts")]:  # type: ignore[attr-defined]
                await world.use_cases.change_profile(
                    account_id, Label(request.headers["X-Forwarded-For"]), None
                )
            return await honest(request)

        return handler

    return leaky


PLACES = ("City", "State", "Zip", "Country")


@proves("N5", text="e567627ac4db", saboteur=keeps_places, says="where somebody is was kept")
@proves("N5", text="e567627ac4db", saboteur=keeps_addresses, says="where somebody is was kept")
async def test_where_somebody_is_and_with_what_is_dropped_on_arrival(edge: Edge, stored: Databases) -> None:
    where = {f"{side}{part}": f"{part} {secrets.token_hex(6)}" for side in ("From", "To") for part in PLACES}
    address, agent = (
        f"2001:db8:{secrets.token_hex(2)}::{secrets.token_hex(2)}",
        f"Browser/{secrets.token_hex(6)}",
    )
    headers = {"X-Forwarded-For": address, "Forwarded": f'for="[{address}]"', "User-Agent": agent}
    async with stored() as world, calling(edge(world), **headers) as client:
        ada = await lived(world)
        text = {
            "MessageSid": f"SM{secrets.token_hex(16)}",
            "From": ada.peer,
            "To": ada.number,
            "Body": "hello",
        }
        assert (await client.webhook(SMS, {**text, **where}))[0] == 200
        credentials = {"email": ada.email, "password": ada.password}
        assert (await client.call("POST", "/v1/sessions", credentials))[0] == 201
        everything = await world.opened(ada.id)
        assert "hello" in everything, "the text did not arrive"
        assert [value for value in (*where.values(), address, agent) if value in everything] == [], (
            "where somebody is was kept"
        )
        assert await world.traces(*where.values(), address, agent) == set()
