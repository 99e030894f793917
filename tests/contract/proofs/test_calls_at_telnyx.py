"""What holds of calls and voicemail where Telnyx carries them: never recorded, put through by a key, gone there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from typing_extensions import override

from adapters.call_state import CallState
from adapters.outbound.telnyx.call_control import TelnyxCallControl
from adapters.outbound.telnyx.client_state import SealedStates
from adapters.outbound.telnyx.simulator import Script
from application.ports.jobs import JobLease
from application.voicemail_deletion import DeleteRecording
from domain.call_instructions import CallAnswer, Connect, PutThrough, RecordGreeting
from domain.forwarding import ForwardWhen
from domain.kernel import AccountId
from domain.values import PhoneNumber
from domain.voicemail import VoicemailId
from tests.contract.proofs.test_calls import needs_no_key
from tests.support.actors import STRANGER, with_line
from tests.support.call_flows import GENEROUS
from tests.support.harness import Worlds
from tests.support.proofs import proves
from tests.support.telnyx_flows import TelnyxFlows, Told
from tests.support.two_carriers import TwoCarriers, two_carriers

Control = type[TelnyxCallControl]
Opened = Callable[..., AbstractAsyncContextManager[TwoCarriers]]


@pytest.fixture
def control() -> Control:
    return TelnyxCallControl


@pytest.fixture
def elsewhere() -> Opened:
    return two_carriers


class RecordsEverything(TelnyxCallControl):
    """Has each leg recorded from the moment it is answered."""

    @override
    async def _told(self, control: str, action: str, said: dict[str, object], event: str) -> None:
        more = {"record": "record-from-answer"} if action in {"answer", "bridge"} else {}
        await super()._told(control, action, said | more, event)


class RecordsTheTalk(TelnyxCallControl):
    """Records once the two were put through."""

    @override
    async def join(self, state: CallState, at: int, event: str) -> None:
        await super().join(state, at, event)
        await self.record(state, event)


class RecordsWhoCallsOut(TelnyxCallControl):
    """Has an app's person recorded who calls somebody."""

    @override
    async def call(self, state: CallState, told: Any, called: PhoneNumber | None, event: str) -> None:
        await super().call(state, told, called, event)
        if isinstance(told, Connect):
            await self.carry_out(state, CallAnswer((RecordGreeting(),)), event)


class ListensIn(TelnyxCallControl):
    """Has what is said on a leg streamed elsewhere."""

    @override
    async def _told(self, control: str, action: str, said: dict[str, object], event: str) -> None:
        more = {"stream_url": "wss://pico.example"} if action == "answer" else {}
        await super()._told(control, action, said | more, event)


def records_everything(_control: Control) -> Control:
    return RecordsEverything


def records_the_talk(_control: Control) -> Control:
    return RecordsTheTalk


def records_who_calls_out(_control: Control) -> Control:
    return RecordsWhoCallsOut


def listens_in(_control: Control) -> Control:
    return ListensIn


async def made_up(world: Worlds, control: Control = TelnyxCallControl) -> list[Told]:
    """Return some calls by way of Telnyx; many more are made up elsewhere."""
    made = world(spend_policy=lambda _: GENEROUS)
    return await TelnyxFlows(made, await with_line(made), 3, control).told(60)


@proves("N3", text="5f406de6591b", saboteur=records_everything, says="a call is recorded")
@proves("N3", text="5f406de6591b", saboteur=records_the_talk, says="a call is recorded")
@proves("N3", text="5f406de6591b", saboteur=records_who_calls_out, says="a call is recorded")
async def test_nothing_that_telnyx_is_told_has_a_call_recorded(control: Control, world: Worlds) -> None:
    calls = await made_up(world, control)
    assert [call.recorded for call in calls if call.recorded] == [], "a call is recorded"
    assert any("record_start" in call.names() for call in calls)
    assert any("bridge" in call.names() for call in calls)


@proves("N4", text="a8d75c0cf3f4", saboteur=listens_in, says="an app is told to listen")
async def test_nothing_that_telnyx_is_told_switches_a_microphone_on(control: Control, world: Worlds) -> None:
    calls = await made_up(world, control)
    assert [call.strange for call in calls if call.strange] == [], "an app is told to listen"


class JoinsAtOnce(TelnyxCallControl):
    """Puts the caller through to whoever answers."""

    @override
    async def _ask(self, state: CallState, key: str, seconds: int, event: str) -> None:
        await self.carry_out(state, CallAnswer((PutThrough(),)), event)


def asks_nobody(_control: Control) -> Control:
    return JoinsAtOnce


@proves("H70", text="57c0be8c1eee", saboteur=needs_no_key, says="a mailbox took a forwarded call")
async def test_a_call_forwarded_at_telnyx_is_put_through_to_whoever_presses_the_key(world: Worlds) -> None:
    calls = await made_up(world)
    assert [call for call in calls if call.without_key] == [], "a mailbox took a forwarded call"
    assert [call for call in calls if call.menus or call.spoofable] == []


@proves("H70", text="57c0be8c1eee", saboteur=asks_nobody, says="a mailbox took a forwarded call")
async def test_telnyx_is_told_to_put_through_only_after_the_key(control: Control, world: Worlds) -> None:
    calls = await made_up(world, control)
    assert [call for call in calls if call.without_key] == [], "a mailbox took a forwarded call"


class LeavesTheRecording(DeleteRecording):
    """Thinks that what is kept here is kept nowhere else."""

    async def __call__(self, account_id: AccountId, voicemail_id: VoicemailId, lease: JobLease) -> None:
        async def change(tx: Any) -> None:
            voicemail = await tx.voicemails.get_even_deleted(voicemail_id)
            voicemail.carrier_copy_deleted(self.clock.now())
            tx.save(voicemail)

        await self.store.update(account_id, change, completing=lease)


def leaves_the_recording(elsewhere: Opened) -> Opened:
    return partial(elsewhere, replaced={"delete_recording": LeavesTheRecording})


@proves("H93", text="ebba06520bbf", saboteur=leaves_the_recording, says="Telnyx still holds a voicemail")
async def test_a_voicemail_is_gone_at_telnyx_once_it_is_safe_here(elsewhere: Opened) -> None:
    async with elsewhere() as both:
        ada = await both.british("ada")
        await both.telnyx.inbound_call(STRANGER, ada.number, Script(says="Hi, it is Noa."))
        await both.settle()
        assert both.telnyx.holdings()["recordings"], "not before ours was read back and its transcript came"
        await both.world.advance(timedelta(minutes=10))
        held = both.telnyx.holdings()
        assert (held["recordings"], held["transcriptions"]) == ([], []), "Telnyx still holds a voicemail"
        assert both.telnyx.state.contents == {}
        [kept] = (await both.world.use_cases.list_voicemails(ada.id, None, None, 9)).items
        assert kept.transcript == "Hi, it is Noa."


class SaysEverything(TelnyxCallControl):
    """Has Telnyx remember whom a call is forwarded to."""

    @override
    async def _forward(self, state: CallState, forward: Any, event: str) -> None:
        await super()._forward(replace(state, since=int(forward.to.removeprefix("+"))), forward, event)


def says_everything(elsewhere: Opened) -> Opened:
    return partial(elsewhere, control=SaysEverything)


@proves("H94", text="d23a20d6b771", saboteur=says_everything, says="Telnyx is told whom a call is for")
async def test_what_telnyx_remembers_of_a_call_is_sealed_and_says_nothing_of_anybody(
    elsewhere: Opened,
) -> None:
    async with elsewhere() as both:
        ada = await both.british("ada")
        telephone, always = PhoneNumber("+447700900999"), frozenset({ForwardWhen.ALWAYS})
        await both.world.use_cases.forward_line(ada.id, ada.line_id, telephone, always)
        await both.telnyx.inbound_call(STRANGER, ada.number, Script("machine", says="Hi, it is Noa."))
        await both.settle()
        states = SealedStates(both.world.keyring)
        for leg in both.telnyx.state.calls.values():
            known = await states.opened(leg["client_state"])
            assert known is not None
            for told in (telephone, ada.number, STRANGER):
                assert told.removeprefix("+") not in str(known), "Telnyx is told whom a call is for"
            assert await states.opened(leg["client_state"][:-8] + "AAAAAAA=") is None
