"""A person who says the greeting of their own line, in memory, and what came of it."""

from __future__ import annotations

from datetime import timedelta

from adapters.tones import tone
from application.call_progress import CallReport
from application.outbound_calls import AppCall
from domain.audit import AuditKind
from domain.call_instructions import (
    ClientIdentity,
    RecordGreeting,
)
from domain.calls import Call, CallDirection, CallOutcome
from domain.greetings import Greeting
from domain.kernel import CarrierRef
from tests.support.actors import Person
from tests.unit.test_greetings import sound

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SAID, BEFORE = tone(3), tone(1)
HTML = b"<html><body>502 Bad Gateway</body></html>" * 9


async def app_of(ada: Person) -> ClientIdentity:
    return await ada.world.call_clients.identity(ada.id, ada.line_id)


async def calls_herself(ada: Person, *, to: str = "") -> CarrierRef:
    """Have the person's app call their own line, and the carrier be told to record."""
    app = await app_of(ada)
    ref = ada.world.voice.ring(f"client:{app}", to or ada.number)
    answer = await ada.world.use_cases.answer_app(AppCall(ref, app, to or str(ada.number)))
    assert answer.instructions == (RecordGreeting(),)
    return ref


async def says(ada: Person, call: CarrierRef, content: bytes = SAID, *, seconds: int = 12) -> CarrierRef:
    """Have them say something, hang up, and everything done that is due at once."""
    ref = await ada.world.recordings.speak(await app_of(ada), call, content, seconds=seconds)
    ada.world.voice.end(call, CallOutcome.ANSWERED, seconds + 8)
    over = CallReport(call, await app_of(ada), None, CallDirection.OUTBOUND, None, is_over=True)
    await ada.world.use_cases.apply_call_report(over)
    await ada.world.settle()
    return ref


async def heard(ada: Person) -> bytes | str | None:
    """Return what callers hear of the line's own."""
    found = await ada.world.use_cases.read_greeting(ada.id, ada.line_id)
    if found is None or found.sound is None:
        return None if found is None else found.words
    return await sound(ada.world, found)


async def rows(ada: Person) -> list[Greeting]:
    async with ada.world.store.begin(ada.id) as tx:
        return await tx.greetings.of_line(ada.line_id)


async def refusals(ada: Person) -> int:
    entries = await ada.world.use_cases.list_audit_log(ada.id, None, 99)
    return sum(entry.kind is AuditKind.RECORDING_REFUSED for entry in entries.items)


async def calls(ada: Person) -> list[Call]:
    return list((await ada.world.use_cases.list_calls(ada.id, None, None, None, 9)).items)
