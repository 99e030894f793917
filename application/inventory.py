"""The inventory: every kind of record Pico keeps about a person, derived from the aggregates that declare it.

One registry feeds the tables, the export, the erasure, the data map in PRIVACY.md and the schema check.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from domain.accounts import Account
from domain.audit import AuditEntry
from domain.billing import Subscription
from domain.blocked_numbers import BlockedNumber
from domain.calls import Call
from domain.classification import Field, fields_of
from domain.contacts import Contact, ContactNumber
from domain.exports import Export, ExportPart
from domain.greetings import Greeting
from domain.idempotency import IdempotencyRecord
from domain.kernel import Aggregate
from domain.lines import PhoneLine
from domain.live import LiveEvent, LiveStream
from domain.media import Media
from domain.messages import Conversation, Message
from domain.opt_outs import LastingOptOut
from domain.porting import PortRequest
from domain.push import PushToken
from domain.search import SearchSegment
from domain.sessions import Session
from domain.voicemail import Voicemail
from domain.webhook_deliveries import WebhookDelivery
from domain.webhook_endpoints import WebhookEndpoint


@dataclass(frozen=True)
class Stored:
    """One kind of record. Every one of them is erased with the account: keys destroyed first, then rows deleted."""

    of: type[Aggregate]

    @property
    def name(self) -> str:
        """The name it goes by in tables and exports."""
        return self.of.stored_as

    @cached_property
    def columns(self) -> tuple[Field, ...]:
        """Every declared field, in order of declaration."""
        return fields_of(self.of)

    @cached_property
    def exported(self) -> tuple[str, ...]:
        """Names of the columns a person's export shows; empty when the record is none of their business."""
        return tuple(column.name for column in self.columns if column.policy.exported)

    @property
    def owner(self) -> str:
        """The column that names the account."""
        return "id" if self.of is Account else "account_id"


INVENTORY: tuple[Stored, ...] = (
    Stored(Account),
    Stored(Session),
    Stored(PhoneLine),
    Stored(PortRequest),
    Stored(Conversation),
    Stored(Message),
    Stored(Media),
    Stored(Voicemail),
    Stored(Greeting),
    Stored(LastingOptOut),
    Stored(Call),
    Stored(Contact),
    Stored(ContactNumber),
    Stored(BlockedNumber),
    Stored(SearchSegment),
    Stored(PushToken),
    Stored(Subscription),
    Stored(IdempotencyRecord),
    Stored(Export),
    Stored(ExportPart),
    Stored(LiveStream),
    Stored(LiveEvent),
    Stored(WebhookEndpoint),
    Stored(WebhookDelivery),
    Stored(AuditEntry),
)
"""In the order of the export, and of erasure: the account's own row goes first."""

BY_TYPE: dict[type[Aggregate], Stored] = {stored.of: stored for stored in INVENTORY}
