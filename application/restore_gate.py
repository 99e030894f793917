"""The restore gate: a database that was restored from a backup erases again what it forgot, before it serves anyone."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime

from application.account_deletion import DeleteAccount
from application.deletion_counts import receipted
from application.epochs import FINISHED_AT
from application.kept_address import KeptAddress
from application.ports.clock import Clock
from application.ports.directory import Directory
from application.ports.keyring import Keyring
from application.ports.ledger import ErasureLedger, Fingerprint, LedgerBehind, LedgerOther
from application.ports.ledger_place import LedgerPlace
from application.ports.objects import Objects
from application.ports.signing import Signing
from application.ports.store import Store
from application.receipts import publicly_signed
from application.retention import Sweep
from domain.erasure import Erasure, NotYetGone
from domain.kernel import AccountId, ErrorKind, PicoError
from domain.receipts import START, Intent

PAGE = 1_000
EVER = datetime(9999, 1, 1, tzinfo=UTC)


class Restoring(PicoError):
    """The database was restored from a backup and erases again what was erased since: nothing is served meanwhile."""

    kind = ErrorKind.UNAVAILABLE
    code = "restoring"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a database had forgotten: accounts that were erased again, and ones that were shut again."""

    erased: int = 0
    shut: int = 0


@dataclass(frozen=True, slots=True)
class RestoreGate:
    """Compares the database with the erasure ledger, and makes the one as the other says."""

    store: Store
    directory: Directory
    keyring: Keyring
    objects: Objects
    ledger: ErasureLedger
    place: LedgerPlace
    fingerprint: Fingerprint
    signing: Signing
    delete_account: DeleteAccount
    sweep: Sweep
    clock: Clock
    kept_address: KeptAddress

    async def is_behind(self) -> bool:
        """Tell whether the ledger has come further than the database knows. Repeating is harmless.

        Raises LedgerBehind when it is missing or an earlier one, LedgerOther or LedgerBroken when it was edited,
        LedgerUnavailable, StoreUnavailable.
        """
        noted, position = await self.place.noted(), await self.ledger.position()
        known = noted or START
        if position.number < known.number:
            raise LedgerBehind
        head = await self.ledger.head_at(known.number)
        if head is None or not hmac.compare_digest(head, known.head):
            raise LedgerOther
        return position.number > known.number

    async def __call__(self) -> Replayed:
        """Erase again, shut again, sweep; then note that the database is as the ledger says. Repeating is harmless.

        Raises what `is_behind` raises, and NotYetGone, KeysUnavailable, ObjectsUnavailable: then nothing was noted.
        """
        if not await self.is_behind():
            return Replayed()
        position = await self.ledger.position()
        intents = {intent.fingerprint: intent for intent in await self.ledger.since(0)}
        pending = {intent.fingerprint for intent in await self.ledger.pending()}
        asked = await self.ledger.overdue(EVER)
        erased, shut, after = 0, 0, None
        while page := await self.directory.accounts(after, PAGE):
            for account_id in page:
                name = await self.fingerprint(account_id)
                if (intent := intents.get(name)) is not None:
                    erased += await self._erase_again(account_id, intent, pending=name in pending)
                elif name in asked:
                    shut += await self._shut_again(account_id, await self.ledger.requested(name))
            after = page[-1]
        await self.sweep()
        await self.place.note(position)
        return Replayed(erased, shut)

    async def _erase_again(self, account_id: AccountId, intent: Intent, *, pending: bool) -> bool:
        """Leave nothing of an account that was erased; tell whether it was. One whose turn is to come keeps it."""
        if pending and await self.keyring.count(account_id):
            return False  # it goes on as a job: it was not further than that when the backup was made
        await self.keyring.destroy(account_id)
        await self.objects.delete_all(account_id)
        await self.kept_address.drop(Erasure(account_id=account_id, began_at=intent.at))
        found = receipted(await self.store.delete_rows(account_id))
        left = sum((await self.store.count_rows(account_id)).values()) + await self.objects.count(account_id)
        if left or await self.keyring.count(account_id):
            raise NotYetGone
        if not pending:
            await self.store.forget_erasure(account_id)
        elif await self.store.residue(account_id, None, 1):
            # Providers may hold something still: its job goes on there, and signs the receipt.
            done = Erasure(account_id=account_id, began_at=intent.at, done="rows", counts=found)
            await self.store.checkpoint(done)
        else:
            facts = {
                FINISHED_AT: self.clock.now().isoformat(),
                **found,
                "rows_left": 0,
                "keys_left": 0,
            }
            facts |= {"replayed": 1}
            signed = await publicly_signed(self.signing, intent.fingerprint, facts)
            await self.ledger.complete(intent.fingerprint, signed)
            await self.store.forget_erasure(account_id)
        return True

    async def _shut_again(self, account_id: AccountId, due_at: datetime | None) -> bool:
        """Have an account wait for its erasure again; tell whether it did not."""
        async with self.store.begin(account_id) as tx:
            account = await tx.accounts.get_even_broken()
        if due_at is None or not account.is_active:
            return False
        await self.delete_account.commit(account_id, due_at)
        return True
