"""What we keep of calls, and what is never done with one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from adapters.inbound.webhooks.twilio import TwilioWebhooks
from adapters.outbound.postgres.tables import COLUMNS
from adapters.outbound.system.numbering import PhonenumbersPlan
from adapters.outbound.twilio.twiml import twiml
from application.call_records import CloseCall
from application.forwarded_calls import AcceptForwardedCall, ScreenedCall
from application.inbound_calls import AnswerCall, IncomingCall
from application.outbound_calls import AnswerApp, AppCall
from application.ports.jobs import JobLease
from domain.call_instructions import KEY, CallAnswer, Connect, RecordGreeting, Say
from domain.call_words import Notice
from domain.calls import CallOutcome
from domain.classification import StorageKind
from domain.destinations import Destination
from domain.kernel import AccountId, CallId, CarrierRef
from domain.values import Country, Peer
from tests.contract.proofs.test_collected import guesses
from tests.contract.proofs.test_contacts import finds_contacts_without_a_key as finds_without_a_key
from tests.support.actors import with_line
from tests.support.call_flows import GENEROUS, CallFlows, Flow
from tests.support.canary_account import lived
from tests.support.harness import Databases, Worlds, in_clear
from tests.support.http_client import Edge, calling, the_edge
from tests.support.proofs import proves

KEPT = {
    "account_id": StorageKind.ID,
    "id": StorageKind.ID,
    "line_id": StorageKind.ID,
    "direction": StorageKind.ENUM,
    "outcome": StorageKind.ENUM,
    "peer": StorageKind.SEALED,
    "peer_index": StorageKind.INDEX,
    "started_at": StorageKind.TIME,
    "duration": StorageKind.COUNT,
    "ended_at": StorageKind.TIME,
    "ref": StorageKind.REF,
    "reserved": StorageKind.COUNT,
    "record_deleted_at": StorageKind.TIME,
    "deleted_at": StorageKind.TIME,
    "seal": StorageKind.SEALED,
    "version": StorageKind.COUNT,
}
"""All that a call has a place for; the last ones are for deleting the carrier's record, and for what it costs."""


@proves("C9", text="49a69334b805", saboteur=in_clear("calls.peer"), says="who called lies in clear")
@proves("C9", text="49a69334b805", saboteur=finds_without_a_key, says="who called is found without a key")
async def test_of_a_call_who_it_was_with_is_encrypted_and_nothing_else_has_a_place(stored: Databases) -> None:
    async with stored() as world:
        ada = await lived(world)
        (call,) = (await world.use_cases.list_calls(ada.id, None, ada.caller, None, 9)).items
        assert call.peer == ada.caller
        assert await world.traces(ada.caller) == set(), "who called lies in clear"
        row = await world.row("calls", id=call.id)
        assert row["peer_index"] not in guesses("calls.peer", ada.caller), "who called is found without a key"
        assert COLUMNS["calls"] == KEPT


@proves(
    "C20",
    text="b4bb96b26ecc",
    saboteur=in_clear("phone_lines.forward_to"),
    says="the telephone to which a line forwards lies in clear",
)
async def test_the_telephone_to_which_a_line_forwards_is_kept_encrypted(stored: Databases) -> None:
    async with stored() as world:
        ada = await lived(world)
        line = await world.use_cases.read_line(ada.id, ada.line_id)
        assert line.forward_to == ada.forward_to
        assert await world.traces(ada.forward_to) == set(), (
            "the telephone to which a line forwards lies in clear"
        )


def written_by(write: Any) -> type[TwilioWebhooks]:
    """Return webhooks that write instructions down in another way."""

    class Altered(TwilioWebhooks):
        def __init__(
            self, use_cases: Any, signature: Any, outcome_of: Any, _written: Any, *more: Any
        ) -> None:
            super().__init__(use_cases, signature, outcome_of, write, *more)

    return Altered


def records_everything(_edge: Edge) -> Edge:
    def write(answer: CallAnswer) -> bytes:
        return twiml(answer).replace(b"<Dial ", b'<Dial record="record-from-answer" ')

    return partial(the_edge, twilio=written_by(write))


def listens_in(_edge: Edge) -> Edge:
    def write(answer: CallAnswer) -> bytes:
        stream = b'<Response><Start><Stream url="wss://pico.example"/></Start>'
        return twiml(answer).replace(b"<Response>", stream)

    return partial(the_edge, twilio=written_by(write))


async def made_up(edge: Edge, world: Worlds, count: int = 30) -> Sequence[Flow]:
    """Return some calls with every answer to them; many more are made up elsewhere."""
    made = world(spend_policy=lambda _: GENEROUS)
    ada = await with_line(made)
    async with calling(edge(made)) as client:
        return await CallFlows(made, ada, client.webhook, 3).play(count)


class RecordsWhoCallsOut(AnswerApp):
    """Has an app's person recorded, and puts them through all the same."""

    async def __call__(self, app_call: AppCall) -> CallAnswer:
        answer = await super().__call__(app_call)
        if isinstance(answer.instructions[0], Connect):
            return replace(answer, instructions=(RecordGreeting(), *answer.instructions))
        return answer


class TrustsTheNumberShown(AnswerCall):
    """Takes whoever shows the line's own number for its person."""

    async def __call__(self, incoming: IncomingCall) -> CallAnswer:
        answer = await super().__call__(incoming)
        forged = incoming.caller == Peer(incoming.to)
        return replace(answer, instructions=(RecordGreeting(),)) if forged else answer


def records_who_calls_out(world: Worlds) -> Worlds:
    return partial(world, answer_app=RecordsWhoCallsOut)


def trusts_the_number_shown(world: Worlds) -> Worlds:
    return partial(world, answer_call=TrustsTheNumberShown)


@proves("N3", text="5f406de6591b", saboteur=records_everything, says="a call is recorded")
async def test_nothing_that_a_carrier_is_told_has_a_call_recorded(edge: Edge, world: Worlds) -> None:
    flows = await made_up(edge, world)
    assert [flow.recorded for flow in flows if flow.recorded] == [], "a call is recorded"
    assert any("Record" in {element.tag for _, element in flow.elements()} for flow in flows)


@proves("N3", text="5f406de6591b", saboteur=records_who_calls_out, says="a call is recorded")
@proves("N3", text="5f406de6591b", saboteur=trusts_the_number_shown, says="a call is recorded")
async def test_only_who_calls_their_own_line_from_its_app_is_recorded_and_alone(
    world: Worlds, edge: Edge
) -> None:
    flows = await made_up(edge, world, 90)
    assert [flow.recorded for flow in flows if flow.recorded] == [], "a call is recorded"
    alone = [flow for flow in flows if flow.to_itself]
    assert any("Record" in {element.tag for _, element in flow.elements()} for flow in alone)
    assert not any("Dial" in {element.tag for _, element in flow.elements()} for flow in alone)


@proves("N4", text="a8d75c0cf3f4", saboteur=listens_in, says="an app is told to listen")
async def test_nothing_that_a_carrier_is_told_switches_a_microphone_on(edge: Edge, world: Worlds) -> None:
    flows = await made_up(edge, world)
    assert [flow.strange for flow in flows if flow.strange] == [], "an app is told to listen"


class PutsAnybodyThrough(AcceptForwardedCall):
    """Takes whoever answers for the person, a mailbox too."""

    async def __call__(self, screened: ScreenedCall, pressed: str) -> CallAnswer:
        return await super().__call__(screened, KEY)


def needs_no_key(world: Worlds) -> Worlds:
    return partial(world, accept_forwarded_call=PutsAnybodyThrough)


@proves("H70", text="57c0be8c1eee", saboteur=needs_no_key, says="a mailbox took a forwarded call")
async def test_a_forwarded_call_is_put_through_to_whoever_presses_the_key(world: Worlds, edge: Edge) -> None:
    flows = await made_up(edge, world)
    assert [flow for flow in flows if flow.without_key] == [], "a mailbox took a forwarded call"
    assert [flow for flow in flows if flow.menus or flow.open_ways or flow.spoofable] == []


class LeavesTheRecord(CloseCall):
    """Thinks that a call that is over is over everywhere."""

    async def __call__(self, account_id: AccountId, call_id: CallId, lease: JobLease) -> None:
        async with self.store.begin(account_id) as tx:
            call = await tx.calls.get_even_deleted(call_id)
        await self._commit(call, [], lease)


def leaves_the_record(world: Worlds) -> Worlds:
    return partial(world, close_call=LeavesTheRecord)


@proves(
    "H71", text="30d4fdc2f959", saboteur=leaves_the_record, says="the carrier still has a record of the call"
)
async def test_when_a_call_is_over_the_carriers_records_of_it_go(world: Worlds) -> None:
    made = world()
    ada = await with_line(made)
    ref = made.voice.ring("+13105550178", ada.number)
    leg = made.voice.ring("+13105550178", "client:x", parent=ref)
    await made.use_cases.answer_call(IncomingCall(ref, ada.number, Peer("+13105550178")))
    await made.advance(timedelta(hours=5))
    assert {ref, leg} <= made.voice.records.keys(), "it is still going on"
    made.voice.too_early = 2
    made.voice.end(ref, CallOutcome.ANSWERED, 50)
    for _ in range(4):
        await made.advance(timedelta(minutes=10))
    assert not {ref, leg} & made.voice.records.keys(), "the carrier still has a record of the call"
    (call,) = (await made.use_cases.list_calls(ada.id, None, None, None, 9)).items
    assert call.is_over


class KnowsNoEmergency:
    """A numbering plan of a country where nothing ever happens."""

    def __init__(self, honest: Any) -> None:
        self.honest = honest

    def destination(self, _peer: Peer, _country: Country) -> Destination:
        return Destination.NUMBER

    def __getattr__(self, name: str) -> Any:
        return getattr(self.honest, name)


def knows_no_emergency(world: Worlds) -> Worlds:
    return partial(world, plan=lambda _: KnowsNoEmergency(PhonenumbersPlan()))


@proves("H72", text="31d1532353f8", saboteur=knows_no_emergency, says="an emergency call went out")
async def test_no_emergency_call_goes_out(world: Worlds) -> None:
    made = world()
    ada = await with_line(made)
    client = await made.call_clients.identity(ada.id, ada.line_id)
    for serial, number in enumerate(("911", "112", "999", "100", "+1911")):
        answer = await made.use_cases.answer_app(AppCall(CarrierRef(f"CA{serial:032x}"), client, number))
        assert not any(isinstance(told, Connect) for told in answer.instructions), (
            "an emergency call went out"
        )
        if number in {"911", "112"}:
            assert answer.instructions[0] == Say(Notice.NO_EMERGENCY_CALLS)
    assert (await made.use_cases.list_calls(ada.id, None, None, None, 9)).items == []
