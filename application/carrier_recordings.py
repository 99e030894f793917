"""What holds of every recording at the carrier: each is taken in once, and what nobody was asked to say is refused."""

from __future__ import annotations

from dataclasses import dataclass

from application.inbound_messages import passing_over_the_erased
from application.ports.call_clients import CallClients
from application.ports.carrier_errors import CarrierUnavailable
from application.ports.clock import Clock
from application.ports.directory import Directory, Lease
from application.ports.recordings import Recorded, Recordings
from application.ports.store import Store, Tx
from domain.call_instructions import ClientIdentity
from domain.idempotency import Operation
from domain.kernel import CarrierRef


def taking_in(ref: CarrierRef) -> Operation:
    """Return the operation of taking this recording in, which happens once."""
    return Operation(f"voicemail:{ref}")


async def owner_of(client: ClientIdentity, clients: CallClients, directory: Directory) -> Lease | None:
    """Return whose apps have this name, be the line given up; None for nobody's, and for an account that is erased."""
    owner = await clients.owner(client)
    if owner is None or await directory.unknown([owner.account_id]):
        return None
    return Lease(*owner)


@dataclass(frozen=True, slots=True)
class RefuseRecording:
    """Has a recording deleted that nobody was asked to leave: what people say to each other is never recorded."""

    store: Store
    directory: Directory
    clients: CallClients
    recordings: Recordings
    clock: Clock

    async def __call__(self, ref: CarrierRef) -> None:
        """Delete it at the carrier, and audit that for whose number it is. Repeating is harmless.

        Only what the carrier itself says it is counts: a message that somebody left stays. Raises CarrierUnavailable.
        """
        known = await self.recordings.look_up(ref)
        if known is not None and not known.is_message:
            await self.deleted(ref, known)

    async def deleted(self, ref: CarrierRef, known: Recorded) -> None:
        """Delete what is known to be none, and audit that. Repeating is harmless. Raises CarrierUnavailable."""
        await self.recordings.delete(ref)
        if await self.recordings.holds(ref):
            raise CarrierUnavailable
        for lease in await self._leases(known):
            async with passing_over_the_erased(self.store, lease, fresh=True):
                await self._audit(lease)

    async def _leases(self, known: Recorded) -> list[Lease]:
        numbers = [number for number in (known.called, known.caller) if number is not None]
        found = [await self.directory.line(number, fresh=True) for number in numbers]
        named = None if known.client is None else await owner_of(known.client, self.clients, self.directory)
        return list(dict.fromkeys(lease for lease in (*found, named) if lease is not None))

    async def _audit(self, lease: Lease) -> None:
        async def change(tx: Tx) -> None:
            line = await tx.lines.get(lease.line_id)
            line.recording_refused(self.clock.now())
            tx.save(line)

        await self.store.update(lease.account_id, change)
