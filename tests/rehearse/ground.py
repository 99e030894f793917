"""What outlives the processes of Pico, as it does in life: databases behind TLS, AWS, Valkey, and every vendor."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from ssl import SSLContext
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs

import asyncpg
from aiohttp import ClientSession, ClientTimeout

from adapters.outbound.push.simulator import PushSimulator
from adapters.outbound.sendgrid.signature import public_key, signing_key_of
from adapters.outbound.sendgrid.simulator import SendGridSimulator
from adapters.outbound.stripe.simulator import StripeSimulator
from adapters.outbound.system.clock import ShiftedClock
from adapters.outbound.telnyx.signature import public_key_of
from adapters.outbound.telnyx.simulator import CONNECTION_ID, TelnyxSimulator
from adapters.outbound.twilio.simulator import TwilioSimulator
from benchmarks.kills import Stage
from benchmarks.parts import Part
from benchmarks.passing_on import Exchange, before
from bootstrap.databases import APPLICATION, FEW_AND_SMALL, Databases
from bootstrap.postgres_server import PostgresServer, start
from bootstrap.sandbox_state import STATE, SandboxState
from bootstrap.settings import Settings
from bootstrap.worlds.sandbox import ACCOUNT_SID, SENDER, VOICE, simulated_stripe, simulated_telnyx
from bootstrap.worlds.sandbox_push import simulated_push
from tests.rehearse.front import Front
from tests.support.cloud import Cloud, deployed_cloud
from tests.support.stacks import NAME
from tests.support.tls_postgres import before as behind_tls
from tests.support.valkey import Valkey

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
MANY = {"max_connections": "200"}
"""Twelve for each process at the most, and four to the keyring; twice as many run while they are rolled."""
SENT = "/Messages.json", "/messages"
"""How the paths end by which carriers are given messages."""


@dataclass
class Ground:
    """All of it. `variables` are what each process of Pico is told, and nothing else."""

    folder: Path
    saved: SandboxState
    clock: ShiftedClock
    databases: Databases
    keyring_url: str
    cloud: Cloud
    simulator: TwilioSimulator
    second: TelnyxSimulator
    post: SendGridSimulator
    till: StripeSimulator
    push: PushSimulator
    front: Front
    url: str
    session: ClientSession
    variables: dict[str, str] = field(default_factory=dict)
    taken: Counter[str] = field(default_factory=Counter)
    """How often a carrier took each message, by what it says."""

    @property
    def stage(self) -> Stage:
        """People's view of it."""
        return Stage(
            self.folder, self.saved, self.simulator, self.post, self.push, self.databases.database_url,
            self.keyring_url, [], self.session,
        )  # fmt: skip

    def part(self, *words: str, code: Path | None = None, **variables: str) -> Part:
        """Return a process of Pico's in Production, which is not started yet."""
        return Part(words, self.folder, {**self.variables, **variables}, code)

    def heard(self, exchange: Exchange) -> None:
        """Count what a carrier took."""
        path = exchange.path.partition("?")[0]
        if exchange.method == "POST" and path.endswith(SENT) and exchange.status < 300:
            said = exchange.body.decode()
            body = json.loads(said)["text"] if said.startswith("{") else parse_qs(said).get("Body", [""])[0]
            self.taken[body] += 1


@asynccontextmanager
async def standing(folder: Path, certificate: tuple[SSLContext, Path], front: Front) -> AsyncIterator[Ground]:
    """Start it all, with empty databases that are not migrated yet."""
    async with AsyncExitStack() as stack:
        stack.enter_context(
            patch.dict(os.environ, CREDENTIALS)
        )  # this process looks at what is kept at AWS, too
        rows = stack.enter_context(start(folder / "postgres", settings=MANY))
        keys = stack.enter_context(start(folder / "keyring", settings={**FEW_AND_SMALL, **MANY}))
        await _run(rows.url("postgres"), "CREATE DATABASE pico", f"CREATE ROLE {APPLICATION} LOGIN")
        await _run(keys.url("postgres"), "CREATE DATABASE pico_keyring")
        database_url = stack.enter_context(_over_tls(rows, APPLICATION, "pico", certificate))
        keyring_url = stack.enter_context(_over_tls(keys, "pico", "pico_keyring", certificate))
        (valkey_folder := folder / "valkey").mkdir()
        valkey = Valkey(valkey_folder)
        stack.callback(valkey.stop)
        cloud = stack.enter_context(deployed_cloud())
        for what in ("objects", "ledger"):  # moto knows no conditions, and refuses everything
            cloud.client("s3").delete_bucket_policy(Bucket=cloud.exports[f"{NAME}-{what}"])

        saved = SandboxState(folder / STATE)
        clock = ShiftedClock(saved.offset)
        saved.url = url = await stack.enter_async_context(front.running(certificate[0]))
        settings = Settings(state_dir=folder, telnyx_countries="GB")
        simulator = TwilioSimulator(account_sid=ACCOUNT_SID, auth_token=saved.token, now=clock.now)
        second = simulated_telnyx(saved, clock, folder, url)
        mail_key = signing_key_of(bytes.fromhex(saved.second_token))
        post = SendGridSimulator(
            api_key=saved.token, sender=SENDER, now=clock.now, webhook_url=f"{url}/webhooks/sendgrid",
            signing_key=mail_key,
        )  # fmt: skip
        till = simulated_stripe(settings, saved, clock, folder, url)
        push = simulated_push(saved)
        carrier = await stack.enter_async_context(simulator.running())
        other = await stack.enter_async_context(second.running())
        session = await stack.enter_async_context(ClientSession(timeout=ClientTimeout(total=280)))
        ground = Ground(
            folder, saved, clock, Databases(database_url, keyring_url, rows.data_dir, rows.url("pico")),
            keyring_url, cloud, simulator, second, post, till, push, front, url, session,
        )  # fmt: skip
        saved.carrier_url = await stack.enter_async_context(before(carrier, ground.heard))
        saved.second_url = await stack.enter_async_context(before(other, ground.heard))
        saved.mail_url = await stack.enter_async_context(post.running())
        saved.payments_url = await stack.enter_async_context(till.running())
        saved.push_urls = await stack.enter_async_context(push.running())
        saved.save()
        google, apple, development = saved.push_urls
        ground.variables = {
            "PICO_WORLD": "production",
            "PICO_PUBLIC_URL": url,
            "PICO_APP_URL": "https://app.example",
            "PICO_DATABASE_URL": database_url,
            "PICO_KEYRING_URL": keyring_url,
            "PICO_REDIS_URL": valkey.url,
            "PICO_KMS_KEY_ID": f"alias/{NAME}",
            "PICO_OBJECTS_BUCKET": cloud.exports[f"{NAME}-objects"],
            "PICO_LEDGER_BUCKET": cloud.exports[f"{NAME}-ledger"],
            "PICO_AWS_ENDPOINT_URL": cloud.url,
            "PICO_TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "PICO_TWILIO_AUTH_TOKEN": saved.token,
            "PICO_TWILIO_API_URL": saved.carrier_url,
            "PICO_TWILIO_KEY_SID": VOICE.key_sid,
            "PICO_TWILIO_KEY_SECRET": VOICE.key_secret,
            "PICO_TWILIO_APPLICATION_SID": VOICE.application_sid,
            "PICO_TELNYX_COUNTRIES": "GB",
            "PICO_TELNYX_API_KEY": saved.second_token,
            "PICO_TELNYX_PUBLIC_KEYS": public_key_of(bytes.fromhex(saved.second_token)),
            "PICO_TELNYX_API_URL": saved.second_url,
            "PICO_TELNYX_MEDIA_HOSTS": other,
            "PICO_TELNYX_CONNECTION_ID": CONNECTION_ID,
            "PICO_SENDGRID_API_KEY": saved.token,
            "PICO_SENDGRID_API_URL": saved.mail_url,
            "PICO_SENDGRID_WEBHOOK_KEYS": public_key(mail_key),
            "PICO_MAIL_FROM": SENDER,
            "PICO_STRIPE_API_KEY": saved.token,
            "PICO_STRIPE_WEBHOOK_SECRETS": saved.second_token,
            "PICO_STRIPE_API_URL": saved.payments_url,
            "PICO_PLANS": settings.plans,
            "PICO_LINES_OF_AN_ACCOUNT": "10",
            "PICO_FCM_ACCOUNT": _google_account(saved, google),
            "PICO_FCM_API_URL": google,
            "PICO_APNS_KEY": saved.push_keys[1],
            "PICO_APNS_KEY_ID": "REHEARSAL1",
            "PICO_APNS_TEAM_ID": "REHEARSAL2",
            "PICO_APNS_TOPIC": "example.rehearsal.pico",
            "PICO_APNS_API_URL": apple,
            "PICO_APNS_DEVELOPMENT_URL": development,
            "PICO_REQUESTS_A_MINUTE": "1000000",
            "PICO_SPEND_A_DAY": "10000000",
        }
        yield ground


async def migrated(ground: Ground, code: Path | None = None) -> None:
    """Run `pico migrate`, as the owner."""
    owner = ground.databases.owner_url or ""
    part = ground.part("bootstrap", "migrate", code=code, PICO_OWNER_URL=owner)
    await part.start()
    if await part.process.wait():  # type: ignore[union-attr]  # it was started
        raise RuntimeError(f"pico migrate failed: see {ground.folder / 'parts.log'}")


@contextmanager
def _over_tls(
    server: PostgresServer, role: str, name: str, certificate: tuple[SSLContext, Path]
) -> Iterator[str]:
    """Yield the address of a database to which nobody comes without TLS and its certificate."""
    context, file = certificate
    with behind_tls(f"{server.socket_dir}/.s.PGSQL.5432", context) as port:
        yield f"postgresql://{role}@localhost:{port}/{name}?sslmode=verify-full&sslrootcert={file}"


def _google_account(saved: SandboxState, google: str) -> str:
    said: dict[str, Any] = {
        "type": "service_account", "project_id": "pico-rehearsal", "client_email": "pico@rehearsal.example",
        "private_key": saved.push_keys[0], "token_uri": f"{google}/token",
    }  # fmt: skip
    return json.dumps(said)


async def _run(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
