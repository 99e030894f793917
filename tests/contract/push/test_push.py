"""The push services under their one contract, and what each is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime

import pytest
from aiohttp import ClientSession, web
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from adapters.inbound.http.server import serving
from adapters.outbound.memory.push import MemoryPush
from adapters.outbound.push.apns import Apns, ProviderKey
from adapters.outbound.push.by_platform import PushByPlatform
from adapters.outbound.push.fcm import Fcm, FirebaseProject
from adapters.outbound.push.http1 import Http1
from adapters.outbound.push.simulator import PushSimulator
from application.ports.push import Push, PushRefused, PushTokenGone, PushUnavailable
from domain.push import DeviceToken, Platform
from pico_testkit.contracts.push import DEVICE, LONG_AGO, OTHER, PushContract

GOOGLE = rsa.generate_private_key(65537, 2048)
APPLE = ec.generate_private_key(ec.SECP256R1())


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class TestMemoryPush(PushContract):
    @pytest.fixture
    def push(self) -> MemoryPush:
        return MemoryPush()

    @pytest.fixture
    def woken(self, push: MemoryPush) -> Callable[[], list[str]]:
        return lambda: [str(token) for _, token in push.woken]

    @pytest.fixture
    def outage(self, push: MemoryPush) -> Callable[[], None]:
        return lambda: setattr(push, "outage", True)

    @pytest.fixture
    def refusing(self, push: MemoryPush) -> Callable[[], None]:
        return lambda: setattr(push, "refusing", True)

    @pytest.fixture
    def gone(self, push: MemoryPush) -> Callable[[DeviceToken, datetime], None]:
        return lambda token, at: push.gone.update({token: at})

    @pytest.fixture
    def without(self) -> Push:
        return MemoryPush(frozenset())


class Simulated(PushContract):
    """Both adapters over the simulator of the services."""

    @pytest.fixture
    def simulator(self) -> PushSimulator:
        return PushSimulator(GOOGLE.public_key(), APPLE.public_key())

    @pytest.fixture
    async def url(self, simulator: PushSimulator) -> AsyncIterator[str]:
        async with simulator.running() as url:
            yield url

    @pytest.fixture
    async def session(self) -> AsyncIterator[ClientSession]:
        async with ClientSession() as session:
            yield session

    @pytest.fixture
    def woken(self, simulator: PushSimulator) -> Callable[[], list[str]]:
        return lambda: [token for _, token in simulator.woken]

    @pytest.fixture
    def outage(self, simulator: PushSimulator) -> Callable[[], None]:
        return lambda: setattr(simulator, "outage", True)

    @pytest.fixture
    def refusing(self, simulator: PushSimulator) -> Callable[[], None]:
        return lambda: setattr(simulator, "refusing", True)

    @pytest.fixture
    def gone(self, simulator: PushSimulator) -> Callable[[DeviceToken, datetime], None]:
        return lambda token, at: simulator.gone.update({token: int(at.timestamp() * 1000)})

    @pytest.fixture
    def without(self) -> Push:
        return PushByPlatform()

    async def test_nobody_who_does_not_listen_is_waited_for(self, push: Push, url: str) -> None:
        (wake,) = push.services.values()  # type: ignore[attr-defined]
        wake.url = "http://127.0.0.1:1"
        with pytest.raises(PushUnavailable):
            await wake(DEVICE)


class TestFcm(Simulated):
    @pytest.fixture
    def push(self, session: ClientSession, url: str) -> Push:
        account = FirebaseProject("pico", "pico@pico.iam.example", pem(GOOGLE), f"{url}/token")
        return PushByPlatform({Platform.ANDROID: Fcm(session, account, url)})

    async def test_all_that_is_said_is_that_there_is_something(
        self, push: Push, simulator: PushSimulator
    ) -> None:
        await push.wake(Platform.ANDROID, DEVICE)
        await push.wake(Platform.ANDROID, OTHER)
        first, second = simulator.payloads
        assert first == second
        assert first["data"] == {"k": "sync"}
        assert "notification" not in first
        assert simulator.exchanges == 1, "an access token is good for an hour"

    async def test_a_key_that_google_does_not_know_is_our_fault(
        self, session: ClientSession, url: str
    ) -> None:
        stranger = pem(rsa.generate_private_key(65537, 2048))
        fcm = Fcm(session, FirebaseProject("pico", "pico@pico.iam.example", stranger, f"{url}/token"), url)
        with pytest.raises(PushRefused):
            await fcm(DEVICE)

    async def test_an_access_token_that_comes_in_pieces_is_one(self, session: ClientSession) -> None:
        said = [b'{"access_to', b'ken": "a", "expires_in": 3600}']

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            for piece in said if request.path == "/token" else [b"{}"]:
                await response.write(piece)
                await asyncio.sleep(0.01)
            return response

        async with serving(answer, "127.0.0.1", 0) as port:
            here = f"http://127.0.0.1:{port}"
            account = FirebaseProject("pico", "pico@pico.iam.example", pem(GOOGLE), f"{here}/token")
            await Fcm(session, account, here)(DEVICE)


class TestApns(Simulated):
    @pytest.fixture
    def push(self, session: ClientSession, url: str) -> Push:
        key = ProviderKey("TEAM123456", "KEY1234567", pem(APPLE), "io.callpico.app")
        return PushByPlatform(
            {Platform.IOS: Apns(Http1(session), key, f"{url}/production", f"{url}/development")}
        )

    async def test_all_that_is_said_is_a_fixed_text(self, push: Push, simulator: PushSimulator) -> None:
        await push.wake(Platform.IOS, DEVICE)
        await push.wake(Platform.IOS, OTHER)
        first, second = simulator.payloads
        assert first == second == {"aps": {"alert": {"body": "New activity"}, "mutable-content": 1}}

    async def test_a_developers_device_is_found_at_the_other_host(
        self, push: Push, simulator: PushSimulator
    ) -> None:
        simulator.development.add(DEVICE)
        await push.wake(Platform.IOS, DEVICE)
        assert simulator.woken == [("apns", DEVICE)]

    async def test_it_says_since_when_a_token_is_over(self, push: Push, simulator: PushSimulator) -> None:
        simulator.gone[DEVICE] = int(LONG_AGO.timestamp() * 1000)
        with pytest.raises(PushTokenGone) as gone:
            await push.wake(Platform.IOS, DEVICE)
        assert gone.value.at == LONG_AGO

    async def test_a_key_that_apple_does_not_know_is_our_fault(
        self, session: ClientSession, url: str
    ) -> None:
        stranger = pem(ec.generate_private_key(ec.SECP256R1()))
        apns = Apns(
            Http1(session), ProviderKey("TEAM123456", "KEY1234567", stranger, "io.callpico.app"),
            f"{url}/production", f"{url}/development",
        )  # fmt: skip
        with pytest.raises(PushRefused):
            await apns(DEVICE)
