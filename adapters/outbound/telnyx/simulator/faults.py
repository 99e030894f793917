"""What can go wrong at the simulated Telnyx, on demand."""

from dataclasses import dataclass

from adapters.simulators import Knobs


@dataclass(slots=True)
class Faults(Knobs):
    """Knobs that may be turned while the simulator runs. Counters count down as they act; flags stay.

    Requests: `outage` answers 503 to everything, `unreachable` drops every connection unanswered, `rate_limit` answers
    429 so often, after which one may come again in `retry_after` seconds, `lose_answer` drops the connection after so
    many orders, messages and releases took place, `lose_profile` after so many profiles were made, `number_taken` lets
    so many orders fail because somebody else was first, `refuse` refuses every write with this Telnyx code (0: none),
    `lie` answers releases well and does nothing, `media` answers a request for a picture with something else: "html",
    "redirect", "elsewhere", "huge" or "lie", `recording_not_ready` answers so often that a recording is being made,
    `refuse_calls` lets nobody be called, `apps_call_out` lets apps call whom they like, `odd` makes nonsense of every
    answer (see `oddities.py` for the kinds).

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
    recording_not_ready: int = 0
    refuse_calls: bool = False
    apps_call_out: bool = False
    odd: str = ""
    duplicate: int = 0
    reorder: bool = False
    drop: bool = False
    delay: float = 0.0
    outcome: str = "delivered"
    outcome_error: int = 0
