"""The Sandbox: the real product on one machine, with simulated providers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from adapters.outbound.local.byte_store import LocalByteStore
from adapters.outbound.local.kms import LocalKms
from adapters.outbound.local.ledger import LocalLedger
from adapters.outbound.push.simulator import PushSimulator
from adapters.outbound.sendgrid.http import SendGridHttp
from adapters.outbound.sendgrid.mail import SendGridMail
from adapters.outbound.sendgrid.signature import public_key, signing_key_of
from adapters.outbound.sendgrid.simulator import ReadMail, SendGridSimulator, as_read
from adapters.outbound.stripe.simulator import StripeSimulator
from adapters.outbound.system.clock import ShiftedClock, SystemClock
from adapters.outbound.telnyx.signature import public_key_of
from adapters.outbound.telnyx.simulator import APPS_CONNECTION_ID, CONNECTION_ID, TelnyxSimulator
from adapters.outbound.telnyx.simulator import Script as SecondScript
from adapters.outbound.twilio.simulator import Script, TwilioSimulator, UnknownNumber
from adapters.outbound.twilio.simulator.pictures import tiny_picture
from adapters.outbound.twilio.voice import VoiceAccess
from application.use_cases import UseCases
from bootstrap.assembly import assembled
from bootstrap.container import NOTHING, Replaced
from bootstrap.databases import Databases, at_hand, databases, databases_in_use
from bootstrap.metrics import by_host, meters_of, shown
from bootstrap.parts import Parts, StripeAccess, TelnyxAccess, TwilioAccess
from bootstrap.process import LOOPBACK, Product, drained, free_port, serve, watches_of
from bootstrap.process import work as working
from bootstrap.sandbox_state import STATE, FollowedClock, SandboxState, in_use
from bootstrap.settings import Settings
from bootstrap.worlds.sandbox_push import push_access, simulated_push

ACCOUNT_SID = "AC" + "0" * 31 + "1"
VOICE = VoiceAccess(
    key_sid="SK" + "0" * 31 + "1",
    key_secret="sandbox" * 5,
    application_sid="AP" + "0" * 31 + "1",
)
SENDER = "pico@sandbox.example"
SANDBOX = "sandbox"
"""The environment's name: part of what every ciphertext is bound to."""
LATEST = datetime(9990, 1, 1, tzinfo=UTC)
"""As far as its clock goes: periods are added to the present, and the year 9999 is the last that there is."""
QUIET = timedelta(seconds=2)
"""So long after the last erasure of a batch its master key goes: each should be beyond reach while somebody watches."""
SECOND = "second_carrier"
PAYMENTS, MAIL = "payments", "mail"
SWEEP_EVERY = timedelta(seconds=1)
"""A Sandbox is watched by somebody who just moved its clock."""


@dataclass(slots=True)
class Sandbox:
    """A Sandbox that runs, and what its visitors may do to it: move time, read mails, play the carrier."""

    url: str
    product: Product
    state_dir: Path
    databases: Databases
    clock: ShiftedClock
    saved: SandboxState
    simulator: TwilioSimulator
    post: SendGridSimulator
    till: StripeSimulator
    push: PushSimulator
    second: TelnyxSimulator | None = None
    """A second carrier, where the settings give it lines."""

    @classmethod
    @asynccontextmanager
    async def running(
        cls, settings: Settings, *, work: bool = True, replaced: Replaced = NOTHING
    ) -> AsyncIterator[Sandbox]:
        """Serve until the block ends, and run jobs and sweeps here unless `work` is False.

        Raises BadSettings, PostgresUnavailable, CannotListen.
        """
        async with AsyncExitStack() as stack:
            folder = stack.enter_context(in_use(settings.state_dir))
            await LocalByteStore(folder / "objects").clear()
            found = await databases(settings, stack)
            saved = SandboxState(folder / STATE)
            clock = ShiftedClock(saved.offset)
            port = settings.port or free_port()
            url = f"http://{LOOPBACK}:{port}"
            public_url = settings.public_url or url
            simulator = TwilioSimulator(
                account_sid=ACCOUNT_SID, auth_token=saved.token, now=clock.now, state_file=folder / "twilio.json"
            )  # fmt: skip
            saved.carrier_url = await stack.enter_async_context(simulator.running(LOOPBACK))
            second = None
            if has_second(settings):
                second = simulated_telnyx(saved, clock, folder, public_url)
                saved.second_url = await stack.enter_async_context(second.running(LOOPBACK))
            post = SendGridSimulator(
                api_key=saved.token, sender=SENDER, now=clock.now, state_file=folder / "sendgrid.json",
                webhook_url=f"{public_url}/webhooks/sendgrid",
                signing_key=signing_key_of(bytes.fromhex(saved.second_token)),
            )  # fmt: skip
            saved.mail_url = await stack.enter_async_context(post.running(LOOPBACK))
            push = simulated_push(saved)
            saved.push_urls = await stack.enter_async_context(push.running())
            till = simulated_stripe(settings, saved, clock, folder, public_url)
            saved.payments_url = await stack.enter_async_context(till.running(LOOPBACK))
            parts = sandbox_parts(settings, found, saved, clock, public_url)
            product = await stack.enter_async_context(assembled(parts, replaced))
            await stack.enter_async_context(shown(product, settings))
            sandbox = cls(url, product, folder, found, clock, saved, simulator, post, till, push, second)
            await stack.enter_async_context(
                serve(
                    product,
                    port,
                    origins=settings.origins,
                    sandbox=sandbox,
                    watches=watches_of(settings),
                )
            )
            simulators = [each for each in (simulator, second) if each is not None]
            if saved.url and saved.url != public_url:
                for each in simulators:
                    each.move_webhooks(saved.url, public_url)  # we listen elsewhere than the last time
            saved.url = public_url
            saved.server_urls = () if found.folder is None else (found.database_url, found.keyring_url)
            saved.save()
            for each in simulators:
                each.resume()
            if work:
                await stack.enter_async_context(working(product))
            await stack.enter_async_context(drained(product))
            yield sandbox

    @classmethod
    @asynccontextmanager
    async def working(cls, settings: Settings) -> AsyncIterator[None]:
        """Run the jobs and sweeps of a Sandbox that another process serves with `work=False`.

        Raises BadSettings, PostgresUnavailable.
        """
        with in_use(settings.state_dir) as folder:
            saved = SandboxState(folder / STATE)
            found = await databases_in_use(settings, saved)
            clock = FollowedClock(saved)
            parts = sandbox_parts(settings, found, saved, clock, saved.url)
            async with assembled(parts) as product, shown(product, settings), working(product):
                yield

    @classmethod
    @asynccontextmanager
    async def opened(cls, settings: Settings) -> AsyncIterator[Product]:
        """Open a Sandbox's product to do one thing with it, whether it is being served or not.

        Raises BadSettings, PostgresUnavailable.
        """
        async with AsyncExitStack() as stack:
            folder = stack.enter_context(in_use(settings.state_dir))
            saved = SandboxState(folder / STATE)
            found, clock = await at_hand(settings, stack)
            parts = sandbox_parts(settings, found, saved, clock, saved.url or f"http://{LOOPBACK}")
            yield await stack.enter_async_context(assembled(parts))

    @property
    def use_cases(self) -> UseCases:
        """What the product can be asked to do."""
        return self.product.use_cases

    async def advance(self, by: timedelta) -> datetime:
        """Move the clock forward and sweep at once; return the new now.

        Raises OverflowError, and leaves everything as it was, for a time past `LATEST`.
        """
        offset = self.clock.offset + by
        if self.clock.now() + by > LATEST:
            raise OverflowError
        await self.product.outside.queue.shift(by)
        self.saved.offset = self.clock.offset = offset
        self.saved.save()
        await self.use_cases.sweep()
        return self.clock.now()

    def now(self) -> datetime:
        """Return the Sandbox's present."""
        return self.clock.now()

    async def mails(self) -> list[ReadMail]:
        """Return the mails sent so far, oldest first, with what they say."""
        return [as_read(mail) for mail in self.post.mails]

    async def sms(self, from_: str, to: str, body: str, picture: str | None = None) -> str:
        """Let somebody send a message to one of our numbers; return the carrier's reference. Raises LookupError."""
        media = [] if picture is None else [("image/png", tiny_picture(picture))]
        try:
            return await self.simulator.inbound_sms(from_, to, body, media)
        except UnknownNumber:
            if self.second is None:
                raise
        return await self.second.inbound_sms(from_, to, body, media)

    async def call(self, from_: str, to: str, outcome: str, voicemail: str | None = None) -> str:
        """Let somebody call one of our numbers, until it is over; return its reference. Raises LookupError."""
        try:
            return await self.simulator.inbound_call(from_, to, Script(outcome, says=voicemail))
        except UnknownNumber:
            if self.second is None:
                raise
        return await self.second.inbound_call(from_, to, SecondScript(outcome, says=voicemail))

    def complete_checkout(self, checkout_id: UUID) -> None:
        """Let somebody pay on a page that was opened. Raises LookupError for one that is not open, or not any more."""
        self.till.complete(self.till.opened_with(f"checkout-{checkout_id}"))

    def faults(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Set how the simulated carrier misbehaves; return what now holds. Raises ValueError.

        What stands under `payments` is for Stripe, under `mail` for SendGrid; under `second_carrier`, for the second
        one, where there is one.
        """
        first = {name: value for name, value in wanted.items() if name not in {SECOND, PAYMENTS, MAIL}}
        others, payments, mail = (wanted.get(name, {}) for name in (SECOND, PAYMENTS, MAIL))
        if not isinstance(others, dict) or (SECOND in wanted and self.second is None):
            raise ValueError("there is no second carrier")
        if not isinstance(payments, dict) or not isinstance(mail, dict):
            raise ValueError("the knobs of payments and mail are by name")  # noqa: TRY004 - as of every wrong knob
        self.till.faults.set(payments)
        self.post.faults.set(mail)
        self.simulator.faults.set(first)
        held = {
            **asdict(self.simulator.faults),
            PAYMENTS: asdict(self.till.faults),
            MAIL: asdict(self.post.faults),
        }
        if self.second is None:
            return held
        self.second.faults.set(others)
        return {**held, SECOND: asdict(self.second.faults)}

    def providers(self) -> dict[str, Any]:
        """Return what each simulated provider still holds."""
        held = {
            "carrier": self.simulator.holdings(),
            "mail": self.post.holdings(),
            "push": self.push.holdings(),
            PAYMENTS: self.till.holdings(),
        }
        return held if self.second is None else {**held, SECOND: self.second.holdings()}

    async def erased(self) -> bool:
        """Tell whether every erasure that began is finished, receipt and all."""
        return not await self.product.outside.ledger.pending()

    async def flush(self) -> None:
        """Have PostgreSQL write everything to its files, for whoever wants to search them."""
        connection = await asyncpg.connect(self.databases.owner_url or self.databases.database_url)
        try:
            await connection.execute("CHECKPOINT")
        finally:
            await connection.close()


def has_second(settings: Settings) -> bool:
    """Tell whether there is a second carrier: one that the settings give lines, or that has some from earlier."""
    return bool(settings.countries_at_telnyx) or (settings.state_dir / "telnyx.json").exists()


def simulated_telnyx(
    saved: SandboxState, clock: ShiftedClock, folder: Path, public_url: str
) -> TelnyxSimulator:
    """Return a Telnyx that decides orders a moment after they were placed, and says so."""
    return TelnyxSimulator(
        api_key=saved.second_token,
        signing_key=bytes.fromhex(saved.second_token),
        now=clock.now,
        state_file=folder / "telnyx.json",
        order_webhook=f"{public_url}/webhooks/telnyx",
        voice_webhook=f"{public_url}/webhooks/telnyx",
        decides_after=0.2,
    )


def simulated_stripe(
    settings: Settings, saved: SandboxState, clock: ShiftedClock, folder: Path, public_url: str
) -> StripeSimulator:
    """Return a Stripe that sells the plans there are."""
    offers, sold = settings.offers.on_sale, settings.sold
    return StripeSimulator(
        api_key=saved.token,
        webhook_secret=saved.second_token,
        prices={sold[name]: offer.price.amount for name, offer in offers.items()},
        now=clock.now,
        webhook_url=f"{public_url}/webhooks/stripe",
        state_file=folder / "stripe.json",
    )


def telnyx_access(settings: Settings, saved: SandboxState) -> TelnyxAccess | None:
    """Return what a second carrier is reached by, where the settings give it lines."""
    if not has_second(settings):
        return None
    return TelnyxAccess(
        countries=settings.countries_at_telnyx,
        api_key=saved.second_token,
        public_keys=(public_key_of(bytes.fromhex(saved.second_token)),),
        api_url=saved.second_url,
        media_hosts=frozenset({saved.second_url}),
        connection_id=settings.telnyx_connection_id or CONNECTION_ID,
        apps_connection_id=settings.telnyx_apps_connection_id or APPS_CONNECTION_ID,
    )


def sandbox_parts(
    settings: Settings, found: Databases, saved: SandboxState, clock: SystemClock, public_url: str
) -> Parts:
    """Return what a Sandbox on this folder is made of."""
    folder = settings.state_dir
    return Parts(
        environment=SANDBOX,
        webhooks_to_loopback=True,
        database_url=found.database_url,
        owner_url=found.owner_url,
        keyring_url=found.keyring_url,
        public_url=public_url,
        twilio=TwilioAccess(
            account_sid=ACCOUNT_SID, auth_token=saved.token, api_url=saved.carrier_url, voice=VOICE
        ),
        telnyx=telnyx_access(settings, saved),
        stripe=StripeAccess(
            api_key=saved.token,
            webhook_secrets=(saved.second_token,),
            prices=settings.sold,
            former_prices=settings.sold_formerly,
            api_url=saved.payments_url,
            link=f"{public_url}/docs#/{{}}".format,
        ),
        clock=clock,
        meters=meters_of(settings, clock.now),
        providers=by_host(
            twilio=saved.carrier_url,
            telnyx=saved.second_url,
            sendgrid=saved.mail_url,
            stripe=saved.payments_url,
        ),
        kms=LocalKms(folder / "kms", clock.now),
        byte_store=LocalByteStore(folder / "objects"),
        ledger=partial(LocalLedger, folder / "ledger"),
        mail=lambda session: SendGridMail(
            SendGridHttp(session, saved.token, saved.mail_url), SENDER, f"{public_url}/docs#/{{}}".format
        ),
        push=push_access(saved),
        sendgrid_keys=(public_key(signing_key_of(bytes.fromhex(saved.second_token))),),
        key_cache_mib=settings.key_cache_mib,
        password_cost=settings.password_cost,
        retention=settings.retention,
        epoch_policy=replace(settings.epoch_policy, quiet=QUIET, look_every=SWEEP_EVERY),
        spend_policy=settings.spend_policy,
        request_policy=settings.request_policy,
        drain=timedelta(seconds=settings.drain_seconds),
        offers=settings.offers,
        prices=settings.prices,
        sweep_every=SWEEP_EVERY,
        pause=timedelta(),  # its carrier does not lag behind
    )
