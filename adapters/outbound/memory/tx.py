"""One account's unit of work in memory."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(slots=True, kw_only=True)
class MemoryTx(PendingWrites, Tx):
    """`Tx` over one account's rows. Nobody else's are within reach."""

    loaded: Loaded

    @property
    @override
    def accounts(self) -> MemoryAccounts:
        return MemoryAccounts(self.loaded, self.account_id)

    @property
    @override
    def sessions(self) -> MemorySessions:
        return MemorySessions(self.loaded)

    @property
    @override
    def lines(self) -> MemoryLines:
        return MemoryLines(self.loaded)

    @property
    @override
    def conversations(self) -> MemoryConversations:
        return MemoryConversations(self.loaded)

    @property
    @override
    def messages(self) -> MemoryMessages:
        return MemoryMessages(self.loaded)

    @property
    @override
    def contacts(self) -> MemoryContacts:
        return MemoryContacts(self.loaded)

    @property
    @override
    def media(self) -> MemoryMediaRecords:
        return MemoryMediaRecords(self.loaded)

    @property
    @override
    def voicemails(self) -> MemoryVoicemails:
        return MemoryVoicemails(self.loaded)

    @property
    @override
    def greetings(self) -> MemoryGreetings:
        return MemoryGreetings(self.loaded)

    @property
    @override
    def blocked_numbers(self) -> MemoryBlockedNumbers:
        return MemoryBlockedNumbers(self.loaded)

    @property
    @override
    def calls(self) -> MemoryCalls:
        return MemoryCalls(self.loaded)

    @property
    @override
    def port_requests(self) -> MemoryPortRequests:
        return MemoryPortRequests(self.loaded)

    @property
    @override
    def push_tokens(self) -> MemoryPushTokens:
        return MemoryPushTokens(self.loaded)

    @property
    @override
    def webhook_endpoints(self) -> MemoryWebhookEndpoints:
        return MemoryWebhookEndpoints(self.loaded)

    @property
    @override
    def webhook_deliveries(self) -> MemoryWebhookDeliveries:
        return MemoryWebhookDeliveries(self.loaded)

    @property
    @override
    def subscriptions(self) -> MemorySubscriptions:
        return MemorySubscriptions(self.loaded)

    @property
    @override
    def search(self) -> MemorySearchIndex:
        return MemorySearchIndex(self.loaded)

    @property
    @override
    def exports(self) -> MemoryExports:
        return MemoryExports(self.loaded, self.exports_emptied)

    @property
    @override
    def audit_entries(self) -> MemoryAuditEntries:
        return MemoryAuditEntries(self.loaded)

    @property
    @override
    def records(self) -> MemoryRecords:
        return MemoryRecords(self.loaded)

    @property
    @override
    def idempotency(self) -> MemoryIdempotencyRecords:
        return MemoryIdempotencyRecords(self.loaded)

    def parts_to_remove(self) -> list[ExportPart]:
        """Return the stored parts of every export that is to be emptied."""
        return [part for part in self.loaded.of(ExportPart) if part.export_id in self.exports_emptied]
