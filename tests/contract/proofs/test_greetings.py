"""Greetings: sealed where they lie, and handed out for minutes under an address that names nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any

from adapters.tones import tone
from application.greetings import PurgeGreeting, ReadOfferedGreeting
from application.outbound_calls import AppCall
from application.ports.directory import Lease
from application.ports.recordings import Recorded
from application.ports.store import Tx
from application.spoken_greetings import ReceiveGreeting
from domain.greetings import Greeting, GreetingId, GreetingText
from domain.kernel import CarrierRef, NotFound
from tests.contract.proofs.test_voicemail import seals_no_audio
from tests.support.actors import STRANGER, Person, with_line
from tests.support.harness import Databases, Worlds, in_clear
from tests.support.proofs import proves, refused

WORDS = "This is Ada of the lighthouse."
SOUND = tone(2)


class OffersForEver(ReadOfferedGreeting):
    """Hands a greeting to whoever once had its address."""

    async def __call__(self, token: str) -> Greeting:
        offer = await self.addresses.offered(token)
        if offer is None:
            raise NotFound
        async with self.store.begin(offer.account_id) as tx:
            return await tx.greetings.get(GreetingId(offer.media_id))


def offers_for_ever(stored: Databases) -> Databases:
    return partial(stored, read_offered_greeting=OffersForEver)


async def stream(content: bytes) -> AsyncIterator[bytes]:
    yield content


@proves("C21", text="f5a66c60fd27", saboteur=in_clear("greetings.words"), says="its words lie in clear")
@proves("C21", text="f5a66c60fd27", saboteur=seals_no_audio, says="its recording lies in clear")
@proves("C21", text="f5a66c60fd27", saboteur=offers_for_ever, says="its address is good for longer")
async def test_a_greeting_lies_sealed_and_is_offered_for_minutes(stored: Databases) -> None:
    async with stored() as world:
        ada = await with_line(world)
        await world.use_cases.write_greeting(ada.id, ada.line_id, GreetingText(WORDS))
        assert await world.traces(WORDS, "lighthouse") == set(), "its words lie in clear"
        assert WORDS in await world.opened(ada.id)
        await world.use_cases.upload_greeting(ada.id, ada.line_id, stream(SOUND), "audio/wav")
        files = [path.read_bytes() for path in world.folder.rglob("*") if path.is_file()]
        pieces = [SOUND[at : at + 24] for at in range(0, len(SOUND) - 24, 997)]
        assert not any(piece in file for piece in pieces for file in files), "its recording lies in clear"
        async with world.store.begin(ada.id) as tx:
            mailbox = world.use_cases.answer_call.route.mailbox
            address = (await mailbox.instruction(tx, await tx.lines.get(ada.line_id))).audio
        assert address is not None
        assert not [each for each in (ada.id, ada.line_id) if each.hex in address.replace("-", "")]
        token = address.rpartition("/")[2]
        assert (await world.use_cases.read_offered_greeting(token)).is_heard
        world.clock.advance(timedelta(minutes=5))
        with refused(NotFound, "its address is good for longer"):
            await world.use_cases.read_offered_greeting(token)


async def said(ada: Person, call: CarrierRef) -> CarrierRef:
    """Have the person say something on a call of their app; return the recording."""
    client = await ada.world.call_clients.identity(ada.id, ada.line_id)
    ref = await ada.world.recordings.speak(client, call, SOUND)
    await ada.world.settle()
    return ref


async def app_calls(ada: Person, to: str) -> CarrierRef:
    client = await ada.world.call_clients.identity(ada.id, ada.line_id)
    ref = ada.world.voice.ring(f"client:{client}", to)
    await ada.world.use_cases.answer_app(AppCall(ref, client, to))
    return ref


class LeavesTheRecording(PurgeGreeting):
    """Thinks that what is kept here is kept nowhere else."""

    async def _leave_the_carrier(self, *_: Any) -> None: ...


class TakesAnyCallOfAnApp(ReceiveGreeting):
    """Takes whatever was recorded of an app for its person's greeting."""

    async def _accept(self, lease: Lease, ref: CarrierRef, known: Recorded) -> tuple[bool, bool]:
        async def change(tx: Tx) -> tuple[bool, bool]:
            greeting_id = GreetingId(self.ids.new())
            tx.save(Greeting.spoken(lease.account_id, greeting_id, lease.line_id, ref, self.clock.now()))
            return True, True

        return await self.store.update(lease.account_id, change)


def leaves_the_recording(world: Worlds) -> Worlds:
    return partial(world, purge_greeting=LeavesTheRecording)


def takes_any_call_of_an_app(world: Worlds) -> Worlds:
    return partial(world, receive_greeting=TakesAnyCallOfAnApp)


@proves("C27", text="d44d3b4f72d3", saboteur=leaves_the_recording, says="the carrier still holds a greeting")
@proves(
    "C21",
    text="f5a66c60fd27",
    saboteur=takes_any_call_of_an_app,
    says="what was said to somebody became a greeting",
)
async def test_a_greeting_is_said_to_the_line_alone_and_goes_at_the_carrier(world: Worlds) -> None:
    made = world()
    ada = await with_line(made)
    await said(ada, await app_calls(ada, STRANGER))
    assert await made.use_cases.read_greeting(ada.id, ada.line_id) is None, (
        "what was said to somebody became a greeting"
    )
    ref = await said(ada, await app_calls(ada, ada.number))
    kept = await made.use_cases.read_greeting(ada.id, ada.line_id)
    assert kept is not None
    assert ref in made.recordings.recordings, "not before ours was read back"
    await made.advance(timedelta(minutes=10))
    assert made.recordings.recordings == {}, "the carrier still holds a greeting"
