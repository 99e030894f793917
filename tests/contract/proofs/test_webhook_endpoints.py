"""What we keep of the addresses that an account wants to be called at, what they are told, and for how long we know."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest

from adapters.outbound.webhook_receivers.guard import Guard
from adapters.outbound.webhook_receivers.receivers import GuardedReceivers
from application.webhook_deliveries import DeliverWebhook
from domain.accounts import Account, InboundChoice
from domain.values import Label
from domain.webhook_deliveries import WebhookAnswer, WebhookDelivery
from domain.webhook_endpoints import WebhookEndpoint, WebhookUrl
from pico_testkit.contracts.webhook_receivers import CALL
from tests.contract.webhook_receivers.test_receivers import Names
from tests.support.actors import Person, with_line
from tests.support.harness import Anywhere, Databases, in_clear
from tests.support.proofs import proves
from tests.support.receiver import Receiver, is_signed
from tests.support.sabotage import keeping

URL = WebhookUrl("https://hooks.example.org/canary-of-the-address")
MOMENT, DAY = timedelta(microseconds=1), timedelta(days=1)


async def endpoint_of(ada: Person) -> WebhookEndpoint:
    added = await ada.world.use_cases.add_webhook_endpoint(ada.id, URL, frozenset(), "add")
    return added.endpoint


@proves(
    "C24", text="1e625fe58723", saboteur=in_clear("webhook_endpoints.url"), says="an address lies in clear"
)
@proves(
    "C24", text="1e625fe58723", saboteur=in_clear("webhook_endpoints.secret"), says="a secret lies in clear"
)
@proves(
    "C24",
    text="1e625fe58723",
    saboteur=in_clear("webhook_endpoints.former_secret"),
    says="a secret lies in clear",
)
async def test_addresses_and_secrets_lie_there_as_ciphertext(stored: Databases) -> None:
    async with stored() as world:
        ada = await with_line(world)
        former = (await endpoint_of(ada)).secret
        (listed,) = await world.use_cases.list_webhook_endpoints(ada.id)
        secret = (await world.use_cases.rotate_webhook_secret(ada.id, listed.id)).secret
        await world.settle()
        assert await world.traces(URL) == set(), "an address lies in clear"
        assert await world.traces(secret, former) == set(), "a secret lies in clear"
        row = await world.row("webhook_endpoints")
        assert (row["state"], row["kinds"], row["failing_since"]) == ("enabled", [], None)


class TellsMore(DeliverWebhook):
    """Says whom it happened to, too."""

    def said(self, delivery: WebhookDelivery) -> bytes:
        return json.dumps(json.loads(super().said(delivery)) | {"account": str(delivery.account_id)}).encode()


class TellsAllTheSame(DeliverWebhook):
    """Tells of an account that is frozen or deleted."""

    def may_be_told_of(self, account: Account) -> bool:
        return True


def tells_more(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, deliver_webhook=TellsMore)


def tells_all_the_same(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, deliver_webhook=TellsAllTheSame)


def signs_with_another(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, deliver_webhook=SignsAnotherBody)


class SignsAnotherBody(DeliverWebhook):
    """Says something else each time it is asked: what is signed is not what is sent."""

    def said(self, delivery: WebhookDelivery) -> bytes:
        delivery.subject = UUID(int=1)
        return Twice(super().said(delivery))


class Twice(bytes):
    """Bytes to which the signer sees something added."""

    def __radd__(self, before: bytes) -> bytes:
        return before + bytes(self) + b" "


@proves("H95", text="c2d915934619", saboteur=tells_more, says="a call says more than that something happened")
@proves("H95", text="c2d915934619", saboteur=signs_with_another, says="a call is not signed")
@proves("H95", text="c2d915934619", saboteur=tells_all_the_same, says="a frozen account's address was called")
async def test_a_call_says_what_happened_signed_and_only_of_an_account_in_use(anywhere: Anywhere) -> None:
    async with anywhere() as world:
        ada = await with_line(world)
        endpoint, calls = await endpoint_of(ada), world.webhook_receivers.calls
        await ada.receives("canary of a message")
        await world.settle()
        assert calls
        for _, call in calls:
            said = json.loads(call.body)
            assert said.keys() == {"type", "id", "timestamp", "data"}, (
                "a call says more than that something happened"
            )
            assert said["data"].keys() == {"id"}
            assert UUID(said["data"]["id"]).int
            headers = {
                "webhook-id": str(call.id),
                "webhook-timestamp": str(int(call.at.timestamp())),
                "webhook-signature": call.signatures,
            }
            assert is_signed(endpoint.secret, headers, call.body), "a call is not signed"
        before = len(calls)
        await world.use_cases.restrict_account(ada.id, InboundChoice.ACCEPTED)
        await world.use_cases.change_profile(ada.id, Label("Ada"), None)
        await world.settle()
        assert len(calls) == before, "a frozen account's address was called"
        await world.use_cases.lift_restriction(ada.id)
        await world.settle()
        before = len(calls)
        await ada.deletes_account()
        await world.advance(DAY)
        assert len(calls) == before, "a deleted account's address was called"


Guarding = Callable[[], Guard]


@pytest.fixture
def guarding() -> Guarding:
    return Guard


class Blind(Guard):
    """Lets anybody through."""

    def must_be_public(self, address: str) -> None:
        _ = address


def lets_all_through(_: Guarding) -> Guarding:
    return Blind


@proves("H95", text="c2d915934619", saboteur=lets_all_through, says="something inside our network was called")
async def test_only_public_addresses_are_called(guarding: Guarding) -> None:
    receiver = Receiver()
    names = Names(inside=[["127.0.0.1"]], mapped=[["::ffff:127.0.0.1"]], metadata=[["169.254.169.254"]])
    async with (
        receiver.running(),
        GuardedReceivers.opened(guarding(), resolver=names, tls=False, seconds=0.5) as receivers,
    ):
        for name in names.names:
            url = WebhookUrl.parse(f"https://{name}.example:{receiver.port}/")
            assert await receivers.call(url, CALL) is WebhookAnswer.FORBIDDEN, (
                "something inside our network was called"
            )
    assert receiver.heard == []


def keeps_them_for_a_month(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, retention=keeping(webhook_delivery=30 * DAY))


def forgets_them_at_once(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, retention=keeping(webhook_delivery=timedelta(minutes=1)))


@proves(
    "T14", text="06d167677cce", saboteur=keeps_them_for_a_month, says="what was told is kept for too long"
)
@proves("T14", text="06d167677cce", saboteur=forgets_them_at_once, says="what was told was forgotten early")
async def test_what_was_told_is_known_for_seven_days(anywhere: Anywhere) -> None:
    async with anywhere() as world:
        ada = await world.signed_up("ada")
        endpoint = await endpoint_of(ada)
        await world.use_cases.change_profile(ada.id, Label("Ada"), None)
        await world.settle()
        await world.advance(7 * DAY - MOMENT)
        listed = await world.use_cases.list_webhook_deliveries(ada.id, endpoint.id, None, 9)
        assert [each.answer for each in listed] == [WebhookAnswer.SUCCESS], (
            "what was told was forgotten early"
        )
        await world.advance(MOMENT)
        assert (await world.store.count_rows(ada.id))["webhook_deliveries"] == 0, (
            "what was told is kept for too long"
        )


def notes_the_answer(stored: Databases) -> Databases:
    return partial(stored, sql="ALTER TABLE webhook_deliveries ADD COLUMN said bytea")


@proves("T14", text="06d167677cce", saboteur=notes_the_answer, says="more is kept than what became of it")
async def test_of_an_answer_its_class_is_kept_and_nothing_else(stored: Databases) -> None:
    async with stored() as world:
        ada = await world.signed_up("ada")
        await endpoint_of(ada)
        await world.use_cases.change_profile(ada.id, Label("Ada"), None)
        await world.settle()
        row = await world.row("webhook_deliveries")
        assert set(row.keys()) == {
            "account_id", "id", "endpoint_id", "kind", "subject", "at", "state", "attempts", "answer", "tried_at",
            "version",
        }, "more is kept than what became of it"  # fmt: skip
        assert (row["state"], row["attempts"], row["answer"]) == ("delivered", 1, "2xx")
