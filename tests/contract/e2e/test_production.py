"""Production: it says everything that keeps it from starting, and runs once a team hands in what is missing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import boto3
import pytest
from aiohttp import ClientSession
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from adapters.outbound.sendgrid.simulator import SendGridSimulator, as_read
from adapters.outbound.system.clock import SystemClock
from adapters.outbound.twilio.simulator import TwilioSimulator
from adapters.outbound.twilio.simulator.pictures import tiny_picture
from benchmarks.forked import run
from bootstrap.postgres_server import PostgresUnavailable
from bootstrap.settings import BadSettings, ProductionSettings, Settings, read_settings
from bootstrap.worlds.amazon import REGION
from bootstrap.worlds.production import Production
from tests.contract.conftest import Postgres
from tests.support.production_life import MAIL_KEY
from tests.support.sandbox_process import PASSWORD, ROOT
from tests.support.valkey import Valkey

SID, TOKEN, SENDER = "AC" + "a" * 32, "a token that signs", "hello@pico.example"
VARIABLES = {
    "PICO_DATABASE_URL": "postgresql://u:s3cret@db.example/pico",
    "PICO_KEYRING_URL": "postgresql://u:s3cret@keys.example/keys",
    "PICO_PUBLIC_URL": "https://api.example",
    "PICO_TWILIO_ACCOUNT_SID": SID,
    "PICO_TWILIO_AUTH_TOKEN": "s3cret",
    "PICO_KMS_KEY_ID": "alias/pico",
    "PICO_OBJECTS_BUCKET": "pico-objects",
    "PICO_LEDGER_BUCKET": "pico-ledger",
    "PICO_SENDGRID_API_KEY": "s3cret",
    "PICO_SENDGRID_WEBHOOK_KEYS": MAIL_KEY,
    "PICO_MAIL_FROM": SENDER,
    "PICO_APP_URL": "https://app.example",
}


def refusal(command: str, **variables: str) -> str:
    """Start Production and return the one line that it refuses with."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PICO_")}
    environment = {**outside, "PICO_WORLD": "production", **variables}
    done = run("bootstrap", command, environment=environment, folder=ROOT, timeout=60)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "s3cret" not in done.stderr
    return done.stderr


def test_everything_missing_or_malformed_is_named_at_once() -> None:
    said = refusal(
        "serve", PICO_PORT="s3cret", PICO_PUBLIC_URL="http://s3cret", PICO_TWILIO_ACCOUNT_SID="s3cret"
    )
    assert "PICO_PORT takes a whole number from 0 to 65535." in said
    assert "PICO_PUBLIC_URL takes something like https://pico.example." in said
    assert "PICO_TWILIO_ACCOUNT_SID takes something like AC0123456789abcdef" in said
    assert (
        "Not set: PICO_APP_URL, PICO_DATABASE_URL, PICO_KEYRING_URL, PICO_KMS_KEY_ID, PICO_LEDGER_BUCKET, "
        "PICO_MAIL_FROM, PICO_OBJECTS_BUCKET, PICO_SENDGRID_API_KEY, PICO_SENDGRID_WEBHOOK_KEYS, "
        "PICO_TWILIO_AUTH_TOKEN." in said
    )


def test_keys_lie_in_a_database_of_their_own() -> None:
    assert "PICO_KEYRING_URL" in refusal(
        "serve", **VARIABLES | {"PICO_KEYRING_URL": VARIABLES["PICO_DATABASE_URL"]}
    )


def test_a_world_there_is_not_is_refused() -> None:
    assert "PICO_WORLD" in refusal("serve", PICO_WORLD="s3cret")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Yield where AWS answers: with a master key behind an alias, and a bucket."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    try:
        kms = boto3.client("kms", region_name=REGION, endpoint_url=url)
        made = kms.create_key()["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=VARIABLES["PICO_KMS_KEY_ID"], TargetKeyId=made)
        s3 = boto3.client("s3", region_name=REGION, endpoint_url=url)
        s3.create_bucket(Bucket=VARIABLES["PICO_OBJECTS_BUCKET"])
        s3.create_bucket(Bucket=VARIABLES["PICO_LEDGER_BUCKET"], ObjectLockEnabledForBucket=True)
        yield url
    finally:
        server.stop()


@pytest.fixture
async def settings(postgres: Postgres) -> ProductionSettings:
    return ProductionSettings(
        port=0, drain_seconds=0, public_url="https://api.example",
        twilio_account_sid=SID, twilio_auth_token=SecretStr(TOKEN),
        database_url=SecretStr(await postgres.database("production")),
        keyring_url=SecretStr(await postgres.bare("production_keys")),
        kms_key_id=VARIABLES["PICO_KMS_KEY_ID"], objects_bucket=VARIABLES["PICO_OBJECTS_BUCKET"],
        ledger_bucket=VARIABLES["PICO_LEDGER_BUCKET"],
        sendgrid_api_key=SecretStr(TOKEN), mail_from=SENDER, app_url="https://app.example",
        sendgrid_webhook_keys=MAIL_KEY,
    )  # fmt: skip


async def test_it_runs_before_the_vendors_wire_formats(
    settings: ProductionSettings, aws: str, valkey: Valkey
) -> None:
    twilio = TwilioSimulator(account_sid=SID, auth_token=TOKEN, now=SystemClock().now)
    post = SendGridSimulator(api_key=TOKEN, sender=SENDER, now=SystemClock().now)
    new = {
        "email": "ada@example.org",
        "password": PASSWORD,
        "display_name": "Ada",
        "locale": "he-IL",
        "accepted": {"terms": True, "privacy": True},
    }
    async with twilio.running() as twilio_url, post.running() as mail_url:
        here = {
            "twilio_api_url": twilio_url, "sendgrid_api_url": mail_url, "aws_endpoint_url": aws,
            "redis_url": SecretStr(valkey.url),
        }  # fmt: skip
        production = Production(settings.model_copy(update=here))
        async with production.running(work=False) as url, ClientSession(base_url=url) as client:
            assert (await client.get("/readyz")).status == 200
            assert (await client.get("/sandbox/clock")).status == 404, "nobody moves its clock"
            assert (await client.post("/v1/accounts", json=new)).status == 202
            async with production.working():
                for _ in range(400):
                    await asyncio.sleep(0.05)
                    if post.mails:
                        break
            mail = as_read(post.mails[0])
            # What was taken of sign-ups is back within a fifth of a second: that key may be there, or gone.
            lasting = [key for key in valkey.ask("KEYS", "*") if valkey.ask("PTTL", key) > 60_000]
            assert len(lasting) == 1, "the mail was counted elsewhere"
            assert (mail["locale"], mail["link"]) == ("he", "https://app.example/accounts/verify_account")
            proof = {"token": mail["token"], "password": PASSWORD}
            verified = await client.post("/v1/account-verifications", json=proof)
            signed_in = {"Authorization": f"Bearer {(await verified.json())['token']}"}
            offers = await client.get("/v1/available-numbers?country=US", headers=signed_in)
            assert (await offers.json())["items"]
            upload = signed_in | {"Content-Type": "image/png"}
            kept = await client.post("/v1/media", data=tiny_picture("here"), headers=upload)
            (picture,) = [await kept.json()]
            shown = await client.get(f"/v1/media/{picture['id']}", headers=signed_in)
            assert (await shown.read()).startswith(b"\x89PNG")
    s3 = boto3.client("s3", region_name=REGION, endpoint_url=aws)
    lie = s3.list_objects_v2(Bucket=settings.objects_bucket)["Contents"]
    assert len(lie) == 1
    sealed = s3.get_object(Bucket=settings.objects_bucket, Key=lie[0]["Key"])["Body"].read()
    assert b"PNG" not in sealed


async def test_a_database_that_does_not_answer_is_named(settings: ProductionSettings) -> None:
    gone = settings.model_copy(update={"keyring_url": SecretStr("postgresql://u:s3cret@127.0.0.1:1/x")})
    with pytest.raises(PostgresUnavailable, match="PICO_KEYRING_URL"):
        async with Production(gone).running():
            pass


@pytest.mark.parametrize("said", ["https://pico.example", "https://pico.example/"])
def test_an_address_is_the_same_with_a_slash_behind_it(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICO_PUBLIC_URL", said)
    assert read_settings(Settings).public_url == "https://pico.example"
    for name, value in (VARIABLES | {"PICO_TWILIO_API_URL": said, "PICO_PUBLIC_URL": said}).items():
        monkeypatch.setenv(name, value)
    settings = read_settings(ProductionSettings)
    assert settings.public_url == settings.twilio_api_url == "https://pico.example"


@pytest.mark.parametrize(
    "said", ["https://pico.example/x", "https://pico.example//", "https://pico.example/?"]
)
def test_an_address_has_no_path(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICO_PUBLIC_URL", said)
    with pytest.raises(BadSettings, match="PICO_PUBLIC_URL takes"):
        read_settings(Settings)
