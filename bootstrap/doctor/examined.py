"""What the doctor looks at: the databases, AWS and the providers, each reached for reading only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import asyncpg
import boto3
from aiohttp import ClientSession, DummyCookieJar
from pydantic import SecretStr

from adapters.outbound.aws.calls import CONFIG, AwsCalls
from adapters.outbound.sendgrid.http import SendGridHttp
from adapters.outbound.system.clock import SystemClock
from adapters.outbound.twilio.api import TwilioApi
from bootstrap.databases import databases_in_use
from bootstrap.doctor.checks import CannotTell
from bootstrap.sandbox_state import STATE, FollowedClock, SandboxState, in_use
from bootstrap.settings import ProductionSettings, Settings
from bootstrap.worlds.amazon import REGION
from bootstrap.worlds.sandbox import ACCOUNT_SID

SECONDS = 10.0
"""How long one statement, and a connection, may take."""


@dataclass(frozen=True, slots=True)
class Aws:
    """AWS, asked for one thing at a time in a thread."""

    client: Callable[[str], Any]
    calls: AwsCalls

    async def __call__(self, service: str, operation: str, **asked: object) -> dict[str, Any]:
        """Return the answer. Raises what botocore raises."""
        client = self.client(service)
        answer: dict[str, Any] = await self.calls(partial(getattr(client, operation), **asked))
        return answer

    async def or_none(
        self, service: str, operation: str, *absent: str, **asked: object
    ) -> dict[str, Any] | None:
        """Return the answer, or None where AWS says by one of these codes that there is no such thing."""
        client = self.client(service)
        try:
            return await self(service, operation, **asked)
        except client.exceptions.ClientError as error:
            if error.response.get("Error", {}).get("Code") in absent:
                return None
            raise

    async def all(self, service: str, operation: str, key: str, **asked: object) -> list[Any]:
        """Return every item of a list that comes in pages."""
        client = self.client(service)

        def read() -> list[Any]:
            if not client.can_paginate(operation):
                return list(getattr(client, operation)(**asked).get(key, ()))
            return [
                each
                for page in client.get_paginator(operation).paginate(**asked)
                for each in page.get(key, ())
            ]

        found: list[Any] = await self.calls(read)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """One world, ready to be looked at. What is at AWS, a Sandbox has not."""

    settings: Settings
    database_url: str
    keyring_url: str
    public_url: str
    twilio: TwilioApi
    sendgrid: SendGridHttp
    session: ClientSession = field(repr=False)
    clock: SystemClock
    aws: Aws | None = None

    @property
    def production(self) -> ProductionSettings:
        """Production's settings. Raises CannotTell in a Sandbox."""
        if not isinstance(self.settings, ProductionSettings):
            raise CannotTell("Only Production has it.")
        return self.settings

    @property
    def amazon(self) -> Aws:
        """AWS. Raises CannotTell in a Sandbox."""
        if self.aws is None:
            raise CannotTell("Only Production has it.")
        return self.aws

    def secret(self, of: Callable[[ProductionSettings], SecretStr | None]) -> str:
        """Return a secret of Production's settings; empty where it is not set, and in a Sandbox."""
        said = of(self.settings) if isinstance(self.settings, ProductionSettings) else None
        return "" if said is None else said.get_secret_value()

    def now(self) -> datetime:
        """Return the world's present."""
        return self.clock.now()

    @asynccontextmanager
    async def reading(self, url: str) -> AsyncIterator[asyncpg.Connection]:
        """Connect to a database for reading: PostgreSQL itself refuses anything else."""
        connection = await asyncpg.connect(
            url,
            timeout=SECONDS,
            command_timeout=SECONDS,
            server_settings={"default_transaction_read_only": "on", "application_name": "pico doctor"},
        )
        try:
            yield connection
        finally:
            await connection.close(timeout=SECONDS)


@asynccontextmanager
async def production(settings: ProductionSettings) -> AsyncIterator[Examined]:
    """Look at Production, with the credentials of this machine's role or of the usual variables."""
    made: dict[str, Any] = {}

    def client(service: str) -> Any:  # noqa: ANN401 - one of many clients
        if service not in made:
            made[service] = boto3.client(
                service,  # type: ignore[call-overload]
                region_name=REGION,
                endpoint_url=settings.aws_endpoint_url or None,
                config=CONFIG,
            )
        return made[service]

    calls = AwsCalls()
    async with AsyncExitStack() as stack:
        stack.callback(calls.close)
        session = await stack.enter_async_context(ClientSession(cookie_jar=DummyCookieJar()))
        yield Examined(
            settings=settings,
            database_url=settings.database_url.get_secret_value(),
            keyring_url=settings.keyring_url.get_secret_value(),
            public_url=settings.public_url,
            twilio=TwilioApi.over(
                session,
                account_sid=settings.twilio_account_sid,
                auth_token=settings.twilio_auth_token.get_secret_value(),
                public_url=settings.public_url,
                api_url=settings.twilio_api_url,
            ),
            sendgrid=SendGridHttp(
                session, settings.sendgrid_api_key.get_secret_value(), settings.sendgrid_api_url
            ),
            session=session,
            clock=SystemClock(),
            aws=Aws(client, calls),
        )


@asynccontextmanager
async def sandbox(settings: Settings) -> AsyncIterator[Examined]:
    """Look at a Sandbox that runs. Raises BadSettings, and PostgresUnavailable where none does."""
    async with AsyncExitStack() as stack:
        saved = SandboxState(stack.enter_context(in_use(settings.state_dir)) / STATE)
        found = await databases_in_use(settings, saved)
        session = await stack.enter_async_context(ClientSession(cookie_jar=DummyCookieJar()))
        yield Examined(
            settings=settings,
            database_url=found.database_url,
            keyring_url=found.keyring_url,
            public_url=saved.url,
            twilio=TwilioApi.over(
                session,
                account_sid=ACCOUNT_SID,
                auth_token=saved.token,
                public_url=saved.url,
                api_url=saved.carrier_url,
            ),
            sendgrid=SendGridHttp(session, saved.token, saved.mail_url),
            session=session,
            clock=FollowedClock(saved),
        )


def when(at: Any) -> datetime:  # noqa: ANN401 - botocore's
    """Return an instant as UTC."""
    read: datetime = at
    return read.astimezone(UTC)
