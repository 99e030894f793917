"""A carrier in memory that takes numbers over from others: a port moves when `become` is called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from typing_extensions import override

from adapters.outbound.memory.carrier_faults import CarrierFaults
from adapters.outbound.memory.numbers import MemoryNumberProvider, OwnedNumber
from application.ports.numbers import NumberOrder
from application.ports.porting import (
    Portability,
    Porting,
    PortingAbilities,
    PortProgress,
    PortRefused,
)
from domain.kernel import CarrierRef, LineId
from domain.porting import OVER, PortDetails, PortRejection, PortState
from domain.values import Capability, PhoneNumber


@dataclass(slots=True)
class Port:
    """A port as the carrier has it."""

    number: PhoneNumber
    details: PortDetails
    bill: CarrierRef
    began_at: datetime
    progress: PortProgress = field(default_factory=lambda: PortProgress(PortState.SUBMITTED))


class MemoryPorting(CarrierFaults, Porting):
    """`Porting` in memory; numbers that came go to `provider`.

    Knobs: `outage`, `lose_answers`, `stubborn` (cancelling is refused), `not_portable` and `needs_account`, by number.
    """

    name: ClassVar[str] = "memory"

    def __init__(self, now: Callable[[], datetime], provider: MemoryNumberProvider) -> None:
        """Begin without a port."""
        super().__init__(now)
        self.provider = provider
        self.porting_abilities = PortingAbilities(can_port_in=True)
        self.stubborn = False
        self.not_portable: set[str] = set()
        self.needs_account: set[str] = set()
        self.bills: dict[CarrierRef, bytes] = {}
        self.ports: dict[CarrierRef, Port] = {}
        self.arrived: set[PhoneNumber] = set()
        """Numbers that were ported, and lead nowhere yet."""

    def become(
        self,
        ref: CarrierRef,
        state: PortState,
        *,
        port_at: datetime | None = None,
        rejection: PortRejection | None = None,
    ) -> None:
        """Have a port move on: people at both carriers work on it."""
        port = self.ports[ref]
        port.progress = PortProgress(state, port_at, rejection)
        if state is PortState.COMPLETED:
            self.arrived.add(port.number)

    @override
    async def portability(self, number: PhoneNumber) -> Portability:
        self.hear("portability")
        held = {owned.number for owned in self.provider.numbers.values()}
        portable = number not in self.not_portable | held | self.arrived
        return Portability(portable, needs_account=number in self.needs_account)

    @override
    async def keep_bill(self, bill: bytes) -> CarrierRef:
        self.hear("keep_bill")
        ref = CarrierRef(f"bill-{len(self.bills) + 1}")
        self.bills[ref] = bill
        self.answer()
        return ref

    @override
    async def submit(self, number: PhoneNumber, details: PortDetails, bill: CarrierRef) -> CarrierRef:
        self.hear("submit")
        if number in self.not_portable:
            raise PortRefused(PortRejection.NOT_PORTABLE)
        if any(port.number == number and port.progress.state not in OVER for port in self.ports.values()):
            raise PortRefused(PortRejection.UNDER_WAY)
        ref = CarrierRef(f"port-{len(self.ports) + 1}")
        self.ports[ref] = Port(number, details, bill, self.now())
        self.answer()
        return ref

    @override
    async def find(self, number: PhoneNumber, since: datetime) -> CarrierRef | None:
        self.hear("find")
        found = [ref for ref, port in self.ports.items() if port.number == number and port.began_at >= since]
        return found[-1] if found else None

    @override
    async def progress(self, ref: CarrierRef, number: PhoneNumber) -> PortProgress | None:
        self.hear("progress")
        port = self.ports.get(ref)
        return None if port is None or port.number != number else port.progress

    @override
    async def cancel(self, ref: CarrierRef) -> None:
        self.hear("cancel")
        port = self.ports.get(ref)
        if port is not None and port.progress.state not in OVER and not self.stubborn:
            port.progress = PortProgress(PortState.CANCELLED)
        self.answer()

    @override
    async def take_over(self, number: PhoneNumber, line_id: LineId) -> NumberOrder | None:
        self.hear("take_over")
        ref = CarrierRef(f"ported-{number.removeprefix('+')}")
        if number in self.arrived:
            self.arrived.discard(number)
            order = NumberOrder.active(ref, frozenset(Capability))
            self.provider.numbers[ref] = OwnedNumber(number, order, line_id, self.now())
            self.provider.owners[number] = line_id
        self.answer()
        owned = self.provider.numbers.get(ref)
        return owned.order if owned is not None and owned.line_id == line_id else None
