"""The use case of mail that does not arrive: it is noted, so that nobody is written to who cannot be reached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from application.ports.clock import Clock
from application.ports.directory import Directory
from application.ports.keyring import KeyGone
from application.ports.store import Store, Tx
from domain.accounts import Unreachable
from domain.kernel import NotFound, SealBroken
from domain.values import Email


@dataclass(frozen=True, slots=True)
class NoteUnreachable:
    """Notes of the account that has an address that mail does not reach it. Of nobody's address nothing is kept."""

    store: Store
    directory: Directory
    clock: Clock

    async def __call__(self, email: Email, why: Unreachable, at: datetime) -> None:
        """Note it, as said of the time `at`. Raises StoreUnavailable, KeysUnavailable. Repeating is harmless."""
        account_id = await self.directory.account_by_email(email.canonical)
        if account_id is None:
            return

        async def change(tx: Tx) -> None:
            account = await tx.accounts.get()
            account.must_have(email)
            if account.may_receive_mail:
                account.note_unreachable(why, min(at, self.clock.now()))
                tx.save(account)

        try:
            await self.store.update(account_id, change)
        except (KeyGone, NotFound, SealBroken):
            return  # erased at this moment, or damaged: another word of the provider would change nothing
