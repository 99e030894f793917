"""Calling webhook endpoints: in memory and over sockets under one contract, and what no receiver can bring about."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from time import monotonic
from uuid import UUID

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from typing_extensions import override

from adapters.outbound.memory.webhook_receivers import MemoryWebhookReceivers
from adapters.outbound.webhook_receivers.guard import Forbidden, Guard, GuardedResolver, PooledResolver
from adapters.outbound.webhook_receivers.receivers import GuardedReceivers
from application.ports.webhook_receivers import WebhookCall, WebhookReceivers, WebhookUrlRefused
from domain.webhook_deliveries import WebhookAnswer
from domain.webhook_endpoints import WebhookUrl
from pico_testkit.contracts.webhook_receivers import CALL, WebhookReceiversContract
from tests.support.receiver import Answer, Receiver, answers, hangs, hangs_up, never_ends, well

NOWHERE = WebhookUrl("https://inside.example/hook")
METADATA = "http://169.254.169.254/latest/meta-data/"
BEHAVIOURS: dict[WebhookAnswer, Answer] = {
    WebhookAnswer.SUCCESS: well,
    WebhookAnswer.REDIRECT: answers(302, Location=METADATA),
    WebhookAnswer.REFUSAL: answers(401),
    WebhookAnswer.GONE: answers(410),
    WebhookAnswer.ERROR: answers(503),
    WebhookAnswer.TIMEOUT: hangs,
    WebhookAnswer.UNREACHABLE: hangs_up,
}


class Names(AbstractResolver):
    """A name server whose answers change: each name's, in turn; the last one stays."""

    def __init__(self, **names: list[list[str]]) -> None:
        self.names, self.asked = names, 0

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked += 1
        turns = self.names.get(host.partition(".")[0])
        if turns is None:
            raise OSError
        addresses = turns.pop(0) if len(turns) > 1 else turns[0]
        return [
            ResolveResult(
                hostname=host, host=address, port=port, proto=0, flags=0,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
            )
            for address in addresses
        ]  # fmt: skip

    @override
    async def close(self) -> None: ...


class TestMemoryReceivers(WebhookReceiversContract):
    @pytest.fixture
    def receivers(self) -> MemoryWebhookReceivers:
        fake = MemoryWebhookReceivers()
        fake.refused.add(NOWHERE)
        return fake

    @pytest.fixture
    def url(self) -> WebhookUrl:
        return WebhookUrl("https://hooks.example.org/pico")

    @pytest.fixture
    def nowhere(self) -> WebhookUrl:
        return NOWHERE

    @pytest.fixture
    def answering(
        self, receivers: MemoryWebhookReceivers, url: WebhookUrl
    ) -> Callable[[WebhookAnswer], None]:
        return lambda answer: receivers.answers.update({url: answer})

    @pytest.fixture
    def heard(self, receivers: MemoryWebhookReceivers) -> Callable[[], list[WebhookCall]]:
        return lambda: [call for _, call in receivers.calls]


class TestGuardedReceivers(WebhookReceiversContract):
    """The real ones, over sockets, as a Sandbox has them."""

    @pytest.fixture
    async def receiver(self) -> AsyncIterator[Receiver]:
        receiver = Receiver()
        async with receiver.running():
            yield receiver

    @pytest.fixture
    async def receivers(self) -> AsyncIterator[WebhookReceivers]:
        names = Names(inside=[["10.0.0.1"]])
        async with GuardedReceivers.opened(Guard(loopback=True), resolver=names, seconds=0.5) as opened:
            yield opened

    @pytest.fixture
    def url(self, receiver: Receiver) -> WebhookUrl:
        return WebhookUrl.parse(f"http://127.0.0.1:{receiver.port}/hook?of=pico")

    @pytest.fixture
    def nowhere(self) -> WebhookUrl:
        return NOWHERE

    @pytest.fixture
    def answering(self, receiver: Receiver) -> Callable[[WebhookAnswer], None]:
        return lambda answer: setattr(receiver, "answer", BEHAVIOURS[answer])

    @pytest.fixture
    def heard(self, receiver: Receiver) -> Callable[[], list[WebhookCall]]:
        return lambda: [
            WebhookCall(
                id=UUID(headers["webhook-id"]), at=datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC),
                signatures=headers["webhook-signature"], body=body,
            )
            for headers, body in receiver.heard
        ]  # fmt: skip

    async def test_an_answer_without_end_is_cut_off_and_counts_by_its_status(
        self, receivers: WebhookReceivers, receiver: Receiver, url: WebhookUrl
    ) -> None:
        receiver.answer = never_ends
        began = monotonic()
        assert await receivers.call(url, CALL) is WebhookAnswer.SUCCESS
        assert monotonic() - began < 5

    async def test_no_cookie_and_nothing_of_an_answer_comes_back(
        self, receivers: WebhookReceivers, receiver: Receiver, url: WebhookUrl
    ) -> None:
        receiver.answer = answers(200, **{"Set-Cookie": "a=b; Path=/", "Content-Encoding": "gzip"})
        for _ in range(2):
            assert await receivers.call(url, CALL) is WebhookAnswer.SUCCESS
        headers = [said for said, _ in receiver.heard]
        assert not any("cookie" in said or "authorization" in said for said in headers)
        assert {said["content-type"] for said in headers} == {"application/json"}

    async def test_nobody_listens(self, receivers: WebhookReceivers) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        url = WebhookUrl.parse(f"http://127.0.0.1:{port}/")
        assert await receivers.call(url, CALL) is WebhookAnswer.UNREACHABLE


async def test_a_name_that_leads_elsewhere_after_it_was_checked_leads_nowhere() -> None:
    receiver = Receiver()
    async with receiver.running():
        url = WebhookUrl.parse(f"https://rebound.example:{receiver.port}/")
        names = Names(rebound=[["93.184.216.34"], ["127.0.0.1"]])
        async with GuardedReceivers.opened(Guard(), resolver=names) as receivers:
            await receivers.must_be_callable(url)
            assert await receivers.call(url, CALL) is WebhookAnswer.FORBIDDEN
        assert names.asked == 2
    assert receiver.heard == []


async def test_what_the_resolver_let_through_is_stopped_at_the_socket() -> None:
    receiver, names = Receiver(), Names(inside=[["127.0.0.1"]])
    async with receiver.running(), GuardedReceivers.opened(Guard(), resolver=names) as receivers:
        receivers._session.connector._resolver = names  # type: ignore[union-attr]
        url = WebhookUrl.parse(f"https://inside.example:{receiver.port}/")
        assert await receivers.call(url, CALL) is WebhookAnswer.FORBIDDEN
        assert names.asked == 1
    assert receiver.heard == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/", "https://localhost:8443/", "http://[::1]:8080/"])
async def test_this_machine_is_called_in_a_sandbox_alone(url: str) -> None:
    async with GuardedReceivers.opened(Guard(loopback=True)) as receivers:
        await receivers.must_be_callable(WebhookUrl.parse(url))
    async with GuardedReceivers.opened(Guard()) as receivers:
        with pytest.raises(WebhookUrlRefused):
            await receivers.must_be_callable(WebhookUrl.parse(url))
        assert await receivers.call(WebhookUrl(url), CALL) is WebhookAnswer.FORBIDDEN


async def test_an_address_that_was_never_checked_is_not_called() -> None:
    async with GuardedReceivers.opened(Guard(loopback=True)) as receivers:
        for url in (METADATA, "https://2130706433/", "file:///etc/passwd", ""):
            assert await receivers.call(WebhookUrl(url), CALL) is WebhookAnswer.FORBIDDEN


async def test_a_name_that_is_not_known_and_one_of_ours_are_refused_alike() -> None:
    async with GuardedReceivers.opened(Guard(), resolver=Names(inside=[["10.0.0.1"]])) as receivers:
        said = []
        for name in ("inside", "unknown"):
            with pytest.raises(WebhookUrlRefused) as refused:
                await receivers.must_be_callable(WebhookUrl.parse(f"https://{name}.example/"))
            said.append(str(refused.value))
    assert said[0] == said[1]


PRIVATE = [
    "0.0.0.0",  # noqa: S104 - nothing is bound
    "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.1.2.3", "169.254.169.254",
    "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:a9fe:a9fe", "64:ff9b::7f00:1",
    "64:ff9b:1::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0",
    "2606:4700::1111%eth0", "fec0::1", "ff02::1", "100::1",
    "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "1.2.3.4.5", "", "localhost", "inside",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_no_address_but_a_public_one_passes(address: str) -> None:
    with pytest.raises(Forbidden):
        Guard().must_be_public(address)


@pytest.mark.parametrize("address", [each for each in PRIVATE if each not in {"127.0.0.1", "::1"}])
def test_a_sandbox_reaches_this_machine_and_nothing_else(address: str) -> None:
    with pytest.raises(Forbidden):
        Guard(loopback=True).must_be_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700:4700::1111"])
def test_a_public_address_passes(address: str) -> None:
    Guard().must_be_public(address)


async def test_a_name_with_one_private_address_among_public_ones_leads_nowhere() -> None:
    names = GuardedResolver(Guard(), Names(mixed=[["8.8.8.8", "10.0.0.1"]]))
    with pytest.raises(Forbidden):
        await names.resolve("mixed.example")


def test_a_receiver_can_be_told_to_do_anything() -> None:
    assert set(BEHAVIOURS) == set(WebhookAnswer) - {WebhookAnswer.FORBIDDEN}


async def test_the_systems_names_lead_to_this_machine_and_are_refused() -> None:
    resolver = PooledResolver()
    assert {each["host"] for each in await resolver.resolve("localhost", 443)} == {"127.0.0.1"}
    await resolver.close()
    guarded = GuardedResolver(Guard())
    with pytest.raises(Forbidden):
        await guarded.resolve("localhost", 443)
    await guarded.close()
