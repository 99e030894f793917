"""What happens by itself: messages leave and arrive, orders are decided, and webhooks are told."""

import asyncio
import copy
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from adapters.outbound.telnyx.simulator.account import Account
from adapters.outbound.telnyx.simulator.call_player import Player
from adapters.outbound.telnyx.simulator.resources import Resource, rfc3339
from adapters.outbound.telnyx.simulator.webhooks import Webhooks

ARRIVED = frozenset({"delivered", "delivery_unconfirmed"})


@dataclass(slots=True)
class Traffic:
    """Background tasks. `pace` is the seconds between two statuses of a sent message.

    `order_webhook` is where the customer is told of orders. `decides_after` is the seconds after which an order is
    decided; None: when `settled` is awaited.
    """

    account: Account
    webhooks: Webhooks
    pace: float = 0.0
    order_webhook: str | None = None
    decides_after: float | None = None
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    voice_webhook: str | None = None
    player: Player = field(init=False)
    """Plays calls, and tells `voice_webhook` of them."""

    def __post_init__(self) -> None:
        """Have calls played beside the rest."""
        self.player = Player(self.account, self.webhooks, self.go, self.voice_webhook)

    def start(self, message: Resource) -> asyncio.Task[None]:
        """Let a message take its course."""
        return self.go(self._arrive(message) if message["direction"] == "inbound" else self._leave(message))

    def ordered(self) -> None:
        """Have what was ordered be decided, now or later."""
        if self.decides_after is not None:
            self.go(self._decide(self.decides_after))

    def go(self, course: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Let something happen behind the answer."""
        task = asyncio.create_task(course)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def resume(self) -> None:
        """Take up what the former process left: messages under way, orders not decided."""
        for message_id in list(self.account.state.owed):
            self.start(self.account.state.messages[message_id])
        self.ordered()

    async def settled(self) -> None:
        """Wait until every order is decided, every message has arrived and every webhook was tried."""
        if self.decides_after is None:
            await self._decide(0)
        while self.tasks:
            await asyncio.gather(*self.tasks, return_exceptions=True)

    async def close(self) -> None:
        """Stop; what was not sent stays owed."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _decide(self, after: float) -> None:
        await asyncio.sleep(after)
        for order in self.account.decide():
            await self.webhooks.post(self.order_webhook, "number_order.complete", order)

    async def _leave(self, message: Resource) -> None:
        """Move a sent message through its statuses and report the last two of them."""
        faults = self.account.faults
        reports: list[tuple[str, Resource]] = []
        for status in ("sending", "sent", faults.outcome):
            await asyncio.sleep(self.pace)
            self._move(message, status)
            event = "message.finalized" if status == faults.outcome else f"message.{status}"
            reports += [(event, copy.deepcopy(message))] if status != "sending" else []
            if reports and not faults.reorder:
                await self.webhooks.post(message["webhook_url"], *reports[-1])
        if faults.reorder:
            for event, report in reversed(reports):
                await self.webhooks.post(message["webhook_url"], event, report)
        self._done(message)

    def _move(self, message: Resource, status: str) -> None:
        """Change the status; hand over a message that arrives at a number of our own, in the same write."""
        faults, to, now = self.account.faults, message["to"][0], rfc3339(self.account.now())
        relay = status in ARRIVED and to["status"] not in ARRIVED
        to["status"] = status
        if status == "sent":
            message["sent_at"] = now
        if status == faults.outcome:
            message["completed_at"] = now
            if faults.outcome_error:
                message["errors"] = [{"code": str(faults.outcome_error), "title": "Not delivered"}]
        if relay and self.account.state.owned(to["phone_number"]) is not None:
            paths = ["/media/" + media["url"].rpartition("/")[2] for media in message["media"]]
            media = [held for path in paths if (held := self.account.state.content(path)) is not None]
            sender = message["from"]["phone_number"]
            self.start(self.account.receive(sender, to["phone_number"], message["text"], media))
        self.account.state.save()

    async def _arrive(self, message: Resource) -> None:
        """Post a received message to its number's profile."""
        profile = self.account.state.profiles.get(message["messaging_profile_id"] or "", {})
        await self.webhooks.post(profile.get("webhook_url"), "message.received", copy.deepcopy(message))
        self._done(message)

    def _done(self, message: Resource) -> None:
        if message["id"] in self.account.state.owed:
            self.account.state.owed.remove(message["id"])
        self.account.state.save()
