"""The rules of the simulated Telnyx: what it does with profiles, numbers and messages, and what it refuses."""

import hashlib
import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.outbound.telnyx.simulator import resources
from adapters.outbound.telnyx.simulator.faults import Faults
from adapters.outbound.telnyx.simulator.inventory import FEATURES, country_of, on_offer
from adapters.outbound.telnyx.simulator.resources import Refused, Resource
from adapters.outbound.telnyx.simulator.state import Picture, State

E164 = re.compile(r"\+[1-9][0-9]{6,14}\Z")
STOP = frozenset({"STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"})
START = frozenset({"START", "UNSTOP"})
SHOWN_FOR = timedelta(days=10)
KEY_HOLDS = timedelta(hours=24)
NOWHERE = "+15005550001"
"""A destination that nobody reaches."""


@dataclass(slots=True)
class Account:
    """One Telnyx account. Methods take the body or query as it came and return resources; they raise Refused."""

    state: State
    faults: Faults
    now: Callable[[], datetime]
    media_url: str = ""
    """Where pictures lie."""

    def tidy(self) -> None:
        """Show no more what was to be shown for ten days."""
        until = self.now() - SHOWN_FOR
        old = [
            message_id
            for message_id, message in self.state.messages.items()
            if datetime.fromisoformat(message["received_at"]) < until
        ]
        for message_id in old:
            self.state.forget_message(message_id)
        if old:
            self.state.save()

    # ------------------------------------------------------------------------------------------ numbers

    def search(self, query: Mapping[str, str], features: Sequence[str]) -> list[Resource]:
        """Numbers on offer."""
        country = query.get("filter[country_code]", "")
        if country not in FEATURES:
            raise Refused(10031, f"No numbers are offered in {country}")
        if not set(features) <= set(FEATURES[country]):
            return []
        area, digits = (
            query.get("filter[national_destination_code]"),
            query.get("filter[phone_number][contains]", ""),
        )
        found = (
            number
            for number in on_offer(country)
            if (area is None or number.startswith(f"+1{area}")) and digits in number
            if self.state.owned(number) is None
        )
        limit = int(query.get("filter[limit]", "100"))
        return [resources.offer(number, country) for number, _ in zip(found, range(limit), strict=False)]

    def make_profile(self, wish: Resource) -> Resource:
        """Make a messaging profile."""
        profile = {"id": str(uuid.uuid4()), "record_type": "messaging_profile", **wish}
        self.state.profiles[profile["id"]] = profile
        self.state.save()
        return profile

    def profile(self, profile_id: str) -> Resource:
        """Fetch a profile."""
        if profile_id not in self.state.profiles:
            raise Refused(10005, f"{profile_id} was not found")
        return self.state.profiles[profile_id]

    def delete_profile(self, profile_id: str) -> Resource:
        """Delete a profile that no number is in."""
        profile = self.profile(profile_id)
        if any(number["messaging_profile_id"] == profile_id for number in self.state.numbers.values()):
            raise Refused(10021, f"{profile_id} is in use")
        self.state.forget_profile(profile_id)
        self.state.save()
        return profile

    def place_order(self, wish: Resource) -> Resource:
        """Place an order; whether it is filled is decided later."""
        number = wish["phone_numbers"][0]["phone_number"]
        if country_of(number) is None:
            raise Refused(10002, f"{number} is not a number that is sold")
        self.profile(wish["messaging_profile_id"])
        placed = resources.order(str(uuid.uuid4()), number, wish, self.now())
        self.state.orders[placed["id"]] = placed
        self.state.save()
        return placed

    def decide(self) -> list[Resource]:
        """Decide every pending order, the oldest first, and return them."""
        pending = [order for order in self.state.orders.values() if order["status"] == "pending"]
        for order in pending:
            number = order["phone_numbers"][0]["phone_number"]
            taken = self.state.owned(number) is not None or self.faults.spend("number_taken")
            status = "failure" if taken else "success"
            order |= {"status": status, "updated_at": resources.rfc3339(self.now())}
            order["phone_numbers"][0]["status"] = status
            if taken:
                order["errors"] = [{"code": "85006", "title": "Number not available"}]
            else:
                number_id = str(uuid.uuid4().int)[:19]
                self.state.numbers[number_id] = resources.owned(
                    number_id, order, country_of(number) or "US", self.now()
                )
        self.state.save()
        return pending

    def number(self, number_id: str) -> Resource:
        """Fetch a number of ours."""
        if number_id not in self.state.numbers:
            raise Refused(10005, f"{number_id} was not found")
        return self.state.numbers[number_id]

    def release(self, number_id: str) -> Resource:
        """Give a number back."""
        number = self.number(number_id)
        if not self.faults.lie:
            self.state.forget_number(number_id)
            self.state.save()
        return number | {"status": "deleted"}

    # ----------------------------------------------------------------------------------------- messages

    def send(self, wish: Resource, key: str, media: Sequence[Picture]) -> tuple[Resource, bool]:
        """Accept a message to send, or return the one that was sent under this key; tell whether it is news."""
        digest = hashlib.sha256(json.dumps(wish, sort_keys=True).encode()).hexdigest()
        if key in self.state.keys:
            used, message_id, at = self.state.keys[key]
            if self.now() < datetime.fromisoformat(at) + KEY_HOLDS:
                if used != digest:
                    raise Refused(0)
                return self.state.messages[message_id], False
        from_, to, text = wish.get("from", ""), wish.get("to", ""), wish.get("text", "")
        number = self.state.owned(from_)
        if number is None:
            raise Refused(40305, f"{from_} is not a number of this account")
        if to in {NOWHERE, from_} or not E164.match(to):
            raise Refused(40310, f"{to} cannot be sent to")
        if [number["messaging_profile_id"], to] in self.state.blocked:
            raise Refused(40300, f"Messages cannot be sent from '{from_}' to '{to}'")
        if not text and not media:
            raise Refused(40316, "There is no content")
        message = self._keep("outbound", from_, to, text, number["messaging_profile_id"], media)
        message["webhook_url"] = wish.get("webhook_url")
        if key:
            self.state.keys[key] = [digest, message["id"], self.now().isoformat()]
        self.state.save()
        return message, True

    def receive(self, from_: str, to: str, text: str, media: Sequence[Picture] = ()) -> Resource:
        """Take in a message to a number of ours. A keyword blocks its sender for the profile, or lets them in again."""
        number = self.state.owned(to)
        profile_id = None if number is None else number["messaging_profile_id"]
        word, pair = text.strip().upper(), [str(profile_id), from_]
        if word in STOP and pair not in self.state.blocked:
            self.state.blocked.append(pair)
        elif word in START and pair in self.state.blocked:
            self.state.blocked.remove(pair)
        message = self._keep("inbound", from_, to, text, profile_id, media)
        self.state.save()
        return message

    def _keep(
        self, direction: str, from_: str, to: str, text: str, profile_id: str | None, media: Sequence[Picture]
    ) -> Resource:
        message = resources.message(str(uuid.uuid4()), direction, from_, to, text, profile_id, self.now())
        for media_type, content in media:
            path = f"/media/{uuid.uuid4()}"
            self.state.keep_content(path, (media_type, content))
            digest = hashlib.sha256(content).hexdigest()
            message["media"].append(
                {"url": f"{self.media_url}{path}", "content_type": media_type, "sha256": digest, "size": len(content)}
            )  # fmt: skip
            message["type"] = "MMS"
        self.state.messages[message["id"]] = message
        self.state.owed.append(message["id"])
        return message

    def message(self, message_id: str) -> Resource:
        """Fetch a message that is still shown."""
        if message_id not in self.state.messages:
            raise Refused(10005, f"{message_id} was not found")
        message = self.state.messages[message_id]
        if self.faults.media == "elsewhere":
            return message | {"media": [{"url": "http://127.0.0.1:9/picture"} for _ in message["media"]]}
        return message

    def move_media(self, media_url: str) -> None:
        """Have every picture lie at another address: the former process had another port."""
        self.media_url = media_url
        for message in self.state.messages.values():
            for media in message["media"]:
                media["url"] = f"{media_url}/media/{media['url'].rpartition('/')[2]}"

    def detail_records(self, query: Mapping[str, str]) -> list[Resource]:
        """List what was sent and received, the newest first, unless the oldest are wanted first."""
        records = map(resources.detail_record, reversed(self.state.messages.values()))
        wanted = {
            name: query[f"filter[{name}]"]
            for name in ("direction", "cli", "cld")
            if f"filter[{name}]" in query
        }
        found = [record for record in records if wanted.items() <= record.items()]
        return found[::-1] if query.get("sort") == "created_at" else found
