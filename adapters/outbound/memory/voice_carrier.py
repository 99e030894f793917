"""A carrier of calls in memory, without a wire."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import ClassVar

from typing_extensions import override

from adapters.outbound.memory.carrier_faults import CarrierFaults
from application.ports.message_carrier import TooEarly
from application.ports.voice_carrier import (
    CarrierCall,
    ClientToken,
    ListedCall,
    VoiceAbilities,
    VoiceCarrier,
)
from domain.call_instructions import ClientIdentity
from domain.calls import CallOutcome
from domain.kernel import CallId, CarrierRef, LineId
from domain.values import Peer, PhoneNumber

ABILITIES = VoiceAbilities(
    has_app_clients=True, can_place_calls=True, can_delete_records=True, can_list_calls=True
)
PEER = re.compile(r"\+?[0-9]{3,15}\Z")
PAUSE = timedelta(seconds=60)
"""What a deletion that is put off is told to wait."""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """The carrier's record. `parent` is the call whose leg it is, `call_id` our own id of one that we asked for."""

    ref: CarrierRef
    sender: str
    to: str
    at: datetime
    outcome: CallOutcome = CallOutcome.RINGING
    is_over: bool = False
    duration: int = 0
    parent: CarrierRef | None = None
    call_id: CallId | None = None

    @property
    def shown(self) -> CarrierCall:
        """In the port's words."""
        return CarrierCall(self.ref, self.outcome, self.is_over, self.duration, self.at)

    def listed_for(self, number: PhoneNumber) -> ListedCall:
        """In the port's words, seen from one of our numbers."""
        inbound = self.to == number
        other = self.sender if inbound else self.to
        peer = Peer.of_sender(other) if PEER.match(other) else None
        return ListedCall(
            self.ref, self.outcome, self.is_over, self.duration, self.at, inbound, peer, self.parent
        )


class MemoryVoiceCarrier(CarrierFaults, VoiceCarrier):
    """`VoiceCarrier` in memory, with knobs. Nothing moves by itself: `ring`, `leg` and `end` play the network.

    Knobs: `outage`, `lose_answers`, `lies` (deletions are answered well and not done), `too_early` (so many deletions
    are put off), and the abilities themselves. To look at: `calls`, and what is held, `records`.
    """

    name: ClassVar[str] = "memory"

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Begin without a call."""
        super().__init__(now)
        self.voice_abilities = ABILITIES
        self.too_early = 0
        self.records: dict[CarrierRef, CallRecord] = {}
        self._serial = count(1)

    @override
    async def client_token(self, client: ClientIdentity, now: datetime, life: timedelta) -> ClientToken:
        return ClientToken(f"client-{client}", now + life)

    @override
    async def place_call(
        self, call_id: CallId, line_id: LineId, client: ClientIdentity, caller_id: PhoneNumber
    ) -> CarrierRef:
        self.hear("place_call")
        ref = self.ring(caller_id, f"client:{client}", call_id=call_id)
        self.answer()
        return ref

    @override
    async def end_call(self, ref: CarrierRef) -> None:
        self.hear("end_call")
        if ref in self.records and not self.records[ref].is_over:
            self.end(ref, self.records[ref].outcome)
        self.answer()

    @override
    async def look_up_call(self, ref: CarrierRef) -> CarrierCall | None:
        self.hear("look_up_call")
        return self.records[ref].shown if ref in self.records else None

    @override
    async def legs(self, ref: CarrierRef) -> list[CarrierCall]:
        self.hear("legs")
        return [record.shown for record in self.records.values() if record.parent == ref]

    @override
    async def list_calls(self, number: PhoneNumber, client: ClientIdentity | None = None) -> list[ListedCall]:
        self.hear("list_calls")
        ours = {str(number), f"client:{client}"}
        return [
            record.listed_for(number) for record in self.records.values() if ours & {record.sender, record.to}
        ]

    @override
    async def delete_record(self, ref: CarrierRef) -> None:
        self.hear("delete_record")
        if ref in self.records:
            if not self.records[ref].is_over or self.too_early > 0:
                self.too_early -= self.too_early > 0
                raise TooEarly(PAUSE)
            if not self.lies:
                del self.records[ref]
        self.answer()

    def ring(
        self, sender: str, to: str, *, parent: CarrierRef | None = None, call_id: CallId | None = None
    ) -> CarrierRef:
        """Let somebody call somebody; return the carrier's reference."""
        ref = CarrierRef(f"call-{next(self._serial)}")
        self.records[ref] = CallRecord(ref, sender, to, self.now(), parent=parent, call_id=call_id)
        return ref

    def end(self, ref: CarrierRef, outcome: CallOutcome, duration: int = 0) -> None:
        """Let a call end so, its legs with it."""
        for record in list(self.records.values()):
            if record.ref == ref or (record.parent == ref and not record.is_over):
                self.records[record.ref] = replace(record, outcome=outcome, is_over=True, duration=duration)
