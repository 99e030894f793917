"""The rules of the simulated Twilio: what it does with numbers and messages, and what it refuses."""

import hmac
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from adapters.outbound.twilio.simulator import resources
from adapters.outbound.twilio.simulator.faults import Faults
from adapters.outbound.twilio.simulator.inventory import RANGES, SERVED, pattern, range_of
from adapters.outbound.twilio.simulator.resources import Refused, Resource
from adapters.outbound.twilio.simulator.state import Message, Picture, State

E164 = re.compile(r"\+[1-9][0-9]{6,14}\Z")
SHORT_CODE = re.compile(r"[0-9]{3,8}\Z")
LONGEST_BODY = 1600
UNFINISHED = frozenset({"accepted", "scheduled", "queued", "sending", "receiving"})
STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START = frozenset({"START", "YES", "UNSTOP"})

# Numbers that Twilio keeps for tests (Twilio: test credentials).
MAGIC_PURCHASE = {"+15005550000": 21422, "+15005550001": 21421}
MAGIC_FROM = {"+15005550001": 21212, "+15005550008": 21611}
MAGIC_TO = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
MAGIC_GOOD = "+15005550006"


@dataclass(frozen=True, slots=True)
class Account:
    """One Twilio account. Methods take the form or query as it came and return resources; they raise Refused."""

    sid: str
    token: str
    state: State
    faults: Faults
    now: Callable[[], datetime]

    def search(self, country: str, kind: str, query: Mapping[str, str]) -> list[Resource]:
        """Numbers on offer."""
        if kind not in SERVED.get(country, ()):
            raise Refused(20404, f"The requested resource {country}/{kind} was not found")
        ours = {number["phone_number"] for number in self.state.numbers.values()}
        wanted = pattern(query.get("Contains", ""))
        needed = {name for name in ("sms", "mms", "voice") if query.get(f"{name.title()}Enabled") == "true"}
        limit = int(query.get("PageSize", "50"))
        found: list[Resource] = []
        for numbers in RANGES:
            fits = (
                (numbers.country, numbers.kind) == (country, kind)
                and needed <= numbers.can
                and ("AreaCode" not in query or numbers.prefix.startswith(f"+1{query['AreaCode']}"))
                and not (numbers.needs_address and query.get("ExcludeAllAddressRequired") == "true")
            )
            for number in numbers if fits and len(found) < limit else ():
                if number not in ours and wanted.search(number):
                    found.append(resources.on_offer(number, numbers))
                    if len(found) == limit:
                        break
        return found

    def buy(self, form: Mapping[str, str]) -> Resource:
        """Buy a number. Its SID is the same whoever buys it and whenever: recycling must not depend on a new one."""
        number = form.get("PhoneNumber", "")
        if code := MAGIC_PURCHASE.get(number):
            raise Refused(code, f"{number} is not available")
        if not E164.match(number):
            raise Refused(21421, f"{number} is not a valid number")
        numbers = range_of(number)
        on_offer = numbers is not None or number == MAGIC_GOOD
        if self.faults.spend("number_taken") or not on_offer or self.state.owned(number):
            raise Refused(21422, f"{number} is not available")
        if numbers is not None and numbers.needs_address and "AddressSid" not in form:
            raise Refused(21631, f"{number} requires an address")
        sid = f"PN{hmac.new(self.token.encode(), number.encode(), 'sha256').hexdigest()[:32]}"
        self.state.numbers[sid] = resources.owned(self.sid, sid, number, self.now())
        return self.configure(sid, form)

    def configure(self, sid: str, form: Mapping[str, str]) -> Resource:
        """Set what a form names: `SmsUrl` becomes `sms_url`."""
        number = self.number(sid)
        for name, value in form.items():
            key = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
            if key in number and key != "phone_number":
                number[key] = value
        number["date_updated"] = resources.rfc2822(self.now())
        self.state.save()
        return number

    def number(self, sid: str) -> Resource:
        """Fetch an owned number."""
        if sid not in self.state.numbers:
            raise Refused(20404, f"The requested resource {sid} was not found")
        return self.state.numbers[sid]

    def list_numbers(self, query: Mapping[str, str]) -> list[Resource]:
        """List owned numbers. As at Twilio, `PhoneNumber` also matches parts."""
        part, name = query.get("PhoneNumber", ""), query.get("FriendlyName")
        return [
            number
            for number in self.state.numbers.values()
            if part in number["phone_number"] and name in {None, number["friendly_name"]}
        ]

    def release(self, sid: str) -> None:
        """Give a number back."""
        self.number(sid)
        if not self.faults.lie:
            self.state.forget_number(sid)

    def create_message(self, form: Mapping[str, str], media: Sequence[Picture] = ()) -> Message:
        """Accept a message to send."""
        from_, to, body = form.get("From", ""), form.get("To", ""), form.get("Body", "")
        ours = self.state.owned(from_) or (from_ == MAGIC_GOOD)
        checks = (
            (21604, not to),
            (21603, not from_),
            (21602, not body and not media),
            (21617, len(body) > LONGEST_BODY),
            (MAGIC_FROM.get(from_, 0), from_ in MAGIC_FROM),
            (21606, not ours),
            (MAGIC_TO.get(to, 0), to in MAGIC_TO),
            (21265, SHORT_CODE.match(to) is not None),
            (21211, not E164.match(to) or to == from_),
            (21610, (from_, to) in self.state.opted_out),
        )
        for code, applies in checks:
            if applies:
                raise Refused(code, f"Message from {from_} to {to} cannot be sent")
        return self._keep("outbound-api", "queued", from_, to, body, form.get("StatusCallback", ""), media)

    def receive(self, from_: str, to: str, body: str, media: Sequence[Picture] = ()) -> Message:
        """Take in a message to an owned number. A single keyword opts the sender out, or in again."""
        word = body.strip().upper()
        if word in STOP:
            self.state.opted_out.add((to, from_))
        elif word in START:
            self.state.opted_out.discard((to, from_))
        return self._keep("inbound", "received", from_, to, body, "", media)

    def _keep(
        self, direction: str, status: str, from_: str, to: str, body: str, callback: str,
        media: Sequence[Picture] = (),
    ) -> Message:  # fmt: skip
        sid = f"{'MM' if media else 'SM'}{secrets.token_hex(16)}"
        shape = resources.message(self.sid, sid, direction, status, from_, to, body, self.now())
        message = Message(
            shape, callback, relay=direction == "outbound-api" and self.state.owned(to) is not None
        )
        self.state.messages[sid] = message
        self.add_media(message, media)
        self.state.save()
        return message

    def add_media(self, message: Message, media: Sequence[Picture]) -> None:
        """Keep the pictures of a message."""
        parent = message.resource["sid"]
        for media_type, content in media:
            sid = f"ME{secrets.token_hex(16)}"
            message.media.append(resources.media(self.sid, parent, sid, media_type, self.now()))
            self.state.keep_content(sid, content)
        message.resource["num_media"] = str(len(message.media))

    def list_media(self, sid: str) -> list[Resource]:
        """List the pictures of a message."""
        self.message(sid)
        return self.state.messages[sid].media

    def media(self, sid: str, media_sid: str) -> Picture:
        """Fetch a picture's type and content."""
        for shape in self.list_media(sid):
            if shape["sid"] == media_sid:
                return shape["content_type"], self.state.content(media_sid)
        raise Refused(20404, f"The requested resource {media_sid} was not found")

    def message(self, sid: str) -> Resource:
        """Fetch a message."""
        if sid not in self.state.messages:
            raise Refused(20404, f"The requested resource {sid} was not found")
        return self.state.messages[sid].resource

    def list_messages(self, query: Mapping[str, str]) -> list[Resource]:
        """List messages, newest first. A message that has not left has no `date_sent`, so no filter on it finds it."""
        return [
            message.resource
            for message in reversed(self.state.messages.values())
            if query.get("From") in {None, message.resource["from"]}
            and query.get("To") in {None, message.resource["to"]}
            and all(
                self._sent_within(message.resource, key, query[key])
                for key in query
                if key.startswith("DateSent")
            )
        ]

    def _sent_within(self, shape: Resource, key: str, bound: str) -> bool:
        if shape["date_sent"] is None:
            return False
        sent = sortable(shape["date_sent"])[: len(bound)]
        return {"DateSent": sent == bound, "DateSent>": sent >= bound, "DateSent<": sent <= bound}[key]

    def redact(self, sid: str, form: Mapping[str, str]) -> Resource:
        """Blank a message: the only change Twilio allows to its body."""
        shape = self.message(sid)
        self._must_be_finished(shape)
        if form.get("Body") != "":
            raise Refused(20422, "Body may only be emptied")
        shape |= {"body": "", "date_updated": resources.rfc2822(self.now())}
        self.state.save()
        return shape

    def delete_message(self, sid: str) -> None:
        """Delete a message; nothing of it stays."""
        self._must_be_finished(self.message(sid))
        if self.faults.spend("too_early"):
            raise Refused(20009, f"{sid} is still being processed")
        if not self.faults.lie:
            self.state.forget_message(sid)

    def _must_be_finished(self, shape: Resource) -> None:
        if shape["status"] in UNFINISHED:
            raise Refused(20009, f"{shape['sid']} is still being processed")


@lru_cache(maxsize=10_000)
def sortable(date: str) -> str:
    """Return a date of a resource as filters write it. Each page of a long list asks for that of each message."""
    return parsedate_to_datetime(date).strftime("%Y-%m-%dT%H:%M:%SZ")
