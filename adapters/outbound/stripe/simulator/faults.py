"""How the simulated Stripe misbehaves."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.simulators import Knobs


@dataclass(slots=True)
class Faults(Knobs):
    """Knobs of one simulator."""

    outage: bool = False
    """Everything is 503."""
    limit: int = 0
    """How many of the next requests are answered 429."""
    silence: int = 0
    """How many of the next writes are done and then not answered: the connection breaks."""
    declines: bool = False
    """Every card is refused."""
    forgetful: bool = False
    """Cancelling and deleting are confirmed, and not done."""
    drop: bool = False
    """Webhooks are not sent."""
    duplicate: int = 0
    """How many times each webhook is repeated."""
    delay: float = 0.0
    """Seconds that a webhook waits, each for another part of it: so they come in another order."""
