"""The promise that the audit log, once somebody is erased, verifies as before and is about nobody."""

from __future__ import annotations

import io
import os
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from application.audit_log import VerifyAuditLog
from bootstrap.plaintext_scan import forms
from domain.audit import AuditEntry, AuditKind
from domain.kernel import AccountId
from tests.support.audit_log import keeper
from tests.support.canary_account import Planted, lived
from tests.support.harness import Databases, OnPostgres

DAY = timedelta(days=1)
PEOPLE = int(os.environ.get("PICO_AUDIT_ACCOUNTS", "24"))
"""Accounts, of which half are erased: 1,000 are for whoever has ten minutes."""
PUBLIC = ("audit_recent", "audit_log", "audit_heads")
LEFT = """
    SELECT chain, position, day, kind::text AS kind, commitment, hash, xmin::text::bigint AS xmin
    FROM audit_log ORDER BY ctid
"""
BY_CHANCE = 8
"""Whoever pairs two lists at random is right once, however long they are; more often than this, once in a million."""

Row = Mapping[str, Any]


async def halves(world: OnPostgres, account_id: AccountId) -> list[AuditEntry]:
    """Return an account's half of the log, which says what was done when."""
    async with world.store.begin(account_id) as tx:
        return list(await tx.audit_entries.page(None, 1_000))


def linked(
    left: Sequence[Row], owners: Mapping[bytes, AccountId], one: str, other: str,
    near: Callable[[Row], Any],
) -> int:  # fmt: skip
    """Pair entries of two kinds that are alike in some way; return how often both were about the same account."""
    firsts, seconds = (
        sorted((row for row in left if row["kind"] == kind), key=near) for kind in (one, other)
    )
    paired = zip(firsts, seconds, strict=False)
    return sum(owners[first["commitment"]] == owners[second["commitment"]] for first, second in paired)


async def test_when_half_are_erased_the_log_verifies_holds_no_value_and_links_no_entries(
    stored: Databases,
) -> None:
    async with stored() as world:
        people = [await lived(world) for _ in range(PEOPLE)]
        leaving: list[Planted] = people[::2]
        for each in leaving:
            await world.use_cases.delete_account(each.id, each.password)
        world.clock.advance(30 * DAY)
        await world.queue.shift(30 * DAY)
        await world.use_cases.sweep()
        entries = {each.id: await halves(world, each.id) for each in people}
        owners = {entry.commitment: owner for owner, mine in entries.items() for entry in mine}
        await world.settle()
        for each in leaving:
            assert await world.ledger.receipt(await world.fingerprint(each.id))
            assert await world.rows("audit_entries", account_id=each.id) == [], (
                "the account's half is there still"
            )
        keep = keeper(world, crowd=1)
        for late in (1, 2):
            assert not (await keep(world.clock.now() + late * DAY, 1)).failed

        assert (await VerifyAuditLog(world.outside().audit_log, world.signing)()).findings == ()
        left = await world.database.fetch(LEFT)
        assert {row["commitment"] for row in left} >= owners.keys(), "an entry is gone"
        await no_value(world, leaving)

        places = {row["commitment"]: number for number, row in enumerate(left)}
        likeness: dict[str, Callable[[Row], Any]] = {
            "physical order": lambda row: places[row["commitment"]],
            "transaction": lambda row: (row["xmin"], places[row["commitment"]]),
            "chain and position": lambda row: (row["chain"], row["position"]),
            "position": lambda row: row["position"],
            "day": lambda row: (row["day"], row["position"]),
            "commitment": lambda row: row["commitment"],
            "hash": lambda row: row["hash"],
        }
        mine = [row for row in left if row["commitment"] in owners]
        for one, other in (
            (AuditKind.ACCOUNT_SIGNED_UP, AuditKind.ACCOUNT_VERIFIED),
            (AuditKind.LINE_ORDERED, AuditKind.LINE_ACTIVATED),
            (AuditKind.ACCOUNT_DELETION_REQUESTED, AuditKind.ACCOUNT_ERASURE_BEGUN),
        ):
            for name, near in likeness.items():
                assert linked(mine, owners, one, other, near) <= BY_CHANCE, f"{name} tells whose {one} it is"


async def no_value(world: OnPostgres, leaving: Sequence[Planted]) -> None:
    """Search the public tables, byte by byte, for every value and id of those who are gone."""
    wanted = {form for each in leaving for value in each.secrets for _, form in forms(value)}
    wanted |= {form for each in leaving for form in (each.id.bytes, str(each.id).encode())}
    async with world.pool.acquire() as connection:
        for table in PUBLIC:
            copy = io.BytesIO()
            await connection.copy_from_table(table, output=copy, format="binary")
            assert not any_of(wanted, copy.getvalue()), "a value or an account's id is in the log"


def any_of(wanted: Collection[bytes], content: bytes) -> set[bytes]:
    """Return those of many byte strings that are in `content`, going over it once and not once for each."""
    begin = min(map(len, wanted))
    by_beginning = defaultdict[bytes, list[bytes]](list)
    for each in wanted:
        by_beginning[each[:begin]].append(each)
    return {
        each
        for at in range(len(content) - begin + 1)
        for each in by_beginning.get(content[at : at + begin], ())
        if content.startswith(each, at)
    }


def test_a_value_is_found_wherever_it_stands() -> None:
    wanted = {b"canary one", b"canary two", b"another bird"}
    assert any_of(wanted, b"canary two, and then canary one") == {b"canary one", b"canary two"}
    assert any_of(wanted, b"canary on, another bir") == set()


def test_a_log_in_the_order_of_its_acts_would_be_linked() -> None:
    """Or else the attack above would show nothing."""
    owners = {bytes([number]): AccountId(UUID(int=number // 2)) for number in range(60)}
    kinds = ("account_signed_up", "account_verified")
    left = [
        {"kind": kinds[number % 2], "commitment": bytes([number]), "position": number} for number in range(60)
    ]
    assert linked(left, owners, *kinds, near=lambda row: row["position"]) == 30
