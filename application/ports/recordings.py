"""What callers left with the carrier: messages that it recorded for us, until we hold them ourselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Protocol

from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable
from domain.call_instructions import ClientIdentity
from domain.kernel import CarrierRef
from domain.values import Peer, PhoneNumber


class RecordingGone(CarrierRefused):
    """The carrier does not have this recording."""

    code = "recording_gone"


class RecordingNotReady(CarrierUnavailable):
    """The carrier has not finished the recording, or its store has not heard of it yet."""

    code = "recording_not_ready"


class RecordingAbsent(CarrierRefused):
    """There was nothing to be recorded, or recording failed: there will never be any audio."""

    code = "recording_absent"


class RecordingUnfit(CarrierRefused):
    """The carrier answered with something else than the recording, or sent us to somebody else for it."""

    code = "recording_unfit"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the carrier knows of a recording: which of our numbers was called, by whom, and how long it lasts.

    `called` and `caller` are None where the carrier does not know the call any more, `caller` also where it was
    withheld.
    """

    called: PhoneNumber | None
    caller: Peer | None
    length: timedelta
    is_message: bool = True
    """Whether somebody was asked to speak, and this is what they said. Nothing else is ever to be recorded."""
    of_app: bool = False
    """Whether an app of the line is on the call, which called or was called: nobody from outside has left it."""
    client: ClientIdentity | None = None
    """By which name the carrier knows the apps of that line, where it says."""
    call: CarrierRef | None = None
    """The call that it is of."""


@dataclass(frozen=True, slots=True)
class FetchedAudio:
    """Audio as it comes over the wire: the media type that the carrier says it is of, and its bytes."""

    type: str
    content: AsyncIterator[bytes]
    """Raises CarrierUnavailable when it breaks off."""


class Recordings(Protocol):
    """Every method raises CarrierUnavailable when no certain answer came (after its own bounded retries of reads)."""

    name: ClassVar[str]

    async def look_up(self, ref: CarrierRef) -> Recorded | None:
        """Return what is known of a recording, or None when the carrier holds no such one. Repeating is harmless."""
        ...

    async def of_call(self, call: CarrierRef) -> list[CarrierRef]:
        """Return what the carrier holds that was recorded of a call, whatever it is. Repeating is harmless."""
        ...

    def fetch(self, ref: CarrierRef) -> AbstractAsyncContextManager[FetchedAudio]:
        """Open the audio. It is asked for at the carrier, by its reference alone, and nowhere else.

        Size and kind are the caller's to check. Raises RecordingGone, RecordingAbsent, RecordingNotReady,
        RecordingUnfit. Repeating is harmless.
        """
        ...

    async def delete(self, ref: CarrierRef) -> None:
        """Delete a recording with what was made of it in writing, or one transcript by its own reference.

        It may have been gone already. Repeating is harmless.
        """
        ...

    async def holds(self, ref: CarrierRef) -> bool:
        """Tell whether the carrier still holds a recording or a transcript. Repeating is harmless."""
        ...
