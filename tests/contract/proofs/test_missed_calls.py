"""What becomes of calls and voicemail of which nobody told us."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from typing_extensions import override

from adapters.tones import tone
from application.call_reconciliation import ReconcileCalls
from application.hold import Hold
from application.ports.voice_carrier import ListedCall
from domain.calls import CallOutcome
from domain.kernel import CarrierRef
from domain.lines import PhoneLine
from domain.values import Peer
from tests.support.actors import STRANGER, with_line
from tests.support.harness import Worlds
from tests.support.proofs import proves

HOUR = timedelta(hours=1)


class ComparesNothing(ReconcileCalls):
    """Believes that everything was told."""

    @override
    async def __call__(self, *_: Any) -> None: ...


class TakesNothingIn(ReconcileCalls):
    """Has no ear for what was left."""

    @override
    async def _take_in_recordings(self, *_: Any, **__: Any) -> None: ...


class LetsItHang(ReconcileCalls):
    """Waits for a call to end by itself, and deletes nothing."""

    @override
    async def _compare(self, line: PhoneLine, call: ListedCall, hold: Hold) -> None:
        if call.is_over:
            await super()._compare(line, call, hold)

    @override
    async def _delete(self, ref: CarrierRef, hold: Hold) -> None: ...


class DeletesNothing(ReconcileCalls):
    """Leaves records where they are."""

    @override
    async def _delete(self, ref: CarrierRef, hold: Hold) -> None: ...


def compares_nothing(world: Worlds) -> Worlds:
    return partial(world, reconcile_calls=ComparesNothing)


def takes_nothing_in(world: Worlds) -> Worlds:
    return partial(world, reconcile_calls=TakesNothingIn)


def lets_it_hang(world: Worlds) -> Worlds:
    return partial(world, reconcile_calls=LetsItHang)


def deletes_nothing(world: Worlds) -> Worlds:
    return partial(world, reconcile_calls=DeletesNothing)


@proves("H47", text="4ade9b534340", saboteur=compares_nothing, says="a call that we missed is missing")
@proves("H47", text="4ade9b534340", saboteur=takes_nothing_in, says="a voicemail that we missed is missing")
@proves("H47", text="4ade9b534340", saboteur=lets_it_hang, says="a call hangs")
@proves("H47", text="4ade9b534340", saboteur=deletes_nothing, says="what we do not hold lies at the carrier")
async def test_what_was_missed_of_calls_is_taken_in_and_the_rest_goes(world: Worlds) -> None:
    made = world()
    ada = await with_line(made)
    made.recordings.silent = True
    missed = made.voice.ring(STRANGER, ada.number)
    await made.recordings.leave(Peer(STRANGER), ada.number, tone(2), call=missed)
    made.voice.end(missed, CallOutcome.ANSWERED, 20)
    hanging = made.voice.ring(STRANGER, ada.number)
    nobody = made.voice.ring(str(ada.number), "+14155550126")
    made.voice.end(nobody, CallOutcome.FAILED)
    for _ in range(20):
        await made.advance(HOUR)
    calls = (await made.use_cases.list_calls(ada.id, None, None, None, 9)).items
    assert missed in {call.ref for call in calls}, "a call that we missed is missing"
    left = (await made.use_cases.list_voicemails(ada.id, None, None, 9)).items
    assert [voicemail.caller for voicemail in left] == [STRANGER], "a voicemail that we missed is missing"
    assert hanging not in made.voice.records or made.voice.records[hanging].is_over, "a call hangs"
    assert nobody not in made.voice.records, "what we do not hold lies at the carrier"
    assert made.recordings.recordings == {}
