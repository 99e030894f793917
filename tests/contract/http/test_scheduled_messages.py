"""Messages for later, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.support.http_world import STRANGER, Answer, HttpWorld

HOUR = timedelta(hours=1)


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running() as world:
        yield world


async def schedule(http: HttpWorld, token: str, line: str, at: str) -> Answer:
    message = {"to": STRANGER, "body": "later", "send_at": at}
    return await http.call("POST", f"/v1/lines/{line}/messages", message, token=token, headers=http.key())


async def test_a_message_waits_is_shown_and_is_taken_back_or_goes_out(http: HttpWorld) -> None:
    token = await http.person()
    line = await http.line(token)
    at = (http.world.clock.now() + HOUR).isoformat().replace("+00:00", "Z")
    shown = []
    for _ in range(2):
        answer = await schedule(http, token, line, at)
        assert (answer.status, answer.json["status"]) == (202, "scheduled")
        shown.append(answer.json)
    keep, drop = (f"/v1/messages/{one['id']}" for one in shown)
    canceled = await http.call("DELETE", f"{drop}/schedule", token=token)
    assert (canceled.status, canceled.json["status"], canceled.json["send_at"]) == (
        200,
        "canceled",
        shown[1]["send_at"],
    )
    await http.world.advance(HOUR)
    assert len(http.world.carrier.messages) == 1
    sent = await http.call("GET", keep, token=token)
    assert (sent.json["status"], sent.json["send_at"]) == ("queued", shown[0]["send_at"])
    late = await http.call("DELETE", f"{keep}/schedule", token=token)
    assert (late.status, late.code) == (409, "not_scheduled")


async def test_an_offset_is_another_way_of_writing_an_instant(http: HttpWorld) -> None:
    token = await http.person()
    line = await http.line(token)
    at = http.world.clock.now() + HOUR
    written = (at + 2 * HOUR).replace(tzinfo=None).isoformat() + "+02:00"
    answer = await schedule(http, token, line, written)
    assert (answer.status, answer.json["send_at"]) == (202, at.isoformat().replace("+00:00", "Z"))


@pytest.mark.parametrize(
    ("at", "code"),
    [
        ("2026-01-01T12:10:00Z", "send_at_out_of_range"),
        ("9999-12-31T23:59:59Z", "send_at_out_of_range"),
        ("0001-01-01T00:00:00+14:00", "malformed"),
        ("2027-01-05T12:00:00", "malformed"),
        ("tomorrow", "malformed"),
    ],
)
async def test_a_time_that_is_none_or_not_in_reach_is_refused(at: str, code: str, http: HttpWorld) -> None:
    token = await http.person()
    answer = await schedule(http, token, await http.line(token), at)
    assert answer.status == 422
    if code == "malformed":
        assert answer.flaws == {("/send_at", "malformed")}
    else:
        assert answer.code == code
