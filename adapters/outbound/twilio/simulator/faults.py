"""What can go wrong at the simulated Twilio, on demand."""

from dataclasses import dataclass

from adapters.simulators import Knobs


@dataclass(slots=True)
class Faults(Knobs):
    """Knobs that may be turned while the simulator runs. Counters count down as they act; flags stay.

    Requests: `outage` answers 503 to everything, `unreachable` drops every connection unanswered,
    `rate_limit` answers 429 so often, `lose_answer` drops the connection after so many writes took place,
    `number_taken` refuses so many purchases, `refuse` refuses every write with this Twilio code (0: none),
    `too_early` refuses so many deletions of messages, `lie` answers deletions well and deletes nothing,
    `media` answers a request for a picture or a recording with something else: "html", "redirect", "huge" or "lie",
    `recording_not_ready` answers 404 to so many requests for the sound of a recording,
    `odd` makes nonsense of every answer with a body (see `oddities.py` for the kinds).

    Webhooks: `duplicate` repeats each so many times, `reorder` sends a message's statuses last one first, `drop`
    sends none, `delay` waits so many seconds before each, `outcome` is a sent message's last status, and
    `outcome_error` the error code that goes with it (0: none), `placed` what becomes of an app that is rung for a call
    (see `Script`), and `placed_says` what its person says where that is recorded; nothing: they hang up.
    """

    outage: bool = False
    unreachable: bool = False
    rate_limit: int = 0
    lose_answer: int = 0
    number_taken: int = 0
    refuse: int = 0
    too_early: int = 0
    lie: bool = False
    media: str = ""
    recording_not_ready: int = 0
    odd: str = ""
    duplicate: int = 0
    reorder: bool = False
    drop: bool = False
    delay: float = 0.0
    outcome: str = "delivered"
    outcome_error: int = 0
    placed: str = "answered"
    placed_says: str = "You have reached me. Please leave a message."
