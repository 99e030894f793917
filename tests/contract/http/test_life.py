"""Accounts living over HTTP. Every answer is held against the OpenAPI document by `HttpWorld` itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.inbound.http.route import Route
from adapters.inbound.http.routes import ROUTES, SANDBOX_ROUTES
from adapters.outbound.memory.message_carrier import FetchableMedia
from adapters.outbound.twilio.simulator.pictures import tiny_picture
from adapters.tones import tone
from domain.values import Peer, PhoneNumber
from pico_testkit.contracts.porting import BILL
from tests.support.archives import export_in
from tests.support.http_world import OURS, PASSWORD, STRANGER, HttpWorld, filled
from tests.support.intruder import PORTED

GOODBYE = {"password": PASSWORD}


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running(sandbox=True) as world:
        yield world


async def talks(http: HttpWorld, token: str, line: dict[str, Any]) -> None:
    """Live through calls, voicemail and greetings."""
    call, path = http.call, f"/v1/lines/{line['id']}"
    app = (await call("POST", f"{path}/voice-tokens", token=token)).json
    assert datetime.fromisoformat(app["expires_at"]) == http.world.clock.now() + timedelta(hours=1)
    there = {"to": STRANGER, "when": ["busy"]}
    forwarded = (await call("PUT", f"{path}/forwarding", there, token=token)).json
    assert (forwarded["forward_to"], forwarded["forward_when"]) == (STRANGER, ["busy"])
    stopped = (await call("DELETE", f"{path}/forwarding", token=token)).json
    assert (stopped["forward_to"], stopped["forward_when"]) == (None, [])
    placed = await call("POST", f"{path}/calls", {"to": STRANGER}, token=token, headers=http.key("call"))
    assert (placed.json["direction"], placed.json["peer"]) == ("outbound", STRANGER)
    record = f"/v1/calls/{placed.json['id']}"
    assert (await call("GET", record, token=token)).json["id"] == placed.json["id"]
    assert (await call("DELETE", record, token=token)).status == 204

    assert (await call("PUT", f"{path}/greeting", {"words": "Ada"}, token=token)).json["words"] == "Ada"
    sound, wav = tone(1), {"Content-Type": "audio/wav"}
    uploaded = await call("PUT", f"{path}/greeting/audio", raw=sound, token=token, headers=wav)
    assert uploaded.json == (await call("GET", f"{path}/greeting", token=token)).json
    assert (await call("GET", f"{path}/greeting/audio", token=token)).body == sound
    assert (await call("DELETE", f"{path}/greeting", token=token)).status == 204

    played = {"from": STRANGER, "to": line["number"], "outcome": "no_answer", "voicemail": "Call me"}
    assert (await call("POST", "/sandbox/calls", played)).status == 202
    await http.world.settle()
    (missed,) = (await call("GET", "/v1/calls", token=token)).json["items"]
    assert (missed["direction"], missed["peer"]) == ("inbound", STRANGER)
    (left,) = (await call("GET", "/v1/voicemails", token=token)).json["items"]
    voicemail = f"/v1/voicemails/{left['id']}"
    assert (left["from"], left["heard_at"]) == (STRANGER, None)
    assert len((await call("GET", f"{voicemail}/audio", token=token)).body) == left["size"]
    heard = (await call("PATCH", voicemail, {"heard": True}, token=token)).json
    assert heard["heard_at"] is not None
    assert (await call("DELETE", voicemail, token=token)).json["id"] == left["id"]
    assert (await call("GET", voicemail, token=token)).status == 404
    assert (await call("DELETE", f"{voicemail}/deletion", token=token)).json == heard
    assert (await call("GET", voicemail, token=token)).json == heard


async def pays(http: HttpWorld, token: str) -> None:
    """Live through buying a plan and changing it."""
    call = http.call
    plans = [one["plan"] for one in (await call("GET", "/v1/plans")).json["items"]]
    assert (await call("GET", "/v1/subscription", token=token)).json["state"] == "none"
    choice = {"plan": plans[0]}
    page = await call("POST", "/v1/billing/checkout", choice, token=token, headers=http.key("checkout"))
    assert (await call("POST", f"/sandbox/checkout/{page.json['id']}/complete")).status == 204
    for hint in list(http.world.payments.events):
        await http.world.use_cases.receive_payment_hint(hint)
    await http.world.settle()
    assert (await call("GET", "/v1/subscription", token=token)).json["plan"] == plans[0]
    assert (await call("POST", "/v1/billing/portal", token=token)).json["url"]
    buyer = (await call("POST", "/v1/billing/buyer-token", token=token)).json
    assert (await call("POST", "/v1/billing/buyer-token", token=token)).json == buyer
    other = {"plan": plans[-1]}
    changed = await call("POST", "/v1/billing/plan-changes", other, token=token, headers=http.key("plan"))
    assert changed.json["plan"] == plans[-1]


async def waits_and_is_woken(http: HttpWorld, token: str, path: str) -> None:
    """Live through messages for later, a device that is woken, and what is told of all that happened."""
    call = http.call
    draft = {"to": STRANGER, "body": "later"}
    assert (await call("POST", "/v1/message-estimates", {"body": draft["body"]}, token=token)).json["fits"]
    at = (http.world.clock.now() + timedelta(hours=1)).isoformat()
    later = await call("POST", f"{path}/messages", draft | {"send_at": at}, token=token, headers=http.key())
    waiting = f"/v1/messages/{later.json['id']}"
    assert (await call("DELETE", f"{waiting}/schedule", token=token)).json["status"] == "canceled"
    assert (await call("DELETE", waiting, token=token)).status == 204

    device = {"platform": "ios", "device_token": "ab" * 32}
    registered = (await call("POST", "/v1/push-tokens", device, token=token)).json
    assert (await call("GET", "/v1/push-tokens", token=token)).json["items"] == [registered]
    assert (await call("DELETE", f"/v1/push-tokens/{registered['id']}", token=token)).status == 204

    ported = await call("POST", "/v1/port-requests", PORTED, token=token, headers=http.key())
    address = ported.headers["Location"]
    bill = await call(
        "PUT", f"{address}/bill", raw=BILL, token=token, headers={"Content-Type": "application/pdf"}
    )
    assert bill.json["state"] == "requested"
    await http.world.settle()
    assert (await call("GET", address, token=token)).json["state"] == "submitted"
    assert (await call("GET", "/v1/port-requests", token=token)).json["items"][0]["number"] == PORTED[
        "number"
    ]
    assert (await call("DELETE", address, token=token)).json["cancel_asked_at"]

    hook = {"url": "https://hooks.example.org/pico"}
    endpoint = await call("POST", "/v1/webhook-endpoints", hook, token=token, headers=http.key())
    address = endpoint.headers["Location"]
    assert (await call("PATCH", address, {"kinds": ["account.changed"]}, token=token)).status == 200
    assert (await call("PATCH", "/v1/account", {"display_name": "Ada"}, token=token)).status == 200
    await http.world.settle()
    assert (await call("GET", "/v1/webhook-endpoints", token=token)).json["items"][0]["state"] == "enabled"
    (delivery,) = (await call("GET", f"{address}/deliveries", token=token)).json["items"]
    assert delivery["answer"] == "2xx"
    other = (await call("POST", f"{address}/secret", token=token)).json["secret"]
    assert other != endpoint.json["secret"]
    assert (await call("GET", address, token=token)).json["kinds"] == ["account.changed"]
    assert (await call("POST", f"{address}/test", token=token)).json["event"] == "webhook.test"
    assert (await call("DELETE", address, token=token)).status == 204

    told = await call("GET", "/v1/events?seconds=0", token=token)
    assert b"event: stream.opened" in told.body
    assert (await call("GET", "/v1/account/audit-log", token=token)).json["items"]
    assert (await call("GET", "/legal/keys")).json


async def test_a_whole_life_passes_through_every_route(http: HttpWorld) -> None:  # noqa: PLR0915 - a life is long
    call = http.call
    assert (await call("GET", "/healthz")).json == {"status": "ok"}
    assert (await call("GET", "/readyz")).json == {"status": "ok"}
    token = await http.person()
    assert (await call("GET", "/sandbox/mails")).json["items"][0]["to"] == "ada@example.org"

    account = (await call("GET", "/v1/account", token=token)).json
    assert (account["email"], account["display_name"], account["locale"]) == ("ada@example.org", "Ada", "en")
    changed = await call("PATCH", "/v1/account", {"display_name": "Ada L"}, token=token)
    assert changed.json == account | {"display_name": "Ada L"}

    found = await call(
        "GET", "/v1/available-numbers?country=US&area_code=202&capabilities=sms,voice", token=token
    )
    offer = found.json["items"][0]
    wanted = {"number": offer["number"], "label": "Work"}
    bought = await call("POST", "/v1/lines", wanted, token=token, headers=http.key("buy"))
    line = bought.json
    assert (line["number"], line["label"], line["state"]) == (offer["number"], "Work", "active")
    again = await call("POST", "/v1/lines", wanted, token=token, headers=http.key("buy"))
    assert (again.status, again.body) == (bought.status, bought.body)
    assert [one.headers["Idempotency-Replayed"] for one in (bought, again)] == ["false", "true"]
    path = f"/v1/lines/{line['id']}"
    assert (await call("PATCH", path, {"label": None}, token=token)).json == line | {"label": None}
    assert (await call("GET", path, token=token)).json == line | {"label": None}
    assert (await call("GET", "/v1/lines", token=token)).json["items"] == [line | {"label": None}]

    text = {"to": STRANGER, "body": "Shalom \u05e9\u05dc\u05d5\u05dd \U0001f44b"}
    sent = await call("POST", f"{path}/messages", text, token=token, headers=http.key("send"))
    await http.world.settle()
    replay = await call("POST", f"{path}/messages", text, token=token, headers=http.key("send"))
    assert (replay.status, replay.body) == (sent.status, sent.body)
    assert [one.headers["Idempotency-Replayed"] for one in (sent, replay)] == ["false", "true"]
    assert (sent.json["direction"], sent.json["status"]) == ("outbound", "queued")
    message = (await call("GET", f"/v1/messages/{sent.json['id']}", token=token)).json
    assert message["body"] == text["body"]
    assert [one.body for one in http.world.carrier.messages.values()] == [text["body"]]
    said = {"from": STRANGER, "to": line["number"], "body": "Hello back"}
    assert (await call("POST", "/sandbox/sms", said)).status == 202

    chat = (await call("GET", f"/v1/conversations?line_id={line['id']}", token=token)).json["items"][0]
    assert (chat["peer"], chat["unread"], chat["total"]) == (STRANGER, 1, 2)
    said = {"direction": "inbound", "status": "received", "body": "Hello back", "attachments": 0}
    assert chat["last_message"] == said | {name: chat["last_message"][name] for name in ("id", "created_at")}
    thread = f"/v1/conversations/{chat['id']}"
    assert (await call("POST", f"{thread}/read", token=token)).status == 204
    assert (await call("GET", thread, token=token)).json == chat | {"unread": 0}
    texts = (await call("GET", f"{thread}/messages", token=token)).json["items"]
    assert [one["body"] for one in texts] == ["Hello back", text["body"]]
    ends = [(one["from"], one["to"]) for one in (*texts, sent.json, message)]
    assert ends == [(STRANGER, line["number"]), *[(line["number"], STRANGER)] * 3]
    assert texts[0]["id"] == chat["last_message"]["id"]
    assert (await call("DELETE", f"/v1/messages/{texts[0]['id']}", token=token)).status == 204
    assert (await call("GET", f"/v1/messages/{texts[0]['id']}", token=token)).status == 404
    (chat,) = (await call("GET", "/v1/conversations", token=token)).json["items"]
    assert chat == (await call("GET", thread, token=token)).json
    assert (chat["total"], chat["unread"]) == (1, 0)
    assert chat["last_message"] == {name: message[name] for name in chat["last_message"]}

    snapshot = FetchableMedia("image/png", tiny_picture("52.52 N, 13.40 E"))
    await http.world.carrier.receive(Peer(STRANGER), PhoneNumber(line["number"]), "look", [snapshot])
    await http.world.settle()
    look = (await call("GET", f"{thread}/messages", token=token)).json["items"][0]
    (picture,) = (await call("GET", f"/v1/messages/{look['id']}", token=token)).json["media"]
    seen = await call("GET", f"/v1/media/{picture['id']}", token=token)
    assert (seen.status, len(seen.body), b"52.52" in seen.body) == (200, picture["size"], False)
    mine = await call(
        "POST", "/v1/media", token=token, raw=snapshot.content, headers={"Content-Type": "image/png"}
    )
    assert (mine.status, mine.json["state"], mine.json["type"]) == (201, "kept", "image/png")
    assert (await call("DELETE", f"/v1/messages/{look['id']}", token=token)).status == 204

    export = (await call("POST", "/v1/account/exports", token=token)).json
    await http.world.settle()
    where = f"/v1/account/exports/{export['id']}"
    ready = (await call("GET", where, token=token)).json
    assert ready["state"] == "ready"
    assert datetime.fromisoformat(ready["expires_at"]) == http.world.clock.now() + timedelta(hours=24)
    taken = await call("POST", f"{where}/download", GOODBYE, token=token)
    assert taken.headers["Content-Disposition"] == 'attachment; filename="pico-export.zip"'
    assert text["body"] in str(export_in(taken.body))
    assert (await call("POST", f"{where}/download", GOODBYE, token=token)).body == taken.body
    (listed,) = (await call("GET", "/v1/account/exports", token=token)).json["items"]
    assert (listed["id"], listed["state"]) == (export["id"], "downloaded")
    assert datetime.fromisoformat(listed["expires_at"]) == http.world.clock.now() + timedelta(minutes=10)

    known = {"name": "Noa", "numbers": [STRANGER]}
    contact = (await call("POST", "/v1/contacts", known, token=token, headers=http.key("add"))).json
    assert (contact["name"], contact["numbers"], contact["note"]) == ("Noa", [STRANGER], None)
    assert (await call("GET", "/v1/contacts", token=token)).json["items"] == [contact]
    card = f"/v1/contacts/{contact['id']}"
    noted = await call("PATCH", card, {"note": "climbs"}, token=token)
    assert noted.json == (await call("GET", card, token=token)).json == contact | {"note": "climbs"}
    assert (await call("DELETE", card, token=token)).status == 204
    file = await call("GET", "/v1/contacts/export", token=token)
    assert file.body == b""
    noa = b"BEGIN:VCARD\nFN:Noa\nTEL:+12025550143\nEND:VCARD\n"
    report = await call(
        "POST", "/v1/contacts/import", raw=noa, token=token, headers={"Content-Type": "text/vcard"}
    )
    assert report.json == {"added": 1, "merged": 0, "skipped": 0, "dropped": 0, "skips": []}

    found = (await call("GET", "/v1/search?q=shal", token=token)).json
    assert [one["body"] for one in found["items"]] == [text["body"]]

    block = f"/v1/blocked-numbers/{OURS}"
    blocked = (await call("PUT", block, token=token)).json
    assert (await call("GET", "/v1/blocked-numbers", token=token)).json["items"] == [blocked]
    assert (await call("DELETE", block, token=token)).status == 204

    assert (await call("DELETE", thread, token=token)).status == 204
    assert (await call("GET", "/v1/conversations", token=token)).json == {"items": [], "next_cursor": None}
    assert (await call("DELETE", path, token=token)).json["state"] == "pending_release"
    assert (await call("DELETE", f"{path}/release", token=token)).json["state"] == "active"

    await talks(http, token, line)
    await waits_and_is_woken(http, token, path)
    await pays(http, token)

    other = (await call("POST", "/v1/sessions", {"email": "Ada@Example.org", "password": PASSWORD})).json
    third = (await call("POST", "/v1/sessions", {"email": "ada@example.org", "password": PASSWORD})).json
    listed = (await call("GET", "/v1/sessions", token=token)).json["items"]
    assert [one["current"] for one in listed].count(True) == 1
    assert (await call("DELETE", f"/v1/sessions/{third['session']['id']}", token=token)).status == 204
    assert (await call("GET", "/v1/account", token=third["token"])).status == 401
    assert (await call("DELETE", "/v1/sessions?except=current", token=other["token"])).status == 204
    assert (await call("GET", "/v1/account", token=token)).status == 401
    token = other["token"]

    read = {"terms_version": 1, "privacy_version": 3}
    account = (await call("POST", "/v1/account/acceptances", read, token=token)).json
    assert account == account | read | {"terms_to_accept": None, "privacy_to_accept": None}
    moving = {"email": "ada@example.net", "password": PASSWORD}
    assert (await call("POST", "/v1/account/email-changes", moving, token=token)).status == 202
    await http.world.settle()
    proof = {"token": next(mail.link_token for mail in reversed(http.world.mail.sent) if mail.link_token)}
    moved = await call("POST", "/v1/account/email-changes/verify", proof, token=token)
    assert moved.json["email"] == "ada@example.net"
    back = {"email": "ada@example.org", "password": PASSWORD}
    assert (await call("POST", "/v1/account/email-changes", back, token=token)).code == "email_changed_lately"
    chosen = {"password": PASSWORD, "new_password": "four boring purple umbrellas"}
    changed = await call("PUT", "/v1/account/password", chosen, token=token)
    assert (await call("GET", "/v1/account", token=token)).status == 401
    assert (await call("GET", "/v1/account", token=changed.json["token"])).status == 200
    for email in ("nobody@example.org", "Ada@Example.net"):
        assert (await call("POST", "/v1/password-resets", {"email": email})).status == 202
        await http.world.settle()
    link = {"token": http.world.mail.sent[-1].link_token, "new_password": PASSWORD}
    token = (await call("POST", "/v1/password-resets/confirm", link)).json["token"]
    assert (await call("POST", "/v1/password-resets/confirm", link)).code == "link_used"

    frozen = await call("POST", "/v1/account/restriction", {"inbound": "accepted"}, token=token)
    assert frozen.json["restriction"]["inbound"] == "accepted"
    freed = await call("DELETE", "/v1/account/restriction", token=token)
    assert freed.json["restriction"] is None
    preview = (await call("GET", "/v1/account/deletion-preview", token=token)).json
    assert (
        await call("DELETE", "/v1/account", {"password": "wrong"}, token=token)
    ).code == "wrong_credentials"
    gone = await call("DELETE", "/v1/account", GOODBYE, token=token)
    assert gone.json == preview
    due = datetime.fromisoformat(gone.json["erase_at"])
    assert due - datetime.fromisoformat((await call("GET", "/sandbox/clock")).json["now"]) == timedelta(
        days=30
    )
    assert (await call("GET", "/v1/account", token=token)).status == 401
    back = (
        await call("POST", "/v1/account-recoveries", {"email": "ada@example.net", "password": PASSWORD})
    ).json
    assert (await call("DELETE", "/v1/sessions/current", token=back["token"])).status == 204
    assert (await call("GET", "/v1/account", token=back["token"])).status == 401

    assert (await call("GET", "/legal/privacy.json")).json["policy_version"] == 3
    before = http.world.clock.now()
    assert (await call("POST", "/sandbox/clock", {"advance": "P1DT2H3M4S"})).status == 200
    assert http.world.clock.now() - before == timedelta(days=1, hours=2, minutes=3, seconds=4)
    assert (await call("POST", "/sandbox/faults", {"outage": True})).json == {"outage": True}
    assert (await call("GET", "/sandbox/providers")).status == 200

    shown = {(route.method, str(route.template)) for route in (*ROUTES, *SANDBOX_ROUTES) if not route.hidden}
    assert shown == http.contract.done, "every route has answered well, as documented"


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if ":uuid" in route.path and not route.open],
    ids=lambda route: f"{route.method} {route.path}",
)
async def test_what_is_somebody_elses_does_not_exist(route: Route, http: HttpWorld) -> None:
    ada, eve = await http.person("ada"), await http.person("eve")
    line = await http.line(ada)
    text = {"to": STRANGER, "body": "for your eyes only"}
    sent = (await http.call("POST", f"/v1/lines/{line}/messages", text, token=ada, headers=http.key())).json
    session = (await http.call("GET", "/v1/sessions", token=ada)).json["items"][0]
    export = (await http.call("POST", "/v1/account/exports", token=ada)).json
    await http.world.settle()
    known = {"name": "Noa", "numbers": [STRANGER]}
    contact = (await http.call("POST", "/v1/contacts", known, token=ada, headers=http.key())).json["id"]
    hers = [contact, line, sent["id"], sent["conversation_id"], session["id"], export["id"]]
    fitting: dict[str, object] = {
        "download": GOODBYE,
        "calls": {"to": STRANGER},
        "{webhook_endpoint_id:uuid}": {"enabled": False},
        "forwarding": {"to": STRANGER, "when": ["busy"]},
        "greeting": {"words": "mine"},
        "messages": text,
        "{contact_id:uuid}": {"name": "mine"},
        "{line_id:uuid}": {"label": "mine"},
        "{voicemail_id:uuid}": {"heard": True},
    }
    for each in hers:
        answer = await http.call(
            route.method,
            filled(route, each),
            fitting[route.path.rpartition("/")[2]] if route.body else None,
            token=eve,
            headers=http.key(),
        )
        assert (answer.status, answer.code) == (404, "not_found")
    assert (await http.call("GET", f"/v1/messages/{sent['id']}", token=ada)).json["body"] == text["body"]
    assert (await http.call("GET", f"/v1/lines/{line}", token=ada)).json["state"] == "active"


async def test_one_key_names_one_request(http: HttpWorld) -> None:
    token = await http.person()
    line = await http.line(token)
    path, key = f"/v1/lines/{line}/messages", http.key("same")
    assert (
        await http.call("POST", path, {"to": STRANGER, "body": "a"}, token=token, headers=key)
    ).status == 202
    other = await http.call("POST", path, {"to": STRANGER, "body": "b"}, token=token, headers=key)
    assert (other.status, other.code) == (422, "idempotency_mismatch")


async def test_a_download_needs_the_password_once_more_and_can_be_repeated_for_ten_minutes(
    http: HttpWorld,
) -> None:
    token = await http.person()
    export = (await http.call("POST", "/v1/account/exports", token=token)).json
    path = f"/v1/account/exports/{export['id']}/download"
    assert (await http.call("POST", path, GOODBYE, token=token)).code == "export_not_ready"
    await http.world.settle()
    assert (await http.call("POST", path, token=token)).flaws == {("/password", "missing")}
    wrong = await http.call("POST", path, {"password": "wrong"}, token=token)
    assert (wrong.status, wrong.code) == (401, "wrong_credentials")
    first = await http.call("POST", path, GOODBYE, token=token)
    await http.world.advance(timedelta(minutes=10) - timedelta(seconds=1))
    again = await http.call("POST", path, GOODBYE, token=token)
    assert (first.status, again.status, again.body) == (200, 200, first.body)
    await http.world.advance(timedelta(seconds=1))
    gone = await http.call("POST", path, GOODBYE, token=token)
    assert (gone.status, gone.code) == (409, "export_not_ready")
    assert (await http.call("GET", path, token=token)).status == 405


async def test_what_was_made_or_taken_on_says_where_it_is(http: HttpWorld) -> None:
    token = await http.person()
    line = await http.line(token)
    sent = await http.call(
        "POST", f"/v1/lines/{line}/messages", {"to": STRANGER, "body": "a"}, token=token, headers=http.key()
    )
    export = await http.call("POST", "/v1/account/exports", token=token)
    for answer in (sent, export, await http.call("DELETE", f"/v1/lines/{line}", token=token)):
        found = await http.call("GET", answer.headers["Location"], token=token)
        assert found.json["id"] == answer.json["id"]
    made = await http.call("POST", "/v1/sessions", {"email": "ada@example.org", "password": PASSWORD})
    assert (await http.call("DELETE", made.headers["Location"], token=token)).status == 204
    for route in ROUTES:
        assert bool(route.location) is (route.status in {201, 202})


async def test_a_correction_may_rest_on_what_was_read(http: HttpWorld) -> None:
    token = await http.person()
    for path, change in (
        ("/v1/account", {"locale": "he"}),
        (f"/v1/lines/{await http.line(token)}", {"label": "Work"}),
    ):
        read = (await http.call("GET", path, token=token)).headers["ETag"]
        other = '"1234567"'
        for tag in (f"W/{read}", '"x"', "", other):
            refused = await http.call("PATCH", path, change, token=token, headers={"If-Match": tag})
            assert (refused.status, refused.code) == (412, "changed_meanwhile"), tag
        either = {"If-Match": f"{other}, {read}"}
        now = (await http.call("PATCH", path, change, token=token, headers=either)).headers["ETag"]
        assert now != read
        assert (await http.call("GET", path, token=token)).headers["ETag"] == now
        late = await http.call("PATCH", path, change, token=token, headers={"If-Match": read})
        assert (late.status, late.code) == (412, "changed_meanwhile")
        assert (await http.call("PATCH", path, change, token=token, headers={"If-Match": "*"})).status == 200


async def test_outages_behind_the_edge_are_503(http: HttpWorld) -> None:
    token = await http.person()
    http.world.carrier.outage = True
    answer = await http.call("GET", "/v1/available-numbers?country=US", token=token)
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "carrier_unavailable", "5")
    http.world.hasher.overloaded = True
    answer = await http.call("POST", "/v1/sessions", {"email": "ada@example.org", "password": PASSWORD})
    assert (answer.status, answer.code) == (503, "overloaded")


@pytest.mark.parametrize(
    ("path", "body", "flaw"),
    [
        ("clock", {"advance": "P"}, ("/advance", "malformed")),
        ("clock", {"advance": "PT"}, ("/advance", "malformed")),
        ("clock", {"advance": "-P1D"}, ("/advance", "malformed")),
        ("clock", {"advance": "1D"}, ("/advance", "malformed")),
        ("sms", {"from": STRANGER, "to": OURS, "body": "x"}, ("/to", "not_our_number")),
        ("faults", {"mischief": 1}, ("", "unknown_fault")),
    ],
)
async def test_the_sandbox_says_what_it_does_not_understand(
    path: str, body: object, flaw: tuple[str, str], http: HttpWorld
) -> None:
    answer = await http.call("POST", f"/sandbox/{path}", body)
    assert (answer.status, answer.flaws) == (422, {flaw})


async def test_times_are_utc_to_the_microsecond(http: HttpWorld) -> None:
    http.world.clock.advance(timedelta(microseconds=7))
    now = (await http.call("GET", "/sandbox/clock")).json["now"]
    assert now.endswith("Z")
    assert datetime.fromisoformat(now) == http.world.clock.now().astimezone(UTC)
