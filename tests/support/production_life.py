"""A whole life in Production, before AWS at moto and vendors on loopback: one process serves, another works."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from aiohttp import ClientSession, DummyCookieJar
from pydantic import SecretStr

from adapters.inbound.metrics import Meters
from adapters.outbound.sendgrid.simulator import ReadMail, SendGridSimulator, as_read
from adapters.outbound.system.clock import SystemClock
from adapters.outbound.twilio.simulator import Script, TwilioSimulator
from adapters.outbound.twilio.simulator.pictures import tiny_picture
from benchmarks.passing_on import Exchange, before
from bootstrap.parts import Parts
from bootstrap.process import LOOPBACK, free_port
from bootstrap.settings import ProductionSettings
from bootstrap.worlds.amazon import Amazon
from bootstrap.worlds.production import Production
from tests.support.iam import Recorded
from tests.support.sandbox_process import PASSWORD
from tests.support.stacks import NAME

SID, TOKEN, SENDER = "AC" + "a" * 32, "a token that signs", "hello@pico.example"
PATIENCE = 60.0
"""Seconds until something that should happen by itself counts as broken."""
EMAIL = "ada@example.org"
STRANGER = "+12125550123"
MAIL_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEs08kbmhwZ/I2wakOVL7+EHrwoxAe/7VE7ghiAKlM3ndkswOf"
    "q31Qidhz4PJnaMlvu++ckSYeOQwOSeQCQ/+gNQ=="
)
"""A public key, as SendGrid gives one for its event webhook."""


class Hasty(Production):
    """Looks again, after an erasure, in a moment and not in a minute."""

    def _parts(self, aws: Amazon, clock: SystemClock, meters: Meters | None) -> Parts:
        return replace(super()._parts(aws, clock, meters), pause=timedelta(seconds=1))


@dataclass
class Life:
    """What a life was: calls to AWS by the process that made them, and requests to vendors."""

    serve: Recorded = field(default_factory=Recorded)
    work: Recorded = field(default_factory=Recorded)
    calls: Counter[str] = field(default_factory=Counter)
    """Of both, until the erasure was done and the epoch over."""
    twilio: int = 0
    mails: int = 0

    def heard(self, _: Exchange) -> None:
        """Count a request to the carrier."""
        self.twilio += 1


async def lived(
    aws_url: str, database: str, keyring: str, buckets: tuple[str, str], erased: Callable[[], Awaitable[bool]]
) -> Life:
    """Live it: sign up, buy a line, write, be written to and called, be erased; then a master key's epoch ends.

    `erased` tells whether nothing is left of it.
    """
    life, now, port = Life(), SystemClock().now, free_port()
    twilio = TwilioSimulator(account_sid=SID, auth_token=TOKEN, now=now)
    post = SendGridSimulator(api_key=TOKEN, sender=SENDER, now=now)
    async with (
        twilio.running() as twilio_url,
        post.running() as mail_url,
        before(twilio_url, life.heard) as counted,
    ):
        url = f"http://{LOOPBACK}:{port}"
        settings = ProductionSettings(
            port=port, public_url="https://api.example", twilio_account_sid=SID,
            twilio_auth_token=SecretStr(TOKEN), twilio_api_url=counted,
            database_url=SecretStr(database), keyring_url=SecretStr(keyring), kms_key_id=f"alias/{NAME}",
            objects_bucket=buckets[0], ledger_bucket=buckets[1], aws_endpoint_url=aws_url,
            sendgrid_api_key=SecretStr(TOKEN), sendgrid_api_url=mail_url, mail_from=SENDER,
            sendgrid_webhook_keys=MAIL_KEY, app_url="https://app.example",
        ).model_copy(update={"public_url": url})  # fmt: skip
        production = Hasty(settings)
        with life.serve.listening():
            serving = production.running(work=False)
            await serving.__aenter__()
        try:
            with life.work.listening():
                working = production.working()
                await working.__aenter__()
            try:
                async with ClientSession(base_url=url, cookie_jar=DummyCookieJar()) as client:
                    await live(client, twilio, post)
                    await _until(erased)
            finally:
                await working.__aexit__(None, None, None)
            with life.work.listening():
                async with production.opened() as product:
                    await product.use_cases.rotate_master_key()
        finally:
            await serving.__aexit__(None, None, None)
        life.calls = Counter(life.serve.calls) + Counter(life.work.calls)
        with life.serve.listening():
            async with production.running(work=False):
                pass  # one that starts later reads what the ledger holds by then
        life.mails = len(post.mails)
    return life


async def live(client: ClientSession, twilio: TwilioSimulator, post: SendGridSimulator) -> None:
    """Live a whole life, over what serves the client and before these providers, and ask for its end at once."""

    def mailed() -> list[ReadMail]:
        return [read for read in map(as_read, post.mails) if read["to"] == EMAIL]

    async def ask(method: str, path: str, body: object = None, **more: Any) -> Any:
        headers = {"Idempotency-Key": str(uuid4())} | more.pop("headers", {})
        async with client.request(method, path, json=body, headers=headers, **more) as got:
            assert got.status < 300, (method, path, got.status, await got.text())
            return await got.json() if got.content_type == "application/json" else await got.read()

    new = {
        "email": EMAIL, "password": PASSWORD, "display_name": "Ada", "locale": "en-US",
        "accepted": {"terms": True, "privacy": True},
    }  # fmt: skip
    await ask("POST", "/v1/accounts", new)
    await _until(lambda: _true(mailed()))
    proof = {"token": mailed()[0]["token"], "password": PASSWORD}
    token = (await ask("POST", "/v1/account-verifications", proof))["token"]
    client.headers["Authorization"] = f"Bearer {token}"
    offered = (await ask("GET", "/v1/available-numbers?country=US"))["items"][0]["number"]
    line = await ask("POST", "/v1/lines", {"number": offered})
    await _until(lambda: _is(ask, f"/v1/lines/{line['id']}", "state", "active"))

    await twilio.inbound_sms(STRANGER, offered, "A picture of it", [("image/png", tiny_picture("there"))])
    picture = tiny_picture("here")
    kept = await ask("POST", "/v1/media", data=picture, headers={"Content-Type": "image/png"})
    message = {"to": STRANGER, "body": "Thank you", "media": [kept["id"]]}
    await ask("POST", f"/v1/lines/{line['id']}/messages", message)
    await twilio.inbound_call(STRANGER, offered, Script("no_answer", says="Call me back, please"))
    await _until(lambda: _is(ask, "/v1/voicemails", "items", "kept"))
    [left] = (await ask("GET", "/v1/voicemails"))["items"]
    assert await ask("GET", f"/v1/voicemails/{left['id']}/audio")
    await ask("DELETE", "/v1/account", {"password": PASSWORD, "waive_recovery": True})


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(int(PATIENCE / 0.1)):
        if await holds():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it did not come to that")


async def _true(value: object) -> bool:
    return bool(value)


async def _is(ask: Callable[..., Awaitable[Any]], path: str, field_name: str, wanted: str) -> bool:
    said = (await ask("GET", path))[field_name]
    return bool(said) and said[0]["state"] == "kept" if isinstance(said, list) else bool(said == wanted)
