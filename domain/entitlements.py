"""What an account's plan entitles it to."""

from __future__ import annotations

from dataclasses import dataclass

from domain.kernel import ErrorKind, PicoError
from domain.values import Country


class LineLimitReached(PicoError):
    """The plan entitles to no further line: one that was given up counts until its number goes back to the carrier."""

    kind = ErrorKind.FORBIDDEN
    code = "line_limit_reached"


class CountryNotInPlan(PicoError):
    """The plan does not entitle to numbers of this country."""

    kind = ErrorKind.FORBIDDEN
    code = "country_not_in_plan"


@dataclass(frozen=True, slots=True)
class Plan:
    """How many lines an account may have at a time, and of which countries: of all where none are named."""

    lines: int
    countries: frozenset[Country] | None = None

    def must_include(self, country: Country) -> None:
        """Raise CountryNotInPlan for a country it does not include."""
        if self.countries is not None and country not in self.countries:
            raise CountryNotInPlan

    def must_allow(self, lines: int) -> None:
        """Raise LineLimitReached for more lines at a time than it allows."""
        if lines > self.lines:
            raise LineLimitReached

    def allows(self, lines: int) -> bool:
        """Tell whether so many lines may be had at a time."""
        return lines <= self.lines
