"""What differs between the worlds that keep their records in PostgreSQL: addresses, credentials, periods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from aiohttp import ClientSession

from adapters.inbound.metrics import Meters
from adapters.inbound.worker import SWEEP_EVERY
from adapters.outbound.system.clock import SystemClock
from adapters.outbound.system.passwords import PasswordCost
from adapters.outbound.twilio.voice import VoiceAccess
from application.ports.byte_store import ByteStore
from application.ports.kms import Kms
from application.ports.ledger import ErasureLedger
from application.ports.mail import Mail
from bootstrap.pushing import PushAccess
from bootstrap.stores import StoreAccess
from domain.billing import Offers, PlanName
from domain.epochs import EpochPolicy
from domain.money import Money
from domain.requests import RequestPolicy
from domain.residue import PAUSE
from domain.retention import Retention
from domain.spend import SpendPolicy
from domain.values import Country


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioAccess:
    """Whose account it is, and the address of Twilio or of what stands for it."""

    account_sid: str
    auth_token: str = field(repr=False)
    api_url: str
    voice: VoiceAccess
    """What apps need to call and be called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TelnyxAccess:
    """Whose account it is, and the addresses of Telnyx and its pictures, or of what stands for them.

    `countries` are those whose new lines are with Telnyx; `public_keys` verify what it tells us.
    """

    countries: frozenset[Country]
    api_key: str = field(repr=False)
    public_keys: tuple[str, ...]
    api_url: str
    media_hosts: frozenset[str]
    connection_id: str = ""
    """The Voice API application that takes its lines' calls; without one they carry none."""
    apps_connection_id: str = ""
    """The credential connection of its lines' apps; without one they have none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeAccess:
    """Whose account it is, what it sells, and the address of Stripe or of what stands for it."""

    api_key: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(repr=False)
    prices: Mapping[PlanName, str]
    """The price of each plan, by its id at Stripe."""
    former_prices: Mapping[str, PlanName]
    api_url: str
    link: Callable[[str], str] = field(repr=False)
    """Returns where Stripe's pages lead back to, given an operation of the API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What differs between the worlds that keep their records in PostgreSQL."""

    environment: str
    """Part of what every ciphertext is bound to: what one environment sealed, no other opens."""
    database_url: str = field(repr=False)
    keyring_url: str = field(repr=False)
    owner_url: str | None = field(default=None, repr=False)
    """The main database for its owner, where another role may bring the schema up to date from here."""
    redis_url: str | None = field(default=None, repr=False)
    """Where what is limited is counted; in the main database without it."""
    public_url: str
    twilio: TwilioAccess
    telnyx: TelnyxAccess | None = None
    """A second carrier, where one is configured."""
    stripe: StripeAccess | None = None
    """Where plans are sold; without, each account is entitled to what is free."""
    stores: StoreAccess = field(default_factory=StoreAccess)
    """The app stores; without them nothing is bought there."""
    clock: SystemClock
    kms: Kms
    byte_store: ByteStore
    ledger: Callable[[bytes], ErasureLedger]
    """Makes the ledger, given the key that signs its receipts."""
    mail: Callable[[ClientSession], Mail]
    """Makes the mail provider, given what it is reached by."""
    sendgrid_keys: tuple[str, ...]
    """The public keys that verify what SendGrid tells us."""
    key_cache_mib: int
    password_cost: PasswordCost
    retention: Retention
    epoch_policy: EpochPolicy
    spend_policy: SpendPolicy
    request_policy: RequestPolicy = field(default_factory=RequestPolicy.of)
    drain: timedelta = timedelta()
    offers: Offers
    """The plans on offer, and what is free."""
    prices: Mapping[Country, Money]
    """Of a number a month."""
    push: PushAccess = field(default_factory=PushAccess)
    """By which services devices are woken."""
    webhooks_to_loopback: bool = False
    """Whether webhook endpoints may be on this very machine, by http, too: in the Sandbox alone."""
    meters: Meters | None = None
    """What counts, where metrics are wanted."""
    providers: Mapping[str, str] = field(default_factory=dict)
    """The names of providers by host and port, for the metrics."""
    sweep_every: timedelta = SWEEP_EVERY
    pause: timedelta = PAUSE
    """How long after a provider showed nothing any more an erasure asks it again."""
