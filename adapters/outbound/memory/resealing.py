"""Nothing is sealed in memory: what is left of a rotation there is to say which objects have a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from adapters.outbound.memory.store import MemoryStore
from application.ports.keyring import Keyring
from application.ports.resealing import Resealed, Resealing
from domain.accounts import Account
from domain.greetings import Greeting
from domain.kernel import AccountId, Aggregate, NotFound, ObjectId
from domain.media import Media, MediaState
from domain.messages import Message
from domain.voicemail import Voicemail, VoicemailState


@dataclass(frozen=True, slots=True)
class MemoryResealing(Resealing):
    """`Resealing` over a memory store."""

    store: MemoryStore
    keyring: Keyring

    @override
    async def turn(self, account_id: AccountId) -> bool:
        await self.store.answer()
        if not self.store.rows(account_id)[Account]:
            raise NotFound
        return (await self.keyring.open(account_id)).former is not None

    @override
    async def reseal(self, account_id: AccountId, at_once: int) -> Resealed:
        await self.store.answer()
        await self.keyring.open(account_id)
        return Resealed(0, 0, 0)

    @override
    async def holder(self, account_id: AccountId, object_id: ObjectId) -> type[Aggregate] | None:
        await self.store.answer()
        rows = self.store.rows(account_id)
        kind = next((kind for kind in (Media, Voicemail, Greeting) if object_id in rows[kind]), None)
        row: Any = None if kind is None else rows[kind][object_id]
        if kind is Media:
            message: Any = rows[Message].get(row.message_id)
            wanted = row.state is not MediaState.REFUSED and not (message is not None and message.is_deleted)
        else:
            wanted = kind is not Voicemail or row.state is not VoicemailState.EXPIRED
        return kind if wanted else None
