"""Requests on whose answers both sides must agree: what is served, what is repeated, and what is refused."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from hashlib import md5
from urllib.parse import parse_qsl
from uuid import UUID

from adapters.outbound.twilio.signature import sign
from benchmarks import population as people
from benchmarks.population import Population
from benchmarks.scenarios import PUBLIC_URL, SMS, bearer, http, inbound, outbound


def cases(size: Population, secret: str) -> Iterator[tuple[str, bytes]]:
    """Name every request whose answer both sides must agree on, in an order that matters."""
    yield from _receiving(secret)
    yield from _sending(size)
    yield from _paging(size)
    # Whom the measured requests write to shall not have opted out.
    yield "start again", inbound(secret, sid("check-10"), people.peer(0, 1), people.number(0), "start")


def sid(name: str) -> str:
    """Return a message's id of Twilio's shape."""
    return f"SM{md5(name.encode(), usedforsecurity=False).hexdigest()}"


LEFT, SUSPENDED, RELEASED, TIDY, PENDING_DELETION = 7, 8, 9, 10, 11
"""Accounts to which something happens behind both sides' backs, after they were seen."""
UNLIST = "UPDATE directory SET kind = 'gone.{}' WHERE account_id = '{}' AND kind = '{}'"
MEANWHILE = (
    f"UPDATE sessions SET revoked_at = now() WHERE account_id = '{people.account_id(LEFT)}'",
    UNLIST.format("token", people.account_id(LEFT), "sessions.token"),
    f"UPDATE phone_lines SET state = 'suspended' WHERE account_id = '{people.account_id(SUSPENDED)}'",
    f"UPDATE phone_lines SET state = 'released' WHERE account_id = '{people.account_id(RELEASED)}'",
    UNLIST.format("number", people.account_id(RELEASED), "phone_lines.number"),
    f"UPDATE accounts SET state = 'pending_deletion' WHERE id = '{people.account_id(PENDING_DELETION)}'",
    f"UPDATE conversations SET deleted_at = now() WHERE id = '{people.conversation_id(TIDY, 20)}'",
)
MEND = (
    f"UPDATE accounts SET state = 'active' WHERE id = '{people.account_id(PENDING_DELETION)}'",
    f"UPDATE sessions SET revoked_at = NULL WHERE account_id = '{people.account_id(LEFT)}'",
    f"UPDATE phone_lines SET state = 'active' WHERE account_id = '{people.account_id(SUSPENDED)}'",
    f"UPDATE phone_lines SET state = 'active' WHERE account_id = '{people.account_id(RELEASED)}'",
    "UPDATE directory SET kind = 'sessions.token' WHERE kind = 'gone.token'",
    "UPDATE directory SET kind = 'phone_lines.number' WHERE kind = 'gone.number'",
)


def meanwhile(secret: str, when: str) -> Iterator[tuple[str, bytes]]:
    """Name requests that are answered otherwise, or leave nothing, after `MEANWHILE`."""
    for one in (LEFT, SUSPENDED, RELEASED, TIDY, PENDING_DELETION):
        ref, said = sid(f"{when}-{one}"), f"{when} {one}"
        yield f"{when}, list of {one}", http("GET", "/v1/conversations?limit=100", bearer(one))
        yield f"{when}, page of {one}", _page_of(one, 20)
        yield f"{when}, sent by {one}", outbound(one, ref, people.peer(one, 20), said)
        yield f"{when}, to {one}", inbound(secret, ref, people.peer(one, 20), people.number(one), said)
        yield f"{when}, sent by {one} again", outbound(one, ref, people.peer(one, 20), said)
        yield f"{when}, bad one by {one}", outbound(one, ref, "", said)
        yield f"{when}, bad page of {one}", _page_of(one, 20, "?limit=0")


def rush(secret: str) -> list[bytes]:
    """Return texts of one conversation, some of them repeated, to be sent all at once."""
    other, ours = people.peer(6, 1), people.number(6)
    texts = [outbound(6, f"rush-{n % 12}", other, f"out {n % 12}") for n in range(24)]
    texts += [inbound(secret, sid(f"rush-{n % 12}"), other, ours, f"in {n % 12}") for n in range(24)]
    return texts[::2] + texts[1::2]


def _receiving(secret: str) -> Iterator[tuple[str, bytes]]:
    ours, known, other = people.number(0), people.peer(0, 1), people.peer(0, 2)
    text = inbound(secret, sid("check-1"), known, ours, 'You & "me" + 100% שלום 🙂\n')
    yield "received", text
    yield "received twice", text
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
    yield "another signature", text.replace(b"X-Twilio-Signature: ", b"X-Twilio-Signature: A")
    yield "another text", text.replace(b"100%25", b"200%25")
    yield "another address", text.replace(SMS.encode(), SMS.encode() + b"?a=b", 1)
    yield (
        "another algorithm",
        text.replace(b"Accept: ", b"X-Twilio-Webhooks-Signature-Settings: algorithm=X\r\nAccept: "),
    )
    settings = b"X-Twilio-Webhooks-Signature-Settings: algorithm="
    yield "the usual algorithm, named", text.replace(b"Accept: ", settings + b"HMAC_SHA1\r\nAccept: ")
    with_port = sign(secret, f"{PUBLIC_URL}:443{SMS}", parse_qsl(text.partition(b"\r\n\r\n")[2].decode()))
    yield "signed with the port", re.sub(rb"(?<=Twilio-Signature: )[^\r]+", with_port.encode(), text)
    yield "unsigned", text.replace(b"X-Twilio-Signature", b"X-Something")
    yield "what came in", _page_of(0, 1)


def _sending(size: Population) -> Iterator[tuple[str, bytes]]:
    known = people.peer(2, 1)
    text = outbound(2, "check-1", known, 'Says "שלום" 🙂\nand\ttabs\\')
    yield "sent", text
    yield "sent twice", text
    yield "same key, other text", outbound(2, "check-1", known, "other")
    yield "same key, other account", outbound(3, "check-1", people.peer(3, 1), "hello")
    yield "to somebody new", outbound(2, "check-2", "+16465550003", "hello")
    yield "to somebody new, twice", outbound(2, "check-2", "+16465550003", "hello")
    yield "to whom opted out", outbound(2, "check-4", people.peer(2, size.each - 1), "hello")
    yield "after stop", outbound(0, "check-5", people.peer(0, 1), "hello")
    yield "after start", outbound(0, "check-6", people.peer(0, 2), "hello")
    line, nowhere = str(people.line_id(2)).encode(), b"01900000-0000-7000-8000-000000000000"
    yield "on no line", text.replace(line, nowhere)
    yield "on another's line", text.replace(line, str(people.line_id(3)).encode())
    yield "on no id", text.replace(line, b"x")
    yield "in capitals", outbound(2, "check-7", known, "hello").replace(line, line.upper())
    yield "without a key", text.replace(b"Idempotency-Key", b"X-Key")
    yield "with two keys", text.replace(b"Accept: ", b"Idempotency-Key: 2\r\nAccept: ")
    yield "with a bad key", text.replace(b"check-1", b"check\t1")
    yield "without a token", text.replace(b"Authorization", b"X-Authorization")
    yield "with a mangled token", text.replace(b"Bearer pico_s1_", b"Bearer pico_s1_x")
    yield "with nobody's token", text.replace(people.token(2).encode(), people.token(size.accounts).encode())
    yield "with another scheme", text.replace(b"Bearer ", b"Basic ")
    yield "as a form", text.replace(b"application/json", b"application/x-www-form-urlencoded")
    yield (
        "as a form, without a token",
        text.replace(b"application/json", b"text/plain").replace(b"Bearer ", b"Basic "),
    )
    for body in (
        b"{", b"[]", b'"text"', b"null", b"{}", b"\xff", b'{"to":"12345","to":"12345","body":"x"}',
        b'{"to":"+12125550000"}', b'{"body":"x"}', b'{"to":1,"body":"x"}', b'{"to":"+12125550000","body":["x"]}',
        b'{"to":"12345","body":"x","media":[]}', b'{"to":"+1212555abcd","body":"x"}', b'{"to":"12345","body":NaN}',
        b'{"to":"12345","body":""}', b'{"to":"12345","body":"\\u0000"}', b'{"to":"12345","body":"\\ud800"}',
        b'{"to":"12345","body":"' + b"x" * 1601 + b'"}', b'{"to":"0","body":""}', b" " * 70_000,
    ):  # fmt: skip
        headers = {**bearer(2), "Content-Type": "application/json", "Idempotency-Key": "check-8"}
        yield f"body {body[:60]!r}", http("POST", f"/v1/lines/{people.line_id(2)}/messages", headers, body)
    yield "what went out", _page_of(2, 1)


def _paging(size: Population) -> Iterator[tuple[str, bytes]]:
    cursor = people.identity(people.BEGAN + people.ROUND * 20, "place")
    for query in (
        "", "?limit=50", "?limit=1", "?limit=7", "?limit=100", "?limit=0", "?limit=101", "?limit=x", "?limit=5&limit=5",
        "?limit=%ff", "?more=1", "?cursor=x", f"?cursor={_cursor(cursor)}", f"?cursor={_cursor(cursor)}&limit=3",
        f"?cursor={_cursor(cursor)}A", "?limit",
    ):  # fmt: skip
        yield f"page{query}", _page_of(4, 0, query)
    yield "page of few", _page_of(4, size.long)
    page, token = _page_of(4, 0), people.token(4).encode()
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


def _page_of(account: int, conversation: int, query: str = "") -> bytes:
    return http(
        "GET",
        f"/v1/conversations/{people.conversation_id(account, conversation)}/messages{query}",
        bearer(account),
    )


def _cursor(last: UUID) -> str:
    return urlsafe_b64encode(last.bytes).decode().rstrip("=")
