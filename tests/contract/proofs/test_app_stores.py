"""What app stores are told of a person, and what they are believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from cryptography import x509
from typing_extensions import override

from adapters.inbound.http_io import Webhooks
from adapters.inbound.webhooks.app_store import App, AppleSignature, AppStoreWebhooks, roots_of
from adapters.outbound.memory.system import HandClock
from adapters.outbound.stores.apple import hint_of
from adapters.outbound.stores.simulator import AppStoreSimulator, Authority
from application.store_purchases import ReadBuyerToken
from application.use_cases import UseCases
from domain.billing import BuyerToken
from domain.kernel import AccountId
from tests.contract.payments.test_app_store import BUNDLE, ORIGINAL, PRODUCT, selling
from tests.support.actors import PASSWORD, sign_up
from tests.support.harness import Databases, in_clear
from tests.support.proofs import proves


class NamesTheAccount(ReadBuyerToken):
    """Hands the account's id over."""

    @override
    async def __call__(self, account_id: AccountId) -> BuyerToken:
        return BuyerToken(str(account_id))


def names_the_account(stored: Databases) -> Databases:
    return partial(stored, read_buyer_token=NamesTheAccount)


@proves("C13", text="d6c37b0d4e27", saboteur=in_clear("subscriptions.buyer"), says="the token lies in clear")
@proves("S8", text="9882d9c4bdd3", saboteur=names_the_account, says="the token names the account")
async def test_a_store_knows_a_person_by_a_token_that_nobody_can_lead_back_once_they_are_gone(
    stored: Databases,
) -> None:
    async with stored() as world:
        ada, ben = await sign_up(world), await sign_up(world, "ben")
        token = await world.use_cases.read_buyer_token(ada.id)
        assert str(ada.id) not in token, "the token names the account"
        assert token != await world.use_cases.read_buyer_token(ben.id)
        assert await world.directory.buyer(token) == ada.id
        assert await world.traces(token) == set(), "the token lies in clear"
        await world.use_cases.delete_account(ada.id, PASSWORD)
        await world.advance(timedelta(days=31))
        assert await world.directory.buyer(token) is None, "somebody can still tell whose it was"
        assert await world.directory.buyer(await world.use_cases.read_buyer_token(ben.id)) == ben.id


class BelievesAnybody(AppleSignature):
    """Asks no certificate who issued it."""

    @override
    def _trusted(self, chain: Sequence[bytes]) -> x509.Certificate:
        return x509.load_der_x509_certificate(chain[0])


class Timeless(AppStoreWebhooks):
    """Believes what was signed long ago."""

    @override
    def _is_of_now(self, notification: Mapping[str, Any]) -> bool:
        return True


class AnyApps(App):
    """Believes what is said of any app."""

    @override
    def is_named(self, said: Mapping[str, Any]) -> bool:
        return True


@dataclass(frozen=True)
class Parts:
    """What the endpoint that Apple calls is made of."""

    signature: type[AppleSignature] = AppleSignature
    webhooks: type[AppStoreWebhooks] = AppStoreWebhooks
    app: type[App] = App

    def __call__(self, use_cases: UseCases, apple: AppStoreSimulator, clock: HandClock) -> Webhooks:
        signature = self.signature(roots_of(apple.authority.pem), clock.now)
        return self.webhooks(use_cases, signature, self.app(BUNDLE, "Production"), hint_of, clock.now)


@pytest.fixture
def parts() -> Parts:
    return Parts()


def believes_anybody(parts: Parts) -> Parts:
    return replace(parts, signature=BelievesAnybody)


def believes_old_copies(parts: Parts) -> Parts:
    return replace(parts, webhooks=Timeless)


def believes_of_any_app(parts: Parts) -> Parts:
    return replace(parts, app=AnyApps)


@proves("H104", text="71ab66d0f1fd", saboteur=believes_anybody, says="anybody's word counts")
@proves("H104", text="71ab66d0f1fd", saboteur=believes_old_copies, says="an old copy counts")
@proves("H104", text="71ab66d0f1fd", saboteur=believes_of_any_app, says="what is said of another app counts")
async def test_a_store_is_believed_what_it_signed_for_this_app_and_lately_and_then_it_is_asked(
    parts: Parts,
) -> None:
    async with selling(parts) as shop:
        apple = shop.apple
        apple.buy(ORIGINAL, await shop.buyer(), PRODUCT)
        honest, apple.authority = apple.authority, Authority.made(apple.now())
        assert await shop.tell(apple.notification(ORIGINAL)) == 403, "anybody's word counts"
        apple.authority = honest
        told, apple.bundle = apple.notification(ORIGINAL), "other.app"
        assert await shop.tell(apple.notification(ORIGINAL)) == 403, "what is said of another app counts"
        apple.bundle = BUNDLE
        shop.clock.advance(timedelta(days=9))
        assert await shop.tell(told) == 403, "an old copy counts"
        assert apple.asked == 0
        late = apple.notification(ORIGINAL)
        apple.buy(ORIGINAL, await shop.buyer(), PRODUCT, status=2)
        assert await shop.tell(late) == 204
        assert await shop.lines() == 0, "what was told is believed, and nobody asked"
        assert apple.asked > 0
