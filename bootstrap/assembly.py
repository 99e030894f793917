"""The product on PostgreSQL and Twilio, put together in the one way that Sandbox and Production share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aiohttp import ClientSession, DummyCookieJar

from adapters.inbound.http_io import Webhooks
from adapters.inbound.metrics import Meters, watching
from adapters.inbound.webhooks.sendgrid import SendGridSignature, SendGridWebhooks
from adapters.inbound.webhooks.stripe import StripeSignature, StripeWebhooks
from adapters.inbound.webhooks.telnyx import TelnyxSignature, TelnyxWebhooks
from adapters.inbound.webhooks.twilio import TwilioSignature, TwilioWebhooks
from adapters.inbound.worker import SWEEP_EVERY
from adapters.outbound.pictures.cleaning import AllowListedPictures
from adapters.outbound.postgres.audit_log import PostgresAuditLog
from adapters.outbound.postgres.backlog import PostgresBacklog
from adapters.outbound.postgres.catch_ups import PostgresCatchUps
from adapters.outbound.postgres.data_requests import PostgresDataRequests
from adapters.outbound.postgres.directory import PostgresDirectory
from adapters.outbound.postgres.epochs import PostgresEpochs
from adapters.outbound.postgres.keyring import PostgresKeyring
from adapters.outbound.postgres.ledger_place import PostgresLedgerPlace
from adapters.outbound.postgres.limits import PostgresLimits
from adapters.outbound.postgres.live import PostgresLiveEvents
from adapters.outbound.postgres.pool import connect
from adapters.outbound.postgres.queue import PostgresQueue
from adapters.outbound.postgres.readiness import Readiness
from adapters.outbound.postgres.resealing import PostgresResealing
from adapters.outbound.postgres.schema import bring_up_to_date, migrate_keyring
from adapters.outbound.postgres.store import PostgresStore
from adapters.outbound.redis.connection import connect as connect_to_redis
from adapters.outbound.redis.limits import RedisLimits
from adapters.outbound.sealed.objects import SealedObjects
from adapters.outbound.stripe.http import client as stripe_client
from adapters.outbound.stripe.payments import StripePayments
from adapters.outbound.stripe.reading import hint_of
from adapters.outbound.system.call_clients import SealedCallClients
from adapters.outbound.system.clock import SystemClock
from adapters.outbound.system.entitlements import FixedPlan, SubscribedPlan
from adapters.outbound.system.fingerprints import AccountFingerprint
from adapters.outbound.system.ids import TimeOrderedIds
from adapters.outbound.system.limits import ProcessLimits
from adapters.outbound.system.media_addresses import SealedMediaAddresses
from adapters.outbound.system.noted_ledger import NotedLedger
from adapters.outbound.system.numbering import PhonenumbersPlan
from adapters.outbound.system.passwords import Argon2Hasher, PasswordCost
from adapters.outbound.system.payments import NoPayments, NoStorePurchases
from adapters.outbound.system.signing import SystemSigning
from adapters.outbound.system.tokens import SignedTokens
from adapters.outbound.telnyx import vocabulary as telnyx_words
from adapters.outbound.telnyx.answers import ref_of
from adapters.outbound.telnyx.api import TelnyxApi
from adapters.outbound.telnyx.call_control import TelnyxCallControl
from adapters.outbound.telnyx.client_state import SealedStates
from adapters.outbound.telnyx.messages import TelnyxMessages
from adapters.outbound.telnyx.numbers import TelnyxNumbers
from adapters.outbound.telnyx.recordings import TelnyxRecordings
from adapters.outbound.telnyx.voice import TelnyxVoiceCarrier
from adapters.outbound.twilio.api import TwilioApi
from adapters.outbound.twilio.messages import TwilioMessages
from adapters.outbound.twilio.numbers import TwilioNumbers
from adapters.outbound.twilio.porting import TwilioPorting
from adapters.outbound.twilio.recordings import TwilioRecordings, caller_of, transcription_of
from adapters.outbound.twilio.twiml import twiml
from adapters.outbound.twilio.vocabulary import outcome_of
from adapters.outbound.twilio.voice import TwilioVoiceCarrier, VoiceAccess
from adapters.outbound.webhook_receivers.guard import Guard
from adapters.outbound.webhook_receivers.receivers import GuardedReceivers
from application.ports.byte_store import ByteStore
from application.ports.keyring import Keyring
from application.ports.kms import Kms
from application.ports.ledger import ErasureLedger
from application.ports.limits import Limits
from application.ports.mail import Mail
from application.ports.payments import Payments
from application.ports.store_purchases import StorePurchases
from application.use_cases import UseCases
from bootstrap.admission import Admission
from bootstrap.carriers import Carriers
from bootstrap.container import NOTHING, Replaced, wire
from bootstrap.metrics import use_of
from bootstrap.outside import Outside
from bootstrap.process import Product
from bootstrap.pushing import PushAccess
from bootstrap.telnyx_calls import calls_at_telnyx
from domain.billing import Offers, PlanName
from domain.documents import Documents
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
    store_purchases: StorePurchases = field(default_factory=NoStorePurchases)
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


@asynccontextmanager
async def assembled(parts: Parts, replaced: Replaced = NOTHING) -> AsyncIterator[Product]:
    """Migrate, connect and wire; close at the end. Raises StoreUnavailable, KeysUnavailable, NotMigrated."""
    async with AsyncExitStack() as stack:
        await bring_up_to_date(parts.database_url, parts.owner_url)
        database = await stack.enter_async_context(connect(parts.database_url))
        await migrate_keyring(parts.keyring_url)
        keys = await stack.enter_async_context(connect(parts.keyring_url, least=1, most=4))
        watched = [] if parts.meters is None else [watching(parts.providers, parts.meters.called)]
        session = await stack.enter_async_context(
            ClientSession(cookie_jar=DummyCookieJar(), trace_configs=watched)
        )
        receivers = await stack.enter_async_context(
            GuardedReceivers.opened(Guard(loopback=parts.webhooks_to_loopback))
        )
        hasher = Argon2Hasher(parts.password_cost)
        stack.callback(hasher.close)

        twilio = TwilioApi.over(
            session,
            account_sid=parts.twilio.account_sid,
            auth_token=parts.twilio.auth_token,
            public_url=parts.public_url,
            api_url=parts.twilio.api_url,
        )

        telnyx = telnyx_of(parts, session)
        carriers = carriers_of(parts, twilio, telnyx)
        plan = PhonenumbersPlan()

        async def database_time() -> datetime:
            [row] = await database.fetch("SELECT clock_timestamp() AS now")
            at: datetime = row["now"]
            return at

        parts.clock.database = database_time
        ids = TimeOrderedIds(parts.clock)
        keyring = PostgresKeyring(keys, parts.kms, memory=parts.key_cache_mib << 20)
        place = PostgresLedgerPlace(database)
        store = PostgresStore(database, keyring, ids, environment=parts.environment)
        limits: Limits = PostgresLimits(database, keyring)
        if parts.redis_url is not None:
            redis = await stack.enter_async_context(connect_to_redis(parts.redis_url))
            limits = RedisLimits(redis, keyring)
        outside = Outside(
            store=store,
            live_events=PostgresLiveEvents(database),
            push=await stack.enter_async_context(parts.push.opened(session)),
            webhook_receivers=receivers,
            directory=PostgresDirectory(database, keyring, environment=parts.environment),
            queue=PostgresQueue(database),
            backlog=PostgresBacklog(database),
            keyring=keyring,
            resealing=PostgresResealing(database, keyring, parts.environment),
            epochs=PostgresEpochs(keys, parts.kms),
            epoch_policy=parts.epoch_policy,
            numbers=carriers.provider(plan),
            porting=TwilioPorting(twilio),
            carrier=carriers.carrier(),
            catch_ups=PostgresCatchUps(database),
            voice=carriers.voice(),
            call_clients=SealedCallClients(keyring),
            recordings=carriers.every_recording(),
            transcriber=carriers.transcriber(),
            plan=plan,
            entitlements=FixedPlan(parts.offers.free)
            if parts.stripe is None
            else SubscribedPlan(store, parts.offers, parts.clock),
            payments=payments_of(parts.stripe, session),
            store_purchases=parts.store_purchases,
            offers=parts.offers if parts.stripe is not None else Offers(free=parts.offers.free),
            mail=parts.mail(session),
            objects=SealedObjects(parts.byte_store, keyring, parts.environment),
            pictures=AllowListedPictures(),
            media_addresses=SealedMediaAddresses(keyring, parts.public_url),
            audit_log=PostgresAuditLog(database, keyring),
            signing=SystemSigning(keyring),
            ledger=NotedLedger(parts.ledger(await keyring.system("ledger")), place),
            place=place,
            fingerprint=AccountFingerprint(keyring),
            limits=limits,
            limits_here=ProcessLimits(),
            data_requests=PostgresDataRequests(database, keyring),
            hasher=hasher,
            tokens=SignedTokens(keyring),
            clock=parts.clock,
            ids=ids,
            retention=parts.retention,
            spend_policy=parts.spend_policy,
            documents=Documents(),
            pause=parts.pause,
        )

        use_cases = wire(outside, carriers.replaced(replaced))
        yield Product(
            outside=outside,
            use_cases=use_cases,
            ready=Readiness((database, keys)),
            admission=Admission(use_cases.restore_gate),
            meters=parts.meters,
            pools={"store": use_of(database), "keyring": use_of(keys)},
            webhooks=webhooks_of(parts, use_cases, telnyx, keyring),
            names_telnyx=parts.telnyx is not None,
            names_push=parts.push.is_any,
            sweep_every=parts.sweep_every,
            request_policy=parts.request_policy,
            drain=parts.drain,
        )


def payments_of(access: StripeAccess | None, session: ClientSession) -> Payments:
    """Return Stripe, or nobody where it is not configured."""
    if access is None:
        return NoPayments()
    return StripePayments(
        stripe_client(session, access.api_key, access.api_url),
        access.prices,
        access.link,
        access.former_prices,
    )


def telnyx_of(parts: Parts, session: ClientSession) -> TelnyxApi | None:
    """Return what Telnyx is reached by, where it is configured."""
    if parts.telnyx is None:
        return None
    return TelnyxApi.over(
        session,
        api_key=parts.telnyx.api_key,
        public_url=parts.public_url,
        now=parts.clock.now,
        api_url=parts.telnyx.api_url,
        media_hosts=parts.telnyx.media_hosts,
    )


def carriers_of(parts: Parts, twilio: TwilioApi, telnyx: TelnyxApi | None) -> Carriers:
    """Return Twilio, and Telnyx beside it where it is configured."""
    voice, recordings = TwilioVoiceCarrier(twilio, parts.twilio.voice), TwilioRecordings(twilio)
    first = Carriers(
        {"twilio": TwilioMessages(twilio)},
        {"twilio": TwilioNumbers(twilio, parts.prices)},
        voices={"twilio": voice},
        recordings={"twilio": recordings},
        transcribers={"twilio": recordings},
    )
    if parts.telnyx is None or telnyx is None:
        return first
    left = TelnyxRecordings(telnyx)
    return Carriers(
        {**first.messages, "telnyx": TelnyxMessages(telnyx)},
        {**first.numbers, "telnyx": TelnyxNumbers(telnyx, parts.prices, parts.telnyx.connection_id)},
        dict.fromkeys(parts.telnyx.countries, "telnyx"),
        voices={**first.voices, "telnyx": TelnyxVoiceCarrier(telnyx)},
        recordings={**first.recordings, "telnyx": left},
        transcribers={**first.transcribers, "telnyx": left},
    )


def webhooks_of(
    parts: Parts, use_cases: UseCases, telnyx: TelnyxApi | None, keyring: Keyring
) -> tuple[Webhooks, ...]:
    """Return the webhooks of each provider, which verify with its credentials. Raises ValueError."""
    signature = TwilioSignature([parts.twilio.auth_token])
    found: list[Webhooks] = [
        TwilioWebhooks(use_cases, signature, outcome_of, twiml, caller_of, transcription_of, parts.public_url)
    ]
    if parts.telnyx is not None and telnyx is not None:
        verified = TelnyxSignature(parts.telnyx.public_keys, parts.clock.now)
        control = TelnyxCallControl(telnyx, SealedStates(keyring), parts.telnyx.connection_id)
        calls = calls_at_telnyx(use_cases, telnyx, control)
        found.append(
            TelnyxWebhooks(use_cases, verified, telnyx_words.outcome_of, ref_of, parts.public_url, calls)
        )
    told = SendGridSignature(parts.sendgrid_keys, parts.clock.now)
    found.append(SendGridWebhooks(use_cases, told))
    if parts.stripe is not None:
        secrets = StripeSignature(parts.stripe.webhook_secrets, parts.clock.now)
        found.append(StripeWebhooks(use_cases, secrets, hint_of))
    return tuple(found)
