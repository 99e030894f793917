"""The product on PostgreSQL and Twilio, put together in the one way that Sandbox and Production share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime

from aiohttp import ClientSession, DummyCookieJar

from adapters.inbound.metrics import watching
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
from adapters.outbound.sealed.objects import SealedObjects
from adapters.outbound.system.call_clients import SealedCallClients
from adapters.outbound.system.entitlements import FixedPlan, SubscribedPlan
from adapters.outbound.system.fingerprints import AccountFingerprint
from adapters.outbound.system.ids import TimeOrderedIds
from adapters.outbound.system.limits import ProcessLimits
from adapters.outbound.system.media_addresses import SealedMediaAddresses
from adapters.outbound.system.noted_ledger import NotedLedger
from adapters.outbound.system.numbering import PhonenumbersPlan
from adapters.outbound.system.passwords import Argon2Hasher
from adapters.outbound.system.signing import SystemSigning
from adapters.outbound.system.tokens import SignedTokens
from adapters.outbound.twilio.api import TwilioApi
from adapters.outbound.twilio.porting import TwilioPorting
from adapters.outbound.webhook_receivers.guard import Guard
from adapters.outbound.webhook_receivers.receivers import GuardedReceivers
from application.ports.limits import Limits
from bootstrap.admission import Admission
from bootstrap.container import NOTHING, Replaced, wire
from bootstrap.metrics import use_of
from bootstrap.outside import Outside
from bootstrap.parts import Parts
from bootstrap.policy import APPLE, GOOGLE, TELNYX, WAKING
from bootstrap.process import Product
from bootstrap.vendors import carriers_of, payments_of, telnyx_of, webhooks_of
from domain.billing import Offers
from domain.documents import Documents


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
        keyring = PostgresKeyring(keys, parts.kms, memory=parts.key_cache_mib << 20)
        carriers = carriers_of(parts, twilio, telnyx, keyring)
        plan = PhonenumbersPlan()

        async def database_time() -> datetime:
            [row] = await database.fetch("SELECT clock_timestamp() AS now")
            at: datetime = row["now"]
            return at

        parts.clock.database = database_time
        ids = TimeOrderedIds(parts.clock)
        place = PostgresLedgerPlace(database)
        store = PostgresStore(database, keyring, ids, environment=parts.environment)
        limits: Limits = PostgresLimits(database, keyring)
        if parts.redis_url is not None:
            from adapters.outbound.redis.connection import connect as connect_to_redis  # noqa: PLC0415 - 6 MiB
            from adapters.outbound.redis.limits import RedisLimits  # noqa: PLC0415 - as above

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
            store_purchases=parts.stores.opened(session, parts.clock.now),
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
            webhooks=webhooks_of(parts, use_cases, session, telnyx, keyring),
            named=named_in(parts),
            sweep_every=parts.sweep_every,
            request_policy=parts.request_policy,
            drain=parts.drain,
        )


def named_in(parts: Parts) -> frozenset[str]:
    """Return the headings of the policy that hold because somebody is configured."""
    configured = {
        TELNYX: parts.telnyx is not None,
        WAKING: parts.push.is_any,
        APPLE: parts.stores.apple is not None,
        GOOGLE: parts.stores.google is not None,
    }
    return frozenset(heading for heading, holds in configured.items() if holds)
