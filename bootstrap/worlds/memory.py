"""The world of tests, ours and other people's.

The whole product on fakes. The real one is `bootstrap.worlds.sandbox`.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, TypedDict, Unpack

from adapters.inbound.worker import Worker
from adapters.outbound.memory.backlog import MemoryBacklog
from adapters.outbound.memory.byte_store import MemoryByteStore
from adapters.outbound.memory.carrier import MemoryCarrier
from adapters.outbound.memory.catch_ups import MemoryCatchUps
from adapters.outbound.memory.data_requests import MemoryDataRequests
from adapters.outbound.memory.directory import MemoryDirectory
from adapters.outbound.memory.epochs import MemoryEpochs
from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.memory.ledger import MemoryLedger
from adapters.outbound.memory.ledger_place import MemoryLedgerPlace
from adapters.outbound.memory.limits import MemoryLimits
from adapters.outbound.memory.live import MemoryLiveEvents
from adapters.outbound.memory.mail import MemoryMail
from adapters.outbound.memory.payments import MemoryPayments
from adapters.outbound.memory.porting import MemoryPorting
from adapters.outbound.memory.push import MemoryPush
from adapters.outbound.memory.queue import MemoryQueue
from adapters.outbound.memory.recordings import MemoryRecordings
from adapters.outbound.memory.resealing import MemoryResealing
from adapters.outbound.memory.store import MemoryStore
from adapters.outbound.memory.store_purchases import MemoryStorePurchases
from adapters.outbound.memory.system import CountingIds, FakeHasher, FakeTokens, HandClock
from adapters.outbound.memory.voice_carrier import MemoryVoiceCarrier
from adapters.outbound.memory.webhook_receivers import MemoryWebhookReceivers
from adapters.outbound.pictures.cleaning import AllowListedPictures
from adapters.outbound.sealed.objects import SealedObjects
from adapters.outbound.system.call_clients import SealedCallClients
from adapters.outbound.system.entitlements import LINES, SubscribedPlan
from adapters.outbound.system.fingerprints import AccountFingerprint
from adapters.outbound.system.limits import ProcessLimits
from adapters.outbound.system.media_addresses import SealedMediaAddresses
from adapters.outbound.system.noted_ledger import NotedLedger
from adapters.outbound.system.numbering import PhonenumbersPlan
from adapters.outbound.system.signing import SystemSigning
from application.ports.audit_log import AuditLog
from application.ports.backlog import Backlog
from application.ports.byte_store import ByteStore
from application.ports.call_clients import CallClients
from application.ports.catch_ups import CatchUps
from application.ports.data_requests import DataRequests
from application.ports.directory import Directory
from application.ports.entitlements import Entitlements
from application.ports.epochs import Epochs
from application.ports.ids import Ids
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
from application.retention import SweepResult
from bootstrap.container import NOTHING, Replaced, wire
from bootstrap.outside import Outside
from bootstrap.worlds.edge import HttpClient, client_of
from bootstrap.worlds.people import Person, signed_up
from domain.billing import Offer, Offers, PlanName
from domain.documents import Documents
from domain.entitlements import Plan
from domain.epochs import EpochPolicy
from domain.money import Money
from domain.retention import Retention
from domain.spend import SpendPolicy

OFFERS = Offers(
    {
        PlanName.BASIC: Offer(PlanName.BASIC, Money(499, "USD"), Plan(1)),
        PlanName.PLUS: Offer(PlanName.PLUS, Money(1299, "USD"), Plan(LINES + 5)),
    },
    free=Plan(LINES),
)
"""What a world in memory sells; it is generous, so that nobody has to buy a plan before a line."""


class Parts(TypedDict, total=False):
    """What can stand in the place of a fake, by port. The clock and the queue are the world's to move."""

    clock: HandClock
    ids: Ids
    keyring: Keyring
    resealing: Resealing
    epochs: Epochs
    queue: MemoryQueue
    backlog: Backlog
    store: Store
    live_events: LiveEvents
    push: Push
    webhook_receivers: WebhookReceivers
    directory: Directory
    carrier: MessageCarrier
    catch_ups: CatchUps
    voice: VoiceCarrier
    call_clients: CallClients
    porting: Porting
    numbers: NumberProvider
    """The carrier itself, unless it is told apart."""
    recordings: Recordings
    transcriber: Transcriber
    """The recordings' own, unless it is told apart."""
    plan: NumberingPlan
    entitlements: Entitlements
    payments: Payments
    store_purchases: StorePurchases
    offers: Offers
    mail: Mail
    byte_store: ByteStore
    """Where the honest `objects` lie."""
    objects: Objects
    pictures: Pictures
    media_addresses: MediaAddresses
    audit_log: AuditLog
    """That of the store, unless it is told apart."""
    signing: Signing
    ledger: ErasureLedger
    place: LedgerPlace
    fingerprint: Fingerprint
    limits: Limits
    limits_here: Limits
    data_requests: DataRequests
    hasher: PasswordHasher
    tokens: Tokens
    epoch_policy: EpochPolicy
    spend_policy: SpendPolicy
    documents: Documents
    pause: timedelta


class InMemory:
    """The whole product on fakes, with a clock set by hand.

    `world = InMemory()`, then `ada = await world.signed_up("ada")`, or any of `world.use_cases`.

    Jobs and sweeps happen when `settle` or `advance` is called, and only then.
    """

    clock: HandClock
    ids: Ids
    keyring: MemoryKeyring
    resealing: Resealing
    epochs: Epochs
    queue: MemoryQueue
    backlog: Backlog
    store: MemoryStore
    live_events: LiveEvents
    push: MemoryPush
    webhook_receivers: MemoryWebhookReceivers
    directory: Directory
    carrier: MemoryCarrier
    catch_ups: CatchUps
    voice: MemoryVoiceCarrier
    call_clients: CallClients
    numbers: NumberProvider | None = None
    porting: MemoryPorting
    recordings: MemoryRecordings
    transcriber: Transcriber | None = None
    plan: NumberingPlan
    entitlements: Entitlements
    payments: MemoryPayments
    store_purchases: MemoryStorePurchases
    offers: Offers
    mail: MemoryMail
    byte_store: MemoryByteStore
    objects: Objects
    pictures: Pictures
    audit_log: AuditLog | None = None
    signing: Signing
    ledger: MemoryLedger
    place: LedgerPlace
    fingerprint: Fingerprint
    limits: MemoryLimits
    limits_here: Limits
    data_requests: DataRequests
    hasher: FakeHasher
    tokens: FakeTokens

    def __init__(self, retention: Retention = Retention(), **own: Unpack[Parts]) -> None:  # noqa: B008 - a frozen value
        """Make an empty world, with `own` in the place of fakes. Every part is an attribute, fault knobs included.

        Raises TypeError for a part there is not.
        """
        if unknown := own.keys() - Parts.__annotations__.keys():
            raise TypeError(f"no part of a world: {', '.join(sorted(unknown))}")
        given: dict[str, Any] = dict(own)
        self.clock = given.get("clock", HandClock())
        self.ids = given.get("ids", CountingIds(self.clock))
        self.keyring = given.get("keyring", MemoryKeyring())
        self.epochs = given.get("epochs", MemoryEpochs(lambda: self.keyring, self.clock.now))
        self.queue = given.get("queue", MemoryQueue(self.clock))
        self.store = given.get("store", MemoryStore(self.keyring, self.queue, self.ids))
        self.backlog = given.get("backlog", MemoryBacklog(self.store, self.queue))
        self.live_events = given.get("live_events", MemoryLiveEvents(self.store))
        self.push = given.get("push", MemoryPush())
        self.webhook_receivers = given.get("webhook_receivers", MemoryWebhookReceivers())
        self.directory = given.get("directory", MemoryDirectory(self.store))
        self.carrier = given.get("carrier", MemoryCarrier(self.clock.now))
        self.catch_ups = given.get("catch_ups", MemoryCatchUps())
        self.voice = given.get("voice", MemoryVoiceCarrier(self.clock.now))
        self.call_clients = given.get("call_clients", SealedCallClients(self.keyring))
        self.resealing = given.get("resealing", MemoryResealing(self.store, self.keyring))
        self.numbers = given.get("numbers")
        self.porting = given.get("porting", MemoryPorting(self.clock.now, self.carrier))
        self.recordings = given.get("recordings", MemoryRecordings())
        self.transcriber = given.get("transcriber")
        self.plan = given.get("plan", PhonenumbersPlan())
        self.offers = given.get("offers", OFFERS)
        self.payments = given.get("payments", MemoryPayments(self.clock.now))
        self.store_purchases = given.get("store_purchases", MemoryStorePurchases())
        self.entitlements = given.get("entitlements", SubscribedPlan(self.store, self.offers, self.clock))
        self.mail = given.get("mail", MemoryMail())
        self.byte_store = given.get("byte_store", MemoryByteStore())
        self.objects = given.get("objects", SealedObjects(self.byte_store, self.keyring, "memory"))
        self.pictures = given.get("pictures", AllowListedPictures())
        self.media_addresses = given.get(
            "media_addresses", SealedMediaAddresses(self.keyring, "https://pico.example")
        )
        self.audit_log = given.get("audit_log")
        self.signing = given.get("signing", SystemSigning(self.keyring))
        self.ledger = given.get("ledger", MemoryLedger(b"k" * 32))
        self.place = given.get("place", MemoryLedgerPlace())
        self.fingerprint = given.get("fingerprint", AccountFingerprint(self.keyring))
        self.limits = given.get("limits", MemoryLimits())
        self.data_requests = given.get("data_requests", MemoryDataRequests())
        self.limits_here = given.get("limits_here", ProcessLimits())
        self.hasher = given.get("hasher", FakeHasher())
        self.tokens = given.get("tokens", FakeTokens())
        self.retention = retention
        self.pause = given.get("pause", timedelta())
        self.documents = given.get("documents", Documents())
        self.epoch_policy = given.get("epoch_policy", EpochPolicy())
        self.spend_policy = given.get("spend_policy", SpendPolicy())
        self.wire()

    def outside(self) -> Outside:
        """Return the parts the world has now, by port."""
        return Outside(
            store=self.store, live_events=self.live_events, push=self.push, directory=self.directory, queue=self.queue,
            webhook_receivers=self.webhook_receivers,
            backlog=self.backlog, keyring=self.keyring, resealing=self.resealing,
            epochs=self.epochs, epoch_policy=self.epoch_policy, objects=self.objects,
            pictures=self.pictures, media_addresses=self.media_addresses,
            numbers=self.numbers or self.carrier, porting=self.porting, carrier=self.carrier,
            catch_ups=self.catch_ups, voice=self.voice,
            call_clients=self.call_clients, plan=self.plan, entitlements=self.entitlements, mail=self.mail,
            payments=self.payments, store_purchases=self.store_purchases, offers=self.offers,
            recordings=self.recordings, transcriber=self.transcriber or self.recordings,
            ledger=NotedLedger(self.ledger, self.place), place=self.place,
            fingerprint=self.fingerprint, limits=self.limits,
            audit_log=self.audit_log or self.store.audit_log, signing=self.signing,
            limits_here=self.limits_here, data_requests=self.data_requests, hasher=self.hasher, tokens=self.tokens,
            clock=self.clock, ids=self.ids, retention=self.retention, spend_policy=self.spend_policy,
            documents=self.documents, pause=self.pause,
        )  # fmt: skip

    def wire(self, replaced: Replaced = NOTHING) -> None:
        """Put the use cases together, over the parts the world has now: to be called again after one was exchanged."""
        self.use_cases = wire(self.outside(), replaced)
        self.worker = Worker(self.use_cases, self.clock)
        if isinstance(self.carrier, MemoryCarrier):
            self.carrier.on_message = self.use_cases.receive_message
            self.carrier.on_receipt = self.use_cases.apply_delivery_receipt
        if isinstance(self.recordings, MemoryRecordings):
            self.recordings.on_voicemail = self.use_cases.receive_voicemail
            self.recordings.on_transcript = self.use_cases.apply_transcript

    async def settle(self) -> None:
        """Do every job that is due, and those they bring about."""
        await self.queue.drain(self.worker)

    async def advance(self, by: timedelta) -> SweepResult:
        """Move the clock, do what fell due, sweep once; return what the sweep did."""
        self.clock.advance(by)
        await self.settle()
        swept = await self.use_cases.sweep()
        await self.settle()
        return swept

    async def signed_up(self, name: str) -> Person:
        """Have somebody sign up and verify. Raises LookupError where `mail` is not the fake: nothing can be read."""
        return await signed_up(self, name)

    def http(self) -> AbstractAsyncContextManager[HttpClient]:
        """Serve the API over this world, on a free port of loopback, and give a client of it."""
        return client_of(self.use_cases)
