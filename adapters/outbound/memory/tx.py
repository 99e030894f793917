"""One account's unit of work in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from typing_extensions import override

from adapters.outbound.memory.repositories.accounts import MemoryAccounts
from adapters.outbound.memory.repositories.audit_entries import MemoryAuditEntries
from adapters.outbound.memory.repositories.blocked_numbers import MemoryBlockedNumbers
from adapters.outbound.memory.repositories.calls import MemoryCalls
from adapters.outbound.memory.repositories.contacts import MemoryContacts
from adapters.outbound.memory.repositories.conversations import MemoryConversations
from adapters.outbound.memory.repositories.exports import MemoryExports, MemoryRecords
from adapters.outbound.memory.repositories.greetings import MemoryGreetings
from adapters.outbound.memory.repositories.idempotency import MemoryIdempotencyRecords
from adapters.outbound.memory.repositories.lines import MemoryLines
from adapters.outbound.memory.repositories.media import MemoryMediaRecords
from adapters.outbound.memory.repositories.messages import MemoryMessages
from adapters.outbound.memory.repositories.porting import MemoryPortRequests
from adapters.outbound.memory.repositories.push import MemoryPushTokens
from adapters.outbound.memory.repositories.search import MemorySearchIndex
from adapters.outbound.memory.repositories.sessions import MemorySessions
from adapters.outbound.memory.repositories.subscriptions import MemorySubscriptions
from adapters.outbound.memory.repositories.voicemail import MemoryVoicemails
from adapters.outbound.memory.repositories.webhooks import MemoryWebhookDeliveries, MemoryWebhookEndpoints
from adapters.outbound.memory.rows import Loaded
from application.ports.store import Tx
from application.unit_of_work import PendingWrites
from domain.exports import ExportPart

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Over(Generic[R]):
    """A repository over the rows of the unit of work that is asked for it."""

    make: Callable[[Loaded], R]

    def __get__(self, tx: MemoryTx, _: type | None = None) -> R:
        """Make it: it holds nothing of its own."""
        return self.make(tx.loaded)


@dataclass(slots=True, kw_only=True)
class MemoryTx(PendingWrites, Tx):
    """`Tx` over one account's rows. Nobody else's are within reach."""

    loaded: Loaded

    sessions = Over(MemorySessions)
    lines = Over(MemoryLines)
    conversations = Over(MemoryConversations)
    messages = Over(MemoryMessages)
    contacts = Over(MemoryContacts)
    media = Over(MemoryMediaRecords)
    voicemails = Over(MemoryVoicemails)
    greetings = Over(MemoryGreetings)
    blocked_numbers = Over(MemoryBlockedNumbers)
    calls = Over(MemoryCalls)
    port_requests = Over(MemoryPortRequests)
    push_tokens = Over(MemoryPushTokens)
    webhook_endpoints = Over(MemoryWebhookEndpoints)
    webhook_deliveries = Over(MemoryWebhookDeliveries)
    subscriptions = Over(MemorySubscriptions)
    search = Over(MemorySearchIndex)
    audit_entries = Over(MemoryAuditEntries)
    records = Over(MemoryRecords)
    idempotency = Over(MemoryIdempotencyRecords)

    @property
    @override
    def accounts(self) -> MemoryAccounts:
        return MemoryAccounts(self.loaded, self.account_id)

    @property
    @override
    def exports(self) -> MemoryExports:
        return MemoryExports(self.loaded, self.exports_emptied)

    def parts_to_remove(self) -> list[ExportPart]:
        """Return the stored parts of every export that is to be emptied."""
        return [part for part in self.loaded.of(ExportPart) if part.export_id in self.exports_emptied]
