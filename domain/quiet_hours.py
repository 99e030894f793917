"""When a line does not disturb: some hours of each day, by the clock on the wall of a time zone."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from domain.kernel import PicoError
from domain.values import PersonalText

TIME_OF_DAY = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]\Z")
"""To the minute."""
END_OF_HOURS = re.compile(r"(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)\Z")
"""So that a whole day can be said: from 00:00 to 24:00 (ISO 8601-1, 4.3.8)."""
LONGEST_ZONE = 64


class InvalidTimeOfDay(PicoError):
    """A time of day is written as hours and minutes: 22:00. Only hours that end may end at 24:00."""

    code = "invalid_time_of_day"


class UnknownTimeZone(PicoError):
    """A time zone goes by its name in the IANA database: Europe/Berlin."""

    code = "unknown_time_zone"


class NoQuietHours(PicoError):
    """Quiet hours end when they begin. A whole day goes from 00:00 to 24:00."""

    code = "no_quiet_hours"


class QuietHours(PersonalText):
    """Hours of each day: "22:00-07:00 Europe/Berlin". One sealed text, because they tell when and where one sleeps."""

    __slots__ = ()

    @classmethod
    def of(cls, starts: str, ends: str, time_zone: str) -> Self:
        """Return the hours from `starts` to `ends`, on the next day if that is earlier.

        Raises InvalidTimeOfDay, NoQuietHours, UnknownTimeZone: also for a zone that this host's database lacks.
        """
        if not TIME_OF_DAY.match(starts) or not END_OF_HOURS.match(ends):
            raise InvalidTimeOfDay
        if starts == ends:
            raise NoQuietHours
        return cls(f"{starts}-{ends} {zone_name(time_zone)}")

    @property
    def starts(self) -> str:
        """The time of day from which on it is quiet."""
        return self[:5]

    @property
    def ends(self) -> str:
        """The time of day from which on it is not quiet any more; "24:00" for the end of the day."""
        return self[6:11]

    @property
    def time_zone(self) -> str:
        """The name of the zone whose clocks count."""
        return self[12:]

    def cover(self, instant: datetime) -> bool:
        """Tell whether `instant` is in them, by the clocks there, which are put forward and back.

        They cover nothing while this host's database does not know the zone: better disturbed than not reached.
        """
        try:
            local = instant.astimezone(ZoneInfo(self.time_zone)).strftime("%H:%M")
        except ZoneInfoNotFoundError:
            return False
        if self.starts < self.ends:
            return self.starts <= local < self.ends
        return local >= self.starts or local < self.ends


def zone_name(text: str) -> str:
    """Return the name of a time zone. Raises UnknownTimeZone.

    It is looked up among all names: to open what is not one of them would be to open a file that somebody names.
    """
    if len(text) > LONGEST_ZONE or text not in _zones():
        raise UnknownTimeZone
    return text


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
