"""Twilio's webhooks: only what Twilio signed for our public address, and of that only what Pico keeps."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from dataclasses import fields
from itertools import permutations
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from adapters.inbound.webhooks.twilio.messages import delivery_receipt, inbound_message
from adapters.outbound.twilio.signature import sign
from application.ports.keyring import KeyGone
from application.ports.store import StoreUnavailable, VersionConflict
from domain.kernel import CarrierRef, PicoError, SealBroken
from domain.messages import Status
from tests.support.http_world import AUTH_TOKEN, OURS, PUBLIC_URL, STRANGER, Answer, HttpWorld
from tests.support.provider_files import sample_webhooks

SMS = "/webhooks/twilio/sms"
STATUS = "/webhooks/twilio/message-status"
CANARY = "c4n4ry-7f3e"
TEXT = {"MessageSid": f"SM{1:032x}", "From": STRANGER, "To": OURS, "Body": "hello", "NumMedia": "0"}
NOWHERE = {
    "FromCity": CANARY,
    "FromState": CANARY,
    "FromZip": CANARY,
    "ToCity": CANARY,
    "ForwardedFrom": CANARY,
}


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running() as world:
        yield world


async def inbox(http: HttpWorld, token: str) -> list[dict[str, Any]]:
    """Return every message, oldest first."""
    found: list[dict[str, Any]] = []
    for chat in (await http.call("GET", "/v1/conversations", token=token)).json["items"]:
        page = await http.call("GET", f"/v1/conversations/{chat['id']}/messages?limit=100", token=token)
        found += page.json["items"]
    return sorted(found, key=lambda message: message["id"])


async def sent(http: HttpWorld, token: str, line: str) -> tuple[str, CarrierRef]:
    """Send a message; return its id, and the carrier's for it."""
    text = {"to": STRANGER, "body": "hi"}
    answer = await http.call("POST", f"/v1/lines/{line}/messages", text, token=token, headers=http.key())
    await http.world.settle()
    return answer.json["id"], next(iter(http.world.carrier.messages))


def forbidden(answer: Answer) -> bool:
    return (answer.status, answer.body) == (403, b"forbidden\n")


async def test_every_signed_sample_is_taken_in_once(http: HttpWorld) -> None:
    samples = sample_webhooks("twilio_inbound_messages.json")
    assert samples["auth_token"] == AUTH_TOKEN
    token = await http.person()
    forms = [request["form"] for request in samples["requests"]]
    for number in {form["To"] for form in forms}:
        await http.line(token, number)
    for request in samples["requests"]:
        path = request["url"].removeprefix(PUBLIC_URL)
        answer = await http.call("POST", path, raw=request["raw_body"].encode(), headers=request["headers"])
        assert (answer.status, answer.body) == (200, b"<Response/>")
        assert answer.headers["Content-Type"].startswith("text/xml")
    by_sid = {form["MessageSid"]: form["Body"] for form in forms}
    assert sorted(message["body"] for message in await inbox(http, token)) == sorted(by_sid.values())


def mutations() -> dict[str, tuple[str, dict[str, str], str]]:
    good = sign(AUTH_TOKEN, PUBLIC_URL + SMS, TEXT.items())
    return {
        "no signature": (SMS, TEXT, ""),
        "signature of nothing": (SMS, TEXT, "AAAA"),
        "signature not ASCII": (SMS, TEXT, "é" + good),
        "signature cut": (SMS, TEXT, good[:-1]),
        "other token": (SMS, TEXT, sign("other", PUBLIC_URL + SMS, TEXT.items())),
        "other path signed": (SMS, TEXT, sign(AUTH_TOKEN, PUBLIC_URL + STATUS, TEXT.items())),
        "other host signed": (SMS, TEXT, sign(AUTH_TOKEN, "http://127.0.0.1" + SMS, TEXT.items())),
        "query added": (SMS + "?a=b", TEXT, good),
        "parameter added": (SMS, TEXT | {"a": "b"}, good),
        "parameter changed": (SMS, TEXT | {"Body": "hellO"}, good),
        "parameter renamed": (SMS, {name.lower(): value for name, value in TEXT.items()}, good),
        "parameter dropped": (SMS, {"From": STRANGER}, good),
        "nothing": (SMS, {}, good),
    }


@pytest.mark.parametrize("case", mutations().values(), ids=mutations().keys())
async def test_what_twilio_did_not_sign_is_403_and_leaves_nothing(
    case: tuple[str, dict[str, str], str], http: HttpWorld
) -> None:
    token = await http.person()
    await http.line(token)
    path, form, signature = case
    with capture_logs() as events:
        assert forbidden(await http.webhook(path, form, signed=signature))
    assert events == []
    assert await inbox(http, token) == []


@pytest.mark.parametrize("raw", [b"\xff=\xff", b"&".join(b"a%d=1" % n for n in range(201)), b"%ff=%ff"])
async def test_what_is_no_form_is_403(raw: bytes, http: HttpWorld) -> None:
    assert forbidden(await http.call("POST", SMS, raw=raw, headers={"X-Twilio-Signature": "x"}))


async def test_nothing_is_unpacked_to_be_verified(http: HttpWorld) -> None:
    headers = {
        "X-Twilio-Signature": sign(AUTH_TOKEN, PUBLIC_URL + SMS, TEXT.items()),
        "Content-Encoding": "gzip",
    }
    assert forbidden(
        await http.call("POST", SMS, raw=gzip.compress(urlencode(TEXT).encode()), headers=headers)
    )


async def test_the_order_of_parameters_is_free_and_host_does_not_matter(http: HttpWorld) -> None:
    token = await http.person()
    await http.line(token)
    headers = {
        "X-Twilio-Signature": sign(AUTH_TOKEN, PUBLIC_URL + SMS, TEXT.items()),
        "Host": "evil.example",
        "X-Forwarded-Host": "evil.example",
    }
    raw = urlencode(dict(reversed(TEXT.items()))).encode()
    assert (await http.call("POST", SMS, raw=raw, headers=headers)).status == 200
    assert len(await inbox(http, token)) == 1


async def test_a_signature_by_an_algorithm_we_hold_no_key_for_is_403(http: HttpWorld) -> None:
    headers = {
        "X-Twilio-Signature": sign(AUTH_TOKEN, PUBLIC_URL + SMS, TEXT.items()),
        "X-Twilio-Webhooks-Signature-Settings": "key=abc,algorithm=HMAC_SHA256",
    }
    assert forbidden(await http.call("POST", SMS, raw=urlencode(TEXT).encode(), headers=headers))


@pytest.mark.parametrize("path", [SMS, STATUS])
@pytest.mark.parametrize("lacks", ["MessageSid", "From"])
async def test_what_is_signed_and_still_senseless_is_400(path: str, lacks: str, http: HttpWorld) -> None:
    whole = TEXT | {"MessageStatus": "sent"}
    for form in ({name: value for name, value in whole.items() if name != lacks}, whole | {lacks: ""}):
        if (path, form.get("From")) == (SMS, ""):
            continue  # a sender may be withheld: the message is stored all the same
        answer = await http.webhook(path, form)
        assert (answer.status, answer.body) == (400, b"malformed\n")


async def test_twenty_redeliveries_are_one_text(http: HttpWorld) -> None:
    token = await http.person()
    await http.line(token)
    answers = [await http.webhook(SMS, TEXT) for _ in range(20)]
    assert {(answer.status, answer.body) for answer in answers} == {(200, b"<Response/>")}
    assert [message["body"] for message in await inbox(http, token)] == ["hello"]


@pytest.mark.parametrize("to", ["+14155550100", "whatsapp:+12025550143", "12345"])
async def test_a_text_to_nobody_is_answered_as_any_other(to: str, http: HttpWorld) -> None:
    answer = await http.webhook(SMS, TEXT | {"To": to})
    assert (answer.status, answer.body) == (200, b"<Response/>")


def test_where_people_are_is_never_looked_at() -> None:
    text = inbound_message(TEXT | NOWHERE, f"a={CANARY}")
    report = delivery_receipt(TEXT | NOWHERE, Status.SENT, None, f"a={CANARY}")
    for kept in (text, report):
        assert kept is not None
        values = {str(getattr(kept, field.name)) for field in fields(kept)}
        assert {f"SM{1:032x}"} < values, "the values themselves, not what their repr shows"
        assert not any(CANARY in value for value in values)


@pytest.mark.parametrize(
    ("word", "expected"), [("STOP", True), ("START", False), ("HELP", False), ("stop", False)]
)
async def test_opt_out_is_what_twilio_names_so(word: str, expected: bool, http: HttpWorld) -> None:
    token = await http.person()
    await http.line(token)
    await http.webhook(SMS, TEXT | {"OptOutType": word})
    chat = (await http.call("GET", "/v1/conversations", token=token)).json["items"][0]
    assert (chat["opted_out_at"] is not None) is expected


async def test_stop_holds_when_the_conversation_is_deleted_until_start(http: HttpWorld) -> None:
    token = await http.person()
    line = await http.line(token)
    please = {"to": STRANGER, "body": "please"}
    await http.webhook(SMS, TEXT | {"Body": "STOP"})
    chat = (await http.call("GET", "/v1/conversations", token=token)).json["items"][0]
    assert (await http.call("DELETE", f"/v1/conversations/{chat['id']}", token=token)).status == 204
    for _ in range(2):
        answer = await http.call(
            "POST", f"/v1/lines/{line}/messages", please, token=token, headers=http.key()
        )
        assert (answer.status, answer.code) == (409, "opted_out")
    await http.webhook(SMS, TEXT | {"Body": "START", "MessageSid": f"SM{2:032x}"})
    answer = await http.call("POST", f"/v1/lines/{line}/messages", please, token=token, headers=http.key())
    assert answer.status == 202


@pytest.mark.parametrize("order", list(permutations(["sending", "sent", "delivered"])))
async def test_reports_in_any_order_end_alike(order: tuple[str, ...], http: HttpWorld) -> None:
    token = await http.person()
    message, ref = await sent(http, token, await http.line(token))
    for word in (*order, *order):
        report = {"MessageSid": ref, "MessageStatus": word, "From": OURS, "To": STRANGER}
        answer = await http.webhook(STATUS, report)
        assert (answer.status, answer.body) == (204, b"")
    assert (await http.call("GET", f"/v1/messages/{message}", token=token)).json["status"] == "delivered"


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("30003", "unreachable"),
        ("21610", "opted_out"),
        ("30007", "rejected"),
        ("30034", "unsupported"),
        ("30017", "carrier_outage"),
        *((code, "unknown") for code in ("30008", "", "none", "9" * 10)),
    ],
)
async def test_a_failure_brings_its_reason_and_no_code(code: str, shown: str, http: HttpWorld) -> None:
    token = await http.person()
    message, ref = await sent(http, token, await http.line(token))
    report = {"MessageSid": ref, "MessageStatus": "undelivered", "From": OURS, "ErrorCode": code}
    assert (await http.webhook(f"{STATUS}?message={message}", report)).status == 204
    failed = (await http.call("GET", f"/v1/messages/{message}", token=token)).json
    assert (failed["status"], failed["failure"]) == ("failed", shown)


@pytest.mark.parametrize(
    "change",
    [
        {"MessageStatus": "teleported"},
        {"From": "+14155550100"},
        {"From": "PICO"},
        {"MessageSid": f"SM{404:032x}"},
    ],
)
async def test_a_report_that_says_nothing_to_us_changes_nothing(
    change: dict[str, str], http: HttpWorld
) -> None:
    token = await http.person()
    message, ref = await sent(http, token, await http.line(token))
    before = (await http.call("GET", f"/v1/messages/{message}", token=token)).json
    report = {"MessageSid": ref, "MessageStatus": "delivered", "From": OURS} | change
    assert (await http.webhook(STATUS, report)).status == 204
    assert (await http.call("GET", f"/v1/messages/{message}", token=token)).json == before


@pytest.mark.parametrize("query", ["?message=7", "?message=", "?other=1"])
async def test_a_tag_that_is_none_of_ours_is_no_error(query: str, http: HttpWorld) -> None:
    report = {"MessageSid": f"SM{9:032x}", "MessageStatus": "sent", "From": OURS, "ErrorCode": "9" * 5000}
    assert (await http.webhook(STATUS + query, report)).status == 204


async def test_a_message_is_for_the_lease_that_its_address_names(http: HttpWorld) -> None:
    token = await http.person()
    line = await http.line(token)
    for number, (lease, heard) in enumerate({line: 1, str(UUID(int=404)): 1, "none": 1}.items()):
        form = TEXT | {"MessageSid": f"SM{number:032x}"}
        assert (await http.webhook(f"{SMS}?line={lease}", form)).status == 200
        assert len(await inbox(http, token)) == heard


async def test_an_outage_makes_twilio_come_again(http: HttpWorld) -> None:
    http.world.store.outage = True
    assert (await http.webhook(SMS, TEXT)).status == 503


def every_error(of: type[Exception] = PicoError) -> set[type[Exception]]:
    return {of}.union(*(every_error(kind) for kind in of.__subclasses__()))


def bare(kind: type[Exception]) -> Exception:
    """Make an error without what its class asks for."""
    return kind.__new__(kind)


async def test_whatever_goes_wrong_twilio_is_answered_in_its_own_terms(
    http: HttpWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await http.person()
    await http.line(token)
    raised = [bare(kind) for kind in (*every_error(), ZeroDivisionError, KeyError, TimeoutError)]
    assert {SealBroken, VersionConflict, KeyGone, StoreUnavailable} <= {type(error) for error in raised}
    for error in raised:

        async def fail(*_: object, of: Exception = error, **__: object) -> None:
            raise of

        monkeypatch.setattr(http.world.directory, "line", fail)
        for path, form in ((SMS, TEXT), (STATUS, TEXT | {"MessageStatus": "sent"})):
            answer = await http.webhook(path, form)
            assert (answer.status, answer.body) == (503, b"not now\n")
            assert answer.headers["Content-Type"].startswith("text/plain")
    monkeypatch.undo()
    assert (await http.webhook(SMS, TEXT)).status == 200
    assert [message["body"] for message in await inbox(http, token)] == ["hello"]


async def test_a_race_that_is_always_lost_makes_twilio_come_again(http: HttpWorld) -> None:
    token = await http.person()
    await http.line(token)
    update, store = http.world.store.update, http.world.store

    async def losing(*given: Any, **named: Any) -> Any:
        raise VersionConflict

    store.update = losing  # type: ignore[method-assign]
    assert (await http.webhook(SMS, TEXT)).status == 503
    store.update = update  # type: ignore[method-assign]
    assert (await http.webhook(SMS, TEXT)).status == 200
    assert len(await inbox(http, token)) == 1


async def test_a_body_past_the_limit_is_413_whoever_signed_it(http: HttpWorld) -> None:
    answer = await http.webhook(SMS, TEXT | {"Body": "a" * 65536})
    assert (answer.status, answer.body) == (413, b"refused\n")
    assert forbidden(await http.call("POST", SMS, raw=b"a" * 65537)), "unsigned, it is not even read"


def test_forms_are_read_as_twilio_signs_them() -> None:
    """Decoded, empty values kept: what `parse_qsl` gives is what the samples say."""
    for request in sample_webhooks("twilio_inbound_messages.json")["requests"]:
        assert dict(parse_qsl(request["raw_body"], keep_blank_values=True)) == request["form"]
