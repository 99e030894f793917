"""Who works for us: seen from the other side, in the real product before a simulated Twilio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pytest
from pydantic import SecretStr

from adapters.outbound.memory.carrier import MemoryCarrier
from adapters.outbound.twilio.numbers import TwilioNumbers
from application.line_purchase import CompletePurchase
from application.ports.numbers import AvailableNumber, NumberOrder
from bootstrap.container import NOTHING, Replaced
from bootstrap.settings import Settings
from bootstrap.worlds.sandbox import Sandbox
from domain.kernel import LineId
from domain.values import Capability, Country, Email, Label, Locale, MessageBody, Peer, PhoneNumber
from tests.contract.conftest import Postgres
from tests.support.actors import PASSWORD, STRANGER
from tests.support.proofs import proves


class Product(Protocol):
    """Runs the product as it is wired for use. A saboteur hands over a `partial` of it."""

    def __call__(self, *, replaced: Replaced = ...) -> AbstractAsyncContextManager[Sandbox]: ...


@pytest.fixture
def product(postgres: Postgres, tmp_path: Path) -> Product:
    @asynccontextmanager
    async def running(*, replaced: Replaced = NOTHING) -> AsyncIterator[Sandbox]:
        settings = Settings(
            port=0, state_dir=tmp_path, database_url=SecretStr(await postgres.database("product")),
            keyring_url=SecretStr(await postgres.bare("keyring")), public_url=None,
        )  # fmt: skip
        async with Sandbox.running(settings, replaced=replaced) as sandbox:
            yield sandbox

    return running


class SecondCarrier(MemoryCarrier):
    """Sells any number it is asked for."""

    async def order(self, number: PhoneNumber, line_id: LineId) -> NumberOrder:
        self.on_offer.append(AvailableNumber(number, Country("US"), frozenset(Capability)))
        return await super().order(number, line_id)


def buys_elsewhere(**given: Any) -> CompletePurchase:
    return CompletePurchase(**given | {"numbers": SecondCarrier(given["clock"].now)})


def has_a_second_carrier(product: Product) -> Product:
    return partial(product, replaced={"complete_purchase": buys_elsewhere})


@proves("S1", text="33961980e998", saboteur=has_a_second_carrier, says="the number was bought elsewhere")
async def test_numbers_and_messages_are_carried_by_twilio_and_nobody_else(product: Product) -> None:
    async with product() as sandbox:
        use_cases, email = sandbox.use_cases, Email("ada@example.org")
        await use_cases.sign_up(email, PASSWORD, Label("Ada"), Locale("en"))
        (mail,) = await until(sandbox.mails)
        me = (await use_cases.verify_account(mail["token"], PASSWORD)).session.account_id
        offer, *_ = await use_cases.search_numbers(Country("US"), None, None, frozenset())
        line = await use_cases.buy_line(me, offer.number, offer.country, None, "buy")
        held = sandbox.simulator.holdings
        assert line.number in str(held()), "the number was bought elsewhere"
        await use_cases.send_message(me, line.id, STRANGER, MessageBody("to somebody"), "send")
        await until(lambda: seen("to somebody", str(held())))
        await sandbox.sms(STRANGER, line.number, "from somebody")
        (conversation,) = (await use_cases.list_conversations(me, None, None, 9)).items
        assert conversation.peer == Peer(STRANGER)
        given = [getattr(getattr(use_cases, field.name), "numbers", None) for field in fields(use_cases)]
        assert {type(numbers) for numbers in given if numbers} == {TwilioNumbers}


async def seen(what: str, where: str) -> bool:
    return what in where


async def until(look: Callable[[], Any]) -> Any:
    """Look until there is something to see."""
    async with asyncio.timeout(10):
        while True:
            if found := await look():
                return found
            await asyncio.sleep(0.01)
