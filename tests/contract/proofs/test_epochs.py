"""Copies of a destroyed key: whoever has them all opens nothing, once the next epoch has begun."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from typing_extensions import override

from adapters.outbound.local.kms import LocalKms
from adapters.outbound.postgres.epochs import PostgresEpochs
from adapters.outbound.postgres.keyring import PostgresKeyring, context
from adapters.outbound.postgres.pool import Database, connect
from adapters.outbound.postgres.schema import migrate_keyring
from adapters.outbound.postgres.sealing import ROW_ID, AccountCipher
from application.epochs import ConfirmErasures, TurnEpochs
from application.ports.keyring import AccountKey
from application.ports.kms import KmsError, WrappedKey
from application.purge import PurgeResult
from bootstrap.databases import FEW_AND_SMALL
from bootstrap.postgres_server import PostgresServer, start
from domain.kernel import SealBroken
from tests.support.canary_account import lived
from tests.support.harness import ENVIRONMENT, Databases, beside
from tests.support.proofs import proves

DAY = timedelta(days=1)
MESSAGES = 40
BLOB = 60
"""A wrapped key at `LocalKms`: nonce, key and tag."""
WrappedCopy = tuple[UUID, str, bytes]
KEY = b"a key of the ledger's own, 32 byte"


@dataclass(frozen=True)
class Vault:
    """The keyring in a cluster of its own, as in the Sandbox, and a copy of it at any time."""

    server: PostgresServer
    database: Database
    folder: Path

    @classmethod
    @asynccontextmanager
    async def running(cls, folder: Path) -> AsyncIterator[Vault]:
        with start(folder / "keyring", settings=FEW_AND_SMALL) as server:
            url = server.url("postgres")
            await migrate_keyring(url)
            async with connect(url, least=1, most=4) as database:
                yield cls(server, database, folder)

    async def copied(self) -> set[WrappedCopy]:
        """Go through every byte of the cluster's files (tables, dead tuples, write-ahead log) for wrapped keys."""
        connection = await asyncpg.connect(self.server.url("postgres"))
        await connection.execute("CHECKPOINT")
        await connection.close()
        masters = [name.encode() for name in masters_in(self.folder / "kms")]
        found = set[WrappedCopy]()
        for raw in (path.read_bytes() for path in self.server.data_dir.rglob("*") if path.is_file()):
            for master in masters:
                at = raw.find(master)
                while at >= 0:
                    end = at + len(master) + 1  # a byte of length stands before each value
                    key_id, blob = raw[at - 17 : at - 1], raw[end : end + BLOB]
                    if len(key_id) == ROW_ID and len(blob) == BLOB:
                        found.add((UUID(bytes=key_id), master.decode(), blob))
                    at = raw.find(master, end)
        return found

    def masters(self, day: str) -> Path:
        """Copy what stands for the key service, as it is now."""
        return Path(shutil.copytree(self.folder / "kms", self.folder / f"kms of {day}"))

    def over(self, stored: Databases) -> Databases:
        """Have a world keep its keys here."""
        return partial(
            stored,
            keyring=lambda world: PostgresKeyring(
                self.database, LocalKms(self.folder / "kms", world.clock.now)
            ),
            epochs=lambda world: PostgresEpochs(
                self.database, LocalKms(self.folder / "kms", world.clock.now)
            ),
        )


def masters_in(kms: Path) -> Iterable[str]:
    """Return the ids of the master keys that there are."""
    return list(json.loads((kms / "master-keys.json").read_text())["keys"])


async def opened(rows: Sequence[Mapping[str, Any]], copies: Iterable[WrappedCopy], masters: Path) -> int:
    """Be the attacker: unwrap what was found with the master keys there are, and count the messages that open."""
    kms = LocalKms(
        masters, lambda: datetime.fromisoformat("2000-01-01T00:00:00Z")
    )  # no window is over for us
    keys = set[bytes]()
    for key_id, master, blob in copies:
        with suppress(KmsError):
            keys.add(await kms.unwrap(WrappedKey(master, blob), context(key_id)))
    readable = set[UUID]()
    for material in keys:
        for row in rows:
            cipher = AccountCipher(ENVIRONMENT, row["account_id"], AccountKey(1, material))
            with suppress(SealBroken):
                column = cipher.column("messages", "body")
                column.open(row["id"].bytes, row["body"], beside("messages", "body", row))
                readable.add(row["id"])
    return len(readable)


class NeverTurns:
    """Keeps the master key that there is."""

    name = "keys_wrapped_again"

    def __init__(self, **_: object) -> None: ...

    async def __call__(self, _now: datetime, _limit: int) -> PurgeResult:
        return PurgeResult(0)


class KeepsMasters(LocalKms):
    """Takes note that a master key is not wanted any more."""

    @override
    async def retire(self, key_id: str) -> datetime:
        return self._now()


class ConfirmsAtOnce(ConfirmErasures):
    """Believes what is planned."""

    @override
    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        for receipt in await self.ledger.unconfirmed():
            await self.ledger.confirm(receipt.fingerprint, {"epoch": 1, "unreadable_since": now.isoformat()})
        return PurgeResult(0)


def never_turns(stored: Databases) -> Databases:
    return partial(stored, turn_epochs=NeverTurns)


def keeps_old_masters(stored: Databases) -> Databases:
    def made(*, epochs: Any, **given: Any) -> Any:
        epochs._kms = KeepsMasters(epochs._kms._file.parent, epochs._kms._now)
        return TurnEpochs(epochs=epochs, **given)

    return partial(stored, turn_epochs=made)


def confirms_at_once(stored: Databases) -> Databases:
    return partial(stored, confirm_erasures=ConfirmsAtOnce)


def promises_nothing(stored: Databases) -> Databases:
    """Never look whether an erasure has become final."""
    return partial(stored, confirm_erasures=NeverTurns)


@proves(
    "H60", text="0a6977d2db3a", saboteur=never_turns, says="copies of a destroyed key still open messages"
)
@proves(
    "H60",
    text="0a6977d2db3a",
    saboteur=keeps_old_masters,
    says="copies of a destroyed key still open messages",
)
@proves("H60", text="0a6977d2db3a", saboteur=confirms_at_once, says="it is said to be final, and is not")
@proves("H60", text="0a6977d2db3a", saboteur=promises_nothing, says="nobody is told that it is final")
async def test_after_the_next_epoch_no_copy_of_a_key_opens_anything(
    stored: Databases, tmp_path: Path
) -> None:
    async with Vault.running(tmp_path) as vault, vault.over(stored)() as world:
        ada, boris = await lived(world), await lived(world)
        for number in range(MESSAGES - 2):
            await ada.receives(f"{ada.heard} {number}", ada.peer)
        rows = await world.rows("messages", account_id=ada.id)
        assert len(rows) == MESSAGES
        copies = await vault.copied()
        of_the_day_before = vault.masters("the day before")

        await world.use_cases.delete_account(ada.id, ada.password)
        await world.advance(30 * DAY)
        fingerprint = await world.fingerprint(ada.id)
        receipt = await world.ledger.receipt(fingerprint)
        assert receipt is not None
        assert receipt.verify(KEY)
        copies |= await vault.copied()
        assert await opened(rows, copies, vault.masters("the day of the receipt")) == MESSAGES, (
            "no attack at all"
        )
        await world.use_cases.sweep()
        assert await world.ledger.confirmation(fingerprint) is None, "it is said to be final, and is not"
        by = datetime.fromisoformat(str(receipt.facts["unreadable_by"]))
        assert world.clock.now() < by <= world.clock.now() + 7 * DAY

        await world.advance(by - world.clock.now())
        await world.advance(DAY)
        copies |= await vault.copied()
        left = await opened(rows, copies, vault.masters("the day after"))
        assert left == 0, "copies of a destroyed key still open messages"
        final = await world.ledger.confirmation(fingerprint)
        assert final is not None, "nobody is told that it is final"
        assert final.verify(KEY)
        assert datetime.fromisoformat(str(final.facts["unreadable_since"])) <= by
        assert await opened(rows, copies, of_the_day_before) == MESSAGES, (
            "the attack failed for another reason"
        )
        assert boris.heard in await world.opened(boris.id), "somebody else's key went as well"
