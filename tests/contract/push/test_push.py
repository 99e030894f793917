"""The push services under their one contract, and what each is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from datetime import datetime

import pytest
from aiohttp import ClientError, ClientSession, web
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from adapters.google_access import GoogleAccount
from adapters.inbound.http.server import serving
from adapters.outbound.memory.push import MemoryPush
from adapters.outbound.push.apns import Apns, ProviderKey
from adapters.outbound.push.by_platform import PushByPlatform
from adapters.outbound.push.fcm import Fcm, FirebaseProject
from adapters.outbound.push.http2 import HttpxHttp2, over_http2
from adapters.outbound.push.simulator import PushSimulator, Services
from adapters.outbound.push.simulator.http2 import serving_http2
from application.ports.push import Push, PushRefused, PushTokenGone, PushUnavailable
from domain.push import DeviceToken, Platform
from pico_testkit.contracts.push import DEVICE, LONG_AGO, OTHER, PushContract
from tests.support.keys import pem

GOOGLE = rsa.generate_private_key(65537, 2048)
APPLE = ec.generate_private_key(ec.SECP256R1())


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
    async def services(self, simulator: PushSimulator) -> AsyncIterator[Services]:
        async with simulator.running() as services:
            yield services

    @pytest.fixture
    def url(self, services: Services) -> str:
        return services.google

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

    async def test_nobody_who_does_not_listen_is_waited_for(self, push: Push) -> None:
        (wake,) = push.services.values()  # type: ignore[attr-defined]
        wake.url = "http://127.0.0.1:1"
        with pytest.raises(PushUnavailable):
            await wake(DEVICE)


class TestFcm(Simulated):
    @pytest.fixture
    def push(self, session: ClientSession, url: str) -> Push:
        account = FirebaseProject("pico", GoogleAccount("pico@pico.iam.example", pem(GOOGLE), f"{url}/token"))
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
        fcm = Fcm(
            session,
            FirebaseProject("pico", GoogleAccount("pico@pico.iam.example", stranger, f"{url}/token")),
            url,
        )
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
            account = FirebaseProject(
                "pico", GoogleAccount("pico@pico.iam.example", pem(GOOGLE), f"{here}/token")
            )
            await Fcm(session, account, here)(DEVICE)


class TestApns(Simulated):
    @pytest.fixture
    async def http(self) -> AsyncIterator[HttpxHttp2]:
        async with over_http2() as http:
            yield http

    @pytest.fixture
    def push(self, http: HttpxHttp2, services: Services) -> Push:
        key = ProviderKey("TEAM123456", "KEY1234567", pem(APPLE), "io.callpico.app")
        return PushByPlatform({Platform.IOS: Apns(http, key, services.apple, services.apple_development)})

    async def test_apple_speaks_http_2_and_nothing_else(
        self, session: ClientSession, http: HttpxHttp2, services: Services
    ) -> None:
        assert (
            await http.post(f"{services.apple}/3/device/x", {"authorization": "a.b.c"}, b"{}")
        ).status == 403
        with pytest.raises(ClientError):
            await session.post(f"{services.apple}/3/device/x")

    async def test_many_devices_are_woken_at_once_over_one_connection(
        self, push: Push, simulator: PushSimulator
    ) -> None:
        devices = [DeviceToken(f"{number:064x}") for number in range(200)]
        await asyncio.gather(*(push.wake(Platform.IOS, device) for device in devices))
        assert sorted(simulator.woken) == [("apns", device) for device in devices]
        assert simulator.holdings() == {"apns": 200, "fcm": 0}
        assert simulator.connections == 1

    async def test_an_answer_without_end_is_no_answer(self, http: HttpxHttp2) -> None:
        async with serving_http2(lambda *_: (400, b"x" * 16_000)) as url:
            with pytest.raises(OSError, match=r"^$"):
                await http.post(f"{url}/3/device/{DEVICE}", {}, b"{}")

    async def test_no_error_and_no_log_names_the_device(
        self, http: HttpxHttp2, services: Services, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        await http.post(f"{services.apple}/3/device/{DEVICE}", {"authorization": "a.b.c"}, b"{}")
        with pytest.raises(OSError, match=r"^$") as raised:
            await http.post(f"http://127.0.0.1:1/3/device/{DEVICE}", {}, b"{}")
        assert (raised.value.__cause__, raised.value.__suppress_context__) == (None, True)
        assert str(DEVICE) not in caplog.text

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
        assert [*simulator.woken] == [("apns", DEVICE)]

    async def test_it_says_since_when_a_token_is_over(self, push: Push, simulator: PushSimulator) -> None:
        simulator.gone[DEVICE] = int(LONG_AGO.timestamp() * 1000)
        with pytest.raises(PushTokenGone) as gone:
            await push.wake(Platform.IOS, DEVICE)
        assert gone.value.at == LONG_AGO

    async def test_a_key_that_apple_does_not_know_is_our_fault(
        self, http: HttpxHttp2, services: Services
    ) -> None:
        stranger = pem(ec.generate_private_key(ec.SECP256R1()))
        key = ProviderKey("TEAM123456", "KEY1234567", stranger, "io.callpico.app")
        apns = Apns(http, key, services.apple, services.apple_development)
        with pytest.raises(PushRefused):
            await apns(DEVICE)
