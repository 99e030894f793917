"""Every sample of Telnyx's events about calls, in order, reversed and shuffled: the same call comes of it.

Two of the samples say neither who called whom nor which recording they are about: Telnyx, simulated, is asked.
`PICO_VOICE_SHUFFLES` says how often they are shuffled: a few times unless it is set.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession

from adapters.outbound.memory.system import HandClock
from adapters.tones import tone
from bootstrap.worlds import InMemory
from domain.calls import CallDirection, CallOutcome
from domain.values import Country, PhoneNumber
from domain.voicemail import VoicemailState
from tests.support.http_world import OURS, STRANGER
from tests.support.telnyx_events import BEFORE, PATH, samples
from tests.support.two_carriers import two_carriers

SHUFFLES = int(os.environ.get("PICO_VOICE_SHUFFLES", "5"))
LEG, CONTROL, RECORDING = "leg-1", "v3:pico", "rec-1"
ENDED = [(CallDirection.INBOUND, STRANGER, True)]
LEFT = [(STRANGER, 13, VoicemailState.KEPT)]


def events() -> list[dict[str, Any]]:
    return [event for event in samples()["events"] if event["event_type"].startswith("call.")]


def payload(kind: str) -> dict[str, Any]:
    [event] = [event for event in events() if event["event_type"] == kind]
    found: dict[str, Any] = json.loads(event["raw_body"])["data"]["payload"]
    return found


class Sampled:
    """A line at Telnyx, and a simulator that knows the call which the samples are about."""

    def __init__(self, both: Any, ada: Any, session: ClientSession) -> None:
        self.both, self.ada, self.session = both, ada, session
        state, at = both.telnyx.state, both.world.clock.now().isoformat()
        about = {"call_leg_id": LEG, "call_session_id": "ses-1"}
        state.calls[LEG] = {
            **payload("call.initiated"), "direction": "incoming", "client_state": None, "start_time": at,
            "end_time": None, "commands": [],
        }  # fmt: skip
        for name in ("call.initiated", "call.hangup"):
            said = {"type": "webhook", "name": name, "event_timestamp": at, "metadata": payload(name)}
            state.call_events.append({**about, **said})
        state.recordings[RECORDING] = {
            **about, "id": RECORDING, "status": "completed", "initiated_by": "StartCallRecordingAPI",
            "from": STRANGER, "to": OURS, "duration_millis": 13_000,
        }  # fmt: skip
        state.keep_content(f"/media/recording-{RECORDING}", ("audio/x-wav", tone(13)))

    async def post(self, event: dict[str, Any], **altered: str) -> int:
        headers, url = {**event["headers"], **altered}, self.both.public_url + PATH
        async with self.session.post(url, data=event["raw_body"].encode(), headers=headers) as answer:
            return answer.status

    async def outcome(self, order: Sequence[dict[str, Any]]) -> tuple[Any, Any]:
        """Deliver samples; return what became of the call, and of what was left."""
        for event in order:
            assert await self.post(event) == 204, event["event_type"]
        await self.both.world.settle()
        use_cases, me = self.both.world.use_cases, self.ada.id
        calls = (await use_cases.list_calls(me, None, None, None, 9)).items
        left = (await use_cases.list_voicemails(me, None, None, 9)).items
        if any(event["event_type"] == "call.initiated" for event in order):
            assert [call.outcome for call in calls] == [CallOutcome.NO_ANSWER]
        return [(c.direction, c.peer, c.is_over) for c in calls], [
            (v.caller, v.duration, v.state) for v in left
        ]


@asynccontextmanager
async def sampled() -> AsyncIterator[Sampled]:
    world = InMemory(clock=HandClock(BEFORE - timedelta(minutes=1)))
    at_telnyx = frozenset({Country("US")})
    async with (
        two_carriers(world=world, countries=at_telnyx, also_signed_by=[samples()["public_key"]]) as both,
        ClientSession() as session,
    ):
        ada = await both.british("ada", PhoneNumber(OURS))
        both.telnyx.tell_of_calls("")  # only the samples tell
        yield Sampled(both, ada, session)


def test_the_samples_are_of_these_kinds() -> None:
    assert [e["event_type"] for e in events()] == ["call.initiated", "call.recording.saved", "call.hangup"]


async def test_the_samples_come_to_the_same_in_any_order_and_again() -> None:
    in_order, chance = events(), random.Random(7)
    orders = [in_order, in_order[::-1], in_order * 2]
    orders += [chance.sample(in_order * 2, 2 * len(in_order)) for _ in range(SHUFFLES)]
    for order in orders:
        async with sampled() as world:
            assert await world.outcome(order) == (ENDED, LEFT), [each["event_type"] for each in order]


@pytest.mark.parametrize("kind", ["call.initiated", "call.recording.saved", "call.hangup"])
async def test_each_alone_does_what_it_can(kind: str) -> None:
    async with sampled() as world:
        ended, left = await world.outcome([event for event in events() if event["event_type"] == kind])
        assert left == (LEFT if kind == "call.recording.saved" else [])
        assert ended == {
            "call.initiated": [(CallDirection.INBOUND, STRANGER, False)],
            "call.hangup": ENDED,
        }.get(kind, [])


async def test_an_altered_sample_is_refused_and_leaves_nothing() -> None:
    async with sampled() as world:
        for event in events():
            body = event["raw_body"].replace("leg-1", "leg-2")
            assert await world.post({**event, "raw_body": body}) == 403
        assert await world.outcome([]) == ([], [])
        assert world.both.telnyx.state.calls[LEG]["commands"] == []
