"""One law of a voicemail's audio and two oracles of it: kept for ninety days to the microsecond, then gone."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta

import pytest

from bootstrap.worlds import InMemory
from domain.retention import Retention
from domain.voicemail import Voicemail, VoicemailState
from tests.contract.store.test_retention_law import EDGES, INSTANT, world
from tests.support.actors import STRANGER, Person, with_line
from tests.support.jumping_clock import JumpingClock

__all__ = ["world"]

KEEP = Retention().voicemail_audio.keep
SLACK = timedelta(minutes=15)
PATIENCE = 60.0
WORDS, AUDIO = "Hi, it is Noa.", b"RIFF" + bytes(4) + b"WAVE" + bytes(600)


async def left(ada: Person) -> Voicemail:
    """Have a voicemail left, fetched and put into writing."""
    ref = await ada.world.recordings.leave(STRANGER, ada.number, AUDIO)
    await ada.world.settle()
    await ada.world.recordings.transcribe(ref, WORDS)
    await ada.world.settle()
    return (await ada.world.use_cases.list_voicemails(ada.id, None, None, 1)).items[0]


async def heard(ada: Person, voicemail: Voicemail) -> bytes:
    read = ada.world.use_cases.read_voicemail
    now = await read(ada.id, voicemail.id)
    return b"".join([piece async for piece in read.content(now, 0, now.size)]) if now.is_kept else b""


@pytest.mark.parametrize("edge", EDGES, ids=str)
async def test_audio_is_there_until_its_instant_and_gone_a_quarter_of_an_hour_later(
    world: InMemory, edge: datetime
) -> None:
    """Whatever day it ends on, however often somebody looks, and whichever way the clock is wrong meanwhile."""
    chance, real = random.Random(str(edge)), world.clock
    await world.advance(edge + timedelta(microseconds=chance.randrange(3)) - KEEP - real.now())
    world.clock = clock = JumpingClock(real)  # type: ignore[assignment]
    world.wire()
    ada = await with_line(world)
    voicemail = await left(ada)
    for look in sorted(chance.uniform(0, 1) for _ in range(3)):
        await world.advance(voicemail.created_at + look * (KEEP - SLACK) - real.now())
        clock.jump = chance.choice((-KEEP, -timedelta(hours=1), timedelta(), KEEP))
        await world.advance(timedelta())
        clock.jump = timedelta()
        assert await heard(ada, voicemail) == AUDIO, "audio went before its time"
    async with asyncio.timeout(PATIENCE):  # it ends, though the queue has a clock of its own
        await world.advance(voicemail.created_at + KEEP - INSTANT - real.now())
    assert await heard(ada, voicemail) == AUDIO, "audio went before its time"
    await world.advance(INSTANT)
    for _ in range(3):
        await world.advance(SLACK / 3)
    kept = await world.use_cases.read_voicemail(ada.id, voicemail.id)
    assert (kept.state, kept.transcript) == (VoicemailState.EXPIRED, WORDS)
    assert await world.objects.count(ada.id) == 0, "audio is there after its time"
