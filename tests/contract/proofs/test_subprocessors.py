"""Who works for us: seen from the other side, in the real product before a simulated Twilio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from pydantic import SecretStr

from adapters.outbound.memory.carrier import MemoryCarrier
from adapters.outbound.twilio.carrier import TwilioCarrier
from bootstrap.settings import Settings
from bootstrap.worlds.sandbox import Sandbox
from domain.values import Country, Email, Label, Locale, MessageBody, Peer
from tests.contract.conftest import Postgres
from tests.support.actors import PASSWORD, STRANGER
from tests.support.proofs import proves

Product: TypeAlias = Callable[[], AbstractAsyncContextManager[Sandbox]]


@pytest.fixture
def product(postgres: Postgres, tmp_path: Path) -> Product:
    """Runs the product as it is wired for use."""

    @asynccontextmanager
    async def running() -> AsyncIterator[Sandbox]:
        settings = Settings(
            port=0, state_dir=tmp_path, database_url=SecretStr(await postgres.database("product")),
            keyring_url=SecretStr(await postgres.bare("keyring")), public_url=None,
        )  # fmt: skip
        async with Sandbox.running(settings) as sandbox:
            yield sandbox

    return running


def has_a_second_carrier(product: Product) -> Product:
    @asynccontextmanager
    async def running() -> AsyncIterator[Sandbox]:
        async with product() as sandbox:
            other: Any = MemoryCarrier(sandbox.now)
            other.on_offer[:] = await sandbox.use_cases.search_numbers(Country("US"), None, None, frozenset())
            complete_purchase = replace(sandbox.use_cases.complete_purchase, carrier=other)
            buy_line = replace(sandbox.use_cases.buy_line, complete_purchase=complete_purchase)
            sandbox.use_cases = replace(
                sandbox.use_cases, complete_purchase=complete_purchase, buy_line=buy_line
            )
            yield sandbox

    return running


@proves("S1", text="33961980e998", saboteur=has_a_second_carrier)
async def test_numbers_and_messages_are_carried_by_twilio_and_nobody_else(product: Product) -> None:
    async with product() as sandbox:
        use_cases, email = sandbox.use_cases, Email("ada@example.org")
        await use_cases.sign_up(email, PASSWORD, Label("Ada"), Locale("en"))
        (mail,) = await until(sandbox.mails)
        me = (await use_cases.verify_account(mail["token"])).session.account_id
        offer, *_ = await use_cases.search_numbers(Country("US"), None, None, frozenset())
        line = await use_cases.buy_line(me, offer.number, offer.country, None, "buy")
        held = sandbox.simulator.holdings
        assert line.number in str(held()), "the number was bought elsewhere"
        await use_cases.send_message(me, line.id, STRANGER, MessageBody("to somebody"), "send")
        await until(lambda: seen("to somebody", str(held())))
        await sandbox.sms(STRANGER, line.number, "from somebody")
        (conversation,) = (await use_cases.list_conversations(me, None, None, 9)).items
        assert conversation.peer == Peer(STRANGER)
        carriers = [getattr(getattr(use_cases, field.name), "carrier", None) for field in fields(use_cases)]
        assert {type(carrier) for carrier in carriers if carrier} == {TwilioCarrier}


async def seen(what: str, where: str) -> bool:
    return what in where


async def until(look: Callable[[], Any]) -> Any:
    """Look until there is something to see."""
    async with asyncio.timeout(10):
        while True:
            if found := await look():
                return found
            await asyncio.sleep(0.01)
