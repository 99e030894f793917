"""Lines at several carriers: what is done for a line is done with its own, and nothing is forgotten in the wiring."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest
from dependency_injector.providers import Singleton

from application.media import FetchMedia
from application.messages import SendMessage
from application.use_cases import UseCases
from bootstrap.carriers import (
    CALLS_OF_A_LINE,
    CALLS_OF_AN_ACCOUNT,
    OF_A_LINE,
    OF_AN_ACCOUNT,
    OF_EACH_CARRIER,
    Carriers,
)
from bootstrap.container import Container
from bootstrap.worlds import InMemory
from domain.kernel import CarrierRef, LineId, NotFound
from domain.lines import LineState
from domain.messages import Status
from domain.values import MessageBody, Peer
from tests.support.actors import STRANGER
from tests.support.two_carriers import two_carriers


def test_every_use_case_that_asks_a_carrier_of_messages_is_told_which() -> None:
    """One that asks for a line asks the line's carrier, one for an account all: say so in `carriers`."""
    given = Container.providers
    asking = {name for name, of in given.items() if isinstance(of, Singleton) and "carrier" in of.kwargs}
    assert asking == set(OF_A_LINE) | OF_AN_ACCOUNT | OF_EACH_CARRIER


def test_every_use_case_that_asks_a_carrier_of_calls_is_told_which() -> None:
    """As for messages: say so in CALLS_OF_A_LINE."""
    given = Container.providers
    asking = {name for name, of in given.items() if isinstance(of, Singleton) and "voice" in of.kwargs}
    assert asking == set(CALLS_OF_A_LINE) | CALLS_OF_AN_ACCOUNT


async def test_apps_get_a_token_of_the_carrier_that_has_their_line() -> None:
    async with two_carriers() as both:
        ada = await both.british("ada")
        _, made = await both.world.use_cases.issue_voice_token(ada.id, ada.line_id)
        assert made.token.count(".") == 2
        assert len(both.telnyx.state.credentials) == 1
        boris = await (await both.world.signed_up("boris")).with_line()
        assert await both.world.use_cases.issue_voice_token(boris.id, boris.line_id)


def test_with_one_carrier_nothing_stands_between() -> None:
    world = InMemory()
    alone = Carriers({"memory": world.carrier}, {"memory": world.carrier})
    parts: list[object] = [alone.carrier(), alone.provider(world.plan)]
    assert all(part is world.carrier for part in parts)
    assert alone.replaced() == {}
    other: dict[str, Any] = {"send_message": SendMessage}
    assert alone.replaced(other) == other


def test_with_several_each_use_case_of_a_line_is_made_once_for_each() -> None:
    world = InMemory()
    both = {"memory": world.carrier, "other": world.carrier}
    world.wire(Carriers(both, both).replaced())
    made = {field.name: getattr(world.use_cases, field.name) for field in fields(UseCases)}
    assert list(made["send_message"].made) == ["memory", "other"]
    assert isinstance(world.use_cases.job_handlers["fetch_media"].made["other"], FetchMedia)  # type: ignore[attr-defined]


async def test_what_is_not_there_is_said_in_the_use_cases_own_words() -> None:
    async with two_carriers() as both:
        ada = await both.world.signed_up("ada")
        nowhere = LineId(both.world.ids.new())
        with pytest.raises(NotFound):
            await both.world.use_cases.send_message(ada.id, nowhere, Peer(STRANGER), MessageBody("x"), "k")
        for name in OF_A_LINE.keys() & both.world.use_cases.job_handlers.keys():
            with pytest.raises(NotFound):
                await both.world.use_cases.job_handlers[name](ada.id, nowhere, None)  # type: ignore[arg-type]


async def test_a_life_at_telnyx_from_order_to_receipt() -> None:
    async with two_carriers() as both:
        world, telnyx = both.world, both.telnyx
        ada = await both.british("ada")
        assert await both.state(ada) is LineState.ACTIVE
        assert ada.line is not None
        assert ada.line.ref is not None
        assert ada.line.ref.startswith("telnyx:")
        await telnyx.inbound_sms(STRANGER, ada.number, "incoming")
        sent = await ada.sends("outgoing", to=STRANGER)
        await both.settle()
        assert (await world.use_cases.read_message(ada.id, sent.id)).status is Status.DELIVERED
        assert sorted(await ada.inbox()) == ["incoming", "outgoing"]
        await ada.deletes_account()
        for _ in range(62):
            await world.advance(timedelta(hours=12))
        assert await both.receipt(ada)
        held = telnyx.holdings()
        assert [held[name] for name in ("numbers", "messages", "opted_out")] == [[], [], []]
        assert telnyx.state.profiles == {}
        assert not any((await world.store.count_rows(ada.id)).values())


async def test_a_webhook_that_was_lost_is_made_up_for_from_the_detail_records() -> None:
    async with two_carriers() as both:
        ada = await both.british("ada")
        both.telnyx.faults.set({"drop": True})
        await both.telnyx.inbound_sms(STRANGER, ada.number, "nobody told you")
        await both.world.advance(timedelta(hours=8))
        assert await ada.inbox() == ["nobody told you"]
        both.telnyx.faults.set({"drop": False})
        await both.world.advance(timedelta(hours=8))
        assert await ada.inbox() == ["nobody told you"]


async def test_a_send_whose_answer_was_lost_is_the_same_send_again() -> None:
    async with two_carriers() as both:
        ada = await both.british("ada")
        both.telnyx.faults.set({"lose_answer": 1, "drop": True})
        sent = await ada.sends("once", to=STRANGER)
        await both.world.settle()
        assert (await ada.keeps(sent.id)).ref is None
        both.telnyx.faults.set({"drop": False})
        await both.world.advance(timedelta(hours=1))
        await both.settle()
        [only] = both.telnyx.holdings()["messages"]
        kept = await ada.keeps(sent.id)
        assert kept.ref == CarrierRef(f"telnyx:{only['id']}")


async def test_a_number_that_is_given_up_is_gone_from_telnyx_and_does_not_wait_for_its_copies() -> None:
    async with two_carriers() as both:
        ada = await both.british("ada")
        await both.telnyx.inbound_sms(STRANGER, ada.number, "a copy that nobody deletes")
        await ada.gives_up()
        await both.world.advance(timedelta(minutes=1))
        assert await both.state(ada) is LineState.RELEASED
        assert both.telnyx.holdings()["numbers"] == []
        assert both.telnyx.state.profiles == {}
        boris = await both.british("boris", ada.number)
        assert await both.state(boris) is LineState.ACTIVE
        assert await boris.inbox() == []


async def test_lines_stay_where_they_are_when_a_country_moves() -> None:
    async with two_carriers() as both:
        ada = await both.british("ada")
        both.carriers.countries.clear()  # type: ignore[attr-defined]
        sent = await ada.sends("still by telnyx", to=STRANGER)
        await both.settle()
        assert (await both.world.use_cases.read_message(ada.id, sent.id)).status is Status.DELIVERED
        await both.world.advance(timedelta(hours=8))
        assert await both.state(ada) is LineState.ACTIVE, (
            "its carrier is asked whether it still has the number"
        )
        assert "still by telnyx" in str(both.telnyx.holdings())
