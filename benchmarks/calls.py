"""How soon the carrier hears what is to be done with a call: it stays silent, and so does the caller, until then.

The floor verifies who asks and answers a constant. It looks nothing up and keeps nothing: the ratio says what it
costs to find the line, to put the call on record and to write instructions down. The promise is the time.

It is measured in two ways. With so many requests under way at any time, the next one as soon as one is answered, they
wait for each other: 32 at a time take 32 times as long as one keeps the machine busy. And with so many a second, at
times of their own, which is what a carrier does: calls come when people make them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlencode

from adapters.outbound.twilio.signature import sign
from adapters.outbound.twilio.twiml import LARGEST
from benchmarks import population as people
from benchmarks.arrivals import arrive
from benchmarks.load import ask, fire
from benchmarks.product import SIDES, Rig
from benchmarks.scenarios import PUBLIC_URL, Draw, Scenario, http

VOICE = "/webhooks/twilio/voice"
TARGET_MS = 50.0
"""By when 99 of 100 callers are dealt with."""
SLICE = 600
"""Calls of a slice."""
RATES, TURNS = (50, 100), 3
"""Calls a second, and how often the sides take turns with `SLICE` / 2 of them."""


def ringing(draw: Draw) -> bytes:
    """Write a call that comes in as the carrier asks about it, on the lease that the address names."""
    address = f"{VOICE}?line={people.line_id(draw.account)}"
    caller, called = draw.other(), people.number(draw.account)
    form = {
        "CallSid": f"CA{draw.serial:032x}", "AccountSid": "AC00000000000000000000000000000001",
        "ApiVersion": "2010-04-01", "CallStatus": "ringing", "Direction": "inbound", "From": caller, "Caller": caller,
        "To": called, "Called": called, "FromCity": "NEW YORK", "FromState": "NY", "FromZip": "10001",
        "FromCountry": "US", "StirVerstat": "TN-Validation-Passed-A",
    }  # fmt: skip
    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8", "User-Agent": "TwilioProxy/1.1",
        "X-Twilio-Signature": sign(draw.carrier_token, PUBLIC_URL + address, form.items()),
    }  # fmt: skip
    return http("POST", address, headers, urlencode(form).encode())


CALL = Scenario("call", "first answer to a call", 0.0, 0.0, ringing)


@dataclass(slots=True)
class Answers:
    """What either side did over so many connections: calls a second, by slice, and each answer's time in seconds."""

    connections: int
    rates: dict[str, list[float]] = field(default_factory=lambda: {side: [] for side in SIDES})
    each: dict[str, list[float]] = field(default_factory=lambda: {side: [] for side in SIDES})
    cpu: dict[str, list[float]] = field(default_factory=lambda: {side: [] for side in SIDES})
    """Seconds of the server's processor time that a call took, by slice."""

    def p99_ms(self, side: str) -> float:
        """Return within how many milliseconds 99 of 100 were answered."""
        return quantiles(self.each[side], n=100)[98] * 1e3

    @property
    def met(self) -> bool:
        """Whether Pico kept its promise."""
        return self.p99_ms("product") < TARGET_MS

    def line(self) -> str:
        """Tell it in a line."""
        ratios = [pico / floor for pico, floor in zip(*(self.rates[side] for side in SIDES), strict=True)]
        middle = {side: median(self.each[side]) * 1e3 for side in SIDES}
        spent = {side: median(self.cpu[side]) * 1e6 for side in SIDES}
        return (
            f"first answer to a call, c={self.connections}: p99 {self.p99_ms('product'):.1f} ms, target"
            f" {TARGET_MS:.0f}; p50 {middle['product']:.1f} ms; {median(self.rates['product']):.0f} a second,"
            f" {median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f}) of a floor that verifies and answers a"
            f" constant (p50 {middle['floor']:.1f}, p99 {self.p99_ms('floor'):.1f} ms); the server's CPU"
            f" {spent['product']:.0f} / {spent['floor']:.0f} µs a call"
        )


async def measured(rig: Rig, connections: int, pairs: int, first: int) -> Answers:
    """Take turns, with the same calls for both sides; each slice has calls of its own, from the `first` on."""
    answers = Answers(connections)
    for pair in range(pairs):
        requests = CALL.requests(rig.size, rig.carrier_token, first + pair, SLICE)
        for side in SIDES if pair % 2 else reversed(SIDES):
            before = rig.sides[side].cpu()
            fired = await fire(rig.sides[side].port, requests, connections=connections)
            answers.cpu[side].append((rig.sides[side].cpu() - before) / SLICE)
            answers.rates[side].append(SLICE / fired.seconds)
            answers.each[side] += fired.each
    return answers


@dataclass(slots=True)
class Arrivals:
    """What either side did while so many calls a second came in."""

    rate: int
    each: dict[str, list[float]] = field(default_factory=lambda: {side: [] for side in SIDES})
    most: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SIDES, 0))

    def ms(self, side: str, of_100: int) -> float:
        """Return within how many milliseconds so many of 100 were answered."""
        return quantiles(self.each[side], n=100)[of_100 - 1] * 1e3

    @property
    def met(self) -> bool:
        """Whether Pico kept its promise."""
        return self.ms("product", 99) < TARGET_MS

    def line(self) -> str:
        """Tell it in a line."""
        p50, p99 = ({side: self.ms(side, of_100) for side in SIDES} for of_100 in (50, 99))
        return (
            f"first answer to a call, {self.rate} calls a second: p99 {p99['product']:.1f} ms, target {TARGET_MS:.0f};"
            f" p50 {p50['product']:.1f} ms, at most {self.most['product']} under way; the floor's p50"
            f" {p50['floor']:.1f}, p99 {p99['floor']:.1f} ms"
        )


async def coming_in(rig: Rig, rate: int, first: int) -> Arrivals:
    """Have calls come in at a rate, the same and at the same times for both sides, which take turns."""
    arrivals = Arrivals(rate)
    for turn in range(TURNS):
        requests = CALL.requests(rig.size, rig.carrier_token, first + turn, SLICE // 2)
        for side in SIDES if turn % 2 else reversed(SIDES):
            arrived = await arrive(rig.sides[side].port, requests, rate=rate, seed=turn)
            arrivals.each[side] += arrived.each
            arrivals.most[side] = max(arrivals.most[side], arrived.most)
    return arrivals


async def tell(
    rig: Rig, say: Callable[[Any], None], pairs: int, connections: Sequence[int] = (8, 32)
) -> bool:
    """Measure and print it; tell whether every answer was one, and the promise was kept."""
    warming = CALL.requests(rig.size, rig.carrier_token, 0, rig.size.accounts)
    for side in SIDES:
        await fire(rig.sides[side].port, warming)
    status, _, document = await ask(
        rig.sides["product"].port, CALL.requests(rig.size, rig.carrier_token, 1, 1)[0]
    )
    rings = status == 200 and b"<Client" in document and len(document) < LARGEST
    say(f"a call rings an app: {rings}; the document has {len(document)} bytes")
    all_answers: list[Answers | Arrivals] = []
    for rate in RATES:
        all_answers.append(await coming_in(rig, rate, first=2 + len(all_answers) * TURNS))
    begun = 2 + len(RATES) * TURNS
    for place, wide in enumerate(connections):
        all_answers.append(await measured(rig, wide, pairs, first=begun + place * pairs))
    for answers in all_answers:
        say(answers.line())
    return rings and all(answers.met for answers in all_answers)
