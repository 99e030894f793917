"""Requests on whose answers both sides must agree: what is served, what is repeated, and what is refused."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from urllib.parse import parse_qsl
from uuid import UUID

from adapters.outbound.twilio.signature import sign
from benchmarks import population as people
from benchmarks.meanwhile import page_of, sid
from benchmarks.population import Population
from benchmarks.scenarios import PUBLIC_URL, SMS, bearer, http, inbound, outbound


def cases(size: Population, secret: str) -> Iterator[tuple[str, bytes]]:
    """Name every request whose answer both sides must agree on, in an order that matters."""
    yield from _receiving(secret)
    yield from _sending(size)
    yield from _paging(size)
    # Whom the measured requests write to shall not have opted out.
    yield "start again", inbound(secret, sid("check-10"), people.peer(0, 1), people.number(0), "start")


def rush(secret: str) -> list[bytes]:
    """Return messages of one conversation, some of them repeated, to be sent all at once."""
    other, ours = people.peer(6, 1), people.number(6)
    messages = [outbound(6, f"rush-{n % 12}", other, f"out {n % 12}") for n in range(24)]
    messages += [inbound(secret, sid(f"rush-{n % 12}"), other, ours, f"in {n % 12}") for n in range(24)]
    return messages[::2] + messages[1::2]


def _receiving(secret: str) -> Iterator[tuple[str, bytes]]:
    ours, known, other = people.number(0), people.peer(0, 1), people.peer(0, 2)
    message = inbound(secret, sid("check-1"), known, ours, 'You & "me" + 100% שלום 🙂\n')
    yield "received", message
    yield "received twice", message
    yield "from somebody new", inbound(secret, sid("check-2"), "+16465550001", ours, "hello")
    yield "from a name", inbound(secret, sid("check-3"), "PARCELS", ours, "")
    yield "stop", inbound(secret, sid("check-4"), known, ours, " stop ")
    yield "stop from somebody new", inbound(secret, sid("check-5"), "+16465550002", ours, "Quit")
    yield (
        "stop by the carrier's word",
        inbound(secret, sid("check-6"), other, ours, "please", OptOutType="STOP"),
    )
    yield "start", inbound(secret, sid("check-7"), other, ours, "START")
    yield "for nobody", inbound(secret, sid("check-8"), known, "+14159999999", "hello")
    for name in ("Bank\u200b of\nX", "", " a ", "Müller", "\u202e", "x" * 80):
        yield f"from {name!r}", inbound(secret, sid(f"from-{name!r}"), name, ours, "hello")
    for field, said in (
        ("NumMedia", "x"), ("NumMedia", "100"), ("SmsSid", "SM0"), ("MessageSid", "SM0"),
        ("To", ""), ("9", "x"), ("ToCity", f"MessageSid{sid('other')}"), ("Body", f"MessageSid{sid('other')}"),
        ("OptOutType", "HELP"),
    ):  # fmt: skip
        more = {field: said}
        yield f"with {more}", inbound(secret, sid(f"with-{more}"), known, ours, "hello", **more)
    yield "no number of ours", inbound(secret, sid("check-9"), known, "12345", "hello")
    yield "no reference", inbound(secret, "", known, ours, "hello")
    lease, former = people.line_id(0), people.line_id(1)
    yield "on this lease", inbound(secret, sid("check-11"), known, ours, "for you", lease=lease)
    yield "on a former lease", inbound(secret, sid("check-12"), known, ours, "not for you", lease=former)
    yield "on no lease", inbound(secret, sid("check-13"), known, ours, "not for you", lease="x")
    yield (
        "on two leases",
        inbound(secret, sid("check-14"), known, ours, "hm", lease=f"{former}&line={lease}&a=b"),
    )
    yield "on an empty lease", inbound(secret, sid("check-15"), known, ours, "hello", lease="&a=%20")
    yield "another signature", message.replace(b"X-Twilio-Signature: ", b"X-Twilio-Signature: A")
    yield "another message", message.replace(b"100%25", b"200%25")
    yield "another address", message.replace(SMS.encode(), SMS.encode() + b"?a=b", 1)
    yield (
        "another algorithm",
        message.replace(b"Accept: ", b"X-Twilio-Webhooks-Signature-Settings: algorithm=X\r\nAccept: "),
    )
    settings = b"X-Twilio-Webhooks-Signature-Settings: algorithm="
    yield "the usual algorithm, named", message.replace(b"Accept: ", settings + b"HMAC_SHA1\r\nAccept: ")
    with_port = sign(secret, f"{PUBLIC_URL}:443{SMS}", parse_qsl(message.partition(b"\r\n\r\n")[2].decode()))
    yield "signed with the port", re.sub(rb"(?<=Twilio-Signature: )[^\r]+", with_port.encode(), message)
    yield "unsigned", message.replace(b"X-Twilio-Signature", b"X-Something")
    yield "what came in", page_of(0, 1)


def _sending(size: Population) -> Iterator[tuple[str, bytes]]:
    known = people.peer(2, 1)
    message = outbound(2, "check-1", known, 'Says "שלום" 🙂\nand\ttabs\\')
    yield "sent", message
    yield "sent twice", message
    yield "same key, other message", outbound(2, "check-1", known, "other")
    yield "same key, other account", outbound(3, "check-1", people.peer(3, 1), "hello")
    yield "to somebody new", outbound(2, "check-2", "+16465550003", "hello")
    yield "to somebody new, twice", outbound(2, "check-2", "+16465550003", "hello")
    yield "to whom opted out", outbound(2, "check-4", people.peer(2, size.each - 1), "hello")
    yield "after stop", outbound(0, "check-5", people.peer(0, 1), "hello")
    yield "after start", outbound(0, "check-6", people.peer(0, 2), "hello")
    for to in (
        people.number(2), "911", "112", "55555", "12345678", "+12121112222", "+15005550006", "+442079460018",
        "+4420794600189999", "+999123456789", "+1212555", "+97225551234",
    ):  # fmt: skip
        yield f"to {to}", outbound(2, f"to {to}".replace(" ", "-"), to, "hello")
        yield f"to {to}, twice", outbound(2, f"to {to}".replace(" ", "-"), to, "hello")
    yield "same key, to nobody", outbound(2, "check-1", "911", "hello")
    line, nowhere = str(people.line_id(2)).encode(), b"01900000-0000-7000-8000-000000000000"
    yield "on no line", message.replace(line, nowhere)
    yield "on another's line", message.replace(line, str(people.line_id(3)).encode())
    yield "on no id", message.replace(line, b"x")
    yield "in capitals", outbound(2, "check-7", known, "hello").replace(line, line.upper())
    yield "without a key", message.replace(b"Idempotency-Key", b"X-Key")
    yield "with two keys", message.replace(b"Accept: ", b"Idempotency-Key: 2\r\nAccept: ")
    yield "with a bad key", message.replace(b"check-1", b"check\t1")
    yield "without a token", message.replace(b"Authorization", b"X-Authorization")
    yield "with a mangled token", message.replace(b"Bearer pico_s1_", b"Bearer pico_s1_x")
    yield (
        "with nobody's token",
        message.replace(people.token(2).encode(), people.token(size.accounts).encode()),
    )
    yield "with another scheme", message.replace(b"Bearer ", b"Basic ")
    yield "as a form", message.replace(b"application/json", b"application/x-www-form-urlencoded")
    yield (
        "as a form, without a token",
        message.replace(b"application/json", b"text/plain").replace(b"Bearer ", b"Basic "),
    )
    for body in (
        b"{", b"[]", b'"message"', b"null", b"{}", b"\xff", b'{"to":"12345","to":"12345","body":"x"}',
        b'{"to":"+12125550000"}', b'{"body":"x"}', b'{"to":1,"body":"x"}', b'{"to":"+12125550000","body":["x"]}',
        b'{"to":"12345","body":"x","sound":[]}', b'{"to":"+1212555abcd","body":"x"}', b'{"to":"12345","body":NaN}',
        b'{"to":"12345","body":""}', b'{"to":"12345","body":"\\u0000"}', b'{"to":"12345","body":"\\ud800"}',
        b'{"to":"12345","body":"' + b"x" * 1601 + b'"}', b'{"to":"0","body":""}', b" " * 70_000,
    ):  # fmt: skip
        headers = {**bearer(2), "Content-Type": "application/json", "Idempotency-Key": "check-8"}
        yield f"body {body[:60]!r}", http("POST", f"/v1/lines/{people.line_id(2)}/messages", headers, body)
    yield "what went out", page_of(2, 1)


def _paging(size: Population) -> Iterator[tuple[str, bytes]]:
    cursor = people.identity(people.BEGAN + people.ROUND * 20, "place")
    for query in (
        "", "?limit=50", "?limit=1", "?limit=7", "?limit=100", "?limit=0", "?limit=101", "?limit=x", "?limit=5&limit=5",
        "?limit=%ff", "?more=1", "?cursor=x", f"?cursor={_cursor(cursor)}", f"?cursor={_cursor(cursor)}&limit=3",
        f"?cursor={_cursor(cursor)}A", "?limit",
    ):  # fmt: skip
        yield f"page{query}", page_of(4, 0, query)
    yield "page of few", page_of(4, size.long)
    page, token = page_of(4, 0), people.token(4).encode()
    yield "page of another's", page.replace(token, people.token(5).encode())
    yield "page of nobody", page.replace(token, people.token(size.accounts).encode())
    line = people.line_id(4)
    for query in (
        "", "?limit=50", "?limit=2", "?limit=0", f"?line_id={line}", f"?line_id={people.line_id(5)}", "?line_id=x",
        "?cursor=AAAA", "?cursor=AAY6ROQ2AAABm2YAAAAABwCAAAAAAAAAAA%3D%3D", f"?limit=3&line_id={line}", "?foo=1",
    ):  # fmt: skip
        yield f"list{query}", http("GET", f"/v1/conversations{query}", bearer(4))
    yield "list of who wrote", http("GET", "/v1/conversations?limit=10", bearer(2))
    yield "list of nobody", http("GET", "/v1/conversations", {"Authorization": "Bearer x"})


def _cursor(last: UUID) -> str:
    return urlsafe_b64encode(last.bytes).decode().rstrip("=")
