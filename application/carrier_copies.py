"""Deletion of what the carrier holds of an account's messages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from application.erasure_step import ErasureStep
from application.hold import Hold
from application.ports.message_carrier import MessageCarrier
from application.ports.store import Store
from application.residue import ClearResidue
from domain.erasure import NO_COUNTS, Erasure, NotYetGone
from domain.kernel import AccountId, CarrierRef
from domain.residue import Residue

BATCH = 500
"""Messages looked at per read."""


@dataclass(frozen=True, slots=True)
class DeleteCarrierCopies(ErasureStep):
    """Erasure: the carrier's copies of the account's own messages go."""

    name: ClassVar[str] = "carrier_copies"
    needs_keys: ClassVar[bool] = True

    store: Store
    carrier: MessageCarrier
    clear_residue: ClearResidue

    async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
        """Delete the copies and look for them. Raises NotYetGone, CarrierUnavailable. Repeating is harmless.

        Where the carrier offers no deletion, `copies_unsupported` counts what it keeps of the messages that we know of.
        """
        unsupported = 0
        async for refs in self._known_copies(erasure.account_id):
            if self.carrier.message_abilities.can_delete_copies:
                await self.store.add_residue([Residue.message(erasure.account_id, ref) for ref in refs])
            else:
                unsupported += len(refs)
        await self.clear_residue(erasure, hold)
        return {"copies_unsupported": unsupported} if unsupported else NO_COUNTS

    async def _known_copies(self, account_id: AccountId) -> AsyncIterator[list[CarrierRef]]:
        after = None
        while True:
            async with self.store.begin(account_id) as tx:
                messages = await tx.messages.with_carrier_copy(after, BATCH)
            if not messages:
                return
            # The reference of an altered one may be somebody else's. Its copy goes with what the carrier lists.
            yield [message.ref for message in messages if message.ref is not None and not message.altered]
            after = messages[-1].id


async def delete_verified(carrier: MessageCarrier, refs: Iterable[CarrierRef], hold: Hold) -> None:
    """Have copies deleted and read back. Raises TooEarly, CarrierUnavailable; NotYetGone when one is still there."""
    for ref in refs:
        await hold()
        await carrier.delete_copy(ref)
        if await carrier.look_up(ref) is not None:
            raise NotYetGone
