"""Where a call that comes in goes next: by the line's settings, and by what became of the step before."""

from __future__ import annotations

from enum import StrEnum

from domain.calls import CallOutcome
from domain.forwarding import ForwardWhen


class CallStep(StrEnum):
    """How far a call that came in has got."""

    ARRIVED = "arrived"
    RANG = "rang"
    """The line's apps were rung."""
    FORWARDED = "forwarded"
    """The other telephone was rung."""


class NextStep(StrEnum):
    """What happens to it next."""

    RING = "ring"
    FORWARD = "forward"
    TAKE_MESSAGE = "take_message"
    HANG_UP = "hang_up"


def next_step(
    step: CallStep, outcome: CallOutcome, *, talked: bool, forward: frozenset[ForwardWhen], quiet: bool
) -> NextStep:
    """Return what happens after `step`, which came to `outcome`.

    `talked`: the two have talked, which after a forwarded call is so only once the key was pressed, whatever the
    carrier says of the other telephone. `forward`: when the line forwards, nothing where it does not. `quiet`: it is
    not to be disturbed now.
    """
    if talked:
        return NextStep.HANG_UP
    if step is CallStep.ARRIVED and not quiet:
        return NextStep.FORWARD if ForwardWhen.ALWAYS in forward else NextStep.RING
    if step is CallStep.RANG:
        when = ForwardWhen.BUSY if outcome is CallOutcome.BUSY else ForwardWhen.NO_ANSWER
        if when in forward:
            return NextStep.FORWARD
    return NextStep.TAKE_MESSAGE
