"""Reading voicemail. The audio lies with `Objects`."""

from __future__ import annotations

from typing import Protocol

from domain.kernel import CarrierRef, LineId
from domain.voicemail import Voicemail, VoicemailId


class Voicemails(Protocol):
    """The account's voicemail."""

    async def get(self, voicemail_id: VoicemailId) -> Voicemail:
        """Return one that is not deleted, broken or not. Raises NotFound."""
        ...

    async def get_even_deleted(self, voicemail_id: VoicemailId) -> Voicemail:
        """Return one, deleted or not, broken or not. Raises NotFound."""
        ...

    async def by_ref(self, ref: CarrierRef) -> Voicemail | None:
        """Return the one that is this recording of the carrier's, deleted or not, broken or not; None for no such."""
        ...

    async def page(self, line_id: LineId | None, before: VoicemailId | None, limit: int) -> list[Voicemail]:
        """Return up to `limit` that are not deleted, newest first, from just before the given one on; broken ones too.

        Of one line, or of all.
        """
        ...

    async def with_carrier_copy(self, after: VoicemailId | None, limit: int) -> list[Voicemail]:
        """Return some of which the carrier may hold something, by id, after one; deleted and broken ones, too."""
        ...
