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
from uuid import UUID

import asyncpg

from adapters.outbound.local.kms import LocalKms
from adapters.outbound.postgres.keyring import PostgresKeyring
from adapters.outbound.postgres.pool import connect
from adapters.outbound.postgres.sealing import AccountCipher
from adapters.outbound.system.clock import SystemClock
from benchmarks.cases import MEANWHILE, MEND, cases, meanwhile, rush
from benchmarks.load import ask, fire
from benchmarks.product import Rig
from bootstrap.worlds.sandbox import SANDBOX
from domain.kernel import AccountId

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r'"(20[0-9-]{8}T[0-9:.]+)Z"')
SEALED = {("messages", "body"), ("conversations", "peer")}
TABLES = ("conversations", "messages", "idempotency_records", "jobs")
"""What the four requests write to. Conversations come first: they name the others' new ids."""


SINCE = dict.fromkeys(TABLES, "id > $1") | {
    "conversations": (
        "id > $1 OR last_at > to_timestamp(('x' || left(replace($1::text, '-', ''), 12))::bit(48)::bigint / 1e3)"
    ),
    "jobs": "$1::uuid IS NOT NULL",
}
"""Which rows were written since the run began, given the least id of that instant."""


class Unequal(Exception):
    """The sides do not do the same. The message says where."""


async def check(rig: Rig) -> int:
    """Send every kind of request, good and bad, to both sides. Return how many were sent. Raises Unequal."""
    began, secret = datetime.now(UTC), rig.carrier_token
    count = await _compare(rig, chain(cases(rig.size, secret), meanwhile(secret, "before")), began)
    await _execute(rig, MEANWHILE)
    count += await _compare(rig, meanwhile(secret, "after"), began)
    await _execute(rig, MEND)
    for side in rig.sides.values():
        await fire(side.port, rush(secret))
    pico, floor = [Counter(await _rows(rig, side.database_url, began)) for side in rig.sides.values()]
    if pico != floor:
        differing = [f"  Pico  {row}" for row in pico - floor] + [f"  floor {row}" for row in floor - pico]
        raise Unequal("rows differ:\n" + "\n".join(sorted(differing, key=lambda line: line[8:])[:20]))
    await count_records(rig)
    return count


async def _compare(rig: Rig, requests: Iterable[tuple[str, bytes]], began: datetime) -> int:
    count = 0
    for name, request in requests:
        pico, floor = [_seen(await ask(side.port, request), began) for side in rig.sides.values()]
        if pico != floor:
            raise Unequal(f"{name}:\n  Pico  {pico}\n  floor {floor}")
        count += 1
    return count


async def _execute(rig: Rig, statements: Iterable[str]) -> None:
    for side in rig.sides.values():
        connection = await asyncpg.connect(side.database_url)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()


async def count_records(rig: Rig) -> dict[str, int]:
    """Count the rows of every table on both sides. Raises Unequal."""
    counts = []
    for side in rig.sides.values():
        connection = await asyncpg.connect(side.database_url)
        tables = await connection.fetch("SELECT relname FROM pg_stat_user_tables ORDER BY relname")
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
    headers.pop("request-id", None)
    text = body.decode()
    if headers.get("content-type") == "application/problem+json":
        problem = json.loads(text)
        problem.pop("title", None)
        problem.pop("request_id", None)
        text = json.dumps(problem, sort_keys=True)
    text = ID.sub(lambda found: "<new>" if _new(UUID(found[0]), began) else found[0], text)
    return (
        status,
        headers,
        TIME.sub(lambda at: '"<now>"' if datetime.fromisoformat(at[1] + "Z") >= began else at[0], text),
    )


def _new(id_: UUID, began: datetime) -> bool:
    return id_.int >> 80 >= int(began.timestamp() * 1000)


async def _rows(rig: Rig, url: str, began: datetime) -> list[str]:
    """Return every row written since, opened, with names in place of ids."""
    connection = await asyncpg.connect(url)
    async with connect(rig.keyring_url, least=1, most=1) as keys:
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
                else:
                    account = AccountId(values["account_id"])
                    cipher = AccountCipher(SANDBOX, account, await keyring.open(account))
                    for of, name in SEALED:
                        if of == table:
                            values[name] = (
                                cipher.column(table, name).open(values["id"].bytes, values[name]).decode()
                            )
                    if _new(values["id"], began):
                        plain = [
                            values.get(name)
                            for name in ("account_id", "peer", "direction", "body", "ref", "key")
                        ]
                        names[values["id"]] = f"<{table} {plain}>"
                seen.append(f"{table} {[(name, _named(values[name], names, began)) for name in values]}")
    await connection.close()
    return seen


def _named(value: object, names: dict[UUID, str], began: datetime) -> object:
    if isinstance(value, list):
        return [_named(one, names, began) for one in value]
    if isinstance(value, datetime) and value >= began:
        return f"<{round((value - began).total_seconds() / 600)} times ten minutes from now>"
    if isinstance(value, UUID):
        return names.get(UUID(bytes=value.bytes), str(value))
    return value
