"""The four requests that matter most, as bytes ready to be sent. The same numbers always give the same bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from urllib.parse import urlencode

from adapters.outbound.twilio.signature import sign
from benchmarks import population as people
from benchmarks.population import Population

PUBLIC_URL = "https://bench.callpico.example"
SMS = "/webhooks/twilio/sms"
NEWCOMERS = 20
"""One message in so many is with somebody new: it begins a conversation."""


def http(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """Write a request as an ordinary client would."""
    lines = {"Host": "bench.callpico.example", "Accept": "*/*", "Accept-Encoding": "gzip, deflate", **headers}
    if body or method == "POST":
        lines["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def bearer(account: int) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {people.token(account)}",
        "User-Agent": "PicoApp/1.0 (iPhone; iOS 19.1)",
    }


def inbound(
    carrier_token: str, ref: str, sender: str, to: str, body: str, *, lease: object = None, **more: str
) -> bytes:
    """Write a message as the carrier delivers it: signed, with everything it sends unasked.

    `lease` is the line's id, as the address that came with the purchase names it.
    """
    address = f"{SMS}?line={lease}" if lease else SMS
    form = {
        "ToCountry": "US", "ToState": "CA", "SmsMessageSid": ref, "NumMedia": "0", "ToCity": "SAN FRANCISCO",
        "FromZip": "10001", "SmsSid": ref, "FromState": "NY", "SmsStatus": "received", "FromCity": "NEW YORK",
        "Body": body, "FromCountry": "US", "To": to, "ToZip": "94105", "NumSegments": "1", "MessageSid": ref,
        "AccountSid": "AC00000000000000000000000000000001", "From": sender, "ApiVersion": "2010-04-01", **more,
    }  # fmt: skip
    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8", "User-Agent": "TwilioProxy/1.1",
        "I-Twilio-Idempotency-Token": ref,
        "X-Twilio-Signature": sign(carrier_token, PUBLIC_URL + address, form.items()),
    }  # fmt: skip
    return http("POST", address, headers, urlencode(form).encode())


def outbound(account: int, key: str, to: str, body: str) -> bytes:
    """Write a message as an app sends it."""
    headers = {**bearer(account), "Content-Type": "application/json", "Idempotency-Key": key}
    given = json.dumps({"to": to, "body": body}, ensure_ascii=False).encode()
    return http("POST", f"/v1/lines/{people.line_id(account)}/messages", headers, given)


@dataclass(frozen=True, slots=True)
class Draw:
    """What a scenario's request may depend on: whom it is about, which message it is, the carrier's secret."""

    size: Population
    account: int
    random: Random
    serial: int
    carrier_token: str

    def other(self) -> str:
        """Return somebody to write to, who has not opted out."""
        if self.serial % NEWCOMERS == 0:
            return f"+16465{self.serial % 1_000_000:06d}"
        return people.peer(self.account, self.random.randrange(self.size.each - 1))


def _inbound(draw: Draw) -> bytes:
    lease, body = people.line_id(draw.account), people.saying(draw.serial)
    ref, to = f"SM{draw.serial:032x}", people.number(draw.account)
    return inbound(draw.carrier_token, ref, draw.other(), to, body, lease=lease)


def _send(draw: Draw) -> bytes:
    return outbound(draw.account, f"bench-{draw.serial:030d}", draw.other(), people.saying(draw.serial))


def _page(draw: Draw) -> bytes:
    conversation = people.conversation_id(draw.account, draw.random.randrange(draw.size.long))
    return http("GET", f"/v1/conversations/{conversation}/messages?limit=50", bearer(draw.account))


def _list(draw: Draw) -> bytes:
    return http("GET", "/v1/conversations?limit=50", bearer(draw.account))


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of request, and what share of the floor Pico must reach, and would like to."""

    name: str
    title: str
    target: float
    stretch: float
    write: Callable[[Draw], bytes]

    def requests(self, size: Population, carrier_token: str, slice_: int, count: int) -> list[bytes]:
        """Return `count` requests spread over all accounts; other slices have others."""
        random = Random(f"{self.name} {slice_}")
        first = (slice_ + 1) * 10_000_000
        accounts = [one for one in range(size.accounts) if one not in people.TOUCHED]
        random.shuffle(accounts)
        return [
            self.write(Draw(size, accounts[n % len(accounts)], random, first + n, carrier_token))
            for n in range(count)
        ]


SCENARIOS = MappingProxyType({
    one.name: one
    for one in (
        Scenario("inbound", "inbound SMS", 0.6, 0.7, _inbound),
        Scenario("send", "send", 0.55, 0.6, _send),
        Scenario("page", "50 messages", 0.6, 0.7, _page),
        Scenario("list", "50 conversations", 0.6, 0.7, _list),
    )
})  # fmt: skip
