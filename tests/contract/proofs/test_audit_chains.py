"""The promise that nobody touches the audit log unnoticed, and that its order tells nothing."""

# ruff: noqa: S608 - names of tables, and nothing that came from outside

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from hashlib import sha256
from typing import NamedTuple
from uuid import uuid4

from adapters.outbound.postgres.audit_log import PostgresAuditLog, seal_of
from application.audit_log import VerifyAuditLog
from application.purge import PurgeResult
from domain.audit import AuditKind
from domain.audit_chain import LASTING, RECENT, Head, Link
from domain.retention import Retention
from tests.support.audit_log import keeper
from tests.support.canary_account import lived
from tests.support.harness import Databases, OnPostgres
from tests.support.proofs import proves

DAY = timedelta(days=1)
CHANGES = int(os.environ.get("PICO_AUDIT_CHANGES", "80"))
"""How many random changes are tried, one after another: 10,000 is for whoever has ten minutes."""
EVERYTHING = 20
"""Once in so many changes the whole log is verified, and else the chain with the change in it."""
ENTRIES = 200
ADD = "INSERT INTO audit_recent (commitment, kind, day, seal) VALUES ($1, $2::text::audit_kind, $3, $4)"
TABLES = ("audit_recent", "audit_log")
RESTORED = (
    "DELETE FROM {0} USING (SELECT * FROM {0} EXCEPT SELECT * FROM kept_{0}) o WHERE {0}.commitment = o.commitment",
    "INSERT INTO {0} SELECT * FROM kept_{0} EXCEPT SELECT * FROM {0}",
)
"""Undo one change: to write whole tables anew each time leaves more dead rows than anybody can read past."""
TRIGGERS = ("audit_recent_only_grows", "audit_recent_is_chained_once", "audit_log_only_grows")


async def written(world: OnPostgres, entries: int, day: date) -> None:
    """Add entries as commits do."""
    key = await world.keyring.system("index")
    made = [(sha256(uuid4().bytes).digest(), random.choice(list(AuditKind))) for _ in range(entries)]
    rows = [(commitment, str(kind), day, seal_of(key, commitment, kind, day)) for commitment, kind in made]
    await world.pool.executemany(ADD, rows)


async def chained(world: OnPostgres) -> None:
    """Fill the lasting chains and the recent one, and take every guard of the database's own away."""
    keep, today = keeper(world, crowd=1), world.clock.now().date()
    await written(world, ENTRIES, today - DAY)
    await keep(world.clock.now(), 1)
    await written(world, ENTRIES // 4, today)
    assert not (await keep(world.clock.now(), 1)).failed
    for trigger in TRIGGERS:
        await world.pool.execute(
            f"ALTER TABLE {trigger.partition('_')[0]}_{trigger.split('_')[1]} DISABLE TRIGGER USER"
        )


class Forgery(NamedTuple):
    """One change, as statements, and the chain that it is in."""

    chain: int
    statements: list[tuple[str, tuple[object, ...]]]


def forged_in(table: str, rows: Sequence[dict[str, object]], chance: random.Random) -> Forgery:
    """Return one random change of a table."""
    one, other = chance.sample(rows, 2)
    of = f"{table} WHERE commitment = $1"
    at, bt = one["commitment"], other["commitment"]
    forged = sha256(chance.randbytes(8)).digest()
    changes: list[list[tuple[str, tuple[object, ...]]]] = [
        [(f"UPDATE {table} SET commitment = $2 WHERE commitment = $1", (at, forged))],
        [(f"UPDATE {table} SET day = day + 1 WHERE commitment = $1", (at,))],
        [(
            (f"UPDATE {table} SET kind = (CASE kind WHEN 'session_opened' THEN 'line_lost' ELSE 'session_opened' END)"
            "::audit_kind WHERE commitment = $1"), (at,),
        )],
        [(f"UPDATE {table} SET hash = $2 WHERE commitment = $1", (at, forged))],
        [(f"DELETE FROM {of}", (at,))],
        [
            (f"UPDATE {table} SET commitment = $2 WHERE commitment = $1", (at, forged)),
            (f"UPDATE {table} SET commitment = $2 WHERE commitment = $1", (bt, at)),
            (f"UPDATE {table} SET commitment = $2 WHERE commitment = $1", (forged, bt)),
        ],
    ]  # fmt: skip
    chain = int(str(one.get("chain", RECENT)))
    length = max(int(str(row["position"])) for row in rows if row.get("chain", RECENT) == chain)
    if table == "audit_log":
        insert = (
            "INSERT INTO audit_log SELECT chain, $2, day, kind, $3, hash FROM audit_log WHERE commitment = $1"
        )
        changes.append([(insert, (at, length + 1, forged))])
        changes.append([("DELETE FROM audit_log WHERE chain = $1 AND position > $2", (chain, length - 1))])
    else:
        insert = "INSERT INTO audit_recent SELECT $2, kind, day, seal, $3, hash FROM audit_recent WHERE commitment = $1"
        changes.append([(insert, (at, forged, length + 1))])
        changes.append([("DELETE FROM audit_recent WHERE position > $1", (length - 1,))])
        changes.append([
            (ADD, (forged, "session_opened", one["day"], b"")),
            ("SELECT pico_chain_audit($1)", (10,)),
        ])  # fmt: skip
    return Forgery(chain, chance.choice(changes))


class Blind(PostgresAuditLog):
    """Takes whatever it reads for what was written."""

    async def page(self, chain: int, after: int, limit: int) -> Sequence[Link]:
        """Believe each link."""
        found, previous = list[Link](), bytes(32)
        if after:
            (previous,) = [link.hash for link in await super().page(chain, after - 1, 1)] or [previous]
        for link in await super().page(chain, after, limit):
            honest = Link(chain, after + len(found) + 1, link.day, link.kind, link.commitment, b"")
            previous = honest.follows(previous)
            found.append(Link(chain, honest.position, link.day, link.kind, link.commitment, previous))
        return found

    async def heads(self) -> dict[int, Head]:
        """Know of none."""
        return {}


def believes_what_it_reads(stored: Databases) -> Databases:
    return partial(stored, audit_log=lambda world: Blind(world.database, world.keyring))


@proves("H50", text="c96001cfad19", saboteur=believes_what_it_reads, says="a change was not found")
async def test_every_single_change_is_found(stored: Databases) -> None:
    chance = random.Random(1)
    async with stored() as world:
        await chained(world)
        verify = VerifyAuditLog(world.outside().audit_log, world.signing)
        assert (await verify()).findings == ()
        rows = {table: [dict(row) for row in await world.rows(table)] for table in TABLES}
        for table in TABLES:
            await world.pool.execute(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}")
        for number in range(CHANGES):
            table = chance.choice(TABLES)
            chain, statements = forged_in(table, rows[table], chance)
            for statement, values in statements:
                await world.pool.execute(statement, *values)
            # To verify everything is to walk each chain: mostly the one that was changed is enough.
            found = await verify() if number % EVERYTHING == 0 else await verify.walk(chain)
            assert found.findings, "a change was not found"
            async with world.pool.acquire() as connection, connection.transaction():
                for restore in RESTORED:
                    await connection.execute(restore.format(table))
        assert (await verify()).findings == ()


def looks_once(stored: Databases) -> Databases:
    def never(**_: object) -> object:
        async def nothing(now: object, limit: int) -> object:
            return PurgeResult(0)

        nothing.name = "audit_log"  # type: ignore[attr-defined]
        return nothing

    return partial(stored, keep_audit_log=never)


@proves("H50", text="c96001cfad19", saboteur=looks_once, says="nobody was told")
async def test_the_schedule_raises_the_alarm(stored: Databases) -> None:
    async with stored() as world:
        await lived(world)
        assert not (await world.use_cases.sweep()).failed
        await world.pool.execute("ALTER TABLE audit_recent DISABLE TRIGGER USER")
        await world.pool.execute("UPDATE audit_recent SET day = day + 1 WHERE position = 2")
        world.clock.advance(timedelta(hours=1))
        failed = (await world.use_cases.sweep()).failed
        assert any(code.startswith("audit_log_") for code in failed), "nobody was told"


async def test_entries_of_erased_accounts_cannot_be_paired(stored: Databases) -> None:
    """Whoever pairs sign-ups with verifications by what is left finds as many as by guessing."""
    people = int(os.environ.get("PICO_AUDIT_PEOPLE", "60"))
    async with stored(retention=Retention()) as world:
        key, day = await world.keyring.system("index"), world.clock.now().date()
        truth: dict[bytes, bytes] = {}
        for _ in range(people):  # both in one commit: adjacent in every way there is
            first, second = sha256(uuid4().bytes).digest(), sha256(uuid4().bytes).digest()
            truth[first] = second
            async with world.pool.acquire() as connection, connection.transaction():
                for commitment, kind in ((first, "account_signed_up"), (second, "account_verified")):
                    await connection.execute(
                        ADD,
                        commitment, kind, day, seal_of(key, commitment, kind, day),
                    )  # fmt: skip
        keep = keeper(world, crowd=1)
        await keep(world.clock.now(), 1)
        await keep(world.clock.now() + DAY, 1)
        left = await world.database.fetch(
            "SELECT chain, position, day, kind::text AS kind, commitment, hash, xmin::text::bigint AS xmin,"
            " ctid::text AS place FROM audit_log ORDER BY ctid"
        )
        assert len(left) == 2 * people
        ups = [row for row in left if row["kind"] == "account_signed_up"]
        downs = [row for row in left if row["kind"] == "account_verified"]
        by_place = {row["commitment"]: number for number, row in enumerate(left)}
        near = {
            "physical order": lambda row: by_place[row["commitment"]],
            "position": lambda row: (row["chain"], row["position"]),
            "position in whatever chain": lambda row: row["position"],
            "commitment": lambda row: row["commitment"],
            "hash": lambda row: row["hash"],
            "transaction": lambda row: (row["xmin"], by_place[row["commitment"]]),
        }
        for name, measure in near.items():
            guessed = zip(sorted(ups, key=measure), sorted(downs, key=measure), strict=True)
            right = sum(truth[one["commitment"]] == other["commitment"] for one, other in guessed)
            assert right <= 8, f"{name} pairs them"  # by chance one is right, and eight once in a million
        assert {row["chain"] for row in left} <= set(range(1, LASTING + 1))


async def test_two_processes_may_keep_the_log_at_once(stored: Databases) -> None:
    async with stored() as world:
        keepers = [keeper(world, crowd=1) for _ in range(3)]
        for hour in range(6):
            now = world.clock.now() + timedelta(hours=12 * hour)
            await written(world, 20, now.date())
            results = await asyncio.gather(*(keep(now, 1) for keep in keepers))
            assert [result.failed for result in results] == [{}, {}, {}]
        verify = VerifyAuditLog(world.outside().audit_log, world.signing)
        report = await verify()
        assert (report.findings, report.entries) == ((), 120)
        assert report.heads[RECENT][0] < 120


async def test_a_log_cut_back_with_its_signatures_is_told_by_an_earlier_report(stored: Databases) -> None:
    async with stored() as world:
        await chained(world)
        verify = VerifyAuditLog(world.outside().audit_log, world.signing)
        earlier = (await verify()).heads
        await world.pool.execute("ALTER TABLE audit_heads DISABLE TRIGGER USER")
        await world.pool.execute("DELETE FROM audit_log WHERE chain = 3 AND position > 1")
        await world.pool.execute("DELETE FROM audit_heads WHERE chain = 3")
        assert (await verify()).findings == (), "nothing in the database tells"
        (finding,) = (await verify({3: earlier[3]})).findings
        assert (finding.chain, finding.flaw) == (3, "fell_back")
