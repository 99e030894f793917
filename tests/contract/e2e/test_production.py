"""Production: it says everything that keeps it from starting, and runs once a team hands in what is missing."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from aiohttp import ClientSession
from pydantic import SecretStr
from typing_extensions import override

from adapters.outbound.local.byte_store import LocalByteStore
from adapters.outbound.local.kms import LocalKms
from adapters.outbound.local.ledger import LocalLedger
from adapters.outbound.memory.mail import MemoryMail
from adapters.outbound.system.clock import SystemClock
from adapters.outbound.twilio.simulator import TwilioSimulator
from application.ports.mail import MailKind
from bootstrap.postgres_server import PostgresUnavailable
from bootstrap.settings import BadSettings, ProductionSettings, Settings, read_settings
from bootstrap.worlds.production import NOT_BUILT, Production, Vendors
from domain.values import Email, Locale
from tests.contract.conftest import Postgres
from tests.support.sandbox_process import PASSWORD, ROOT

SID, TOKEN = "AC" + "a" * 32, "a token that signs"
VARIABLES = {
    "PICO_DATABASE_URL": "postgresql://u:s3cret@db.example/pico",
    "PICO_KEYRING_URL": "postgresql://u:s3cret@keys.example/keys",
    "PICO_PUBLIC_URL": "https://api.example",
    "PICO_TWILIO_ACCOUNT_SID": SID,
    "PICO_TWILIO_AUTH_TOKEN": "s3cret",
}


class WatchedMail(MemoryMail):
    """`first` is set once a mail was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.first = asyncio.Event()

    @override
    async def send(self, to: Email, kind: MailKind, locale: Locale, link_token: str | None) -> None:
        await super().send(to, kind, locale, link_token)
        self.first.set()


def refusal(command: str, **variables: str) -> str:
    """Start Production and return the one line that it refuses with."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PICO_")}
    done = subprocess.run(
        [sys.executable, "-m", "bootstrap", command],
        cwd=ROOT,
        env={**outside, "PICO_WORLD": "production", **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "s3cret" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("command", ["serve", "work"])
def test_what_is_not_built_is_named(command: str) -> None:
    said = refusal(command, **VARIABLES)
    assert all(missing in said for missing in NOT_BUILT)
    assert "PICO_" not in said


def test_everything_missing_or_malformed_is_named_at_once() -> None:
    said = refusal(
        "serve", PICO_PORT="s3cret", PICO_PUBLIC_URL="http://s3cret", PICO_TWILIO_ACCOUNT_SID="s3cret"
    )
    assert "PICO_PORT takes a whole number from 0 to 65535." in said
    assert "PICO_PUBLIC_URL takes something like https://pico.example." in said
    assert "PICO_TWILIO_ACCOUNT_SID takes something like AC0123456789abcdef" in said
    assert "Not set: PICO_DATABASE_URL, PICO_KEYRING_URL, PICO_TWILIO_AUTH_TOKEN." in said
    assert NOT_BUILT[0] in said


def test_keys_lie_in_a_database_of_their_own() -> None:
    assert "PICO_KEYRING_URL" in refusal(
        "serve", **VARIABLES | {"PICO_KEYRING_URL": VARIABLES["PICO_DATABASE_URL"]}
    )


def test_a_world_there_is_not_is_refused() -> None:
    assert "PICO_WORLD" in refusal("serve", PICO_WORLD="s3cret")


@pytest.fixture
async def settings(postgres: Postgres) -> ProductionSettings:
    return ProductionSettings(
        port=0, public_url="https://api.example", twilio_account_sid=SID, twilio_auth_token=SecretStr(TOKEN),
        database_url=SecretStr(await postgres.database("production")),
        keyring_url=SecretStr(await postgres.bare("production_keys")),
    )  # fmt: skip


@pytest.fixture
def vendors(tmp_path: Path) -> Vendors:
    kms = LocalKms(tmp_path / "kms", SystemClock().now)
    return Vendors(
        kms=kms,
        byte_store=LocalByteStore(tmp_path / "objects"),
        ledger=partial(LocalLedger, tmp_path / "ledger"),
        mail=WatchedMail(),
    )


async def test_it_runs_with_a_teams_own_adapters(settings: ProductionSettings, vendors: Vendors) -> None:
    simulator = TwilioSimulator(account_sid=SID, auth_token=TOKEN, now=SystemClock().now)
    new = {
        "email": "ada@example.org",
        "password": PASSWORD,
        "display_name": "Ada",
        "locale": "en",
        "accepted": {"terms": True, "privacy": True},
    }
    mail = vendors.mail
    assert isinstance(mail, WatchedMail)
    async with simulator.running() as api_url:
        production = Production(settings.model_copy(update={"twilio_api_url": api_url}), vendors)
        async with production.running(work=False) as url, ClientSession(base_url=url) as client:
            assert (await client.get("/readyz")).status == 200
            assert (await client.get("/sandbox/clock")).status == 404, "nobody moves its clock"
            assert (await client.post("/v1/accounts", json=new)).status == 202
            async with production.working():
                await asyncio.wait_for(mail.first.wait(), 10)
            proof = {"token": mail.sent[0].link_token, "password": PASSWORD}
            verified = await client.post("/v1/account-verifications", json=proof)
            token = (await verified.json())["token"]
            offers = await client.get(
                "/v1/available-numbers?country=US", headers={"Authorization": f"Bearer {token}"}
            )
            assert (await offers.json())["items"]


async def test_a_database_that_does_not_answer_is_named(
    settings: ProductionSettings, vendors: Vendors
) -> None:
    gone = settings.model_copy(update={"keyring_url": SecretStr("postgresql://u:s3cret@127.0.0.1:1/x")})
    with pytest.raises(PostgresUnavailable, match="PICO_KEYRING_URL"):
        async with Production(gone, vendors).running():
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
