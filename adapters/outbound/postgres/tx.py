"""One account's unit of work on PostgreSQL: what it reads is private, what it is told to write waits for the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

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

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Over(Generic[R]):
    """A repository over the reader of the unit of work that is asked for it."""

    make: Callable[[Reader], R]

    def __get__(self, tx: PostgresTx, _: type | None = None) -> R:
        """Make it: it holds nothing of its own."""
        return self.make(tx.reader)


class PostgresTx(PendingWrites, Tx):
    """`Tx`: the repositories share one reader, which remembers what was loaded."""

    accounts = Over(PostgresAccounts)
    sessions = Over(PostgresSessions)
    lines = Over(PostgresLines)
    conversations = Over(PostgresConversations)
    messages = Over(PostgresMessages)
    contacts = Over(PostgresContacts)
    media = Over(PostgresMediaRecords)
    voicemails = Over(PostgresVoicemails)
    greetings = Over(PostgresGreetings)
    blocked_numbers = Over(PostgresBlockedNumbers)
    calls = Over(PostgresCalls)
    port_requests = Over(PostgresPortRequests)
    push_tokens = Over(PostgresPushTokens)
    webhook_endpoints = Over(PostgresWebhookEndpoints)
    webhook_deliveries = Over(PostgresWebhookDeliveries)
    subscriptions = Over(PostgresSubscriptions)
    audit_entries = Over(PostgresAuditEntries)
    records = Over(PostgresRecords)
    idempotency = Over(PostgresIdempotencyRecords)

    def __init__(
        self, ids: Ids, database: Database, account_id: AccountId, keys: Keys, segments: Opened
    ) -> None:
        """Bind every statement to the account."""
        super().__init__(account_id, ids)
        self.segments = segments
        self.reader = Reader(database, account_id, keys, {})

    @property
    @override
    def search(self) -> PostgresSearchIndex:
        return PostgresSearchIndex(self.reader, self.segments)

    @property
    @override
    def exports(self) -> PostgresExports:
        return PostgresExports(self.reader, self.exports_emptied)
