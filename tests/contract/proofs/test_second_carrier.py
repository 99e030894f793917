"""What holds where Telnyx carries lines: which they are, what becomes of copies there, and of somebody's STOP."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from typing_extensions import override

from adapters.outbound.memory.carrier import MemoryCarrier
from adapters.outbound.telnyx.numbers import TelnyxNumbers
from adapters.outbound.telnyx.profiles import Profiles
from adapters.outbound.telnyx.simulator import Script
from application.line_release import ReleaseNumbers
from application.outbound_messages import SendQueuedMessage
from application.ports.numbers import AvailableNumber
from domain.kernel import LineId
from domain.messages import Status
from domain.values import Capability
from tests.support.actors import STRANGER
from tests.support.proofs import proves
from tests.support.two_carriers import BRITISH, GB, OTHER_BRITISH, TwoCarriers, two_carriers

Opened = Callable[..., AbstractAsyncContextManager[TwoCarriers]]
"""Opens worlds with two carriers. A saboteur hands over a `partial` of it."""


@pytest.fixture
def elsewhere() -> Opened:
    return two_carriers


class AsksTheFirst(ReleaseNumbers):
    """Looks for copies at one carrier only."""

    @classmethod
    def of(cls, **given: Any) -> ReleaseNumbers:
        return cls(**given | {"carrier": MemoryCarrier(given["clear_residue"].clock.now)})


class OneForAll(Profiles):
    """Has all lines share a profile."""

    @override
    async def made(self, line_id: LineId) -> str:
        return await super().made(LineId(UUID(int=0)))


class Sharing(TelnyxNumbers):
    """Orders numbers into one profile."""

    @property
    @override
    def _profiles(self) -> Profiles:
        return OneForAll(self.api.http, self.api.webhooks)


def has_no_countries(elsewhere: Opened) -> Opened:
    return partial(elsewhere, countries=frozenset())


def sends_by_the_first(elsewhere: Opened) -> Opened:
    def sender(**given: Any) -> SendQueuedMessage:
        return SendQueuedMessage(**given | {"carrier": MemoryCarrier(given["clock"].now)})

    return partial(elsewhere, replaced={"send_queued_message": sender})


def looks_at_the_first_only(elsewhere: Opened) -> Opened:
    return partial(elsewhere, replaced={"release_numbers": AsksTheFirst.of})


def shares_a_profile(elsewhere: Opened) -> Opened:
    return partial(elsewhere, numbers=Sharing)


@proves("S6", text="dbc4fbc3190d", saboteur=has_no_countries, says="the number was bought elsewhere")
@proves("S6", text="dbc4fbc3190d", saboteur=sends_by_the_first, says="the message was sent elsewhere")
async def test_lines_of_some_countries_are_with_telnyx_and_all_others_are_not(elsewhere: Opened) -> None:
    async with elsewhere() as both:
        boris = await (await both.world.signed_up("boris")).with_line()
        [_] = both.first.numbers
        assert boris.number not in str(both.telnyx.holdings())
        both.first.on_offer.append(AvailableNumber(BRITISH, GB, frozenset(Capability)))
        ada = await (await both.world.signed_up("ada")).with_line(BRITISH)
        await both.settle()
        held = both.telnyx.holdings
        assert str(ada.number) in str(held()), "the number was bought elsewhere"
        await both.world.advance(timedelta(minutes=1))
        sent = await ada.sends("by telnyx", to=STRANGER)
        await both.settle()
        assert "by telnyx" in str(held()), "the message was sent elsewhere"
        assert (await both.world.use_cases.read_message(ada.id, sent.id)).status is Status.DELIVERED
        await boris.sends("by twilio", to=STRANGER)
        await both.settle()
        assert "by twilio" not in str(held())
        await both.telnyx.inbound_call(STRANGER, ada.number, Script(says="Hi, it is Noa."))
        await both.settle()
        [left] = (await both.world.use_cases.list_voicemails(ada.id, None, None, 9)).items
        assert left.ref.startswith("telnyx:"), "a call to a line at Telnyx was taken elsewhere"
        assert [str(copy.body) for copy in both.first.messages.values()] == ["by twilio"]


@proves(
    "H90",
    text="ca111954ddc9",
    saboteur=looks_at_the_first_only,
    says="the receipt did not wait for a copy that shows",
)
async def test_an_erasure_is_complete_once_telnyx_shows_no_copy_any_more(elsewhere: Opened) -> None:
    async with elsewhere() as both:
        ada = await both.british("ada")
        await ada.deletes_account()
        await both.world.advance(timedelta(days=27))
        await both.telnyx.inbound_sms(STRANGER, ada.number, "too late")
        assert "too late" in str(both.telnyx.holdings())
        for _ in range(9):
            await both.world.advance(timedelta(hours=12))
        assert not both.telnyx.holdings()["numbers"], "the number waits for nothing"
        assert not await both.world.keyring.count(ada.id), "nor do our keys, for longer than a day"
        assert not await both.receipt(ada), "the receipt did not wait for a copy that shows"
        assert "too late" in str(both.telnyx.holdings())
        for _ in range(14):
            await both.world.advance(timedelta(hours=12))
        assert "too late" not in str(both.telnyx.holdings())
        assert await both.receipt(ada)


@proves("H91", text="85d555fa41ad", saboteur=shares_a_profile, says="a stop to one line is heeded by another")
async def test_a_stop_to_one_line_says_nothing_about_another(elsewhere: Opened) -> None:
    async with elsewhere() as both:
        ada, boris = await both.british("ada"), await both.british("boris", OTHER_BRITISH)
        await both.telnyx.inbound_sms(STRANGER, ada.number, "STOP")
        sent = await boris.sends("still there?", to=STRANGER)
        await both.settle()
        shown = await both.world.use_cases.read_message(boris.id, sent.id)
        assert shown.status is Status.DELIVERED, "a stop to one line is heeded by another"
        await ada.gives_up()
        await both.world.advance(timedelta(minutes=1))
        assert both.telnyx.holdings()["opted_out"] == []
