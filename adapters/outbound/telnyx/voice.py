"""Telnyx as our carrier of calls (Telnyx: Voice API). It deletes no record."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime, timedelta
from typing import ClassVar

from typing_extensions import override

from adapters.outbound.telnyx.answers import certain, id_of, ref_of
from adapters.outbound.telnyx.api import TelnyxApi
from adapters.outbound.telnyx.apps import is_app
from adapters.outbound.telnyx.call_control import TelnyxCallControl
from adapters.outbound.telnyx.legs import Leg, Legs
from application.ports.carrier_errors import CarrierRefused, CarrierUnsupported
from application.ports.voice_carrier import (
    CarrierCall,
    ClientToken,
    ListedCall,
    VoiceAbilities,
    VoiceCarrier,
)
from domain.call_instructions import ClientIdentity
from domain.kernel import CallId, CarrierRef, LineId
from domain.values import Peer, PhoneNumber

PEER = re.compile(r"\+?[0-9]{3,15}\Z")


def listed(leg: Leg, first: CarrierRef | None) -> ListedCall:
    """Translate a leg, given the first one of its session: the caller's, or of a call that goes out the app's."""
    call, other = leg.call, leg.sender if leg.incoming else leg.to
    return ListedCall(
        call.ref, call.outcome, call.is_over, call.duration, call.at,
        is_inbound=leg.incoming,
        peer=Peer.of_sender(other) if PEER.match(other) else None,
        parent=None if first == call.ref else first,
    )  # fmt: skip


class TelnyxVoiceCarrier(VoiceCarrier):
    """Places, ends, looks up and lists calls; the id of a leg is its reference."""

    name: ClassVar[str] = "telnyx"

    def __init__(self, api: TelnyxApi, control: TelnyxCallControl | None = None) -> None:
        """Work for one account. Without a `control` that has apps there are none that call or are called."""
        self.http, self.legs_of, self.control = api.http, Legs(api.http), control
        self.apps = None if control is None else control.apps
        has_apps = self.apps is not None
        self.voice_abilities = VoiceAbilities(
            has_app_clients=has_apps, can_place_calls=has_apps, can_list_calls=True
        )

    @override
    async def client_token(self, client: ClientIdentity, now: datetime, life: timedelta) -> ClientToken:
        if self.apps is None:
            raise CarrierUnsupported
        return await self.apps.token(client, now + life)

    @override
    async def place_call(
        self, call_id: CallId, line_id: LineId, client: ClientIdentity, caller_id: PhoneNumber
    ) -> CarrierRef:
        """Ring those that have a token now. Raises CarrierRefused where none has."""
        if self.control is None or self.apps is None:
            raise CarrierUnsupported
        return ref_of((await self.control.place(call_id, line_id, client, caller_id)).get("call_leg_id"))

    @override
    @certain
    async def end_call(self, ref: CarrierRef) -> None:
        """Hang it up, and every leg that came about by it: one that rings would go on."""
        leg = await self._leg(ref)
        if leg is None:
            return
        for each in await self.legs_of.of(("filter[application_session_id]", leg.session)):
            if each.ended is None and await self.legs_of.is_shown(each):
                with suppress(CarrierRefused):  # it ended meanwhile
                    await self.http.post(f"/calls/{each.control}/actions/hangup", {})

    @override
    @certain
    async def look_up_call(self, ref: CarrierRef) -> CarrierCall | None:
        """Return what its events say, for as long as Telnyx answers for the call itself: ten minutes after its end."""
        leg = await self._leg(ref)
        return leg.call if leg is not None and await self.legs_of.is_shown(leg) else None

    @override
    @certain
    async def legs(self, ref: CarrierRef) -> list[CarrierCall]:
        leg = await self._leg(ref)
        if leg is None:
            return []
        session = await self.legs_of.of(("filter[application_session_id]", leg.session))
        return [each.call for each in session if each.id != leg.id and each.session == leg.session]

    @override
    @certain
    async def list_calls(self, number: PhoneNumber, client: ClientIdentity | None = None) -> list[ListedCall]:
        """List the calls of the last 24 hours: Telnyx lists no older ones by their number."""
        found: dict[str, Leg] = {}
        for side in ("from", "to"):
            for leg in await self.legs_of.of((f"filter[{side}]", str(number))):
                if number in {leg.sender, leg.to}:
                    found[leg.id] = leg
        first = {leg.session: ref_of(leg.id) for leg in found.values() if is_app(leg.to)}
        first |= {leg.session: ref_of(leg.id) for leg in found.values() if leg.incoming}
        return [listed(leg, first.get(leg.session)) for leg in found.values()]

    @override
    async def delete_record(self, ref: CarrierRef) -> None:
        raise CarrierUnsupported

    async def _leg(self, ref: CarrierRef) -> Leg | None:
        leg_id = id_of(ref)
        return None if leg_id is None else await self.legs_of.one(leg_id)
