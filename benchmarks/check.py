"""Whether the comparison is fair: the same requests must get the same answers and leave the same rows on both sides.

Answers are compared byte by byte, but for the ids and instants that were made meanwhile. Rows are compared opened, by
Pico's own cipher, so what the floor sealed is proved to be what Pico would have sealed.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import chain
from typing import Any
from uuid import UUID

import asyncpg

from adapters.outbound.local.kms import LocalKms
from adapters.outbound.postgres.codec import CODECS
from adapters.outbound.postgres.keyring import PostgresKeyring
from adapters.outbound.postgres.pool import connect
from adapters.outbound.postgres.sealing import AccountCipher
from adapters.outbound.system.clock import SystemClock
from benchmarks.cases import cases, rush
from benchmarks.load import ask, fire
from benchmarks.meanwhile import happen, meanwhile, put_back
from benchmarks.product import Rig, Side
from bootstrap.worlds.sandbox import SANDBOX
from domain.classification import StorageKind
from domain.kernel import AccountId, SealBroken

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r'"(20[0-9-]{8}T[0-9:.]+)Z"')
TABLES = ("sessions", "conversations", "messages", "opt_outs", "idempotency_records", "jobs", "live_events")
"""What the four requests write to. Conversations come before what names their new ids."""
CODECS_BY_NAME = {codec.name: codec for codec in CODECS.values()}

SINCE = dict.fromkeys(TABLES, "id > $1") | {
    "conversations": (
        "id > $1 OR last_at > to_timestamp(('x' || left(replace($1::text, '-', ''), 12))::bit(48)::bigint / 1e3)"
    ),
    "sessions": "version > 1 AND $1::uuid IS NOT NULL",
    "opt_outs": "$1::uuid IS NOT NULL",
    # Those of deliveries have random ids, which the seeded ones have not.
    "idempotency_records": "id > $1 OR substr(id::text, 15, 1) = '4'",
    "jobs": "$1::uuid IS NOT NULL",
    "live_events": "$1::uuid IS NOT NULL",
}
"""Which rows were written since the run began, given the least id of that instant."""


class Unequal(Exception):
    """The sides do not do the same. The message says where."""


async def check(rig: Rig) -> int:
    """Send every kind of request, good and bad, to both sides. Return how many were sent. Raises Unequal."""
    began, secret = datetime.now(UTC), rig.carrier_token
    first = chain(cases(rig.size, secret), meanwhile(secret, rig.size, "before"))
    count = await _compare(rig, first, began)
    await happen(rig)
    count += await _compare(rig, meanwhile(secret, rig.size, "after"), began)
    seen = [Counter(await _rows(rig, side, began)) for side in rig.sides.values()]
    await put_back(rig)
    for side in rig.sides.values():
        await fire(side.port, rush(secret))
    rushed = [Counter(await _rows(rig, side, began)) for side in rig.sides.values()]
    for pico, floor in (seen, rushed):
        _must_be_equal(pico, floor)
    await count_records(rig)
    return count


def _must_be_equal(pico: Counter[str], floor: Counter[str]) -> None:
    if pico != floor:
        differing = [f"  Pico  {row}" for row in pico - floor] + [f"  floor {row}" for row in floor - pico]
        raise Unequal("rows differ:\n" + "\n".join(sorted(differing, key=lambda line: line[8:])[:20]))


async def _compare(rig: Rig, requests: Iterable[tuple[str, bytes]], began: datetime) -> int:
    count = 0
    for name, request in requests:
        pico, floor = [_seen(await ask(side.port, request), began) for side in rig.sides.values()]
        if pico != floor:
            raise Unequal(f"{name}:\n  Pico  {pico}\n  floor {floor}")
        count += 1
    return count


async def count_records(rig: Rig) -> dict[str, int]:
    """Count the rows of every table on both sides. Raises Unequal."""
    counts = []
    for side in rig.sides.values():
        connection = await asyncpg.connect(side.database_url)
        tables = await connection.fetch("SELECT relname FROM pg_stat_user_tables ORDER BY 1")
        counts.append(
            {table: await connection.fetchval(f'SELECT count(*) FROM "{table}"') for (table,) in tables}
        )
        await connection.close()
    if counts[0] != counts[1]:
        raise Unequal(f"rows by table:\n  Pico  {counts[0]}\n  floor {counts[1]}")
    return counts[0]


def _seen(answer: tuple[int, dict[str, str], bytes], began: datetime) -> tuple[int, dict[str, str], str]:
    """Return what is comparable of an answer. A refusal's wording is Pico's own."""
    status, headers, body = answer
    for name in ("date", "content-length", "connection", "www-authenticate") if status >= 400 else ("date",):
        headers.pop(name, None)
    if re.fullmatch(r"[0-9a-f]{32}", headers.get("request-id", "")):
        headers["request-id"] = "<random>"
    text = body.decode()
    if headers.get("content-type") == "application/problem+json":
        problem = json.loads(text)
        problem.pop("title", None)
        if re.fullmatch(r"[0-9a-f]{32}", problem.get("request_id", "")):
            problem["request_id"] = "<random>"
        text = json.dumps(problem, sort_keys=True)
    text = _without_ids(text, began)
    if "location" in headers:
        headers["location"] = _without_ids(headers["location"], began)
    return (
        status,
        headers,
        TIME.sub(lambda at: '"<now>"' if datetime.fromisoformat(at[1] + "Z") >= began else at[0], text),
    )


def _without_ids(text: str, began: datetime) -> str:
    return ID.sub(lambda found: "<new>" if _new(UUID(found[0]), began) else found[0], text)


def _new(id_: UUID, began: datetime) -> bool:
    return id_.int >> 80 >= int(began.timestamp() * 1000)


async def _rows(rig: Rig, side: Side, began: datetime) -> list[str]:
    """Return every row written since, opened, with names in place of ids."""
    connection = await asyncpg.connect(side.database_url)
    async with connect(side.keyring_url, least=1, most=1) as keys:
        keyring = PostgresKeyring(keys, LocalKms(rig.kms, SystemClock().now))
        names: dict[UUID, str] = {}
        since = UUID(int=int(began.timestamp() * 1000) << 80)
        seen = []
        for table in TABLES:
            for row in await connection.fetch(f"SELECT * FROM {table} WHERE {SINCE[table]}", since):
                values = dict(row)
                if table == "jobs":
                    values["delay"] = (values["due_at"] - values["queued_at"]).total_seconds()
                    for name in ("id", "due_at", "queued_at"):
                        del values[name]
                elif table == "live_events":
                    del values["id"]  # it stands nowhere yet
                else:
                    account = AccountId(values["account_id"])
                    _open(table, values, AccountCipher(SANDBOX, account, await keyring.open(account)))
                    if table == "idempotency_records" or _new(values["id"], began):
                        plain = [
                            values.get(name)
                            for name in ("account_id", "peer", "direction", "body", "ref", "key")
                        ]
                        names[values["id"]] = f"<{table} {plain}>"
                seen.append(f"{table} {[(name, _named(values[name], names, began)) for name in values]}")
    await connection.close()
    return seen


def _open(table: str, values: dict[str, Any], cipher: AccountCipher) -> None:
    """Open the sealed cells of a row beside what they are bound to; a broken one is broken on both sides."""
    codec = CODECS_BY_NAME[table]
    bound = codec.binder.data([values[name] for name in codec.binder.names], values["version"])
    for column in codec.table.c:
        if column.info["kind"] is StorageKind.SEALED and (sealed := values[column.name]) is not None:
            beside = bound if column.name == codec.sealing else b""
            try:
                opened = cipher.column(table, column.name).open(values["id"].bytes, sealed, beside)
                values[column.name] = opened.decode("utf-8", "backslashreplace")
            except SealBroken:
                values[column.name] = "(broken)"


def _named(value: object, names: dict[UUID, str], began: datetime) -> object:
    if isinstance(value, list):
        return [_named(one, names, began) for one in value]
    if isinstance(value, datetime) and value >= began:
        return f"<{round((value - began).total_seconds() / 600)} times ten minutes from now>"
    if isinstance(value, UUID):
        return names.get(UUID(bytes=value.bytes), str(value))
    return value
