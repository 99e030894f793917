"""What we keep of devices that are woken, and what those who wake them see."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from itertools import count

import pytest
from aiohttp import ClientSession
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from adapters.google_access import GoogleAccount
from adapters.outbound.push.apns import Answered, Apns, ProviderKey
from adapters.outbound.push.by_platform import PushByPlatform
from adapters.outbound.push.fcm import Fcm, FirebaseProject
from adapters.outbound.push.http2 import HttpxHttp2, over_http2
from adapters.outbound.push.simulator import PushSimulator
from application.ports.push import Push
from application.ports.store import Tx
from application.push import RegisterPushToken
from application.sessions import Caller, SignedIn, SignOut
from domain.kernel import AccountId, SessionId
from domain.push import DeviceToken, Platform, PushTokenId
from pico_testkit import InMemory
from tests.support.actors import PASSWORD, with_line
from tests.support.harness import Databases, in_clear
from tests.support.proofs import proves

GOOGLE, APPLE = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())


class LeavesTheToken(SignOut):
    """Revokes the session, and has its device woken all the same."""

    async def __call__(self, account_id: AccountId, session_id: SessionId) -> None:
        async def change(tx: Tx) -> None:
            session = await tx.sessions.get(session_id)
            session.revoke(self.clock.now())
            tx.save(session)

        await self.store.update(account_id, change)


class LeavesItToTheOther(RegisterPushToken):
    """Does not take a device from whoever had it before."""

    async def _forget(self, account_id: AccountId, token_id: PushTokenId) -> None:
        async def change(tx: Tx) -> None:
            (await tx.push_tokens.get(token_id)).token = DeviceToken("another device of theirs")

        await self.store.update(account_id, change)
        await self.store._database.execute("DELETE FROM directory WHERE subject_id = $1", token_id)  # type: ignore[attr-defined]


def leaves_the_token(stored: Databases) -> Databases:
    return partial(stored, sign_out=LeavesTheToken)


def leaves_it_to_the_other(stored: Databases) -> Databases:
    return partial(stored, register_push_token=LeavesItToTheOther)


def caller(of: SignedIn) -> Caller:
    return Caller(of.session.account_id, of.session.id)


@proves("C12", text="cf157f828194", saboteur=in_clear("push_tokens.token"), says="a push token lies in clear")
@proves(
    "C12", text="cf157f828194", saboteur=leaves_the_token, says="a device is woken after it was signed out"
)
@proves(
    "C12", text="cf157f828194", saboteur=leaves_it_to_the_other, says="a device is woken for two accounts"
)
async def test_a_device_is_woken_for_one_account_until_it_is_signed_out(stored: Databases) -> None:
    async with stored() as world:
        ada, ben = await with_line(world), await with_line(world, "ben", "+12025550144")
        device = DeviceToken(secrets.token_hex(32))
        register = world.use_cases.register_push_token
        await register(caller(ada.signed_in), Platform.IOS, device)
        assert await world.traces(device) == set(), "a push token lies in clear"
        await register(caller(ben.signed_in), Platform.IOS, device)
        for person in (ada, ben):
            await person.receives("hello")
        await world.settle()
        assert len(world.push.woken) == 1, "a device is woken for two accounts"
        again = await world.use_cases.sign_in(ben.email, PASSWORD)
        await world.use_cases.sign_out(ben.id, ben.signed_in.session.id)
        assert await world.rows("push_tokens") == [], "a device is woken after it was signed out"
        await register(caller(again), Platform.IOS, device)
        world.push.gone = {device: None}
        await ben.receives("hello")
        await world.settle()
        assert await world.rows("push_tokens") == [], "a token that is over stays"


Pushing = Callable[..., AbstractAsyncContextManager[tuple[Push, PushSimulator]]]


@pytest.fixture
def pushing() -> Pushing:
    """Open the adapters for both services over the simulator of them."""

    @asynccontextmanager
    async def opened(http: type[HttpxHttp2] = HttpxHttp2) -> AsyncIterator[tuple[Push, PushSimulator]]:
        simulator = PushSimulator(GOOGLE.public_key(), APPLE.public_key())
        google, apple = (
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
            for key in (GOOGLE, APPLE)
        )
        async with simulator.running() as services, ClientSession() as session, over_http2() as carries:
            url = services.google
            fcm = Fcm(
                session,
                FirebaseProject("pico", GoogleAccount("pico@example.com", google, f"{url}/token")),
                url,
            )
            key = ProviderKey("TEAM123456", "KEY1234567", apple, "io.callpico.app")
            apns = Apns(http(carries.client), key, services.apple, services.apple_development)
            yield PushByPlatform({Platform.ANDROID: fcm, Platform.IOS: apns}), simulator

    return opened


class NumbersThem(HttpxHttp2):
    """Tells more with each push."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answered:
        return await super().post(url, headers, b'{"aps": {"alert": {"body": "%d"}}}' % next(NUMBERS))


NUMBERS = count()


def numbers_what_came(pushing: Pushing) -> Pushing:
    return partial(pushing, http=NumbersThem)


@proves(
    "S7",
    text="be8fed0300b7",
    saboteur=numbers_what_came,
    says="a push tells more than that there is something",
)
async def test_those_who_wake_a_device_see_nothing_but_that(pushing: Pushing) -> None:
    async with pushing() as (push, simulator):
        world = InMemory(push=push)
        ada = await with_line(world)
        again = await world.use_cases.sign_in(ada.email, PASSWORD)
        ios, android = DeviceToken("a1" * 32), DeviceToken("b2" * 32)
        await world.use_cases.register_push_token(caller(ada.signed_in), Platform.IOS, ios)
        await world.use_cases.register_push_token(caller(again), Platform.ANDROID, android)
        for sender in ("+13105550178", "+13105550179"):
            await ada.receives(f"secret {sender}", sender)
        await world.settle()
        assert sorted(simulator.woken) == [("apns", ios)] * 2 + [("fcm", android)] * 2
        said = {str(payload) for payload in simulator.payloads}
        assert len(said) == 2, "a push tells more than that there is something"
