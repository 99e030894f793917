"""Legs that are called because of another one: a line's apps, or a telephone (Telnyx: dial)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import NamedTuple

import structlog

from adapters.call_state import CallStage, CallState
from adapters.outbound.telnyx.answers import Resource, certain, words_of
from adapters.outbound.telnyx.api import TelnyxApi
from adapters.outbound.telnyx.apps import TelnyxApps
from adapters.outbound.telnyx.client_state import SealedStates
from adapters.outbound.telnyx.legs import CONTROL
from adapters.outbound.telnyx.vocabulary import Gone
from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable
from domain.call_instructions import RING_FOR, ClientIdentity, Connect, Forward, RingApp
from domain.kernel import CallId, LineId
from domain.values import PhoneNumber

log = structlog.get_logger()

CALL_HEADER = "X-Pico-Call"
"""By which an app that rings is told which call it is: who calls, it reads from us."""


class Progress(NamedTuple):
    """Whether a leg goes on, and the stage that it was last told; None for none."""

    goes_on: bool
    stage: CallStage | None


@dataclass(frozen=True, slots=True)
class TelnyxDialling:
    """Calls another leg for one that there is.

    `connection_id` is the Voice API application that our numbers and calls belong to; `apps` are rung where there are
    any.
    """

    api: TelnyxApi
    states: SealedStates
    connection_id: str
    apps: TelnyxApps | None = None

    @certain
    async def progress_of(self, control: str) -> Progress:
        """Tell whether a leg goes on, and what it was last told. Repeating is harmless."""
        try:
            status = await self.api.http.get(f"/calls/{control}")
        except Gone:
            return Progress(goes_on=False, stage=None)
        state = await self.states.opened(status.get("client_state"))
        return Progress(status.get("is_alive") is True, None if state is None else state.stage)

    async def call(
        self, state: CallState, told: RingApp | Forward | Connect, called: PhoneNumber | None, event: str
    ) -> None:
        """Call whom a call goes to. Raises CarrierUnavailable; CarrierRefused where nobody can be called."""
        match told:
            case RingApp(client, seconds):
                await self._ring(state, client, called, seconds, event)
            case Forward():
                await self._forward(state, told, event)
            case Connect():
                await self._connect(state, told, event)

    @certain
    async def place(
        self, call_id: CallId, line_id: LineId, client: ClientIdentity, caller_id: PhoneNumber
    ) -> Resource:
        """Ring a line's apps for a call that goes out; return the leg. Raises CarrierRefused where there are none."""
        state = CallState(stage=CallStage.PICKING_UP, line_id=line_id, call_id=call_id)
        wanted = await self._for_apps(state, client, caller_id, int(RING_FOR.total_seconds()))
        return await self.api.http.post("/calls", {**wanted, "command_id": f"{call_id}:place"})

    async def _ring(
        self, state: CallState, client: ClientIdentity, called: PhoneNumber | None, seconds: int, event: str
    ) -> None:
        if called is None:
            raise CarrierRefused
        ringing = replace(state, stage=CallStage.RINGING)
        wanted = await self._for_apps(ringing, client, called, seconds)
        await self._also(state, CallStage.WAITING, wanted, f"{event}:ring")

    async def _for_apps(
        self, state: CallState, client: ClientIdentity, sender: PhoneNumber, seconds: int
    ) -> dict[str, object]:
        """Say how a line's apps are rung: all at once, and the first that answers has the call. Raises CarrierRefused.

        They see the line's own number, and which call it is. That a number which is not ours may be shown to an app is
        not documented, nor that it may not.
        """
        addresses = [] if self.apps is None else await self.apps.addresses(client, self.api.now())
        if not addresses:
            raise CarrierRefused
        return {
            "connection_id": self.connection_id,
            "from": str(sender),
            "to": addresses,
            "timeout_secs": seconds,
            "custom_headers": [{"name": CALL_HEADER, "value": str(state.call_id)}],
            "client_state": await self.states.sealed(state),
        }

    async def _forward(self, state: CallState, forward: Forward, event: str) -> None:
        wanted = await self._telephone(
            replace(state, stage=CallStage.ASKING), forward.to, forward.caller_id, forward.longest
        )
        await self._also(
            state, CallStage.WAITING, {**wanted, "timeout_secs": forward.seconds}, f"{event}:dial"
        )

    async def _connect(self, state: CallState, connect: Connect, event: str) -> None:
        called = replace(state, stage=CallStage.CALLED)
        wanted = await self._telephone(called, connect.to, connect.caller_id, connect.longest)
        await self._also(state, CallStage.CALLING, wanted, f"{event}:dial")

    async def _telephone(
        self, state: CallState, to: PhoneNumber, sender: PhoneNumber, longest: timedelta
    ) -> dict[str, object]:
        return {
            "connection_id": self.connection_id,
            "from": str(sender),
            "to": str(to),
            "time_limit_secs": max(int(longest.total_seconds()), 1),
            "client_state": await self.states.sealed(state),
        }

    async def _also(
        self, state: CallState, stage: CallStage, wanted: dict[str, object], command: str
    ) -> None:
        """Call another leg, and have the first remember which that is: whoever gives up there ends it."""
        dialled = await self._dialled({**wanted, "link_to": state.control, "command_id": command})
        await self._remember(replace(state, stage=stage, other=control_of(dialled)))

    async def _remember(self, waiting: CallState) -> None:
        """Have the first leg say for whom it waits, unless it has been told more since: an event may come again."""
        path, sealed = (
            f"/calls/{waiting.control}/actions/client_state_update",
            await self.states.sealed(waiting),
        )
        try:
            goes_on, stage = await self.progress_of(waiting.control)
            if goes_on and stage in {None, CallStage.WAITING, CallStage.PICKING_UP}:
                await self.api.http.put(path, {"client_state": sealed})
        except (CarrierRefused, CarrierUnavailable):
            log.info("a call is not known to wait")  # it is over, or the other telephone rings its time out

    @certain
    async def _dialled(self, wanted: dict[str, object]) -> Resource:
        return await self.api.http.post("/calls", wanted)


def control_of(dialled: Resource) -> str:
    """Return by what a leg is controlled. Raises CarrierUnavailable."""
    control = words_of(dialled.get("call_control_id"))
    if not CONTROL.match(control):
        raise CarrierUnavailable
    return control
