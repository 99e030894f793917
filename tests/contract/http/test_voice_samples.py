"""Every sample of Twilio's requests about calls, in order, reversed and shuffled: the same call comes of it.

`PICO_VOICE_SHUFFLES` says how often each sequence is shuffled: a few times unless it is set.
"""

from __future__ import annotations

import json
import os
import random
from typing import Any
from uuid import UUID

import pytest

from domain.calls import CallDirection, CallOutcome
from domain.kernel import AccountId, LineId
from tests.support.http_world import OURS, HttpWorld
from tests.support.provider_files import sample_webhooks

SHUFFLES = int(os.environ.get("PICO_VOICE_SHUFFLES", "5"))
CALLER, CALLED = "+13105550178", "+14155550126"
IN, OUT = CallDirection.INBOUND, CallDirection.OUTBOUND
State = tuple[CallDirection, str | None, CallOutcome, int, bool]
"""Direction, other side, outcome, seconds of talk, and whether it is over."""
COMES_TO: dict[str, list[State]] = {
    "missed_call_to_voicemail": [(IN, CALLER, CallOutcome.NO_ANSWER, 0, True)],
    "voicemail_edge_cases": [],
    "answered_call": [(IN, CALLER, CallOutcome.ANSWERED, 50, True)],
    "other_dial_outcomes": [(IN, CALLER, CallOutcome.BUSY, 0, False)],
    "anonymous_caller": [(IN, None, CallOutcome.RINGING, 0, False)],
    "international_caller": [(IN, "+447700900123", CallOutcome.RINGING, 0, False)],
    "outbound_from_client": [(OUT, CALLED, CallOutcome.ANSWERED, 95, False)],
}


def sequences() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = sample_webhooks("twilio_voice_sequences.json")["sequences"]
    return found


class Player:
    """Ada's line, to which all that is sampled happens."""

    def __init__(self, http: HttpWorld, account_id: AccountId, line_id: LineId, client: str) -> None:
        self.http, self.account_id, self.line_id, self.client = http, account_id, line_id, client

    @classmethod
    async def of(cls, http: HttpWorld) -> Player:
        token = await http.person()
        line_id = LineId(UUID(await http.line(token, OURS)))
        account_id = (await http.world.use_cases.authenticate(token)).account_id
        return cls(http, account_id, line_id, await http.world.call_clients.identity(account_id, line_id))

    async def as_signed(self, request: dict[str, Any]) -> None:
        """Send a sample as it is."""
        path = request["url"].removeprefix("https://api.pico.example")
        body = request["raw_body"].encode()
        answer = await self.http.call("POST", path, raw=body, headers=request["headers"])
        assert answer.status < 300, (request["name"], answer.body)

    async def play(self, requests: list[dict[str, Any]], mark: int) -> list[State]:
        """Send samples about a call of its own, with Ada's app in the place of theirs; return what they came to."""
        for request in requests:
            said = json.dumps(request["form"]).replace("line_01J0PICO", self.client)
            form = json.loads(said.replace("0" * 24, f"{mark:024x}"))
            form |= {"LineId": str(self.line_id)} if "LineId" in form else {}
            answer = await self.http.webhook(request["url"].removeprefix("https://api.pico.example"), form)
            assert answer.status < 300, (request["name"], answer.body)
        return await self.calls(mark)

    async def calls(self, mark: int) -> list[State]:
        async with self.http.world.store.begin(self.account_id) as tx:
            calls = await tx.calls.page(None, None, None, 10_000)
        return [
            (call.direction, call.peer, call.outcome, call.talked_for, call.is_over)
            for call in calls
            if (call.ref or "").startswith(f"CA{mark:024x}")
        ]


def test_there_is_something_to_expect_of_every_sequence() -> None:
    assert sequences().keys() == COMES_TO.keys()


@pytest.mark.parametrize("name", COMES_TO)
async def test_a_sequence_comes_to_the_same_in_any_order_and_again(name: str) -> None:
    requests, chance = sequences()[name], random.Random(name)
    async with HttpWorld.running() as http:
        ada = await Player.of(http)
        assert await ada.play(requests, 1) == COMES_TO[name]
        assert await ada.play(requests, 1) == COMES_TO[name], "again"
        assert await ada.play(requests[::-1], 2) == COMES_TO[name], "reversed"
        for mark in range(3, 3 + SHUFFLES):
            shuffled = chance.sample(requests * 2, 2 * len(requests))
            assert await ada.play(shuffled, mark) == COMES_TO[name], [each["name"] for each in shuffled]


@pytest.mark.parametrize("name", COMES_TO)
async def test_a_sample_verifies_as_twilio_signed_it_and_no_altered_one_does(name: str) -> None:
    async with HttpWorld.running() as http:
        ada = await Player.of(http)
        for request in sequences()[name]:
            await ada.as_signed(request)
            path = request["url"].removeprefix("https://api.pico.example")
            altered = {**request["form"], "To": CALLED + "1"}
            signature = request["headers"]["X-Twilio-Signature"]
            assert (await http.webhook(path, altered, signed=signature)).status == 403
