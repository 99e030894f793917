"""Several carriers of calls behind one port, for what is done for an account as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from typing_extensions import override

from adapters.outbound.several.references import owner_of
from application.ports.carrier_errors import CarrierUnsupported
from application.ports.message_carrier import TooEarly
from application.ports.voice_carrier import (
    CarrierCall,
    ClientToken,
    ListedCall,
    VoiceAbilities,
    VoiceCarrier,
)
from domain.call_instructions import ClientIdentity
from domain.kernel import CallId, CarrierRef, LineId
from domain.values import PhoneNumber

LOOKED_AT_AGAIN = timedelta(minutes=15)
"""When a record is asked about again whose carrier deletes none, and shows it for some minutes only."""


@dataclass(slots=True)
class EveryVoice(VoiceCarrier):
    """Looks up, lists and deletes at each carrier what is its own: for an erasure, and never for a line.

    A record at a carrier that deletes none is too young to be deleted until it shows no more, as copies are.
    """

    name: ClassVar[str] = "several"
    by_name: Mapping[str, VoiceCarrier]
    voice_abilities: VoiceAbilities = field(init=False)
    """What one of them offers is offered, as far as records go; no call is placed here."""

    def __post_init__(self) -> None:
        """Put together what they offer."""
        each = [voice.voice_abilities for voice in self.by_name.values()]
        self.voice_abilities = VoiceAbilities(
            can_delete_records=any(abilities.can_delete_records for abilities in each),
            can_list_calls=any(abilities.can_list_calls for abilities in each),
            record_settles_after=max(abilities.record_settles_after for abilities in each),
        )

    @override
    async def client_token(self, client: ClientIdentity, now: datetime, life: timedelta) -> ClientToken:
        raise CarrierUnsupported

    @override
    async def place_call(
        self, call_id: CallId, line_id: LineId, client: ClientIdentity, caller_id: PhoneNumber
    ) -> CarrierRef:
        raise CarrierUnsupported

    @override
    async def end_call(self, ref: CarrierRef) -> None:
        await owner_of(ref, self.by_name).end_call(ref)

    @override
    async def look_up_call(self, ref: CarrierRef) -> CarrierCall | None:
        return await owner_of(ref, self.by_name).look_up_call(ref)

    @override
    async def legs(self, ref: CarrierRef) -> list[CarrierCall]:
        return await owner_of(ref, self.by_name).legs(ref)

    @override
    async def list_calls(self, number: PhoneNumber, client: ClientIdentity | None = None) -> list[ListedCall]:
        """List what each of them has that lists: a number may have been with one, and then with another."""
        listing = [voice for voice in self.by_name.values() if voice.voice_abilities.can_list_calls]
        return [call for voice in listing for call in await voice.list_calls(number, client)]

    @override
    async def delete_record(self, ref: CarrierRef) -> None:
        voice = owner_of(ref, self.by_name)
        if voice.voice_abilities.can_delete_records:
            await voice.delete_record(ref)
        elif await voice.look_up_call(ref) is not None:
            raise TooEarly(LOOKED_AT_AGAIN)
