"""What happens to messages by itself: they leave, arrive, and webhooks are told."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field

from adapters.outbound.twilio.simulator.account import E164, Account
from adapters.outbound.twilio.simulator.inventory import place
from adapters.outbound.twilio.simulator.resources import VERSION, rfc2822
from adapters.outbound.twilio.simulator.state import Message
from adapters.outbound.twilio.simulator.webhooks import Webhooks

MEDIA_ROOT = "https://api.twilio.com"
"""Where a form says that a picture lies, wherever the simulator listens: nobody is to believe it."""
ARRIVED = frozenset({"sent", "delivered", "read"})
FINAL = frozenset({"delivered", "undelivered", "failed", "canceled", "read"})


@dataclass(slots=True)
class Traffic:
    """Background tasks, one a message. `pace` is the seconds between two statuses of a sent message."""

    account: Account
    webhooks: Webhooks
    pace: float = 0.0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def start(self, message: Message) -> asyncio.Task[None]:
        """Let a message take its course."""
        course = self._arrive(message) if message.resource["direction"] == "inbound" else self._leave(message)
        return self.run(course)

    def run(self, course: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Let something take its course."""
        task = asyncio.create_task(course)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def resume(self) -> None:
        """Take up every message whose webhooks were still owed when the former process ended."""
        for message in self.account.state.messages.values():
            if message.owed:
                self.start(message)

    async def settled(self) -> None:
        """Wait until nothing is under way, replies to replies included."""
        while self.tasks:
            await asyncio.wait(self.tasks)

    async def close(self) -> None:
        """Drop what is under way; with a state file it stays owed."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _leave(self, message: Message) -> None:
        """Move a sent message through its statuses and report each. The first, `queued`, is never called back."""
        faults, shape = self.account.faults, message.resource
        path = list(dict.fromkeys(("sending", "sent", faults.outcome)))
        if shape["status"] != "queued":  # resumed: the last one told may not have been heard
            path = path[path.index(shape["status"]) :] if shape["status"] in path else [shape["status"]]
        reports = []
        for status in path:
            await asyncio.sleep(self.pace)
            self._move(message, status)
            reports.append(status_form(message, self.account))
            if not faults.reorder:
                await self.webhooks.post(message.callback, reports[-1])
        if faults.reorder:
            for report in reversed(reports):
                await self.webhooks.post(message.callback, report)
        self._done(message)

    def _move(self, message: Message, status: str) -> None:
        """Change the status; hand over a message that arrives at a number of our own, in the same write."""
        shape, now = message.resource, rfc2822(self.account.now())
        shape |= {"status": status, "date_updated": now}
        if status == "sent":
            shape["date_sent"] = now
        if status in FINAL - ARRIVED:
            shape["error_code"] = self.account.faults.outcome_error or None
        if message.relay and status in FINAL & ARRIVED and self.account.state.owned(shape["to"]):
            message.relay = False
            media = [self.account.media(shape["sid"], each["sid"]) for each in message.media]
            self.start(self.account.receive(shape["from"], shape["to"], shape["body"], media))
        self.account.state.save()

    async def _arrive(self, message: Message) -> None:
        """Post a received message to its number."""
        number = self.account.state.owned(message.resource["to"])
        await self.webhooks.post(number["sms_url"] if number else "", inbound_form(message))
        self._done(message)

    def _done(self, message: Message) -> None:
        message.owed = False
        self.account.state.save()


def status_form(message: Message, account: Account) -> dict[str, str]:
    """Fields of a status callback."""
    shape = message.resource
    form = {
        "ApiVersion": VERSION,
        "MessageStatus": shape["status"],
        "SmsSid": shape["sid"],
        "SmsStatus": shape["status"],
        "To": shape["to"],
        "From": shape["from"],
        "MessageSid": shape["sid"],
        "AccountSid": shape["account_sid"],
    }
    if shape["error_code"]:
        form["ErrorCode"] = str(shape["error_code"])
    if shape["status"] in FINAL:
        form["RawDlrDoneDate"] = account.now().strftime("%y%m%d%H%M")
    return form


def inbound_form(message: Message) -> dict[str, str]:
    """Fields of a received message, where its sender lives included: Twilio tells that unasked."""
    shape = message.resource
    form = {
        "SmsMessageSid": shape["sid"],
        "NumMedia": shape["num_media"],
        "SmsSid": shape["sid"],
        "SmsStatus": "received",
        "Body": shape["body"],
        "To": shape["to"],
        "NumSegments": shape["num_segments"],
        "MessageSid": shape["sid"],
        "AccountSid": shape["account_sid"],
        "From": shape["from"],
        "ApiVersion": VERSION,
    }
    for at, media in enumerate(message.media):
        form |= {
            f"MediaContentType{at}": media["content_type"],
            f"MediaUrl{at}": MEDIA_ROOT + media["uri"][:-5],
        }
    for side in ("From", "To"):
        if E164.match(form[side]):
            form |= {f"{side}{name}": value for name, value in place(form[side]).items()}
    return form
