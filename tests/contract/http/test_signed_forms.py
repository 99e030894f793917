"""One captured request is one message: a form that was cut elsewhere has Twilio's signature, and no effect."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.inbound.webhooks.twilio import form, messages
from adapters.inbound.webhooks.twilio.form import message_sid, well_formed
from adapters.inbound.webhooks.twilio.messages import has_its_sender, inbound_message
from adapters.inbound.webhooks.twilio.signature import signature_of
from domain.failures import FailureReason
from domain.messages import Direction, Message, Status
from tests.support.http_world import OURS, STRANGER, HttpWorld
from tests.support.recuts import Pairs, bait, recut, said

SMS, STATUS = "/webhooks/twilio/sms", "/webhooks/twilio/message-status"
SID, OTHER = f"SM{0xABC:032x}", f"SM{0xDEF:032x}"
FORM = {
    "AccountSid": f"AC{1:032x}", "ApiVersion": "2010-04-01", "Body": "hello", "From": STRANGER, "MessageSid": SID,
    "NumMedia": "0", "NumSegments": "1", "SmsMessageSid": SID, "SmsSid": SID, "SmsStatus": "received", "To": OURS,
}  # fmt: skip
PLACE = {"FromCity": "NEW YORK", "FromCountry": "US", "FromState": "NY", "FromZip": "10001"}
MEDIA = {"MediaContentType0": "image/jpeg", "MediaUrl0": "https://api.twilio.com/2010-04-01/Media/ME1"}
BAIT = f"xFrom+15550000001MessageSid{OTHER}To{OURS}Zzz"
"""A body in which a sender spells the fields of another message."""


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running() as world:
        yield world


def effect(pairs: Pairs) -> tuple[object, ...] | None:
    """Return what a signed form makes: line, sender, the id under which it is stored once; None if it is refused."""
    fields = well_formed(pairs)
    if fields is None or message_sid(fields) is None or not has_its_sender(fields) or not fields.get("To"):
        return None
    message = inbound_message(fields, "")
    return None if message is None else (message.to, message.ref, message.sender)


def drawn(seed: int) -> tuple[Pairs, Pairs | None]:
    """Return a form whose body was written by somebody who wants more of it, and one that is signed alike."""
    rnd = Random(seed)
    beside = rnd.choice([{}, PLACE, MEDIA, PLACE | MEDIA])
    original = tuple((FORM | beside | {"Body": bait(rnd, OTHER, OURS)}).items())
    return original, recut(said(original), rnd)


@settings(max_examples=1500, deadline=None)
@given(seed=st.integers(0, 2**64))
def test_a_form_cut_elsewhere_is_refused_or_is_the_same_message(seed: int) -> None:
    original, other = drawn(seed)
    if other is not None:
        url = "https://pico.example/webhooks/twilio/sms"
        assert signature_of("token", url, other) == signature_of("token", url, original)
        assert effect(other) in {None, effect(original)}


@pytest.mark.parametrize("rule", ["id", "sender"])
def test_what_is_drawn_finds_the_holes_that_were_there(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "NAMED_SENDER", re.compile("(?!)"))
    monkeypatch.setattr(messages, "BESIDE", ())
    if rule == "id":  # one whose name is cut in two is not noticed
        monkeypatch.setattr(form, "NAMED_SID", re.compile("(?!)"))
    made = [(effect(other), effect(original)) for original, other in map(drawn, range(1500)) if other]
    assert len(made) > 300, "hardly any form was cut elsewhere"
    assert [new for new, old in made if new not in {None, old}], "the hole was not found"


def test_a_body_that_spells_another_message_does_not_become_one() -> None:
    original = tuple((FORM | {"Body": BAIT}).items())
    rest = said(original).partition("Zzz")[2]
    recut = (
        ("AccountSid", FORM["AccountSid"]), ("ApiVersion", FORM["ApiVersion"]), ("Body", "x"),
        ("From", "+15550000001"), ("MessageSid", OTHER), ("To", OURS), ("Zzz", rest),
    )  # fmt: skip
    assert said(recut) == said(original)
    assert effect(recut) is None
    assert effect(original) == (OURS, SID, STRANGER), "whoever writes such a body is still heard"


def test_a_recut_that_cuts_the_names_of_ids_in_two_does_not_become_another_message() -> None:
    body = f"hiFrom{STRANGER}MessageSid{OTHER}To{OURS}Z"
    original = tuple((FORM | {"Body": body}).items())
    recut = (
        ("AccountSid", FORM["AccountSid"]), ("ApiVersion", FORM["ApiVersion"]), ("Body", "hi"), ("From", STRANGER),
        ("MessageSid", OTHER), ("To", OURS), ("Z", f"From{STRANGER}M"),
        ("e", f"ssageSid{SID}NumMedia0NumSegments1SmsM"), ("es", f"sageSid{SID}S"),
        ("m", f"sSid{SID}SmsStatusreceivedTo{OURS}"),
    )  # fmt: skip
    assert said(recut) == said(original)
    assert effect(recut) is None
    assert effect(original) == (OURS, SID, STRANGER), "whoever writes such a body is still heard"


RECUT_SENDERS = {
    "what stands beside it": {"From": f"{STRANGER}FromCityNEW YORKFromCountryUSFromStateNYFromZip10001"},
    "a part of that": {"From": f"{STRANGER}FromCityNEW YORK", **{name: PLACE[name] for name in list(PLACE)[1:]}},
    "what the body spells": {"Body": "hello", "From": "+15550000001", "GFrom": "".join(
        [STRANGER, *(name + value for name, value in PLACE.items())]
    )},
    "what the body spells, cut in two": {"Body": "hello", "From": "+15550000001", "GF": "rom" + "".join(
        [STRANGER, *(name + value for name, value in PLACE.items())]
    )},
}  # fmt: skip


@pytest.mark.parametrize("cut", RECUT_SENDERS.values(), ids=RECUT_SENDERS.keys())
async def test_a_form_cut_elsewhere_that_comes_first_does_not_decide_the_sender(
    cut: dict[str, str], http: HttpWorld
) -> None:
    token = await http.person()
    await http.line(token)
    original = FORM | PLACE | {"Body": "helloFrom+15550000001G" if "Body" in cut else "hello"}
    recut = {name: value for name, value in (FORM | cut).items() if name not in PLACE or name in cut}
    assert said(tuple(recut.items())) == said(tuple(original.items()))
    assert (await http.webhook(SMS, recut)).status == 400
    assert (await http.webhook(SMS, original)).status == 200
    (conversation,) = (await http.call("GET", "/v1/conversations", token=token)).json["items"]
    assert conversation["peer"] == STRANGER


@pytest.mark.parametrize("sender", ["FromCity", "MediaUrl0", "12345", "ACME From 1"])
async def test_a_sender_may_be_called_like_a_field(sender: str, http: HttpWorld) -> None:
    token = await http.person()
    await http.line(token)
    assert (await http.webhook(SMS, FORM | PLACE | MEDIA | {"From": sender})).status == 200
    (conversation,) = (await http.call("GET", "/v1/conversations", token=token)).json["items"]
    assert conversation["peer"] == sender


@pytest.mark.parametrize(
    "change",
    [
        {"MessageSid": "SM1"}, {"MessageSid": SID.upper()}, {"MessageSid": SID + "\x00"}, {"MessageSid": "S" * 2600},
        {"MessageSid": SID + "NumMedia1"}, {"SmsSid": OTHER}, {"SmsMessageSid": OTHER}, {"Num Media": "1"}, {"": "x"},
        {"FromCity": f"MessageSid{OTHER}"}, {"MessageSid": f"AC{7:032x}"},
    ],
    ids=range(11),
)  # fmt: skip
async def test_a_form_that_twilio_cannot_have_sent_is_refused_and_nothing_is_stored(
    http: HttpWorld, change: dict[str, str]
) -> None:
    token = await http.person()
    await http.line(token)
    assert (await http.webhook(SMS, FORM | change)).status == 400
    status = {"MessageSid": SID, "MessageStatus": "sent", "From": OURS, "To": STRANGER, **change}
    assert (await http.webhook(STATUS, status)).status == 400
    assert (await http.call("GET", "/v1/conversations", token=token)).json["items"] == []


async def stored(http: HttpWorld, token: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for chat in (await http.call("GET", "/v1/conversations", token=token)).json["items"]:
        page = await http.call("GET", f"/v1/conversations/{chat['id']}/messages", token=token)
        found += [{**message, "peer": chat["peer"]} for message in page.json["items"]]
    return found


@pytest.mark.parametrize(
    ("sender", "kept"),
    [
        ("A\tB", "A B"),
        ("", "unknown"),
        ("  ", "unknown"),
        (" PICO  CO ", "PICO CO"),
        ("x" * 80, "x" * 64),
        ("\u202eP\u200bI\u2066CO\x85", "PICO"),
        ("\u200b", "unknown"),
    ],
    ids=range(7),
)
async def test_nothing_signed_and_addressed_to_us_is_dropped_for_its_sender(
    http: HttpWorld, sender: str, kept: str
) -> None:
    token = await http.person()
    await http.line(token)
    for _ in range(2):
        assert (await http.webhook(SMS, FORM | {"From": sender})).status == 200
    assert [(message["body"], message["peer"]) for message in await stored(http, token)] == [("hello", kept)]


@pytest.mark.parametrize(
    ("given", "counted"), [("1", 1), ("10", 10), ("0", 0), ("", 0), ("-1", 0), ("many", 0)]
)
async def test_a_message_says_how_many_attachments_it_had(http: HttpWorld, given: str, counted: int) -> None:
    token = await http.person()
    await http.line(token)
    await http.webhook(SMS, FORM | {"Body": "", "NumMedia": given})
    (message,) = await stored(http, token)
    assert (message["body"], message["attachments"]) == ("", counted)


def outbound(status: Status) -> Message:
    return Message(
        account_id=None, id=None, conversation_id=None, line_id=None, direction=Direction.OUTBOUND,  # type: ignore[arg-type]  # nobody's
        status=status, body=None, created_at=None,  # type: ignore[arg-type]  # nothing
    )  # fmt: skip


@pytest.mark.parametrize("status", sorted({*Status} - {Status.FAILED, Status.UNCONFIRMED}))
def test_only_a_failed_message_has_a_reason(status: Status) -> None:
    message = outbound(Status.QUEUED)
    message.advance(status, FailureReason.REJECTED, None)  # type: ignore[arg-type]  # at any instant
    assert message.failure is None


def test_a_message_we_sent_was_never_received_by_us() -> None:
    message = outbound(Status.SENT)
    message.advance(Status.RECEIVED, None, None)  # type: ignore[arg-type]  # at any instant
    assert message.status is Status.SENT
