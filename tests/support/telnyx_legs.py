"""One event about a leg at Telnyx: what is asked, commanded and reported because of it, to the last word."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

from typing_extensions import override

from adapters.call_state import CallStage, CallState
from adapters.inbound.webhooks.telnyx.app_calls import CallControl, TelnyxAppCalls
from adapters.inbound.webhooks.telnyx.events import Event
from adapters.inbound.webhooks.telnyx.voice import TelnyxVoice
from adapters.outbound.telnyx.answers import ref_of
from adapters.outbound.telnyx.legs import came_to
from application.call_progress import CallReport
from application.ports.carrier_errors import CarrierRefused
from domain.call_instructions import OVER, CallAnswer
from domain.call_words import Spoken
from domain.calls import CallDirection, CallOutcome
from domain.kernel import CallId, CarrierRef, LineId
from domain.values import Peer, PhoneNumber

LINE, CALL = LineId(UUID(int=1)), CallId(UUID(int=2))
OURS, THEIRS = PhoneNumber("+447700900111"), PhoneNumber("+447700900222")
AT = datetime(2027, 3, 1, 12, tzinfo=UTC)
SECOND = int(AT.timestamp())
FIRST, SECOND_LEG = CarrierRef("telnyx:leg-1"), CarrierRef("telnyx:leg-2")
"""The call's own leg, and the one it brought about."""
SEALED = "sealed"
Asked: TypeAlias = tuple[object, ...]
Handlers: TypeAlias = Mapping[str, Callable[[Event], Awaitable[None]]]


def of_first(stage: CallStage, **more: Any) -> CallState:
    """Return what the first leg was left with."""
    return CallState(
        **{
            "stage": stage, "leg": "leg-1", "control": "v3:leg-1", "line_id": LINE, "call_id": CALL,
            "language": Spoken.HEBREW, **more,
        }
    )  # fmt: skip


def report(
    ref: CarrierRef,
    peer: Peer | None,
    direction: CallDirection,
    outcome: CallOutcome | None,
    seconds: int = 0,
    **more: Any,
) -> Asked:
    """Return that something was reported of the call."""
    about = {"line_id": LINE, "call_id": CALL} | more
    return "report", CallReport(ref, OURS, peer, direction, outcome, seconds, **about)


class OneLeg(CallControl):
    """Telnyx, and whoever decides about calls: what each of them was asked is kept, in its order."""

    def __init__(self, state: CallState | None = None) -> None:
        """Have each event come back with `state`."""
        self.state, self.asked = state, list[Asked]()
        self.progress: tuple[bool, CallStage | None] = True, None
        self.between: tuple[str, str, bool] | None = None
        self.somebody_answered = False
        self.refusals = 0
        self.decision: CallAnswer = OVER
        decides = self.decides
        self.voice = TelnyxVoice(
            answer=decides("answer"),
            go_on=decides("go on"),
            accept=decides("accept"),
            apply_report=decides("report"),
            control=self,
            apps=TelnyxAppCalls(decides("connect"), decides("report"), self, ref_of, came_to),
            ref_of=ref_of,
            came_to=came_to,
        )
        self.handlers: Handlers = self.voice.handlers()

    def decides(self, name: str) -> Any:
        """Return a use case that notes what it is asked."""

        async def decide(*asked: object) -> CallAnswer:
            self.asked.append((name, *asked))
            return self.decision

        return decide

    async def happens(self, kind: str, **said: Any) -> list[Asked]:
        """Have something happen to the second leg, or to whichever `said` names; return what was asked since."""
        about = {
            "call_leg_id": "leg-2", "call_control_id": "v3:leg-2", "from": OURS, "to": THEIRS,
            "direction": "outgoing", "client_state": SEALED,
        }  # fmt: skip
        at = said.pop("at", AT.isoformat())
        self.asked.clear()
        await self.handlers[kind](Event(kind, about | said, at, "", "e-1"))
        return list(self.asked)

    async def happens_first(self, kind: str, **said: Any) -> list[Asked]:
        """Have something happen to the first leg, of a call that comes in."""
        about = {
            "call_leg_id": "leg-1", "call_control_id": "v3:leg-1", "from": THEIRS, "to": OURS, "direction": "incoming",
        }  # fmt: skip
        return await self.happens(kind, **about | said)

    @override
    async def state_of(self, client_state: object) -> CallState | None:
        return self.state if client_state == SEALED else None

    @override
    async def numbers_of(self, leg: str) -> tuple[str, str, bool] | None:
        self.asked.append(("numbers", leg))
        return self.between

    @override
    async def was_answered(self, leg: str) -> bool:
        self.asked.append(("was answered", leg))
        return self.somebody_answered

    @override
    async def progress_of(self, control: str) -> tuple[bool, CallStage | None]:
        self.asked.append(("progress", control))
        return self.progress

    @override
    async def carry_out(
        self, state: CallState, answer: CallAnswer, event: str, called: PhoneNumber | None = None
    ) -> None:
        self.asked.append(("carry out", state, answer, event, called))
        if self.refusals:
            self.refusals -= 1
            raise CarrierRefused

    @override
    async def record(self, state: CallState, event: str) -> None:
        self.asked.append(("record", state, event))

    @override
    async def join(self, state: CallState, at: int, event: str) -> None:
        self.asked.append(("join", state, at, event))

    @override
    async def hang_up(self, control: str, event: str) -> None:
        self.asked.append(("hang up", control, event))
