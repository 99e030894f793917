"""Webhook endpoints over HTTP: registered, called over sockets, looked into, changed; and whatever a receiver does."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from adapters.outbound.webhook_receivers.guard import Guard
from adapters.outbound.webhook_receivers.receivers import GuardedReceivers
from tests.support.http_world import HttpWorld
from tests.support.receiver import (
    Answer,
    Receiver,
    answers,
    hangs,
    hangs_up,
    is_signed,
    never_ends,
    well,
)

PATH = "/v1/webhook-endpoints"
METADATA = "http://169.254.169.254/latest/meta-data/"


async def test_an_endpoint_lives_from_its_registration_to_its_end_over_sockets() -> None:
    receiver = Receiver()
    async with (
        receiver.running() as url,
        GuardedReceivers.opened(Guard(loopback=True)) as receivers,
        HttpWorld.running() as http,
    ):
        http.world.webhook_receivers = receivers  # type: ignore[assignment]
        http.world.wire()
        token = await http.person()
        body = {"url": url, "kinds": ["account.changed"]}
        made = await http.call("POST", PATH, body, token=token, headers=http.key())
        assert made.status == 201
        secret, address = made.json["secret"], made.headers["Location"]
        assert (await http.call("GET", address, token=token)).json == {
            name: value for name, value in made.json.items() if name not in {"secret", "former_secret_until"}
        }
        await http.call("PATCH", "/v1/account", {"display_name": "Ada L"}, token=token)
        await http.world.settle()
        ((headers, told),) = receiver.heard
        said = json.loads(told)
        assert (said["type"], said["id"]) == ("account.changed", headers["webhook-id"])
        assert is_signed(secret, headers, told)
        other = (await http.call("POST", f"{address}/secret", token=token)).json
        assert other["former_secret_until"] is not None
        await http.call("PATCH", "/v1/account", {"display_name": "Ada"}, token=token)
        await http.world.settle()
        headers, told = receiver.heard[-1]
        assert is_signed(secret, headers, told)
        assert is_signed(other["secret"], headers, told)
        first = (await http.call("GET", f"{address}/deliveries?limit=1", token=token)).json
        assert [(each["state"], each["answer"]) for each in first["items"]] == [("delivered", "2xx")]
        rest = await http.call("GET", f"{address}/deliveries?cursor={first['next_cursor']}", token=token)
        assert (len(rest.json["items"]), rest.json["next_cursor"]) == (1, None)
        off = await http.call("PATCH", address, {"enabled": False, "kinds": None}, token=token)
        assert (off.json["state"], off.json["kinds"]) == ("disabled", None)
        assert (await http.call("DELETE", address, token=token)).status == 204
        assert (await http.call("GET", f"{address}/deliveries", token=token)).status == 404


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/url", "missing"),
        ({"url": "http://hooks.example.org/"}, "/url", "invalid_webhook_url"),
        ({"url": "https://10.0.0.1/"}, "/url", "invalid_webhook_url"),
        ({"url": "https://user:canary@hooks.example.org/"}, "/url", "invalid_webhook_url"),
        ({"url": "https://hooks.example.org/", "kinds": []}, "/kinds", "too_short"),
        ({"url": "https://hooks.example.org/", "kinds": ["message.canary"]}, "/kinds/0", "malformed"),
    ],
)
async def test_what_is_wrong_is_pointed_at_and_not_repeated(
    body: dict[str, object], pointer: str, code: str
) -> None:
    async with HttpWorld.running() as http:
        token = await http.person()
        answer = await http.call("POST", PATH, body, token=token, headers=http.key())
        assert (answer.status, answer.flaws) == (422, {(pointer, code)})
        assert b"canary" not in answer.body


async def test_the_same_key_adds_one_and_a_sixth_is_refused() -> None:
    async with HttpWorld.running() as http:
        token, key = await http.person(), http.key()
        body = {"url": "https://hooks.example.org/pico"}
        one = await http.call("POST", PATH, body, token=token, headers=key)
        again = await http.call("POST", PATH, body, token=token, headers=key)
        assert (again.status, again.json) == (one.status, one.json)
        for _ in range(4):
            assert (await http.call("POST", PATH, body, token=token, headers=http.key())).status == 201
        full = await http.call("POST", PATH, body, token=token, headers=http.key())
        assert (full.status, full.code) == (409, "too_many_webhook_endpoints")
        assert len((await http.call("GET", PATH, token=token)).json["items"]) == 5


ANSWERS: dict[str, tuple[Answer, str]] = {
    "redirect": (answers(307, Location=METADATA), "3xx"),
    "unauthorized": (answers(401, **{"WWW-Authenticate": "Basic"}), "4xx"),
    "error": (answers(500), "5xx"),
    "strange": (answers(999), "5xx"),
    "hangs": (hangs, "timeout"),
    "hangs up": (hangs_up, "unreachable"),
    "never ends": (never_ends, "2xx"),
    "bomb": (answers(200, **{"Content-Encoding": "gzip"}), "2xx"),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_whatever_a_receiver_does_nothing_of_it_shows_and_others_are_told(name: str) -> None:
    answer, kept = ANSWERS[name]
    bad, good = Receiver(answer), Receiver(well)
    async with (
        bad.running() as bad_url,
        good.running() as good_url,
        GuardedReceivers.opened(Guard(loopback=True), seconds=0.5) as receivers,
        HttpWorld.running() as http,
    ):
        http.world.webhook_receivers = receivers  # type: ignore[assignment]
        http.world.wire()
        token = await http.person()
        addresses = []
        for url in (bad_url, good_url):
            made = await http.call("POST", PATH, {"url": url}, token=token, headers=http.key())
            addresses.append(made.headers["Location"])
        with capture_logs() as logs:
            for name_of in ("Ada L", "Ada"):
                await http.call("PATCH", "/v1/account", {"display_name": name_of}, token=token)
                await http.world.settle()
        assert len(good.heard) == 2
        shown = (await http.call("GET", f"{addresses[0]}/deliveries", token=token)).body.decode()
        assert f'"answer":"{kept}"' in shown
        assert not any(word in f"{shown} {logs}" for word in ("canary", "169.254", str(bad.port)))
        for _ in range(3):
            await http.world.advance(timedelta(hours=1))
        assert len(good.heard) == 2, "what was taken is not told again"


async def test_an_endpoint_is_tried_as_it_is_called_when_something_happens() -> None:
    receiver = Receiver()
    async with (
        receiver.running() as url,
        GuardedReceivers.opened(Guard(loopback=True)) as receivers,
        HttpWorld.running() as http,
    ):
        http.world.webhook_receivers = receivers  # type: ignore[assignment]
        http.world.wire()
        token = await http.person()
        made = await http.call(
            "POST", PATH, {"url": url, "kinds": ["account.changed"]}, token=token, headers=http.key()
        )
        address = made.headers["Location"]
        tried = await http.call("POST", f"{address}/test", token=token)
        assert (tried.status, tried.json["event"], tried.json["state"]) == (200, "webhook.test", "waiting")
        await http.world.settle()
        ((headers, told),) = receiver.heard
        said = json.loads(told)
        assert (said["type"], said["id"]) == ("webhook.test", tried.json["id"])
        assert said["data"] == {"id": made.json["id"]}
        assert is_signed(made.json["secret"], headers, told)
        listed = (await http.call("GET", f"{address}/deliveries", token=token)).json["items"]
        assert [(each["id"], each["state"]) for each in listed] == [(tried.json["id"], "delivered")]
        await http.call("PATCH", address, {"enabled": False}, token=token)
        await http.call("POST", f"{address}/test", token=token)
        await http.world.settle()
        assert len(receiver.heard) == 1, "one that is switched off was called"


async def test_an_account_tries_its_endpoints_so_often_and_no_oftener() -> None:
    async with HttpWorld.running() as http:
        token, other = await http.person(), await http.person("ben")
        addresses = []
        for each in (token, token, other):
            made = await http.call(
                "POST", PATH, {"url": "https://hooks.example.org/pico"}, token=each, headers=http.key()
            )
            addresses.append(made.headers["Location"])
        answers = [await http.call("POST", f"{addresses[n % 2]}/test", token=token) for n in range(6)]
        assert [answer.status for answer in answers] == [200] * 5 + [429]
        assert answers[-1].code == "too_many_webhook_tests"
        assert int(answers[-1].headers["Retry-After"]) > 0
        assert (await http.call("POST", f"{addresses[2]}/test", token=other)).status == 200
        http.world.clock.advance(timedelta(hours=1))
        assert (await http.call("POST", f"{addresses[0]}/test", token=token)).status == 200
