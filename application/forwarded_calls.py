"""Use case of the person who answers a forwarded call: only a key that they press puts the caller through."""

from __future__ import annotations

from dataclasses import dataclass

from application.inbound_messages import passing_over_the_erased
from application.ports.directory import Directory
from application.ports.store import Store, Tx
from domain.call_instructions import KEY, OVER, AskForKey, CallAnswer, HangUp, PutThrough
from domain.calls import CallDirection, CallOutcome
from domain.kernel import CallId, LineId, NotFound
from domain.values import PhoneNumber


@dataclass(frozen=True, slots=True)
class ScreenedCall:
    """A telephone to which a call is forwarded has answered. `number` is the line's own, which it is called from."""

    number: PhoneNumber
    line_id: LineId | None
    call_id: CallId | None


ASK = CallAnswer((AskForKey(), HangUp()))


@dataclass(frozen=True, slots=True)
class AcceptForwardedCall:
    """Puts the caller through to whoever pressed the key. Without it the caller comes back to our own mailbox."""

    store: Store
    directory: Directory

    async def __call__(self, screened: ScreenedCall, pressed: str) -> CallAnswer:
        """Return what the carrier is told. Repeating is harmless. Raises KeyGone."""
        call_id = screened.call_id
        lease = await self.directory.line(screened.number, fresh=True)
        if (
            pressed != KEY
            or call_id is None
            or lease is None
            or screened.line_id not in {None, lease.line_id}
        ):
            return OVER

        async def change(tx: Tx) -> bool:
            line, call = await tx.lines.get(lease.line_id), await tx.calls.get_even_deleted(call_id)
            if (
                not line.lets_calls_out
                or (call.line_id, call.direction) != (line.id, CallDirection.INBOUND)
                or call.is_deleted
                or call.altered
            ):
                raise NotFound
            call.reach(CallOutcome.IN_PROGRESS)
            tx.require_unchanged(line)
            tx.save(call)
            return True

        accepted = False
        async with passing_over_the_erased(self.store, lease, fresh=True):
            accepted = await self.store.update(lease.account_id, change)
        return CallAnswer((PutThrough(),), lease.line_id, call_id) if accepted else OVER
