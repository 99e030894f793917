"""Whether the comparison is fair: the same requests must get the same answers and leave the same rows on both sides.

Answers are compared byte by byte, but for the ids and instants that were made meanwhile. Rows are compared opened, by
Pico's own vault, so what the floor sealed is proved to be what Pico would have sealed.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg

from adapters.outbound.local.kms import LocalKms
from adapters.outbound.local.system import SystemClock
from adapters.outbound.postgres.keyring import PostgresKeyring
from adapters.outbound.postgres.sealing import AccountVault
from benchmarks import population as people
from benchmarks.house import House
from benchmarks.load import ask
from benchmarks.population import Population
from benchmarks.scenarios import SMS, bearer, http, inbound, outbound
from bootstrap.sandbox import SANDBOX
from domain.kernel import AccountId

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r'"(20[0-9-]{8}T[0-9:.]+)Z"')
SEALED = {("messages", "body"), ("conversations", "peer")}
TABLES = ("conversations", "messages", "once", "pgqueuer")
"""What the four requests write to. Conversations come first: they name the others' new ids."""


class Unequal(Exception):
    """The sides do not do the same. The message says where."""


async def check(house: House) -> int:
    """Send every kind of request, good and bad, to both sides. Return how many were sent. Raises Unequal."""
    began, count = datetime.now(UTC), 0
    for name, request in cases(house.size, house.carrier_token):
        pico, floor = [_seen(await ask(side.port, request), began) for side in house.sides.values()]
        if pico != floor:
            raise Unequal(f"{name}:\n  Pico  {pico}\n  floor {floor}")
        count += 1
    pico_rows, floor_rows = [Counter(await _rows(house, side.database_url, began)) for side in house.sides.values()]
    if pico_rows != floor_rows:
        differing = [f"  Pico  {row}" for row in pico_rows - floor_rows] + [f"  floor {row}" for row in floor_rows - pico_rows]
        raise Unequal("rows differ:\n" + "\n".join(sorted(differing, key=lambda line: line[8:])[:20]))
    await tally(house)
    return count


async def tally(house: House) -> dict[str, int]:
    """Count the rows of every table on both sides. Raises Unequal."""
    counts = []
    for side in house.sides.values():
        connection = await asyncpg.connect(side.database_url)
        tables = await connection.fetch("SELECT relname FROM pg_stat_user_tables ORDER BY relname")
        counts.append({table: await connection.fetchval(f'SELECT count(*) FROM "{table}"') for (table,) in tables})
        await connection.close()
    if counts[0] != counts[1]:
        raise Unequal(f"rows by table:\n  Pico  {counts[0]}\n  floor {counts[1]}")
    return counts[0]


def cases(size: Population, secret: str) -> Iterator[tuple[str, bytes]]:
    """Name every request whose answer both sides must agree on, in an order that matters."""
    yield from _receiving(size, secret)
    yield from _sending(size)
    yield from _paging(size)


def _receiving(size: Population, secret: str) -> Iterator[tuple[str, bytes]]:
    ours, known, other = people.number(0), people.peer(0, 1), people.peer(0, 2)
    text = inbound(secret, "SM-check-1", known, ours, 'You & "me" + 100% שלום 🙂\n')
    yield "received", text
    yield "received twice", text
    yield "from somebody new", inbound(secret, "SM-check-2", "+16465550001", ours, "hello")
    yield "from a name", inbound(secret, "SM-check-3", "PARCELS", ours, "")
    yield "stop", inbound(secret, "SM-check-4", known, ours, " stop ")
    yield "stop from somebody new", inbound(secret, "SM-check-5", "+16465550002", ours, "Quit")
    yield "stop by the carrier's word", inbound(secret, "SM-check-6", other, ours, "please", OptOutType="STOP")
    yield "start", inbound(secret, "SM-check-7", other, ours, "START")
    yield "for nobody", inbound(secret, "SM-check-8", known, "+14159999999", "hello")
    yield "no number of ours", inbound(secret, "SM-check-9", known, "12345", "hello")
    yield "no reference", inbound(secret, "", known, ours, "hello")
    yield "another signature", text.replace(b"X-Twilio-Signature: ", b"X-Twilio-Signature: A")
    yield "another text", text.replace(b"100%25", b"200%25")
    yield "another address", text.replace(SMS.encode(), SMS.encode() + b"?a=b", 1)
    yield "another algorithm", text.replace(b"Accept: ", b"X-Twilio-Webhooks-Signature-Settings: algorithm=X\r\nAccept: ")
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
    yield "to a short code", outbound(2, "check-3", "12345", "hello")
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
    yield "as a form, without a token", text.replace(b"application/json", b"text/plain").replace(b"Bearer ", b"Basic ")
    for body in (
        b"{", b"[]", b'"text"', b"null", b"{}", b"\xff", b'{"to":"+12125550000","to":"+12125550000","body":"x"}',
        b'{"to":"+12125550000"}', b'{"body":"x"}', b'{"to":1,"body":"x"}', b'{"to":"+12125550000","body":["x"]}',
        b'{"to":"+12125550000","body":"x","media":[]}', b'{"to":"+1212555abcd","body":"x"}', b'{"to":"+12125550000","body":NaN}',
        b'{"to":"+12125550000","body":""}', b'{"to":"+12125550000","body":"\\u0000"}', b'{"to":"+12125550000","body":"\\ud800"}',
        b'{"to":"+12125550000","body":"' + b"x" * 1601 + b'"}', b'{"to":"0","body":""}', b" " * 70_000,
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
    yield "page of another's", _page_of(4, 0).replace(str(people.conversation_id(4, 0)).encode(), str(people.conversation_id(5, 0)).encode())
    yield "page of nobody", _page_of(4, 0).replace(people.token(4).encode(), people.token(size.accounts).encode())
    line = people.line_id(4)
    for query in (
        "", "?limit=50", "?limit=2", "?limit=0", f"?line={line}", f"?line={people.line_id(5)}", "?line=x", "?cursor=AAAA",
        "?cursor=AAY6ROQ2AAABm2YAAAAABwCAAAAAAAAAAA%3D%3D", f"?limit=3&line={line}", "?foo=1",
    ):  # fmt: skip
        yield f"list{query}", http("GET", f"/v1/conversations{query}", bearer(4))
    yield "list of who wrote", http("GET", "/v1/conversations?limit=10", bearer(2))
    yield "list of nobody", http("GET", "/v1/conversations", {"Authorization": "Bearer x"})


def _page_of(account: int, conversation: int, query: str = "") -> bytes:
    return http("GET", f"/v1/conversations/{people.conversation_id(account, conversation)}/messages{query}", bearer(account))


def _cursor(last: UUID) -> str:
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(last.bytes).decode().rstrip("=")


def _seen(answer: tuple[int, dict[str, str], bytes], began: datetime) -> tuple[int, dict[str, str], str]:
    """Return what is comparable of an answer. A refusal's wording is Pico's own."""
    status, headers, body = answer
    for name in ("date", "content-length", "connection", "www-authenticate") if status >= 400 else ("date",):
        headers.pop(name, None)
    text = body.decode()
    if headers.get("content-type") == "application/problem+json":
        problem = json.loads(text)
        problem.pop("title", None)
        text = json.dumps(problem, sort_keys=True)
    text = ID.sub(lambda found: "<new>" if _new(UUID(found[0]), began) else found[0], text)
    return status, headers, TIME.sub(lambda at: '"<now>"' if datetime.fromisoformat(at[1] + "Z") >= began else at[0], text)


def _new(id_: UUID, began: datetime) -> bool:
    return id_.int >> 80 >= int(began.timestamp() * 1000)


async def _rows(house: House, url: str, began: datetime) -> list[str]:
    """Return every row written since, opened, with names in place of ids."""
    connection = await asyncpg.connect(url)
    async with asyncpg.create_pool(house.keyring_url, min_size=1, max_size=1) as pool:
        keyring = PostgresKeyring(pool, LocalKms(house.kms, SystemClock().now))
        names: dict[UUID, str] = {}
        seen = []
        for table in TABLES:
            version = "OR version > 1" if table == "conversations" else ""
            since = f"WHERE id > $1 {version}" if table != "pgqueuer" else "WHERE $1::uuid IS NOT NULL"
            for row in await connection.fetch(f"SELECT * FROM {table} {since}", UUID(int=int(began.timestamp() * 1000) << 80)):
                values = dict(row)
                if table == "pgqueuer":
                    values["payload"] = [UUID(bytes=values["payload"][at : at + 16]) for at in (0, 16)]
                    values["delay"] = (values["execute_after"] - values["created"]).total_seconds()
                    for name in ("id", "created", "updated", "heartbeat", "execute_after"):
                        del values[name]
                else:
                    account = AccountId(values["account_id"])
                    vault = AccountVault(SANDBOX, account, await keyring.open(account))
                    for of, name in SEALED:
                        if of == table:
                            values[name] = vault.column(table, name).open(values["id"].bytes, values[name]).decode()
                    if _new(values["id"], began):
                        plain = [values.get(name) for name in ("account_id", "peer", "direction", "body", "ref", "key")]
                        names[values["id"]] = f"<{table} {plain}>"
                seen.append(f"{table} {({name: _named(value, names, began) for name, value in values.items()})}")
    await connection.close()
    return seen


def _named(value: Any, names: dict[UUID, str], began: datetime) -> Any:
    if isinstance(value, list):
        return [_named(one, names, began) for one in value]
    if isinstance(value, datetime) and value >= began:
        return f"<{round((value - began).total_seconds() / 600)} times ten minutes from now>"
    if isinstance(value, UUID):
        return names.get(UUID(bytes=value.bytes), str(value))
    return value
