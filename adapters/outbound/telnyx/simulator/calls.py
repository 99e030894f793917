"""Calls at the simulated Telnyx: legs, what happened to them, and what was recorded of them."""

import base64
import binascii
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.outbound.telnyx.simulator.account import E164, Account
from adapters.outbound.telnyx.simulator.credentials import Credentials
from adapters.outbound.telnyx.simulator.resources import Refused, Resource, rfc3339

SHOWN_FOR = timedelta(minutes=10)
"""How long after its end Telnyx answers for a call."""
LISTED_FOR = timedelta(hours=24)
"""Of which calls events are listed that are not asked for by the call."""
INVALID_CONTROL, ENDED, NOT_ANSWERED = 90015, 90018, 90034


@dataclass(frozen=True, slots=True)
class Calls:
    """The legs of one account, by id, beside the rest of its state."""

    account: Account

    def begin(
        self,
        sender: str,
        to: str,
        direction: str,
        session: str | None = None,
        client_state: str | None = None,
    ) -> Resource:
        """Keep a leg that begins."""
        leg_id = str(uuid.uuid4())
        leg: Resource = {
            "call_control_id": f"v3:{secrets.token_urlsafe(40)}",
            "call_leg_id": leg_id,
            "call_session_id": session or str(uuid.uuid4()),
            "from": sender,
            "to": to,
            "direction": direction,
            "state": "parked" if direction == "incoming" else "bridging",
            "client_state": client_state,
            "start_time": rfc3339(self.account.now()),
            "end_time": None,
            "commands": [],
        }
        self.account.state.calls[leg_id] = leg
        self.account.state.save()
        return leg

    def of_control(self, control: str) -> Resource:
        """Find the leg that is controlled by this."""
        found = (leg for leg in self.account.state.calls.values() if leg["call_control_id"] == control)
        leg = next(found, None)
        if leg is None:
            raise Refused(INVALID_CONTROL, "The call_control_id provided was not valid")
        return leg

    def commanded(self, control: str, action: str, said: Resource) -> tuple[Resource, bool]:
        """Note a command to a leg that goes on; tell whether it is news and no repetition."""
        leg = self.of_control(control)
        if leg["state"] == "hangup":
            raise Refused(ENDED, "Call has already ended")
        if action in {"speak", "playback_start", "gather_using_speak", "record_start"} and leg["state"] in {
            "parked", "bridging",
        }:  # fmt: skip
            raise Refused(NOT_ANSWERED, "Call not answered yet")
        command = said.get("command_id")
        if command in leg["commands"]:
            return leg, False
        self.take_state(leg, said)
        leg["commands"] += [command] if command else []
        self.account.state.save()
        return leg, True

    def take_state(self, leg: Resource, said: Resource) -> None:
        """Keep what the customer wants back with each event."""
        if "client_state" not in said:
            return
        try:
            base64.b64decode(said["client_state"], validate=True)
        except (binascii.Error, ValueError):
            raise Refused(10015, "client_state is no Base64") from None
        leg["client_state"] = said["client_state"]
        self.account.state.save()

    def move(self, leg: Resource, state: str, at: datetime | None = None) -> None:
        """Change where a leg stands."""
        leg["state"] = state
        if state == "hangup":
            leg["end_time"] = rfc3339(at or self.account.now())
        self.account.state.save()

    def status(self, control: str) -> Resource:
        """Shape a call's status; one that ended ten minutes ago is known no more."""
        try:
            leg = self.of_control(control)
        except Refused:
            raise Refused(10005, "The call was not found") from None
        ended = leg["end_time"]
        if ended is not None and self.account.now() > datetime.fromisoformat(ended) + SHOWN_FOR:
            raise Refused(10005, "The call was not found")
        names = (
            "call_control_id",
            "call_leg_id",
            "call_session_id",
            "client_state",
            "start_time",
            "end_time",
        )
        return {"record_type": "call", "is_alive": ended is None, **{name: leg[name] for name in names}}

    def happened(self, name: str, leg: Resource, payload: Resource, at: datetime) -> None:
        """Keep an event."""
        self.account.state.call_events.append(
            {
                "record_type": "call_event",
                "type": "webhook",
                "name": name,
                "call_leg_id": leg["call_leg_id"],
                "call_session_id": leg["call_session_id"],
                "event_timestamp": rfc3339(at),
                "metadata": payload,
            }
        )
        self.account.state.save()

    def events(self, query: Resource) -> list[Resource]:
        """List events: all of a leg or a session, else those of the last 24 hours."""
        leg, session = query.get("filter[leg_id]"), query.get("filter[application_session_id]")
        since = datetime.min.replace(tzinfo=self.account.now().tzinfo)
        if leg is None and session is None:
            since = self.account.now() - LISTED_FOR
        wanted = {
            name: query[f"filter[{name}]"] for name in ("from", "to", "name") if f"filter[{name}]" in query
        }
        return [
            event
            for event in self.account.state.call_events
            if leg in {None, event["call_leg_id"]}
            and session in {None, event["call_session_id"]}
            and datetime.fromisoformat(event["event_timestamp"]) >= since
            and wanted.items() <= {"name": event["name"], **self._between(event)}.items()
        ]

    def _between(self, event: Resource) -> Resource:
        leg = self.account.state.calls.get(event["call_leg_id"], {})
        return {"from": leg.get("from"), "to": leg.get("to")}

    def dial(self, wish: Resource) -> Resource:
        """Begin a leg that was asked for, in the session of the one it is linked to."""
        sender, to = wish.get("from", ""), wish.get("to", "")
        if self.account.state.owned(sender) is None:
            raise Refused(10016, f"{sender} is not a number of this account")
        apps = isinstance(to, list) and all(Credentials(self.account).of_address(each) for each in to)
        if not (apps or E164.match(str(to))) or self.account.faults.refuse_calls:
            raise Refused(10016, f"{to} cannot be called")
        to = to[0] if apps else to  # whichever answers first, and it is one leg
        linked = self.of_control(wish["link_to"])["call_session_id"] if wish.get("link_to") else None
        return self.begin(sender, to, "outgoing", linked, wish.get("client_state"))
