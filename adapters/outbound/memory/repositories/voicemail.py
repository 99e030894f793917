"""Voicemail, in memory."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from adapters.outbound.memory.rows import Loaded, identity, newest_first
from application.ports.repositories.voicemail import Voicemails
from domain.kernel import CarrierRef, LineId, NotFound
from domain.voicemail import Voicemail, VoicemailId


@dataclass(frozen=True, slots=True)
class MemoryVoicemails(Voicemails):
    """`Voicemails` over one account's rows."""

    loaded: Loaded

    @override
    async def get(self, voicemail_id: VoicemailId) -> Voicemail:
        found = await self.get_even_deleted(voicemail_id)
        if found.is_deleted:
            raise NotFound
        return found

    @override
    async def get_even_deleted(self, voicemail_id: VoicemailId) -> Voicemail:
        return await self.loaded.one(Voicemail, voicemail_id)

    @override
    async def by_ref(self, ref: CarrierRef) -> Voicemail | None:
        return await self.loaded.maybe(Voicemail, lambda voicemail: voicemail.ref == ref)

    @override
    async def page(self, line_id: LineId | None, before: VoicemailId | None, limit: int) -> list[Voicemail]:
        def wanted(voicemail: Voicemail) -> bool:
            return (
                not voicemail.is_deleted
                and line_id in {None, voicemail.line_id}
                and (before is None or voicemail.id < before)
            )

        return newest_first(await self.loaded.all(Voicemail, wanted))[:limit]

    @override
    async def with_carrier_copy(self, after: VoicemailId | None, limit: int) -> list[Voicemail]:
        found = await self.loaded.all(
            Voicemail, lambda each: each.has_carrier_copy and (after is None or each.id > after)
        )
        return sorted(found, key=identity)[:limit]
