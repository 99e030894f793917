"""How often somebody may ask for something over the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from domain.limits import Limit, Limited

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
A_MINUTE = 12_000
"""Requests: a hundred a second for as long as somebody likes, and sixty times as many in one go."""
CLIENTS_AS_ACCOUNTS = 10
"""Accounts that may share one internet address before they get in each other's way."""


class TooManyRequests(Limited):
    """This was asked for too often: wait."""

    code = "too_many_requests"


class Pace(StrEnum):
    """What a request costs us, by which it is limited."""

    ORDINARY = "ordinary"
    HEAVY = "heavy"
    """It hashes, searches, reads or writes much, or asks a provider."""
    PURCHASE = "purchase"
    """It costs money."""
    SIGN_UP = "sign_up"
    """Anybody may ask for it, and has a mail sent to anybody, which costs money, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPolicy:
    """The limits of requests.

    Of what costs nothing each process counts what it is asked itself. What costs money is counted by all together.
    """

    of_an_account: Limit
    of_a_client: Limit
    """Whoever has one internet address, signed in or not."""
    heavy: Limit
    """Of an account; of a client, where nobody is signed in."""
    purchases: Limit
    """Of an account."""
    sign_ups: Limit
    """Of everybody together: beyond this something is wrong that no other limit has stopped."""
    sign_ups_of_a_client: Limit

    @classmethod
    def of(cls, a_minute: int = A_MINUTE) -> RequestPolicy:
        """Return the policy in which an account may ask a process so often a minute, half of it in one go."""
        return cls(
            of_an_account=_a_minute("requests", a_minute),
            of_a_client=_a_minute("requests_of_a_client", a_minute * CLIENTS_AS_ACCOUNTS),
            heavy=_a_minute("heavy_requests", a_minute // 10),
            purchases=Limit(name="purchases", most=100, within=DAY, at_once=66),
            sign_ups=Limit(name="sign_ups", most=20_000, within=HOUR, at_once=10_000),
            sign_ups_of_a_client=Limit(name="sign_ups_of_a_client", most=120, within=HOUR, at_once=60),
        )


def _a_minute(name: str, most: int) -> Limit:
    return Limit(name=name, most=most, within=MINUTE, at_once=most // 2)
