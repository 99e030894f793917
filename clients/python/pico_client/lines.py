"""Find a number, lease it, name it, give it back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pico_client.calls import Calls, new_key, part
from pico_client.results import Result


@dataclass(frozen=True, slots=True, repr=False)
class AvailableNumber(Result):
    """A number on offer; it is not held until it is bought."""

    number: str
    country: str
    capabilities: list[str]


@dataclass(frozen=True, slots=True, repr=False)
class Line(Result):
    """A lease on a number, None where it was damaged. `etag` names this version; a list does not tell it."""

    id: str
    number: str | None
    country: str
    capabilities: list[str]
    label: str | None
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

    def buy_line(self, number: str, label: str | None = None, *, key: str | None = None) -> Line:
        """Lease a number. While the carrier has not decided, the line's state is `ordering`.

        Under the same `key`, made unless given, it is leased once however often this is called.
        """
        wanted = {"number": number, "label": label}
        return self._ask(Line, "POST", "/v1/lines", body=wanted, key=key or new_key())

    def list_lines(self, state: str | None = None) -> Iterator[Line]:
        """List lines, newest first: all, released ones too, or those of one state."""
        return self._list(Line, "/v1/lines", state=state)

    def read_line(self, line_id: str) -> Line:
        """Read one line."""
        return self._ask(Line, "GET", f"/v1/lines/{part(line_id)}")

    def relabel_line(self, line_id: str, label: str | None, *, if_match: str | None = None) -> Line:
        """Give a line another label, or none. With the `etag` that was read, no later change is overwritten."""
        path = f"/v1/lines/{part(line_id)}"
        return self._ask(Line, "PATCH", path, body={"label": label}, if_match=if_match)

    def release_line(self, line_id: str) -> Line:
        """Release a number. It refuses messages at once, and may be taken back until its `release_at`."""
        return self._ask(Line, "DELETE", f"/v1/lines/{part(line_id)}")

    def cancel_release(self, line_id: str) -> Line:
        """Take a number back that was given up and has not gone back to the carrier."""
        return self._ask(Line, "DELETE", f"/v1/lines/{part(line_id)}/release")
