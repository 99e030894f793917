"""Webhook calls in memory."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from typing_extensions import override

from application.ports.webhook_receivers import WebhookCall, WebhookReceivers, WebhookUrlRefused
from domain.webhook_deliveries import WebhookAnswer
from domain.webhook_endpoints import WebhookUrl


class MemoryWebhookReceivers(WebhookReceivers):
    """`WebhookReceivers` that notes who was told what.

    Knobs: `answers`, what an address answers unless it is SUCCESS; `refused`, the addresses that nobody may be called
    at. This machine may.
    """

    def __init__(self) -> None:
        self.answers = defaultdict[str, WebhookAnswer](lambda: WebhookAnswer.SUCCESS)
        self.refused: set[str] = set()
        self.calls: list[tuple[WebhookUrl, WebhookCall]] = []

    @override
    async def must_be_callable(self, url: WebhookUrl) -> None:
        await asyncio.sleep(0)
        if url in self.refused:
            raise WebhookUrlRefused

    @override
    async def call(self, url: WebhookUrl, call: WebhookCall) -> WebhookAnswer:
        await asyncio.sleep(0)
        if url in self.refused:
            return WebhookAnswer.FORBIDDEN
        self.calls.append((url, call))
        return self.answers[url]
