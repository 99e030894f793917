"""Webhook endpoints: which addresses there can be, how calls are signed, and when they are tried again."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.ports.jobs import DELIVER_WEBHOOK
from application.ports.mail import MailKind
from application.ports.webhook_receivers import WebhookUrlRefused
from application.webhook_deliveries import CallsUnderWay, WebhookBusy
from domain.accounts import InboundChoice
from domain.kernel import NotFound
from domain.live_kinds import LiveKind
from domain.values import Label
from domain.webhook_deliveries import WebhookAnswer, WebhookDeliveryState
from domain.webhook_endpoints import (
    MOST_ENDPOINTS,
    InvalidWebhookUrl,
    TooManyEndpoints,
    WebhookEndpoint,
    WebhookState,
    WebhookUrl,
)
from pico_testkit import InMemory
from tests.support.actors import Person, with_line
from tests.support.receiver import is_signed

URL = WebhookUrl.parse("https://hooks.example.org/pico")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.org", "https://hooks.example.org/", "https://Hooks.Example.ORG:443/a/b?c=d&e=%20",
        "https://a.b:8443/x", "https://xn--bcher-kva.example/", "https://hooks.example.org?x",
        "http://127.0.0.1:8000/hook", "http://localhost:8000/", "http://[::1]:8000/", "https://localhost:8443/",
    ],
)  # fmt: skip
def test_an_address_is_taken_to_the_letter(url: str) -> None:
    assert WebhookUrl.parse(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "", "https://", "hooks.example.org", "ftp://hooks.example.org/", "http://hooks.example.org/",
        "HTTPS://hooks.example.org/", "//hooks.example.org", "https:/hooks.example.org", "javascript:alert(1)",
        "https://user@hooks.example.org/", "https://user:word@hooks.example.org/", "https://@hooks.example.org/",
        "https://8.8.8.8/", "https://127.0.0.1:22/", "http://127.0.0.1/", "https://2130706433/", "https://0x7f000001/",
        "https://0177.0.0.1/", "https://127.1/", "https://0/", "https://1.1/", "https://a.0x7f/", "https://a.1/",
        "https://127.0.0.2:8443/", "http://127.1:8000/", "http://127.0.0.1.:8000/",
        "https://[::]/", "https://[::ffff:127.0.0.1]/", "https://[fe80::1%25eth0]/", "https://[::1%25lo]:8443/",
        "https://hooks/", "https://hooks.example.org./", "https://.example.org/", "https://a..b/", "https://-a.b/",
        "https://a-.b/", "https://hooks.example.org:/", "https://hooks.example.org:22/", "https://hooks.example.org:80/",
        "https://hooks.example.org:65536/", "https://hooks.example.org:0443x/", "https://hooks.example.org/#there",
        "https://hooks.example.org/a b", "https://hooks.example.org/\\a", "https://hooks.example.org\\@evil.example/",
        "https://hooks.example.org\n", "https://hooks.example.org/\r\nHost: x", "https://hooks.example.org/\u05d0",
        "https://\u05d0.example/", "https://hooks\u3002example/", "https://hooks.example.org/\0",
        "https://1\u20e3.example/", "https://a.b/" + "x" * 2048,
    ],
)  # fmt: skip
def test_an_odd_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidWebhookUrl):
        WebhookUrl.parse(url)


@given(st.text(max_size=40))
def test_whatever_follows_a_host_cannot_change_it(text: str) -> None:
    try:
        url = WebhookUrl.parse("https://hooks.example.org" + text)
    except InvalidWebhookUrl:
        return
    assert url.isascii()
    host = re.split("[/?]", url.removeprefix("https://"))[0]
    assert re.fullmatch(r"hooks\.example\.org[A-Za-z0-9.-]*(:[0-9]+)?", host)


async def endpoint_of(ada: Person, *kinds: LiveKind, key: str = "one") -> WebhookEndpoint:
    added = await ada.world.use_cases.add_webhook_endpoint(ada.id, URL, frozenset(kinds), key)
    await ada.world.settle()
    return added.endpoint


async def happens(ada: Person) -> None:
    await ada.world.use_cases.change_profile(ada.id, Label("Ada"), None)


async def read(ada: Person, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    return await ada.world.use_cases.read_webhook_endpoint(ada.id, endpoint.id)


async def test_a_call_is_signed_as_a_receiver_checks_it_and_says_ids_only() -> None:
    world = InMemory()
    ada = await with_line(world)
    endpoint = await endpoint_of(ada, LiveKind.MESSAGE_RECEIVED)
    await ada.receives("canary: see you at noon")
    await happens(ada)
    await world.settle()
    ((url, call),) = world.webhook_receivers.calls
    said = json.loads(call.body)
    assert url == URL
    assert said.keys() == {"type", "id", "timestamp", "data"}
    assert (said["type"], said["id"], said["data"].keys()) == ("message.received", str(call.id), {"id"})
    assert said["timestamp"].endswith("Z")
    headers = {
        "webhook-id": str(call.id),
        "webhook-timestamp": str(int(call.at.timestamp())),
        "webhook-signature": call.signatures,
    }
    assert is_signed(endpoint.secret, headers, call.body)
    assert not is_signed(endpoint.secret, headers, call.body + b" ")
    assert not is_signed(endpoint.secret, headers | {"webhook-timestamp": "1"}, call.body)


async def test_for_a_day_both_secrets_sign_and_then_the_new_one_alone() -> None:
    world = InMemory()
    ada = await with_line(world)
    before = (await endpoint_of(ada)).secret
    after = await world.use_cases.rotate_webhook_secret(ada.id, (await read(ada, await endpoint_of(ada))).id)
    for wait, signed in ((timedelta(), 2), (DAY - HOUR, 2), (HOUR, 1)):
        await world.advance(wait)
        await happens(ada)
        await world.settle()
        _, call = world.webhook_receivers.calls[-1]
        headers = {
            "webhook-id": str(call.id),
            "webhook-timestamp": str(int(call.at.timestamp())),
            "webhook-signature": call.signatures,
        }
        assert len(call.signatures.split()) == signed
        assert is_signed(after.secret, headers, call.body)
        assert is_signed(before, headers, call.body) == (signed == 2)


async def test_what_is_not_taken_is_tried_again_under_the_same_id_for_a_day() -> None:
    world = InMemory()
    ada = await with_line(world)
    endpoint = await endpoint_of(ada)
    world.webhook_receivers.answers[URL] = WebhookAnswer.ERROR
    await happens(ada)
    for _ in range(80):  # a last wait of six hours and a quarter more may begin just before the day is over
        await world.advance(HOUR / 2)
    calls = [call for _, call in world.webhook_receivers.calls]
    assert 10 < len(calls) < 25
    assert len({(call.id, call.body) for call in calls}) == 1
    assert len({call.signatures for call in calls}) > 10, "each try is signed for its own time"
    (delivery,) = await world.use_cases.list_webhook_deliveries(ada.id, endpoint.id, None, 9)
    assert (delivery.state, delivery.answer) == (WebhookDeliveryState.FAILED, WebhookAnswer.ERROR)
    assert delivery.attempts == len(calls)
    assert (await read(ada, endpoint)).state is WebhookState.ENABLED
    assert await world.queue.all_of(DELIVER_WEBHOOK) == []


async def test_one_that_failed_for_days_is_switched_off_its_person_told_and_it_can_be_switched_on() -> None:
    world = InMemory()
    ada = await with_line(world)
    endpoint = await endpoint_of(ada)
    world.webhook_receivers.answers[URL] = WebhookAnswer.TIMEOUT
    for _ in range(5):
        await happens(ada)
        for _ in range(5):
            await world.advance(HOUR * 6)
    assert (await read(ada, endpoint)).state is WebhookState.FAILING
    assert [mail.kind for mail in world.mail.sent].count(MailKind.WEBHOOK_DISABLED) == 1
    await world.advance(DAY)
    before = len(world.webhook_receivers.calls)
    await happens(ada)
    await world.settle()
    assert len(world.webhook_receivers.calls) == before
    world.webhook_receivers.answers.clear()
    await world.use_cases.change_webhook_endpoint(ada.id, endpoint.id, None, None, enabled=True)
    await happens(ada)
    await world.settle()
    assert len(world.webhook_receivers.calls) == before + 1
    assert (await read(ada, endpoint)).failing_since is None


async def test_one_that_says_it_is_gone_is_switched_off_at_once() -> None:
    world = InMemory()
    ada = await with_line(world)
    endpoint = await endpoint_of(ada)
    world.webhook_receivers.answers[URL] = WebhookAnswer.GONE
    await happens(ada)
    await world.settle()
    assert (await read(ada, endpoint)).state is WebhookState.GONE
    assert [mail.kind for mail in world.mail.sent].count(MailKind.WEBHOOK_DISABLED) == 1


async def test_nothing_is_told_of_a_frozen_account_nor_later() -> None:
    world = InMemory()
    ada = await with_line(world)
    endpoint = await endpoint_of(ada)
    await world.use_cases.restrict_account(ada.id, InboundChoice.ACCEPTED)
    await ada.receives("hello")
    await world.settle()
    assert world.webhook_receivers.calls == []
    deliveries = await world.use_cases.list_webhook_deliveries(ada.id, endpoint.id, None, 9)
    assert {each.state for each in deliveries} == {WebhookDeliveryState.WITHHELD}


async def test_nothing_is_told_of_a_deleted_account() -> None:
    world = InMemory()
    ada = await with_line(world)
    await endpoint_of(ada)
    await ada.deletes_account()
    await world.advance(DAY)
    assert world.webhook_receivers.calls == []


async def test_signing_out_changes_nothing() -> None:
    world = InMemory()
    ada = await with_line(world)
    await endpoint_of(ada, LiveKind.SESSION_REVOKED)
    await world.use_cases.sign_out(ada.id, ada.signed_in.session.id)
    await world.settle()
    assert len(world.webhook_receivers.calls) == 1


async def test_there_are_few_and_one_key_adds_one() -> None:
    world = InMemory()
    ada = await with_line(world)
    first = await endpoint_of(ada, key="0")
    assert (await endpoint_of(ada, key="0")).id == first.id
    for number in range(1, MOST_ENDPOINTS):
        await endpoint_of(ada, key=str(number))
    with pytest.raises(TooManyEndpoints):
        await endpoint_of(ada, key="more")
    await world.use_cases.delete_webhook_endpoint(ada.id, first.id)
    await endpoint_of(ada, key="more")


async def test_an_address_nobody_may_be_called_at_is_neither_added_nor_changed_to() -> None:
    world = InMemory()
    ada = await with_line(world)
    endpoint = await endpoint_of(ada)
    inside = WebhookUrl.parse("https://inside.example/")
    world.webhook_receivers.refused.add(inside)
    with pytest.raises(WebhookUrlRefused):
        await world.use_cases.add_webhook_endpoint(ada.id, inside, frozenset(), "inside")
    with pytest.raises(WebhookUrlRefused):
        await world.use_cases.change_webhook_endpoint(ada.id, endpoint.id, inside, None, None)
    assert (await read(ada, endpoint)).url == URL


async def test_nobody_else_sees_or_changes_it() -> None:
    world = InMemory()
    ada, ben = await with_line(world), await with_line(world, "ben", "+12025550144")
    endpoint = await endpoint_of(ada)
    do = world.use_cases
    for act in (
        do.read_webhook_endpoint(ben.id, endpoint.id),
        do.change_webhook_endpoint(ben.id, endpoint.id, None, None, enabled=False),
        do.delete_webhook_endpoint(ben.id, endpoint.id),
        do.rotate_webhook_secret(ben.id, endpoint.id),
        do.try_webhook_endpoint(ben.id, endpoint.id),
        do.list_webhook_deliveries(ben.id, endpoint.id, None, 9),
    ):
        with pytest.raises(NotFound):
            await act


async def test_one_that_does_not_answer_is_called_once_at_a_time() -> None:
    world = InMemory()
    ada = await with_line(world)
    endpoint, under_way = await endpoint_of(ada), CallsUnderWay()
    endpoint.failing_since = world.clock.now()
    with under_way.one_more(endpoint), pytest.raises(WebhookBusy), under_way.one_more(endpoint):
        pass
    with under_way.one_more(endpoint):
        pass
    assert not under_way.to
