"""Everything outside of the product that it needs, by port: what a world must bring."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from application.ports.audit_log import AuditLog
from application.ports.backlog import Backlog
from application.ports.call_clients import CallClients
from application.ports.catch_ups import CatchUps
from application.ports.clock import Clock
from application.ports.data_requests import DataRequests
from application.ports.directory import Directory
from application.ports.entitlements import Entitlements
from application.ports.epochs import Epochs
from application.ports.ids import Ids
from application.ports.jobs import Queue
from application.ports.keyring import Keyring
from application.ports.ledger import ErasureLedger, Fingerprint
from application.ports.ledger_place import LedgerPlace
from application.ports.limits import Limits
from application.ports.live import LiveEvents
from application.ports.mail import Mail
from application.ports.media_addresses import MediaAddresses
from application.ports.message_carrier import MessageCarrier
from application.ports.numbering import NumberingPlan
from application.ports.numbers import NumberProvider
from application.ports.objects import Objects
from application.ports.passwords import PasswordHasher
from application.ports.payments import Payments
from application.ports.pictures import Pictures
from application.ports.porting import Porting
from application.ports.push import Push
from application.ports.recordings import Recordings
from application.ports.resealing import Resealing
from application.ports.signing import Signing
from application.ports.store import Store
from application.ports.store_purchases import StorePurchases
from application.ports.tokens import Tokens
from application.ports.transcriber import Transcriber
from application.ports.voice_carrier import VoiceCarrier
from application.ports.webhook_receivers import WebhookReceivers
from domain.billing import Offers
from domain.documents import Documents
from domain.epochs import EpochPolicy
from domain.retention import Retention
from domain.spend import SpendPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """One adapter per port, opened and ready, and the retention periods in force."""

    store: Store
    live_events: LiveEvents
    directory: Directory
    queue: Queue
    backlog: Backlog
    keyring: Keyring
    resealing: Resealing
    epochs: Epochs
    numbers: NumberProvider
    porting: Porting
    carrier: MessageCarrier
    catch_ups: CatchUps
    voice: VoiceCarrier
    call_clients: CallClients
    recordings: Recordings
    transcriber: Transcriber
    plan: NumberingPlan
    entitlements: Entitlements
    payments: Payments
    store_purchases: StorePurchases
    offers: Offers
    """The plans that can be bought, and what is free."""
    mail: Mail
    push: Push
    webhook_receivers: WebhookReceivers
    objects: Objects
    pictures: Pictures
    media_addresses: MediaAddresses
    audit_log: AuditLog
    signing: Signing
    ledger: ErasureLedger
    place: LedgerPlace
    fingerprint: Fingerprint
    limits: Limits
    limits_here: Limits
    """What is counted in this process alone, and forgotten with it."""
    data_requests: DataRequests
    hasher: PasswordHasher
    tokens: Tokens
    clock: Clock
    ids: Ids
    retention: Retention
    epoch_policy: EpochPolicy
    spend_policy: SpendPolicy
    documents: Documents
    pause: timedelta
    """How long after a provider showed nothing any more an erasure asks it again."""
