"""`python -m tests.forge`: what `./pico forge` runs. Makes forms out of signed ones, and sees which are taken.

Nothing that anybody makes of a request of Twilio's may have an effect that the request did not have: it is refused, or
it is the same message (or the same report) and changes nothing after it. Half of the forms are signed alike: the same
characters, cut elsewhere. The others are changed in a field, a name, the address or the signature.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID

from adapters.inbound.webhooks.twilio.form import well_formed
from adapters.inbound.webhooks.twilio.messages import MESSAGE_STATUS, SMS, TwilioMessages
from adapters.inbound.webhooks.twilio.signature import TwilioSignature
from adapters.outbound.twilio.signature import sign
from adapters.outbound.twilio.vocabulary import outcome_of
from application.inbound_messages import DeliveryReceipt, InboundMessage
from domain.messages import Direction, Message, Status
from domain.values import MessageBody
from tests import forge_calls
from tests.support.recuts import OF_A_CALL, OF_A_MESSAGE, Pairs, bait, recut, said

TOKEN, PUBLIC_URL = "the token of nobody's account", "https://pico.example"
SID, OTHER, OURS, STRANGER = f"SM{0xABC:032x}", f"SM{0xDEF:032x}", "+12025550143", "+13105550178"
COMMON = {"AccountSid": f"AC{1:032x}", "ApiVersion": "2010-04-01", "MessageSid": SID, "SmsSid": SID}
INBOUND = COMMON | {
    "From": STRANGER, "NumMedia": "0", "NumSegments": "1", "SmsMessageSid": SID, "SmsStatus": "received", "To": OURS,
}  # fmt: skip
PLACES = {
    "FromCity": "OAKLAND",
    "FromState": "CA",
    "FromZip": "94601",
    "ToCity": "WASHINGTON",
    "ToZip": "20001",
}
PICTURE = {
    "NumMedia": "1",
    "MediaContentType0": "image/jpeg",
    "MediaUrl0": "https://api.twilio.example/Media/ME1",
}
REPORT = COMMON | {"From": OURS, "To": STRANGER, "MessageStatus": "sent", "SmsStatus": "sent"}
KINDS: tuple[tuple[str, str, dict[str, str]], ...] = (
    (SMS, "", INBOUND),
    (SMS, "", INBOUND | PLACES),
    (SMS, f"line={UUID(int=7)}", INBOUND | PICTURE),
    (SMS, "", INBOUND | {"OptOutType": "STOP"}),
    (MESSAGE_STATUS, f"message={UUID(int=8)}", REPORT),
    (MESSAGE_STATUS, f"message={UUID(int=8)}", REPORT | {"MessageStatus": "delivered"}),
    (MESSAGE_STATUS, "", REPORT | {"MessageStatus": "undelivered", "ErrorCode": "30008"}),
)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
Request = tuple[str, str, Pairs, str]
"""Path, query, fields, signature."""


def signed(path: str, query: str, pairs: Pairs) -> Request:
    return path, query, pairs, sign(TOKEN, address(path, query), dict(pairs).items())


def address(path: str, query: str) -> str:
    return f"{PUBLIC_URL}{path}?{query}" if query else PUBLIC_URL + path


def taken(request: Request) -> object:
    """Return what a request is taken for: None when it is refused, or about nobody."""
    path, query, pairs, signature = request
    if not TwilioSignature([TOKEN]).verify(address(path, query), pairs, signature):
        return None
    form = well_formed(pairs)
    seen: list[Any] = []

    async def note(what: InboundMessage | DeliveryReceipt) -> None:
        seen.append(what)

    if form is not None:
        known = {**TwilioMessages(note, note, outcome_of).handlers(), **forge_calls.handlers(seen)}
        handled: Any = known[path](form, query)
        try:
            handled.send(None)
        except StopIteration:
            pass
        else:
            raise AssertionError("a handler waited for something")
    return seen[0] if seen else None


def changes_nothing(first: object, then: object) -> bool:
    """Tell whether what came first leaves nothing to do for what came then."""
    match first, then:
        case InboundMessage(), InboundMessage():  # each reference is stored once on each line
            return (first.to, first.ref, first.line_id) == (then.to, then.ref, then.line_id)
        case DeliveryReceipt(), DeliveryReceipt():
            message = outbound()
            message.adopt(first.sent, NOW)
            before = replace(message)
            message.adopt(then.sent, NOW)
            same = (first.sender, first.ref, first.message_id) == (then.sender, then.ref, then.message_id)
            return same and message == before
    return forge_calls.changes_nothing(first, then)


def outbound() -> Message:
    nobody: Any = UUID(int=0)
    return Message(
        account_id=nobody, id=nobody, conversation_id=nobody, line_id=nobody, direction=Direction.OUTBOUND,
        status=Status.QUEUED, body=MessageBody("hello"), created_at=NOW,
    )  # fmt: skip


def cut_elsewhere(request: Request, rnd: Random) -> Request | None:
    path, query, pairs, signature = request
    other = recut(said(pairs), rnd, names=OF_A_CALL if path in forge_calls.PATHS else OF_A_MESSAGE)
    return None if other is None else (path, query, other, signature)


def moved(request: Request, rnd: Random) -> Request:
    """Move one boundary between a name and its value, or between two fields, by a few characters."""
    path, query, pairs, signature = request
    fields = sorted(pairs)
    at = rnd.randrange(len(fields) - 1)
    (name, value), (after, rest) = fields[at], fields[at + 1]
    together = value + after
    cut = rnd.randrange(len(together) + 1)
    fields[at : at + 2] = [(name, together[:cut]), (together[cut:], rest)]
    return path, query, tuple(fields), signature


def repeated(request: Request, rnd: Random) -> Request:
    """Say a field twice, which is signed as said once, or in another order."""
    path, query, pairs, signature = request
    fields = [*pairs, *rnd.sample(pairs, rnd.randrange(3))]
    rnd.shuffle(fields)
    return path, query, tuple(fields), signature


def edited(request: Request, rnd: Random) -> Request:
    """Change, add or drop a field."""
    path, query, pairs, signature = request
    fields = list(pairs)
    at = rnd.randrange(len(fields))
    name, value = fields[at]
    fields[at : at + 1] = rnd.choice(
        [
            [], [(name, value[::-1])], [(name.swapcase(), value)], [(name, value), ("Zzz", "1")], [(f" {name}", value)],
            [(name, value + rnd.choice("0\x00 Z\u202e\ud800"))], [("MessageSid", OTHER)], [(name, "")],
        ]
    )  # fmt: skip
    return path, query, tuple(fields), signature


def readdressed(request: Request, rnd: Random) -> Request:
    """Send it to another address of ours."""
    _, query, pairs, signature = request
    query = rnd.choice([f"line={UUID(int=9)}", f"message={UUID(int=9)}", f"{query}&x=1", "", f"{query}%20"])
    return rnd.choice([SMS, MESSAGE_STATUS, *forge_calls.PATHS]), query, pairs, signature


def countersigned(request: Request, rnd: Random) -> Request:
    """Change the form for another and spoil the signature, or sign with a token that is not ours."""
    path, query, _, signature = request
    pairs = tuple((INBOUND | {"MessageSid": OTHER, "SmsSid": OTHER, "SmsMessageSid": OTHER}).items())
    at = rnd.randrange(len(signature))
    spoilt = signature[:at] + rnd.choice("AZaz09+/= ") + signature[at + 1 :]
    other = sign("another token", address(path, query), dict(pairs).items())
    return path, query, pairs, rnd.choice([spoilt, signature.lower(), "", other, signature + "="])


CHANGES: tuple[Callable[[Request, Random], Request | None], ...] = (
    *[cut_elsewhere] * 6, moved, moved, repeated, edited, readdressed, countersigned,
)  # fmt: skip


def attempt(seed: int, count: int) -> Counter[str]:
    """Make that many forms and count what became of them, by the kind of change."""
    rnd, seen = Random(seed), Counter[str]()
    while seen.total() < count:
        path, query, fields = rnd.choice(rnd.choice((KINDS, forge_calls.KINDS)))
        body = {"Body": bait(rnd, OTHER, OURS)} if path == SMS else forge_calls.worded(path, rnd)
        request = signed(path, query, tuple((fields | body).items()))
        change = rnd.choice(CHANGES)
        other = change(request, rnd)
        if other is None or other == request:
            continue
        then = taken(other)
        same = then is not None and changes_nothing(taken(request), then)
        outcome = "refused" if then is None else "changes nothing" if same else "ANOTHER EFFECT"
        seen[f"{change.__name__}: {outcome}"] += 1
    return seen


def main(count: int, seed: int, processes: int) -> int:
    """Print the counts; return how many forms had another effect."""
    each = -(-count // processes)
    with ProcessPoolExecutor(processes) as pool:
        seen = sum(pool.map(attempt, range(seed, seed + processes), [each] * processes), Counter[str]())
    for what, times in sorted(seen.items()):
        print(f"{times:8,}  {what}")
    bad = sum(times for what, times in seen.items() if what.endswith("ANOTHER EFFECT"))
    print(f"{seen.total():8,}  forms made of signed ones: {bad} accepted with another effect")
    return bad


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="./pico forge", description="Make forms out of signed ones.")
    parser.add_argument("--count", type=int, default=400_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    sys.exit(min(main(given.count, given.seed, given.processes), 1))
