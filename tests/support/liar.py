"""A carrier that lies, in one way at a time."""

from __future__ import annotations

from enum import Enum

from typing_extensions import override

from adapters.outbound.memory.carrier import MemoryCarrier
from adapters.outbound.memory.message_carrier import PAUSE, CarrierCopy
from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable
from application.ports.message_carrier import ListedCopy, TooEarly
from application.ports.numbers import NumberOrder
from domain.kernel import CarrierRef, LineId
from domain.messages import Sent, Status
from domain.values import PhoneNumber


class Lie(Enum):
    """What it tells."""

    KEEPS = "it says that it deletes a message, and keeps it"
    TOO_EARLY = "it always says that it is too early"
    REFUSES = "it refuses to delete"
    LOST_UNDONE = "its answer to a deletion is lost, and nothing was deleted"
    LOST_DONE = "its answer to a deletion is lost, and the message was deleted"
    DENIES = "it does not find a message that it holds"
    ANOTHERS = "it answers a look with another message"
    STUTTERS = "it finds a message every other time"
    SILENT = "it answers no look"
    LISTS_NOTHING = "it lists nothing"
    LISTS_HALF = "it lists every other message"
    LISTS_GHOSTS = "it lists what it has deleted"
    KEEPS_NUMBER = "it says that it takes a number back, and keeps it ours"
    RELEASE_LOST_UNDONE = "its answer to a release is lost, and nothing was released"
    RELEASE_LOST_DONE = "its answer to a release is lost, and the number was released"
    DENIES_NUMBER = "it does not know a number that is ours, by its reference"
    DENIES_ORDER = "it does not find the order of a number that is ours"
    FORGETS = "it deletes nothing, and denies everything"


class Liar(MemoryCarrier):
    """Tells `lie`, the truth while there is none."""

    lie: Lie | None = None
    looks = 0

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]  # as it is
        self.ghosts: list[CarrierCopy] = []

    def tells(self, *lies: Lie) -> bool:
        return self.lie in lies

    @override
    async def delete_copy(self, ref: CarrierRef) -> None:
        if self.tells(Lie.TOO_EARLY) and ref in self.messages:
            raise TooEarly(PAUSE)
        if self.tells(Lie.REFUSES):
            raise CarrierRefused
        if self.tells(Lie.LOST_UNDONE):
            raise CarrierUnavailable
        if self.tells(Lie.KEEPS, Lie.FORGETS):
            return
        if copy := self.messages.get(ref):
            self.ghosts.append(copy)
        await super().delete_copy(ref)
        if self.tells(Lie.LOST_DONE):
            raise CarrierUnavailable

    @override
    async def look_up(self, ref: CarrierRef) -> Sent | None:
        self.looks += 1
        if self.tells(Lie.SILENT):
            raise CarrierUnavailable
        if self.tells(Lie.DENIES, Lie.FORGETS) or (self.tells(Lie.STUTTERS) and self.looks % 2):
            return None
        if self.tells(Lie.ANOTHERS):
            return Sent(CarrierRef(f"SM{self.looks:032x}"), Status.DELIVERED, None)
        return await super().look_up(ref)

    @override
    async def list_copies(self, number: PhoneNumber) -> list[ListedCopy]:
        listed = await super().list_copies(number)
        if self.tells(Lie.LISTS_NOTHING, Lie.FORGETS):
            return []
        if self.tells(Lie.LISTS_GHOSTS):
            return listed + [copy.listed for copy in self.ghosts if copy.number == number]
        return listed[::2] if self.tells(Lie.LISTS_HALF) else listed

    @override
    async def release(self, ref: CarrierRef, line_id: LineId) -> None:
        if self.tells(Lie.RELEASE_LOST_UNDONE):
            raise CarrierUnavailable
        if self.tells(Lie.KEEPS_NUMBER, Lie.FORGETS):
            return
        await super().release(ref, line_id)
        if self.tells(Lie.RELEASE_LOST_DONE):
            raise CarrierUnavailable

    @override
    async def owns(self, ref: CarrierRef, line_id: LineId) -> bool:
        held = await super().owns(ref, line_id)
        return held and not self.tells(Lie.DENIES_NUMBER, Lie.FORGETS)

    @override
    async def find_order(self, number: PhoneNumber, line_id: LineId) -> NumberOrder | None:
        if self.tells(Lie.DENIES_ORDER, Lie.FORGETS):
            return None
        return await super().find_order(number, line_id)
