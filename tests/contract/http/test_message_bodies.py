"""What a message says: counted before it is sent and after, refused when it is too long, and changed by nobody."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator

import pytest

from tests.support.http_world import OURS, STRANGER, HttpWorld

BODIES = int(os.environ.get("PICO_BODIES", "40"))
"""Random ones, besides those below."""
SAMPLES = (
    "שָׁלוֹם עולם",
    "\u200f\u05e9\u05dc\u05d5\u05dd\u200e, \u202bhello\u202c \u2067a\u2069",
    "e\u0301 \u00e9 a\u0323\u0302 \u1ea5 \u0344",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \U0001f44b\U0001f3fd",
    "\U0001f1ee\U0001f1f1 #\ufe0f\u20e3",
    "नमस्ते \u0915\u094d\u200d\u0937 \u0645\u0646\u200c\u0646\u0645\u06cc",
    " \t\r\n\f\x01\x7f\x85\u2028\ufeff ",
    "+%2B&=;\\\"'<\u00a0>",
    "\ufffd\uffff\U0010ffff\ue000",
)
ALPHABET = "".join(dict.fromkeys("".join(SAMPLES)))


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running() as world:
        yield world


def bodies() -> list[str]:
    chance = random.Random(9)
    return [*SAMPLES, *("".join(chance.choices(ALPHABET, k=chance.randint(1, 90))) for _ in range(BODIES))]


async def test_what_a_message_says_survives_byte_for_byte_both_ways(http: HttpWorld) -> None:
    token = await http.person()
    line = await http.line(token)
    for number, body in enumerate(bodies()):
        message = {"to": STRANGER, "body": body}
        path = f"/v1/lines/{line}/messages"
        sent = await http.call("POST", path, message, token=token, headers=http.key())
        assert sent.json["body"] == body
        await http.world.settle()
        assert list(http.world.carrier.messages.values())[-1].body == body
        form = {
            "MessageSid": f"SMa{number:031x}",
            "From": STRANGER,
            "To": OURS,
            "Body": body,
            "NumMedia": "0",
        }
        assert (await http.webhook("/webhooks/twilio/sms", form)).status == 200
        chat = f"/v1/conversations/{sent.json['conversation_id']}"
        page = await http.call("GET", f"{chat}/messages?limit=2", token=token)
        assert [one["body"] for one in page.json["items"]] == [body, body]
        assert (await http.call("GET", chat, token=token)).json["last_message"]["body"] == body
        http.world.limits.full_at.clear()


async def test_a_message_is_counted_before_it_is_sent_and_after(http: HttpWorld) -> None:
    token = await http.person()
    line = await http.line(token)
    for body, encoding, segments, units in (
        ("See you at noon.", "gsm_7", 1, 16),
        ("]" * 153, "gsm_7", 3, 306),
        ("ש" * 71, "ucs_2", 2, 71),
    ):
        estimate = await http.call("POST", "/v1/message-estimates", {"body": body}, token=token)
        assert (estimate.status, estimate.json["fits"]) == (200, True)
        assert [estimate.json[name] for name in ("encoding", "segments", "units")] == [
            encoding,
            segments,
            units,
        ]
        sent = await http.call(
            "POST",
            f"/v1/lines/{line}/messages",
            {"to": STRANGER, "body": body},
            token=token,
            headers=http.key(),
        )
        read = await http.call("GET", f"/v1/messages/{sent.json['id']}", token=token)
        for shown in (sent.json, read.json):
            assert (shown["encoding"], shown["segments"]) == (encoding, segments)


@pytest.mark.parametrize(
    ("body", "characters", "fits"),
    [("x" * 1600, 1600, True), ("x" * 1601, 1601, False), ("\U0001f600" * 801, 1602, False)],
)
async def test_a_message_too_long_for_carriers_is_told_before_and_refused_by_name(
    body: str, characters: int, *, fits: bool, http: HttpWorld
) -> None:
    token = await http.person()
    line = await http.line(token)
    estimate = (await http.call("POST", "/v1/message-estimates", {"body": body}, token=token)).json
    assert (estimate["characters"], estimate["characters_at_most"], estimate["fits"]) == (
        characters,
        1600,
        fits,
    )
    message = {"to": STRANGER, "body": body}
    answer = await http.call("POST", f"/v1/lines/{line}/messages", message, token=token, headers=http.key())
    if fits:
        assert answer.status == 202
    else:
        assert (answer.status, answer.flaws) == (422, {("/body", "message_too_long")})
