"""One account's unit of work on PostgreSQL: what it reads is private, what it is told to write waits for the end."""

from __future__ import annotations

from typing_extensions import override

from adapters.outbound.postgres.codec import Keys
from adapters.outbound.postgres.pool import Database
from adapters.outbound.postgres.reading import Reader
from adapters.outbound.postgres.repositories.accounts import PostgresAccounts
from adapters.outbound.postgres.repositories.audit_entries import PostgresAuditEntries
from adapters.outbound.postgres.repositories.blocked_numbers import PostgresBlockedNumbers
from adapters.outbound.postgres.repositories.calls import PostgresCalls
from adapters.outbound.postgres.repositories.contacts import PostgresContacts
from adapters.outbound.postgres.repositories.conversations import PostgresConversations
from adapters.outbound.postgres.repositories.exports import PostgresExports, PostgresRecords
from adapters.outbound.postgres.repositories.greetings import PostgresGreetings
from adapters.outbound.postgres.repositories.idempotency import PostgresIdempotencyRecords
from adapters.outbound.postgres.repositories.lines import PostgresLines
from adapters.outbound.postgres.repositories.media import PostgresMediaRecords
from adapters.outbound.postgres.repositories.messages import PostgresMessages
from adapters.outbound.postgres.repositories.porting import PostgresPortRequests
from adapters.outbound.postgres.repositories.push import PostgresPushTokens
from adapters.outbound.postgres.repositories.search import Opened, PostgresSearchIndex
from adapters.outbound.postgres.repositories.sessions import PostgresSessions
from adapters.outbound.postgres.repositories.subscriptions import PostgresSubscriptions
from adapters.outbound.postgres.repositories.voicemail import PostgresVoicemails
from adapters.outbound.postgres.repositories.webhooks import (
    PostgresWebhookDeliveries,
    PostgresWebhookEndpoints,
)
from application.ports.ids import Ids
from application.ports.store import Tx
from application.unit_of_work import PendingWrites
from domain.kernel import AccountId


class PostgresTx(PendingWrites, Tx):
    """`Tx`: the repositories share one reader, which remembers what was loaded."""

    def __init__(
        self, ids: Ids, database: Database, account_id: AccountId, keys: Keys, segments: Opened
    ) -> None:
        """Bind every statement to the account."""
        super().__init__(account_id, ids)
        self.segments = segments
        self.reader = Reader(database, account_id, keys, {})

    @property
    @override
    def accounts(self) -> PostgresAccounts:
        return PostgresAccounts(self.reader)

    @property
    @override
    def sessions(self) -> PostgresSessions:
        return PostgresSessions(self.reader)

    @property
    @override
    def lines(self) -> PostgresLines:
        return PostgresLines(self.reader)

    @property
    @override
    def conversations(self) -> PostgresConversations:
        return PostgresConversations(self.reader)

    @property
    @override
    def messages(self) -> PostgresMessages:
        return PostgresMessages(self.reader)

    @property
    @override
    def contacts(self) -> PostgresContacts:
        return PostgresContacts(self.reader)

    @property
    @override
    def media(self) -> PostgresMediaRecords:
        return PostgresMediaRecords(self.reader)

    @property
    @override
    def voicemails(self) -> PostgresVoicemails:
        return PostgresVoicemails(self.reader)

    @property
    @override
    def greetings(self) -> PostgresGreetings:
        return PostgresGreetings(self.reader)

    @property
    @override
    def blocked_numbers(self) -> PostgresBlockedNumbers:
        return PostgresBlockedNumbers(self.reader)

    @property
    @override
    def calls(self) -> PostgresCalls:
        return PostgresCalls(self.reader)

    @property
    @override
    def port_requests(self) -> PostgresPortRequests:
        return PostgresPortRequests(self.reader)

    @property
    @override
    def push_tokens(self) -> PostgresPushTokens:
        return PostgresPushTokens(self.reader)

    @property
    @override
    def webhook_endpoints(self) -> PostgresWebhookEndpoints:
        return PostgresWebhookEndpoints(self.reader)

    @property
    @override
    def webhook_deliveries(self) -> PostgresWebhookDeliveries:
        return PostgresWebhookDeliveries(self.reader)

    @property
    @override
    def subscriptions(self) -> PostgresSubscriptions:
        return PostgresSubscriptions(self.reader)

    @property
    @override
    def search(self) -> PostgresSearchIndex:
        return PostgresSearchIndex(self.reader, self.segments)

    @property
    @override
    def exports(self) -> PostgresExports:
        return PostgresExports(self.reader, self.exports_emptied)

    @property
    @override
    def audit_entries(self) -> PostgresAuditEntries:
        return PostgresAuditEntries(self.reader)

    @property
    @override
    def records(self) -> PostgresRecords:
        return PostgresRecords(self.reader)

    @property
    @override
    def idempotency(self) -> PostgresIdempotencyRecords:
        return PostgresIdempotencyRecords(self.reader)
