"""Find a number, lease it, name it, give it back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from pico_client.calls import Calls, new_key, part
from pico_client.results import Result


@dataclass(frozen=True, slots=True, repr=False)
class MonthlyPrice(Result):
    """What a number costs a month, in the smallest unit of the currency."""

    amount: int
    currency: str


@dataclass(frozen=True, slots=True, repr=False)
class AvailableNumber(Result):
    """A number on offer; it is not held until it is bought."""

    number: str
    country: str
    capabilities: list[str]
    price: MonthlyPrice | None


@dataclass(frozen=True, slots=True, repr=False)
class DoNotDisturb(Result):
    """Hours of each day, by the clocks of a time zone, on the next day where they end earlier than they start.

    From "00:00" to "24:00" is always.
    """

    starts: str
    ends: str
    time_zone: str


@dataclass(frozen=True, slots=True, repr=False)
class Line(Result):
    """A lease on a number, None where it was damaged. `etag` names this version; a list does not tell it."""

    id: str
    number: str | None
    country: str
    capabilities: list[str]
    label: str | None
    do_not_disturb: DoNotDisturb | None
    forward_to: str | None
    forward_when: list[str]
    state: str
    created_at: datetime
    release_at: datetime | None
    released_at: datetime | None
    etag: str | None


class Lines(Calls):
    """What one does with lines."""

    def search_numbers(
        self,
        country: str,
        area_code: str | None = None,
        contains: str | None = None,
        capabilities: Iterable[str] = (),
        limit: int | None = None,
    ) -> Iterator[AvailableNumber]:
        """Find numbers on offer, at most `limit`."""
        return self._list(
            AvailableNumber,
            "/v1/available-numbers",
            country=country,
            area_code=area_code,
            contains=contains,
            capabilities=",".join(capabilities) or None,
            limit=limit,
        )

    def buy_line(
        self,
        number: str,
        label: str | None = None,
        price: MonthlyPrice | None = None,
        *,
        key: str | None = None,
    ) -> Line:
        """Lease a number, if given at that price only. While the carrier has not decided, its state is `ordering`.

        Under the same `key`, made unless given, it is leased once however often this is called.
        """
        wanted = {"number": number, "label": label, "price": None if price is None else asdict(price)}
        return self._ask(Line, "POST", "/v1/lines", body=wanted, key=key or new_key())

    def list_lines(self, state: str | None = None) -> Iterator[Line]:
        """List lines, newest first: all, released ones too, or those of one state."""
        return self._list(Line, "/v1/lines", state=state)

    def read_line(self, line_id: str) -> Line:
        """Read one line."""
        return self._ask(Line, "GET", f"/v1/lines/{part(line_id)}")

    def change_line(
        self,
        line_id: str,
        label: str | None = None,
        do_not_disturb: DoNotDisturb | Literal[False] | None = None,
        *,
        if_match: str | None = None,
    ) -> Line:
        """Change a line's label, or when it does not disturb.

        None leaves either as it is; an empty label takes it away, as False does with the hours. With the `etag` that
        was read, no later change is overwritten.
        """
        change: dict[str, object] = {}
        if label is not None:
            change["label"] = label or None
        if do_not_disturb is not None:
            change["do_not_disturb"] = asdict(do_not_disturb) if do_not_disturb else None
        return self._ask(Line, "PATCH", f"/v1/lines/{part(line_id)}", body=change, if_match=if_match)

    def release_line(self, line_id: str) -> Line:
        """Release a number. It refuses messages at once, and may be taken back until its `release_at`."""
        return self._ask(Line, "DELETE", f"/v1/lines/{part(line_id)}")

    def cancel_release(self, line_id: str) -> Line:
        """Take a number back that was given up and has not gone back to the carrier."""
        return self._ask(Line, "DELETE", f"/v1/lines/{part(line_id)}/release")
