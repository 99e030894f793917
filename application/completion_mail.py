"""The last mail: that an account is erased, sent once it is, and before the receipt says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from application.epochs import EPOCH
from application.erasure import noted
from application.erasure_step import ErasureStep
from application.hold import Hold
from application.kept_address import Kept, KeptAddress
from application.mail import EraseMailAddress
from application.ports.clock import Clock
from application.ports.epochs import Epochs
from application.ports.ledger import ErasureLedger, Fingerprint
from application.ports.mail import Mail, MailKind
from application.ports.store import Store
from domain.erasure import Erasure, NotYetGone

SENT, FORGOTTEN, LEFT = "completion_mails", "completion_mails_forgotten", "kept_addresses_left"
"""The words of the receipt: mails sent, mails that the provider was had to forget, addresses that we still keep."""


@dataclass(frozen=True, slots=True)
class KeepAddress(ErasureStep):
    """Erasure: the address is kept for the last mail, where there is somebody to tell."""

    name: ClassVar[str] = "address_kept"
    needs_keys: ClassVar[bool] = True

    store: Store
    ledger: ErasureLedger
    fingerprint: Fingerprint
    clock: Clock
    kept_address: KeptAddress

    async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
        """Keep it. Raises KeysUnavailable, ObjectsUnavailable. Repeating is harmless.

        None is kept of a sign-up that was never verified, of a row that nobody vouches for, or where mail does not
        arrive; nor when the account was erased before, and a backup brought it back.
        """
        if self.kept_address.is_over(erasure, await self.clock.agreed()):
            return {}
        if await self.ledger.receipt(await self.fingerprint(erasure.account_id)) is not None:
            return {}
        async with self.store.begin(erasure.account_id) as tx:
            account = await tx.accounts.get_even_broken()
        known = account.verified_at is not None and not account.altered and "email" not in account.unreadable
        if known and account.unreachable is None:
            await hold()
            await self.kept_address.put(erasure, Kept(account.email, account.language))
        return {}


@dataclass(frozen=True, slots=True)
class SendCompletionMail(ErasureStep):
    """Erasure: the person is told that everything is gone, and then the address goes, too."""

    name: ClassVar[str] = "completion_mail"
    needs_keys: ClassVar[bool] = False

    store: Store
    mail: Mail
    erase_mail_address: EraseMailAddress
    epochs: Epochs
    clock: Clock
    kept_address: KeptAddress
    pause: timedelta

    async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
        """Send the mail, have the provider forget it after a pause, drop the address. Repeating may send it again.

        Raises NotYetGone, MailUnavailable, KeysUnavailable, ObjectsUnavailable. When its time is over the address goes,
        whether or not the mail went out; the receipt says whether the provider was had to forget it.
        """
        over = self.kept_address.is_over(erasure, await self.clock.agreed())
        kept = None if over else await self.kept_address.find(erasure)
        if kept is not None:
            if not erasure.counts.get(SENT):
                await hold()
                await self.mail.send(kept.email, MailKind.COMPLETED, kept.locale, None)
                erasure = await noted(self.store, erasure, {SENT: 1})
                if self.pause:
                    raise NotYetGone(within=self.pause)
            await self.erase_mail_address.forget(erasure.account_id, kept.email, hold)
            erasure = await noted(self.store, erasure, {FORGOTTEN: 1})
        await hold()
        await self.kept_address.drop(erasure)
        newest = await self.epochs.newest(await self.clock.agreed())
        return {SENT: 0, FORGOTTEN: 0, **erasure.counts, LEFT: 0, EPOCH: newest.number}
