"""Ports at the simulated Twilio: numbers that come from elsewhere, by themselves within a week, or as they are told."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from adapters.outbound.twilio.simulator import resources
from adapters.outbound.twilio.simulator.account import Account
from adapters.outbound.twilio.simulator.resources import Refused, Resource

IN_REVIEW, TO_SIGN, ASKED, AGREED = (
    timedelta(hours=1),
    timedelta(days=1),
    timedelta(days=3),
    timedelta(days=7),
)
"""How long after its beginning each phase ends."""
NOT_PORTABLE, UNDER_WAY = 22130, 22137
UNKNOWN = 20404
ISO = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Porting:
    """Handlers, one an operation of the Porting API (numbers.twilio.com/v1) and of the Documents API."""

    account: Account

    def routes(self) -> list[web.RouteDef]:
        """Return the operations."""
        return [
            web.get("/v1/Porting/Portability/PhoneNumber/{number}", self.portability),
            web.post("/v1/Documents", self.keep),
            web.get("/v1/Porting/PortIn/PortInRequests", self.list),
            web.post("/v1/Porting/PortIn", self.create),
            web.get("/v1/Porting/PortIn/{sid}", self.fetch),
            web.delete("/v1/Porting/PortIn/{sid}", self.cancel),
        ]

    async def portability(self, request: web.Request) -> web.Response:
        """FetchPortingPortability."""
        number = request.match_info["number"]
        reason = self._why_not(number)
        return web.json_response(
            {
                "phone_number": number,
                "account_sid": self.account.sid if self.account.state.owned(number) else None,
                "portable": reason is None,
                "pin_and_account_number_required": number in self.account.state.mobile,
                "not_portable_reason_code": reason,
                "not_portable_reason": None if reason is None else "The number cannot be ported",
                "number_type": "MOBILE" if number in self.account.state.mobile else "LOCAL",
                "country": "US",
                "url": str(request.url),
            }
        )

    async def keep(self, request: web.Request) -> web.Response:
        """Upload a document."""
        form = await request.post()
        if form.get("document_type") != "utility_bill" or not isinstance(form.get("File"), web.FileField):
            raise Refused(20422, "document_type and File are needed")
        return web.json_response(
            {"sid": f"RD{secrets.token_hex(16)}", "document_type": "utility_bill"}, status=201
        )

    async def list(self, request: web.Request) -> web.Response:
        """ListPortingAllPortIn."""
        since = request.query.get("CreatedAfter", "")
        found = [
            self._now(port) for port in self.account.state.ports.values() if port["date_created"] >= since
        ]
        listed = [
            {name: port[name] for name in ("port_in_request_sid", "port_in_request_status")} for port in found
        ]
        meta = {"key": "port_in_requests", "page": 0, "page_size": len(listed), "next_page_url": None}
        return web.json_response({"port_in_requests": listed[::-1], "meta": meta})

    async def create(self, request: web.Request) -> web.Response:
        """CreatePortingPortIn."""
        wanted = await request.json()
        (number,) = (one["phone_number"] for one in wanted["phone_numbers"])
        reason = self._why_not(number)
        if reason is not None or not wanted["documents"]:
            raise Refused(reason or 20422, f"{number} cannot be ported")
        sid = f"KW{secrets.token_hex(16)}"
        self.account.state.ports[sid] = {
            "port_in_request_sid": sid,
            "account_sid": self.account.sid,
            "port_in_request_status": "In Review",
            "losing_carrier_information": wanted["losing_carrier_information"],
            "phone_numbers": [
                {**one, "port_in_phone_number_status": "In Review"} for one in wanted["phone_numbers"]
            ],
            "documents": wanted["documents"],
            "date_created": self.account.now().strftime(ISO),
            "url": str(request.url / sid),
        }
        self.account.state.save()
        return web.json_response(self.account.state.ports[sid], status=202)

    async def fetch(self, request: web.Request) -> web.Response:
        """FetchPortingPortIn."""
        return web.json_response(self._now(self._port(request.match_info["sid"])))

    async def cancel(self, request: web.Request) -> web.Response:
        """DeletePortingPortIn."""
        port = self._now(self._port(request.match_info["sid"]))
        if port["port_in_request_status"] == "Completed":
            raise Refused(22173, "The port is completed")
        self.move(port["port_in_request_sid"], "Canceled", "Canceled")
        return web.Response(status=204)

    def move(self, sid: str, status: str, of_number: str, more: Mapping[str, Any] | None = None) -> None:
        """Have a port stand where it is said from now on; a completed one brings its number."""
        port = self._port(sid)
        port["port_in_request_status"], port["by_hand"] = status, True
        for one in port["phone_numbers"]:
            one |= {"port_in_phone_number_status": of_number, **(more or {})}
            if of_number == "Completed":
                self._bring(one["phone_number"])
        self.account.state.save()

    def _port(self, sid: str) -> Resource:
        if sid not in self.account.state.ports:
            raise Refused(UNKNOWN, f"The requested resource {sid} was not found")
        return self.account.state.ports[sid]

    def _now(self, port: Resource) -> Resource:
        """Return where a port stands by now, if nobody moves it by hand."""
        if port.get("by_hand"):
            return port
        began = datetime.strptime(port["date_created"], "%Y-%m-%dT%H:%M:%S%z")
        age, day = self.account.now() - began, {"port_date": (began + AGREED).strftime(ISO)}
        phases: tuple[tuple[timedelta, str, str, Mapping[str, Any]], ...] = (
            (IN_REVIEW, "In Review", "In Review", {}),
            (TO_SIGN, "Waiting for Signature", "Waiting for Signature", {}),
            (ASKED, "In Progress", "Submitted", {}),
            (AGREED, "In Progress", "Pending", day),
            (timedelta.max, "Completed", "Completed", day),
        )
        status, of_number, more = next(phase[1:] for phase in phases if age < phase[0])
        self.move(port["port_in_request_sid"], status, of_number, more)
        port["by_hand"] = False
        return port

    def _why_not(self, number: str) -> int | None:
        if number in self.account.state.unportable or self.account.state.owned(number):
            return NOT_PORTABLE
        over = {"Completed", "Canceled", "Expired"}
        under_way = (
            one["phone_number"]
            for port in self.account.state.ports.values()
            if port["port_in_request_status"] not in over
            for one in port["phone_numbers"]
        )
        return UNDER_WAY if number in under_way else None

    def _bring(self, number: str) -> None:
        if self.account.state.owned(number) is None:
            sid = f"PN{secrets.token_hex(16)}"
            self.account.state.numbers[sid] = resources.owned(
                self.account.sid, sid, number, self.account.now()
            )
