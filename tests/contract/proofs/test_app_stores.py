"""What app stores are told of a person, and what they are believed."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from aiohttp import ClientSession, web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, generate_private_key
from typing_extensions import override

from adapters.inbound.http_io import Webhooks
from adapters.inbound.webhooks.app_store import App, AppleSignature, AppStoreWebhooks, roots_of
from adapters.inbound.webhooks.google_play import GooglePlayWebhooks, PushToken
from adapters.outbound.memory.system import HandClock
from adapters.outbound.stores import google
from adapters.outbound.stores.apple import hint_of
from adapters.outbound.stores.google_keys import GoogleKeys
from adapters.outbound.stores.simulator import AppStoreSimulator, Authority, GooglePlaySimulator
from application.store_purchases import ReadBuyerToken
from application.use_cases import UseCases
from domain.billing import BuyerToken, SubscriptionState
from domain.kernel import AccountId
from tests.contract.payments.store_shop import (
    AUDIENCE,
    BUNDLE,
    ORIGINAL,
    PRODUCT,
    PUSH_ACCOUNT,
    selling,
    selling_at_google,
)
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
@proves("S9", text="929c6358e6d0", saboteur=names_the_account, says="the token names the account")
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


@proves("H104", text="5e0c2662a2f8", saboteur=believes_anybody, says="anybody's word counts")
@proves("H104", text="5e0c2662a2f8", saboteur=believes_old_copies, says="an old copy counts")
@proves("H104", text="5e0c2662a2f8", saboteur=believes_of_any_app, says="what is said of another app counts")
async def test_apple_is_believed_what_it_signed_for_this_app_and_lately_and_then_it_is_asked(
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


class OfAnybody(PushToken):
    """Believes a token by whoever signed it."""

    @override
    async def is_good(self, authorization: str) -> bool:
        self._key_of = anybodys
        return await super().is_good(authorization)


async def anybodys(key_id: str) -> RSAPublicKey:
    """Return the key by which the stranger of the test signs."""
    return STRANGER.public_key()


class ForAnybody(PushToken):
    """Believes a token for whomever it is."""

    @override
    def _is_ours(self, claims: Mapping[str, Any]) -> bool:
        return super()._is_ours({**claims, "aud": AUDIENCE})


class AtAnyTime(PushToken):
    """Believes a token that was signed long ago."""

    @override
    def _is_ours(self, claims: Mapping[str, Any]) -> bool:
        now = int(self._now().timestamp())
        return super()._is_ours({**claims, "iat": now, "exp": now + 1})


class OfAnyApp(GooglePlayWebhooks):
    """Believes what is said of any app."""

    @override
    async def _take(self, authorization: str, raw: bytes) -> web.Response:
        self._package = json.loads(b64decode(json.loads(raw)["message"]["data"]))["packageName"]
        return await super()._take(authorization, raw)


STRANGER = generate_private_key(65537, 2048)


@dataclass(frozen=True)
class PlayParts:
    """What the endpoint that Google calls is made of."""

    token: type[PushToken] = PushToken
    webhooks: type[GooglePlayWebhooks] = GooglePlayWebhooks

    def __call__(
        self, use_cases: UseCases, _: GooglePlaySimulator, session: ClientSession, url: str, clock: HandClock
    ) -> Webhooks:
        keys = GoogleKeys(session, f"{url}/oauth2/v3/certs", lambda: clock.now().timestamp())
        token = self.token(AUDIENCE, PUSH_ACCOUNT, keys, clock.now)
        return self.webhooks(use_cases, token, BUNDLE, google.hint_of)


@pytest.fixture
def play_parts() -> PlayParts:
    return PlayParts()


def believes_tokens_of_anybody(parts: PlayParts) -> PlayParts:
    return replace(parts, token=OfAnybody)


def believes_tokens_for_anybody(parts: PlayParts) -> PlayParts:
    return replace(parts, token=ForAnybody)


def believes_old_tokens(parts: PlayParts) -> PlayParts:
    return replace(parts, token=AtAnyTime)


def believes_google_of_any_app(parts: PlayParts) -> PlayParts:
    return replace(parts, webhooks=OfAnyApp)


@proves("H105", text="003afb2347fa", saboteur=believes_tokens_of_anybody, says="anybody's token counts")
@proves("H105", text="003afb2347fa", saboteur=believes_tokens_for_anybody, says="a token for others counts")
@proves("H105", text="003afb2347fa", saboteur=believes_old_tokens, says="an old token counts")
@proves("H105", text="003afb2347fa", saboteur=believes_google_of_any_app, says="another app's word counts")
async def test_google_is_believed_that_something_happened_to_our_app_and_then_it_is_asked(
    play_parts: PlayParts,
) -> None:
    async with selling_at_google(play_parts) as shop:
        play = shop.google
        shop.buy(await shop.buyer())
        honest, play.signing_key = play.signing_key, STRANGER
        by_a_stranger = play.authorization()
        play.signing_key = honest
        told = shop.told()
        assert await shop.tell(told, {"Authorization": by_a_stranger}) == 403, "anybody's token counts"
        for_others = {"Authorization": play.authorization(aud="https://other.example")}
        assert await shop.tell(told, for_others) == 403, "a token for others counts"
        old = shop.headers
        shop.clock.advance(timedelta(hours=2))
        assert await shop.tell(told, old) == 403, "an old token counts"
        play.package = "other.app"
        assert await shop.tell(shop.told()) == 403, "another app's word counts"
        play.package = BUNDLE
        assert play.asked == 0
        shop.buy(await shop.buyer(), SubscriptionState.ENDED)
        assert await shop.tell(told) == 204
        assert await shop.lines() == 0, "what was told is believed, and nobody asked"
        assert play.asked > 0
