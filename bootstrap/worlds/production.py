"""Production: the product for operators, on their databases and with real providers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from types import MappingProxyType

from adapters.error_report import also_telling
from adapters.inbound.metrics import Meters
from adapters.outbound.sendgrid.http import SendGridHttp
from adapters.outbound.sendgrid.mail import SendGridMail
from adapters.outbound.sentry.reports import sentry
from adapters.outbound.system.clock import SystemClock
from adapters.outbound.twilio.voice import VoiceAccess
from bootstrap.assembly import assembled
from bootstrap.databases import operators_own
from bootstrap.metrics import by_host, meters_of, shown
from bootstrap.parts import Parts, StripeAccess, TelnyxAccess, TwilioAccess
from bootstrap.process import LOOPBACK, Product, drained, free_port, serve, watches_of
from bootstrap.process import work as working
from bootstrap.release import release
from bootstrap.settings import Options, ProductionSettings, read_settings
from bootstrap.worlds.amazon import Amazon, amazon

PRODUCTION = "production"
"""The environment's name: part of what every ciphertext is bound to."""


class Production:
    """Pico as an operator runs it: any number of processes that serve, work or do both."""

    def __init__(self, settings: ProductionSettings) -> None:
        """Nothing is opened yet."""
        self._settings = settings

    @classmethod
    def from_environment(cls, options: Options = MappingProxyType({})) -> Production:
        """Make it of the environment's variables. Raises BadSettings, which names everything that is missing."""
        return cls(read_settings(ProductionSettings, options))

    @asynccontextmanager
    async def running(self, *, work: bool = True) -> AsyncIterator[str]:
        """Serve until the block ends and yield the address; run jobs and sweeps here unless `work` is False.

        Raises PostgresUnavailable, StoreUnavailable, CannotListen.
        """
        port = self._settings.port or free_port()
        async with AsyncExitStack() as stack:
            product = await stack.enter_async_context(self.opened())
            await stack.enter_async_context(shown(product, self._settings))
            await stack.enter_async_context(
                serve(product, port, origins=self._settings.origins, watches=watches_of(self._settings))
            )
            if work:
                await stack.enter_async_context(working(product))
            await stack.enter_async_context(drained(product))
            yield f"http://{LOOPBACK}:{port}"

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Run jobs and sweeps until the block ends. Raises PostgresUnavailable, StoreUnavailable, CannotListen."""
        async with self.opened() as product, shown(product, self._settings), working(product):
            yield

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Product]:
        """Open the product, to do one thing with it. Raises PostgresUnavailable, StoreUnavailable."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(told_to_sentry(self._settings))
            await operators_own(self._settings)
            clock = SystemClock()
            meters = meters_of(self._settings, clock.now)
            called = None if meters is None else meters.called
            aws = stack.enter_context(amazon(self._settings, called))
            yield await stack.enter_async_context(assembled(self._parts(aws, clock, meters)))

    def _parts(self, aws: Amazon, clock: SystemClock, meters: Meters | None) -> Parts:
        settings = self._settings
        return Parts(
            environment=PRODUCTION,
            database_url=settings.database_url.get_secret_value(),
            keyring_url=settings.keyring_url.get_secret_value(),
            redis_url=None if settings.redis_url is None else settings.redis_url.get_secret_value(),
            public_url=settings.public_url,
            twilio=TwilioAccess(
                account_sid=settings.twilio_account_sid,
                auth_token=settings.twilio_auth_token.get_secret_value(),
                api_url=settings.twilio_api_url,
                voice=VoiceAccess(
                    key_sid=settings.twilio_key_sid,
                    key_secret=settings.twilio_key_secret.get_secret_value(),
                    application_sid=settings.twilio_application_sid,
                    push_credential_sid=settings.twilio_push_credential_sid,
                ),
            ),
            telnyx=telnyx_access(settings),
            push=settings.push,
            stripe=stripe_access(settings),
            stores=settings.stores(settings.public_url),
            clock=clock,
            meters=meters,
            providers=by_host(
                twilio=settings.twilio_api_url,
                telnyx=f"{settings.telnyx_api_url},{settings.telnyx_media_hosts}",
                sendgrid=settings.sendgrid_api_url,
                stripe=settings.stripe_api_url,
                app_store=settings.app_store_url,
                google_play=f"{settings.google_play_api_url},{settings.google_play_keys_url}",
                fcm=settings.fcm_api_url,
            ),
            retention=settings.retention,
            epoch_policy=settings.epoch_policy,
            spend_policy=settings.spend_policy,
            request_policy=settings.request_policy,
            drain=timedelta(seconds=settings.drain_seconds),
            offers=settings.offers,
            prices=settings.prices,
            kms=aws.kms,
            byte_store=aws.byte_store,
            ledger=aws.ledger,
            mail=lambda session: SendGridMail(
                SendGridHttp(
                    session, settings.sendgrid_api_key.get_secret_value(), settings.sendgrid_api_url
                ),
                settings.mail_from,
                f"{settings.app_url}/{{}}".format,
            ),
            sendgrid_keys=tuple(settings.sendgrid_webhook_keys.split(",")),
            key_cache_mib=settings.key_cache_mib,
            password_cost=settings.password_cost,
        )


@asynccontextmanager
async def told_to_sentry(settings: ProductionSettings) -> AsyncIterator[None]:
    """Have Sentry told of errors until the block ends, where a DSN says which."""
    if settings.sentry_dsn is None:
        yield
        return
    dsn = settings.sentry_dsn.get_secret_value()
    async with sentry(dsn, release=release(), environment=PRODUCTION) as reports:
        with also_telling(reports):
            yield


def stripe_access(settings: ProductionSettings) -> StripeAccess | None:
    """Return what Stripe is reached by, where plans are sold."""
    if settings.stripe_api_key is None or settings.stripe_webhook_secrets is None:
        return None
    return StripeAccess(
        api_key=settings.stripe_api_key.get_secret_value(),
        webhook_secrets=tuple(settings.stripe_webhook_secrets.get_secret_value().split(",")),
        prices=settings.sold,
        former_prices=settings.sold_formerly,
        api_url=settings.stripe_api_url,
        link=f"{settings.app_url}/{{}}".format,
    )


def telnyx_access(settings: ProductionSettings) -> TelnyxAccess | None:
    """Return what Telnyx is reached by, where it has lines of some country."""
    if settings.telnyx_api_key is None:
        return None
    return TelnyxAccess(
        countries=settings.countries_at_telnyx,
        api_key=settings.telnyx_api_key.get_secret_value(),
        public_keys=tuple(settings.telnyx_public_keys.split(",")),
        api_url=settings.telnyx_api_url,
        media_hosts=frozenset(host.rstrip("/") for host in settings.telnyx_media_hosts.split(",")),
        connection_id=settings.telnyx_connection_id,
        apps_connection_id=settings.telnyx_apps_connection_id,
    )
