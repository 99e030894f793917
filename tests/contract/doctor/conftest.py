"""Everything that the doctor looks at, as it should be: the templates at moto, two databases behind TLS, providers."""

from __future__ import annotations

import asyncio
import json
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import boto3
import pytest
from aiohttp import ClientSession
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pydantic import SecretStr

from adapters.inbound.cli.doctor_report import Finding
from adapters.outbound.aws.calls import CONFIG, AwsCalls
from adapters.outbound.aws.kms import AwsKms
from adapters.outbound.postgres.epochs import PostgresEpochs
from adapters.outbound.postgres.keyring import PostgresKeyring
from adapters.outbound.postgres.pool import connect
from adapters.outbound.postgres.schema import migrate_keyring, restrict
from adapters.outbound.push.simulator import PushSimulator
from adapters.outbound.sendgrid.simulator import SendGridSimulator
from adapters.outbound.stores.simulator import AppStoreSimulator, GooglePlaySimulator
from adapters.outbound.stripe.http import VERSION
from adapters.outbound.stripe.reading import TOLD_OF
from adapters.outbound.stripe.simulator import StripeSimulator
from adapters.outbound.system.clock import SystemClock
from adapters.outbound.telnyx.api import TelnyxApi
from adapters.outbound.telnyx.numbers import TelnyxNumbers
from adapters.outbound.telnyx.simulator import CONNECTION_ID, TelnyxSimulator
from adapters.outbound.twilio.api import TwilioApi
from adapters.outbound.twilio.numbers import TwilioNumbers
from adapters.outbound.twilio.simulator import TwilioSimulator
from bootstrap import postgres_server as server
from bootstrap.doctor.examination import examine
from bootstrap.doctor.examined import production
from bootstrap.doctor.parts.push import NO_DEVICE
from bootstrap.settings import ProductionSettings
from domain.kernel import LineId
from domain.values import Country
from tests.contract.conftest import QUICK, Postgres
from tests.support.cloud import Cloud, deployed_cloud
from tests.support.iam import suit_moto
from tests.support.keys import pem
from tests.support.production_life import MAIL_KEY
from tests.support.stacks import NAME
from tests.support.templates import REGION
from tests.support.tls_postgres import before, certified

SID, TOKEN, SENDER, APPLICATION = "AC" + "a" * 32, "a token that signs", "hello@pico.example", "AP" + "a" * 32
PUBLIC, DSN = "https://api.example", "https://0123456789abcdef@sentry.example/1"
GOOGLE, APPLE = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())
APP, ISSUER = "io.callpico.app", "57246542-96fe-1a63-e053-0824d011072a"
ELSEWHERE = "another.us-east-1.rds.amazonaws.com"


@dataclass
class Databases:
    """Two databases behind TLS: their addresses for the product, and for whoever may do everything there."""

    rows: str
    keyring: str
    owner: str
    keyring_owner: str


@dataclass
class Standing:
    """All of it. `settings` are Production's, which a posture may change."""

    settings: ProductionSettings
    cloud: Cloud
    databases: Databases
    twilio: TwilioSimulator
    sendgrid: SendGridSimulator
    number: dict[str, Any]
    telnyx: TelnyxSimulator
    till: StripeSimulator
    endpoint: dict[str, Any]
    portal: dict[str, Any]

    async def sql(self, url: str, *statements: str) -> None:
        """Do something in a database as its owner."""
        for statement in statements:
            await _run(url, statement)

    async def examined(self) -> list[Finding]:
        """Have the doctor look."""
        async with production(self.settings) as looked_at:
            return await examine(looked_at)

    def but(self, **changed: object) -> None:
        """Change settings."""
        self.settings = self.settings.model_copy(update=changed)


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    with deployed_cloud() as deployed:
        yield deployed


@pytest.fixture(scope="session")
def certificate(cloud: Cloud) -> Iterator[tuple[Any, Path]]:
    names = [
        cloud.client("rds").describe_db_instances(DBInstanceIdentifier=f"{NAME}-{name}")
        for name in ("rows", "keyring")
    ]
    hosts = [each["DBInstances"][0]["Endpoint"]["Address"] for each in names]
    with tempfile.TemporaryDirectory() as folder:
        yield certified([*hosts, ELSEWHERE], Path(folder))


@pytest.fixture(scope="session")
def second(certificate: object) -> Iterator[Postgres]:
    """Run another cluster, for keys."""
    with tempfile.TemporaryDirectory(prefix="pico-") as folder:
        Path(folder).chmod(0o755)
        keeps = {**QUICK, "wal_level": "replica", "max_wal_senders": "2"}
        with server.start(Path(folder) / "data", settings=keeps) as running:
            yield Postgres(running)


@pytest.fixture(scope="session")
def ports(postgres: Postgres, second: Postgres, certificate: tuple[Any, Path]) -> Iterator[tuple[int, int]]:
    sockets = [f"{each.server.socket_dir}/.s.PGSQL.5432" for each in (postgres, second)]
    with before(sockets[0], certificate[0]) as rows, before(sockets[1], certificate[0]) as keys:
        yield rows, keys


@pytest.fixture(scope="session")
def resolved() -> Iterator[None]:
    """Have the names that AWS gives databases and caches lead to this machine."""
    asked = socket.getaddrinfo

    def here(host: Any, *more: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        return asked("127.0.0.1" if name and name.endswith(".amazonaws.com") else host, *more, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", here)
        yield


@pytest.fixture(scope="session")
def databases(
    cloud: Cloud,
    postgres: Postgres,
    second: Postgres,
    ports: tuple[int, int],
    certificate: tuple[Any, Path],
    resolved: None,
) -> Databases:
    """Make both, migrated, with roles of few powers; the second epoch of master keys has begun."""

    async def made() -> Databases:
        owner, keyring_owner = await postgres.database("doctor"), await second.bare("doctor_keys")
        name, keys = (url.partition("@/")[2].partition("?")[0] for url in (owner, keyring_owner))
        await _run(owner, "CREATE ROLE pico_app LOGIN")
        await _run(
            keyring_owner,
            "CREATE ROLE pico_keys LOGIN; GRANT CREATE, USAGE ON SCHEMA public TO pico_keys",
        )
        await restrict(owner, "pico_app")
        ask = f"?sslmode=verify-full&sslrootcert={certificate[1]}"
        host = f"{NAME}-{{}}.aaaaaaaaaa.us-east-1.rds.amazonaws.com".format
        found = Databases(
            rows=f"postgresql://pico_app@{host('rows')}:{ports[0]}/{name}{ask}",
            keyring=f"postgresql://pico_keys@{host('keyring')}:{ports[1]}/{keys}{ask}",
            owner=owner,
            keyring_owner=keyring_owner,
        )
        await migrate_keyring(found.keyring)
        await _two_epochs(found.keyring, cloud)
        return found

    return asyncio.run(made())


async def _run(url: str, statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()


async def _two_epochs(url: str, cloud: Cloud) -> None:
    client = boto3.client(
        "kms", region_name=REGION, endpoint_url=cloud.url, config=CONFIG,
        aws_access_key_id="test", aws_secret_access_key="test",
    )  # fmt: skip
    suit_moto(client.meta.events)
    calls = AwsCalls(threads=2)
    async with connect(url, least=1, most=2) as database:
        kms = AwsKms(client, calls, f"alias/{NAME}")
        await kms.create_key()
        epochs, keyring = PostgresEpochs(database, kms), PostgresKeyring(database, kms)
        await keyring.system("objects")
        now = datetime.now(UTC)
        first = await epochs.newest(now)
        await epochs.begin(first, now)
        await epochs.rewrap(100)
        await epochs.retire(first.number, now)
    calls.close()


def google_account(key: rsa.RSAPrivateKey, url: str) -> str:
    """Return what Google's file of a service account says."""
    said = {"project_id": "pico", "client_email": "pico@pico.iam.example", "token_uri": f"{url}/token"}
    return json.dumps(said | {"private_key": pem(key)})


async def _one_at_telnyx(telnyx: TelnyxSimulator, url: str, session: ClientSession) -> None:
    """Buy a number there that takes calls."""
    now = SystemClock().now
    api = TelnyxApi.over(session, api_key=TOKEN, public_url=PUBLIC, now=now, api_url=url)
    numbers = TelnyxNumbers(api, connection_id=CONNECTION_ID)
    offered = await numbers.search(
        Country("GB"), area_code=None, contains=None, capabilities=frozenset(), limit=1
    )
    await numbers.order(offered[0].number, LineId(uuid4()))
    await telnyx.settled()


@pytest.fixture
async def standing(
    cloud: Cloud, databases: Databases, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[Standing]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    now = SystemClock().now
    twilio = TwilioSimulator(account_sid=SID, auth_token=TOKEN, now=now)
    post = SendGridSimulator(api_key=TOKEN, sender=SENDER, now=now)
    telnyx = TelnyxSimulator(api_key=TOKEN, signing_key=bytes(range(32)), now=now)
    telnyx.console.add_application(CONNECTION_ID, f"{PUBLIC}/webhooks/telnyx")
    push = PushSimulator(GOOGLE.public_key(), APPLE.public_key(), gone={str(NO_DEVICE): 0})
    apples = AppStoreSimulator(APP, "Production", APPLE.public_key(), now)
    googles = GooglePlaySimulator(APP, PUBLIC, SENDER, GOOGLE.public_key(), now, GOOGLE)
    roots = tmp_path / "roots.pem"
    roots.write_bytes(apples.authority.pem)
    till = StripeSimulator(api_key=TOKEN, webhook_secret=TOKEN, prices={"price_1": 499}, now=now)
    endpoint = till.console.add_endpoint(f"{PUBLIC}/webhooks/stripe", VERSION, TOLD_OF)
    portal = till.console.add_portal()
    twilio.console.add_application(APPLICATION, f"{PUBLIC}/webhooks/twilio/voice/client")
    [group] = cloud.client("elasticache").describe_replication_groups()["ReplicationGroups"]
    cache = group["NodeGroups"][0]["PrimaryEndpoint"]["Address"]
    async with AsyncExitStack() as stack:
        twilio_url = await stack.enter_async_context(twilio.running())
        mail_url = await stack.enter_async_context(post.running())
        telnyx_url = await stack.enter_async_context(telnyx.running())
        services = await stack.enter_async_context(push.running())
        apples_url = await stack.enter_async_context(apples.running())
        googles_url = await stack.enter_async_context(googles.running())
        till_url = await stack.enter_async_context(till.running())
        session = await stack.enter_async_context(ClientSession())
        api = TwilioApi.over(
            session, account_sid=SID, auth_token=TOKEN, public_url=PUBLIC, api_url=twilio_url
        )
        numbers = TwilioNumbers(api)
        offered = await numbers.search(
            Country("US"), area_code=None, contains=None, capabilities=frozenset(), limit=1
        )
        await numbers.order(offered[0].number, LineId(uuid4()))
        [number] = twilio.holdings()["numbers"]
        await _one_at_telnyx(telnyx, telnyx_url, session)
        settings = ProductionSettings(
            port=0, public_url=PUBLIC, twilio_account_sid=SID, twilio_auth_token=SecretStr(TOKEN),
            twilio_application_sid=APPLICATION, twilio_api_url=twilio_url,
            database_url=SecretStr(databases.rows), keyring_url=SecretStr(databases.keyring),
            redis_url=SecretStr(f"rediss://:password@{cache}:6379/0"),
            aws_name=NAME, kms_key_id=f"alias/{NAME}", objects_bucket=cloud.exports[f"{NAME}-objects"],
            ledger_bucket=cloud.exports[f"{NAME}-ledger"], aws_endpoint_url=cloud.url,
            stripe_api_key=SecretStr(TOKEN), stripe_webhook_secrets=SecretStr(TOKEN), stripe_api_url=till_url,
            telnyx_api_key=SecretStr(TOKEN), telnyx_public_keys=telnyx.public_key, telnyx_api_url=telnyx_url,
            telnyx_connection_id=CONNECTION_ID,
            fcm_account=SecretStr(google_account(GOOGLE, services.google)), fcm_api_url=services.google,
            apns_key=SecretStr(pem(APPLE)), apns_key_id="ABC1234567", apns_team_id="TEAM123456",
            apns_topic="io.callpico.app", apns_api_url=services.apple,
            apns_development_url=services.apple_development,
            app_store_bundle=APP, app_store_products="pico.basic=basic", app_store_roots=roots,
            app_store_issuer=ISSUER, app_store_key_id="ABC1234567", app_store_key=SecretStr(pem(APPLE)),
            app_store_api_url=apples_url,
            google_play_package=APP, google_play_products="pico.basic=basic", google_play_push_account=SENDER,
            google_play_account=SecretStr(google_account(GOOGLE, googles_url)), google_play_api_url=googles_url,
            google_play_keys_url=f"{googles_url}/oauth2/v3/certs",
            plans="basic=price_1:499USD:1", sentry_dsn=SecretStr(DSN),
            sendgrid_api_key=SecretStr(TOKEN), sendgrid_api_url=mail_url, mail_from=SENDER,
            sendgrid_webhook_keys=MAIL_KEY, app_url="https://app.example",
        )  # fmt: skip
        yield Standing(settings, cloud, databases, twilio, post, number, telnyx, till, endpoint, portal)
