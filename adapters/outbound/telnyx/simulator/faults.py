"""What can go wrong at the simulated Telnyx, on demand."""

from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(slots=True)
class Faults:
    """Knobs that may be turned while the simulator runs. Counters count down as they act; flags stay.

    Requests: `outage` answers 503 to everything, `unreachable` drops every connection unanswered, `rate_limit` answers
    429 so often, after which one may come again in `retry_after` seconds, `lose_answer` drops the connection after so
    many orders, messages and releases took place, `lose_profile` after so many profiles were made, `number_taken` lets
    so many orders fail because somebody else was first, `refuse` refuses every write with this Telnyx code (0: none),
    `lie` answers releases well and does nothing, `media` answers a request for a picture with something else: "html",
    "redirect", "elsewhere", "huge" or "lie", `odd` makes nonsense of every answer (see `oddities.py` for the kinds).

    Webhooks: `duplicate` repeats each so many times, `reorder` sends a message's last one first, `drop` sends none,
    `delay` waits so many seconds before each, `outcome` is a sent message's last status, and `outcome_error` the error
    code that goes with it (0: none).
    """

    outage: bool = False
    unreachable: bool = False
    rate_limit: int = 0
    retry_after: int = 0
    lose_answer: int = 0
    lose_profile: int = 0
    number_taken: int = 0
    refuse: int = 0
    lie: bool = False
    media: str = ""
    odd: str = ""
    duplicate: int = 0
    reorder: bool = False
    drop: bool = False
    delay: float = 0.0
    outcome: str = "delivered"
    outcome_error: int = 0

    def set(self, knobs: Mapping[str, object]) -> None:
        """Turn some knobs, or none: an unknown name or a value of another type raises ValueError naming the knob."""
        known = {field.name: type(field.default) for field in fields(self)}
        for name, value in knobs.items():
            wanted = known.get(name)
            if wanted is None:
                raise ValueError("there is no such knob")
            if type(value) is not wanted and not (wanted is float and type(value) is int):
                raise ValueError(f"the knob {name} takes a value of type {wanted.__name__}")
        for name, value in knobs.items():
            setattr(self, name, value)

    def spend(self, counter: str) -> bool:
        """Tell whether a counting knob still acts, and count it down."""
        left: int = getattr(self, counter)
        if left > 0:
            setattr(self, counter, left - 1)
        return left > 0
