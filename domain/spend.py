"""What may be spent on messages and calls: where to, how much a day, how fast; and what each costs at the most.

Most money is lost where somebody makes numbers of their own earn by every message or call that reaches them. So there
are countries that are left out, numbers that cost extra, and limits for one account, for numbers that lie close
together, and for everybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from domain.kernel import AccountId, ErrorKind, PicoError
from domain.limits import Limit, Limited
from domain.segments import segments_of
from domain.values import Country, MessageBody, Peer

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
COUNTRIES = frozenset(map(Country, (
    "US", "CA", "IL", "GB", "IE", "DE", "FR", "ES", "IT", "PT", "NL", "BE", "LU", "AT", "CH", "DK", "SE", "NO", "FI",
    "IS", "PL", "CZ", "SK", "SI", "HR", "HU", "RO", "BG", "GR", "CY", "MT", "EE", "LV", "LT", "AU", "NZ",
)))  # fmt: skip
"""ISO 3166-1."""
PREMIUM = (
    "+1900",
    "+1976",
    "+449",
    "+4487",
    "+33899",
    "+49900",
    "+39899",
    "+34803",
    "+34806",
    "+34807",
    "+9721900",
)
"""Numbers that cost extra, within countries that are sent to (ITU-T E.129 and national plans)."""
PRICES: Mapping[str, int] = MappingProxyType({"US": 15, "CA": 15, "IL": 260, "GB": 60})
DEAREST = 200
"""Thousandths of a US dollar for one segment of a message: list prices rounded up, carriers' fees included."""
MINUTES: Mapping[str, int] = MappingProxyType({"US": 15, "CA": 15, "IL": 60, "GB": 40})
DEAREST_MINUTE = 200
"""Thousandths of a US dollar for one minute of a call, both of its legs included."""
LONGEST_CALL = timedelta(hours=1)
PARTS_OF_A_PICTURE = 3
"""What a picture costs, in segments of a message."""


class DestinationNotAllowed(PicoError):
    """Neither messages nor calls go to that country, or to numbers that cost extra."""

    code = "destination_not_allowed"


class SpendLimited(Limited):
    """This account has spent as much as it may for now."""

    code = "spend_limited"


class SendingPaused(PicoError):
    """So much goes there, or altogether, that this message or call has to wait for its turn."""

    kind = ErrorKind.UNAVAILABLE
    code = "sending_paused"


@dataclass(frozen=True, slots=True)
class PaidCall:
    """How long a call may last, and what was taken for that."""

    longest: timedelta
    cost: int


def born(account_id: AccountId) -> datetime:
    """Return when an account was made, to the millisecond: its id is a UUIDv7 (RFC 9562, 5.7)."""
    return datetime.fromtimestamp((account_id.int >> 80) / 1000, UTC)


def neighbourhood(to: Peer) -> str:
    """Return what numbers that lie close together have in common: all but the last four digits. Short codes: all."""
    return to[:-4] if to.startswith("+") else str(to)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendPolicy:
    """Where messages go, and the limits in thousandths of a US dollar, or in messages.

    What is taken in one go is back within two days (clause H30): two thirds of a day's `most` at the most.
    """

    countries: frozenset[Country] = COUNTRIES
    premium: tuple[str, ...] = PREMIUM
    young: timedelta = timedelta(days=7)
    """For how long an account counts as new."""
    of_a_young_account: Limit = field(
        default=Limit(name="spend_young", most=2_000, within=DAY, at_once=1_320)
    )
    of_an_account: Limit = field(default=Limit(name="spend", most=10_000, within=DAY, at_once=6_600))
    of_scheduling: Limit = field(default=Limit(name="scheduled", most=200, within=DAY, at_once=130))
    """Messages that an account schedules: each is counted as spent when its time comes."""
    of_a_neighbourhood: Limit = field(default=Limit(name="neighbourhood", most=300, within=HOUR, at_once=150))
    """Messages of everybody to numbers that lie close together."""
    of_everybody: Limit = field(default=Limit(name="everybody", most=100_000, within=HOUR, at_once=50_000))
    """Messages altogether: beyond this something is wrong that no other limit has stopped."""

    def must_allow(self, to: Peer, country: Country | None) -> None:
        """Raise DestinationNotAllowed unless messages are sent to a number of this country (None: nobody knows)."""
        if country not in self.countries or to.startswith(self.premium):
            raise DestinationNotAllowed

    def limit_of(self, account_id: AccountId, now: datetime) -> Limit:
        """Return what an account may spend: less in its first days."""
        return self.of_a_young_account if now < born(account_id) + self.young else self.of_an_account

    def cost(self, body: MessageBody, country: Country, pictures: int = 0) -> int:
        """Return what a message costs at the most, in thousandths of a US dollar."""
        parts = segments_of(body).count + PARTS_OF_A_PICTURE * pictures
        return parts * PRICES.get(country, DEAREST)

    def cost_of_call(self, country: Country, seconds: int) -> int:
        """Return what a call costs at the most: every minute that has begun."""
        return -(-seconds // 60) * MINUTES.get(country, DEAREST_MINUTE)

    def longest_call(self, country: Country, limit: Limit) -> timedelta:
        """Return how long one call may last: an hour, and no longer than half of what may be spent at once pays for."""
        minutes = limit.at_once // 2 // MINUTES.get(country, DEAREST_MINUTE)
        return min(LONGEST_CALL, timedelta(minutes=minutes))
