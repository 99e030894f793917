"""The use case of hard deletion: the saga's steps, each verified by reading back, each safe to repeat."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from application.lines import release_verified
from application.ports.carrier import Carrier
from application.ports.keyring import KeyGone, Keyring
from application.ports.ledger import ErasureLedger, Intent
from application.ports.mail import Mail
from application.ports.store import Directory, Store
from application.ports.system import Clock, Fingerprint
from application.unit_of_work import retry_on_version_conflict
from domain.erasure import Erasure, NotYetGone, Step
from domain.kernel import AccountId, CarrierRef, MessageId
from domain.messages import Message
from domain.retention import Retention, cutoff

BATCH = 500
"""Texts looked at per read."""


@dataclass(frozen=True, slots=True)
class EraseAccount:
    """Erase one account from every store there is, or stop at the step that failed and go on from there next time."""

    store: Store
    directory: Directory
    keyring: Keyring
    carrier: Carrier
    mail: Mail
    ledger: ErasureLedger
    fingerprint: Fingerprint
    clock: Clock
    retention: Retention

    async def __call__(self, account_id: AccountId) -> None:
        """Do it. Raises what a step raises; what was done stays done. Repeating is harmless."""
        erasure = await self.begin(account_id)
        while (step := erasure.next) is not None:
            erasure = await self.advance(step, erasure)
        await self.complete(erasure)

    async def begin(self, account_id: AccountId) -> Erasure:
        """Take the first step, unless it was taken, and return how far the erasure has come. Repeating is harmless."""
        erasure = await self.store.erasure(account_id) or Erasure(
            account_id=account_id, began_at=self.clock.now()
        )
        return await self.advance(Step.INTENT, erasure) if erasure.done is None else erasure

    async def advance(self, step: Step, erasure: Erasure) -> Erasure:
        """Take one step and remember that it is done."""
        try:
            erasure = (await self.take(step, erasure)).finish(step)
        except KeyGone:
            # A twin got as far as the keys and was stopped before it could say so: only rows are left to do.
            await self.ledger.open_intent(
                Intent(await self.fingerprint(erasure.account_id), 0, erasure.began_at)
            )
            erasure = replace(erasure, done=Step.MAIL)
        await self.store.checkpoint(erasure)
        return erasure

    async def take(self, step: Step, erasure: Erasure) -> Erasure:
        """Take one step and return the erasure with what was counted on the way."""
        account_id = erasure.account_id
        match step:
            case Step.INTENT:
                await self.close_the_way_back(account_id)
                keys = await self.keyring.count(account_id)
                await self.ledger.open_intent(
                    Intent(await self.fingerprint(account_id), keys, erasure.began_at)
                )
            case Step.CARRIER_CONTENT:
                return await self.purge(self.known_copies(account_id), erasure)
            case Step.NUMBERS:
                # Only now: nothing comes in any more for a number that is no longer ours.
                erasure = replace(erasure, numbers=await self.release_numbers(account_id))
                return await self.purge(self.list_message_refs(account_id), erasure)
            case Step.MAIL:
                await self.erase_mail(account_id)
            case Step.KEYS:
                await self.keyring.destroy(account_id)
                if await self.keyring.count(account_id):
                    raise NotYetGone
            case Step.ROWS:
                return replace(erasure, rows=sum((await self.store.delete_rows(account_id)).values()))
            case Step.VERIFIED:
                if await self.keyring.count(account_id) or sum(
                    (await self.store.count_rows(account_id)).values()
                ):
                    raise NotYetGone
        return erasure

    @retry_on_version_conflict
    async def close_the_way_back(self, account_id: AccountId) -> None:
        """From here on recovery is refused. Raises NotDue."""
        now = self.clock.now()
        async with self.store.begin(account_id) as tx:
            account = await tx.account()
            account.begin_erasure(now, cutoff(now, self.retention.unverified))
            tx.save(account)

    async def purge(self, refs: AsyncIterator[CarrierRef], erasure: Erasure) -> Erasure:
        """Delete the carrier's copies of texts, read them back, and count them."""
        purged = left = 0
        async for ref in refs:
            gone = await self.carrier.purge(ref) is None and await self.carrier.look_up(ref) is None
            purged, left = purged + gone, left + (not gone)
        if left and not erasure.may_leave_behind(self.clock.now()):
            raise NotYetGone
        # What is left is seen again with the number's list_message_refs: not to be counted twice.
        return replace(erasure, texts=erasure.texts + purged, messages_left=max(erasure.messages_left, left))

    async def known_copies(self, account_id: AccountId) -> AsyncIterator[CarrierRef]:
        """Yield our own texts whose copies are not known to be gone."""
        after = None
        while texts := await self.page(account_id, after):
            for text in texts:
                if text.ref is not None:
                    yield text.ref
            after = texts[-1].id

    async def list_message_refs(self, account_id: AccountId) -> AsyncIterator[CarrierRef]:
        """Yield whatever the carrier lists for numbers that are ours, or were until a moment ago.

        A number given back earlier is not asked about: it may be somebody else's by now.
        """
        async with self.store.begin(account_id) as tx:
            lines = await tx.lines()
        for line in lines:
            if line.ref is not None and line.released_at is None:
                for ref in await self.carrier.list_message_refs(line.number):
                    yield ref

    async def page(self, account_id: AccountId, after: MessageId | None) -> list[Message]:
        """Read the next texts."""
        async with self.store.begin(account_id) as tx:
            return await tx.with_carrier_copy(after, BATCH)

    async def release_numbers(self, account_id: AccountId) -> int:
        """Give every number back and read it back; return how many.

        A carrier that says yes and keeps the number holds up the saga.
        """
        async with self.store.begin(account_id) as tx:
            lines = await tx.lines()
        for line in lines:
            if line.released_at is None:
                await release_verified(self.carrier, line)
            self.directory.forget_line(line.number)
        return sum(line.released_at is None and line.ref is not None for line in lines)

    async def erase_mail(self, account_id: AccountId) -> None:
        """Have the mail provider forget the address, and read it back."""
        async with self.store.begin(account_id) as tx:
            address = (await tx.account()).email
        await self.mail.erase(address)
        if await self.mail.holds(address):
            raise NotYetGone

    async def complete(self, erasure: Erasure) -> None:
        """Write the receipt, which names nobody, and forget the saga itself."""
        account_id = erasure.account_id
        facts = {
            "finished_at": self.clock.now().isoformat(),
            "messages_deleted": erasure.texts,
            "messages_left": erasure.messages_left,
            "numbers_released": erasure.numbers,
            "rows_deleted": erasure.rows,
            "rows_left": sum((await self.store.count_rows(account_id)).values()),
            "keys_left": await self.keyring.count(account_id),
        }
        await self.ledger.complete(await self.fingerprint(account_id), facts)
        await self.store.forget_erasure(account_id)
