"""Numbers that one brings along from another carrier."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from pico_client.calls import Calls, given, new_key, part
from pico_client.results import Result


@dataclass(frozen=True, slots=True, repr=False)
class PortRequest(Result):
    """A number on its way; `line_id` is the line that it became."""

    id: str
    number: str | None
    state: str
    rejection: str | None
    port_at: datetime | None
    line_id: str | None
    cancel_asked_at: datetime | None
    created_at: datetime
    ended_at: datetime | None


class PortRequests(Calls):
    """What one does with numbers that come from elsewhere."""

    def request_port(
        self,
        number: str,
        *,
        subscriber_name: str,
        signer_name: str,
        signer_email: str,
        street: str,
        city: str,
        region: str,
        postal_code: str,
        is_business: bool | None = None,
        account_number: str | None = None,
        pin: str | None = None,
        key: str | None = None,
    ) -> PortRequest:
        """Begin to bring a number along; the rest is what its present carrier knows of the subscriber.

        Under the same `key`, made unless given, it is begun once however often this is called.
        """
        new = given(
            number=number, subscriber_name=subscriber_name, signer_name=signer_name, signer_email=signer_email,
            street=street, city=city, region=region, postal_code=postal_code, is_business=is_business,
            account_number=account_number, pin=pin,
        )  # fmt: skip
        return self._ask(PortRequest, "POST", "/v1/port-requests", body=new, key=key or new_key())

    def list_port_requests(self) -> Iterator[PortRequest]:
        """List the numbers that were brought along, or are to be, newest first."""
        return self._list(PortRequest, "/v1/port-requests")

    def read_port_request(self, port_request_id: str) -> PortRequest:
        """Read one of them."""
        return self._ask(PortRequest, "GET", f"/v1/port-requests/{part(port_request_id)}")

    def upload_bill(self, port_request_id: str, file: IO[bytes]) -> PortRequest:
        """Upload the bill, a PDF file, that shows whose the number is: it is passed on to the carrier."""
        path = f"/v1/port-requests/{part(port_request_id)}/bill"
        return self._ask(PortRequest, "PUT", path, file=file, file_type="application/pdf")

    def cancel_port_request(self, port_request_id: str) -> PortRequest:
        """Ask that it be cancelled."""
        return self._ask(PortRequest, "DELETE", f"/v1/port-requests/{part(port_request_id)}")
