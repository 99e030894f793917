"""How the simulated SendGrid misbehaves, and what becomes of the mails that it takes."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.simulators import Knobs


@dataclass(slots=True)
class Faults(Knobs):
    """Knobs of one simulator."""

    outage: bool = False
    """Everything is 503."""
    silence: bool = False
    """Mails are taken, and the connection breaks before the answer."""
    forgetful: bool = False
    """Erasure is promised, and nothing is erased."""
    returns: int = 0
    """How many of the next mails bounce: the address is reported as undeliverable, and suppressed."""
    complaints: int = 0
    """How many of the next mails are reported as spam by their reader."""
    drop: bool = False
    """Webhooks are not sent."""
    duplicate: int = 0
    """How many times each webhook is repeated."""
