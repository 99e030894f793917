"""What lies in a world, whichever store it is on, and parts that a saboteur can make for either."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.outbound.memory.directory import MemoryDirectory
from adapters.outbound.memory.store import MemoryStore
from adapters.outbound.postgres.directory import PostgresDirectory
from application.inventory import BY_TYPE, INVENTORY
from application.ports.directory import Directory
from bootstrap.worlds import InMemory
from domain.accounts import Account
from domain.kernel import AccountId, Aggregate
from tests.support.harness import ENVIRONMENT, OnPostgres


async def records(world: InMemory, account_id: AccountId) -> dict[str, list[dict[str, Any]]]:
    """Return every record of an account, its seals opened, by the name of its kind."""
    async with world.store.begin(account_id) as tx:
        return {of.name: await tx.records.page(of, None, 10_000) for of in INVENTORY}


async def ids(world: InMemory, kind: type[Aggregate], account_id: AccountId) -> set[Any]:
    """Return the ids of an account's records of one kind, also after its key is gone."""
    if isinstance(world, OnPostgres):
        stored = BY_TYPE[kind]
        return {row["id"] for row in await world.rows(stored.name, **{stored.owner: account_id})}
    return set(world.store.rows(account_id)[kind])


async def everybody(world: InMemory) -> list[AccountId]:
    """Return every account there is."""
    if isinstance(world, OnPostgres):
        return [AccountId(row["id"]) for row in await world.rows("accounts")]
    return [account_id for account_id, rows in world.store.accounts.items() if rows[Account]]


async def audit_log(world: InMemory) -> dict[bytes, str]:
    """Return what nobody owns of the audit log: kinds by commitment, whichever chain they are in by now."""
    if isinstance(world, OnPostgres):
        rows = [*await world.rows("audit_recent"), *await world.rows("audit_log")]
        return {row["commitment"]: row["kind"] for row in rows}
    log = world.store.audit_log
    return {link.commitment: link.kind for links in (log.waiting, *log.links.values()) for link in links}


async def clear_audit_log(store: object) -> None:
    """Delete it all, where nothing keeps us from it."""
    if isinstance(store, MemoryStore):
        store.audit_log.waiting.clear()
        store.audit_log.links.clear()
    else:
        for table in ("audit_recent", "audit_log"):
            await store._database.fetch(f"DELETE FROM {table}")  # type: ignore[attr-defined]  # noqa: S608 - the one on PostgreSQL


def honest_directory(world: InMemory) -> Directory:
    """Make the directory that the world would have."""
    if isinstance(world, OnPostgres):
        return PostgresDirectory(world.database, world.keyring, environment=ENVIRONMENT)
    return MemoryDirectory(world.store)


@dataclass
class HastyDirectory:
    """Takes every account for one whose time is over."""

    world: InMemory

    def __post_init__(self) -> None:
        self._honest = honest_directory(self.world)

    async def accounts_to_erase(self, *_due_before: datetime, **_limit: object) -> list[AccountId]:
        return await everybody(self.world)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._honest, name)
