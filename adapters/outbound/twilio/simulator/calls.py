"""Calls at the simulated Twilio: its records of them, and the operations of the 2010 API on those."""

import secrets
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from adapters.outbound.twilio.simulator.account import E164, Account
from adapters.outbound.twilio.simulator.resources import VERSION, Refused, Resource, rfc2822, uri

OVER = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
SUBRESOURCES = ("notifications", "recordings", "payments", "events", "siprec", "streams", "transcriptions")


@dataclass(frozen=True, slots=True)
class Calls:
    """The records of one account's calls, by SID, beside the rest of its state."""

    account: Account

    def begin(self, sender: str, to: str, direction: str, parent: str | None = None) -> Resource:
        """Keep a record of a call that begins."""
        sid, now = f"CA{secrets.token_hex(16)}", rfc2822(self.account.now())
        shape: Resource = {
            "sid": sid,
            "account_sid": self.account.sid,
            "api_version": VERSION,
            "parent_call_sid": parent,
            "from": sender,
            "from_formatted": sender,
            "to": to,
            "to_formatted": to,
            "direction": direction,
            "status": "queued" if direction == "outbound-api" else "ringing",
            "date_created": now,
            "date_updated": now,
            "start_time": now,
            "end_time": None,
            "duration": None,
            "price": None,
            "price_unit": "USD",
            "answered_by": None,
            "forwarded_from": None,
            "caller_name": None,
            "group_sid": None,
            "phone_number_sid": None,
            "queue_time": "0",
            "trunk_sid": None,
            "uri": uri(self.account.sid, "Calls", sid),
            "subresource_uris": {
                name: uri(self.account.sid, "Calls", sid, name.title()) for name in SUBRESOURCES
            },
        }
        self.account.state.calls[sid] = shape
        self.account.state.save()
        return shape

    def move(self, shape: Resource, status: str, seconds: int | None = None) -> None:
        """Change a call's status; one that is over has a duration."""
        now = rfc2822(self.account.now())
        shape |= {"status": status, "date_updated": now}
        if status in OVER:
            shape |= {"end_time": now, "duration": str(seconds or 0)}
        self.account.state.save()

    def fetch(self, sid: str) -> Resource:
        """Fetch a call."""
        if sid not in self.account.state.calls:
            raise Refused(20404, f"The requested resource {sid} was not found")
        return self.account.state.calls[sid]

    def list(self, query: Any) -> list[Resource]:  # noqa: ANN401 - a query of aiohttp's
        """List calls, newest first."""
        wanted = {"From": "from", "To": "to", "ParentCallSid": "parent_call_sid", "Status": "status"}
        return [
            shape
            for shape in reversed(self.account.state.calls.values())
            if all(query[name] == shape[key] for name, key in wanted.items() if name in query)
        ]

    def place(self, form: dict[str, str]) -> Resource:
        """Begin a call that was asked for."""
        sender, to = form.get("From", ""), form.get("To", "")
        if self.account.state.owned(sender) is None:
            raise Refused(21210, f"{sender} is not a number of yours")
        if not (to.startswith("client:") or E164.match(to)):
            raise Refused(21211, f"{to} is not a valid number")
        return self.begin(sender, to, "outbound-api")

    def delete(self, sid: str) -> None:
        """Delete the record of a call that is over."""
        shape = self.fetch(sid)
        if shape["status"] not in OVER or self.account.faults.spend("too_early"):
            raise Refused(20009, f"{sid} is still in progress")
        if not self.account.faults.lie:
            del self.account.state.calls[sid]
            self.account.state.save()


def call_form(account: Account, shape: Resource, **more: str) -> dict[str, str]:
    """Fields of every request about a call, where its caller lives included: Twilio tells that unasked."""
    form = {
        "AccountSid": account.sid,
        "ApiVersion": VERSION,
        "CallSid": shape["sid"],
        "CallStatus": shape["status"],
        "Direction": shape["direction"],
        "From": shape["from"],
        "To": shape["to"],
        "Caller": shape["from"],
        "Called": shape["to"],
        "FromCity": "LOS ANGELES",
        "FromState": "CA",
        "FromZip": "90012",
        "FromCountry": "US",
    }
    if shape["parent_call_sid"]:
        form["ParentCallSid"] = shape["parent_call_sid"]
    return {**form, **more}


async def form_of(request: web.Request) -> dict[str, str]:
    """Read the form. Of several values of a name the last one counts."""
    return {name: str(value) for name, value in (await request.post()).items()}
