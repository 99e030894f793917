"""What the simulated Stripe remembers, in memory and, if asked, in a file that survives `kill -9`."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from adapters.outbound.stripe.simulator import shapes
from adapters.outbound.stripe.simulator.shapes import Object
from adapters.simulators import keep

KEPT = ("customers", "checkouts", "subscriptions", "invoices", "events", "answers")


@dataclass(slots=True)
class State:
    """Objects by their ids, oldest first; and for a day what was answered to each idempotency key."""

    file: Path | None = None
    customers: dict[str, Object] = field(default_factory=dict)
    checkouts: dict[str, Object] = field(default_factory=dict)
    subscriptions: dict[str, Object] = field(default_factory=dict)
    invoices: dict[str, Object] = field(default_factory=dict)
    events: dict[str, Object] = field(default_factory=dict)
    answers: dict[str, Object] = field(default_factory=dict)
    told: Callable[[Object], None] = field(default=lambda _: None)
    """Is given each event as it happens."""

    def __post_init__(self) -> None:
        """Read the file if there is one."""
        if self.file is not None and self.file.exists():
            kept = json.loads(self.file.read_text("utf-8"))
            for name in KEPT:
                setattr(self, name, kept[name])

    def save(self) -> None:
        """Put it on disk, if it is to be there."""
        if self.file is not None:
            keep(self.file, {name: getattr(self, name) for name in KEPT})

    def ref(self, kind: str) -> str:
        """Return an id that was not given out."""
        held = sum(len(getattr(self, name)) for name in KEPT)
        return f"{kind}_pico{held:06d}"

    def tell(self, kind: str, about: Object, at: int) -> None:
        """Note that something happened, and have whoever listens be told."""
        event = shapes.event(self.ref("evt"), kind, copy.deepcopy(about), at)
        self.events[event["id"]] = event
        self.told(event)

    def of(self, customer: str, name: str) -> list[Object]:
        """Return a customer's objects of one kind, the newest first."""
        return [each for each in reversed(getattr(self, name).values()) if each["customer"] == customer]
