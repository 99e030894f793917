"""What is read of a signed form, field by field."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.inbound.webhooks.answers import forbidden, malformed, not_now, noted, refused
from adapters.inbound.webhooks.twilio.form import (
    MOST_FIELDS,
    empty_twiml,
    message_sid,
    pairs_of,
    well_formed,
)
from adapters.inbound.webhooks.twilio.messages import (
    MESSAGE_STATUS,
    SMS,
    TwilioMessages,
    delivery_receipt,
    error_code,
    inbound_message,
)
from adapters.inbound.webhooks.twilio.signature import TwilioSignature, algorithm, respelled, signature_of
from application.inbound_messages import DeliveryReceipt, InboundMessage
from domain.failures import FailureReason
from domain.keywords import OptOut
from domain.messages import Status

SID, LINE = f"SM{7:032x}", UUID(int=9)
INBOUND = {"MessageSid": SID, "From": "+13105550178", "To": "+12025550143", "Body": "hello", "NumMedia": "2"}
REPORT = {"MessageSid": SID, "From": "+12025550143", "To": "+13105550178", "MessageStatus": "sent"}
TOKEN, URL = "not a secret", "https://pico.example/webhooks/twilio/sms"


def test_a_message_is_read_whole() -> None:
    message = inbound_message(INBOUND, f"line={LINE}")
    assert message is not None
    assert (message.ref, message.to, message.sender, message.body) == (
        SID, "+12025550143", "+13105550178", "hello"
    )  # fmt: skip
    assert (message.attachments, message.line_id, message.opt_out) == (2, LINE, None)


@pytest.mark.parametrize("query", ["", "LINE=x", "line=", "other=1"])
def test_a_message_without_a_lease_in_its_address_names_none(query: str) -> None:
    message = inbound_message(INBOUND, query)
    assert message is not None
    assert message.line_id is None


def test_a_lease_that_is_no_id_is_about_nobody() -> None:
    assert inbound_message(INBOUND, "line=x") is None


@pytest.mark.parametrize(
    ("word", "read"), [("STOP", OptOut.STOP), ("START", OptOut.START), ("HELP", None), ("stop", None)]
)
def test_an_opt_out_is_read(word: str, read: OptOut | None) -> None:
    message = inbound_message(INBOUND | {"OptOutType": word}, "")
    assert message is not None
    assert message.opt_out is read


@pytest.mark.parametrize(
    ("said", "counted"), [("", 0), ("0", 0), ("10", 10), ("100", 0), ("x1", 0), ("1x", 0)]
)
def test_attachments_are_counted(said: str, counted: int) -> None:
    message = inbound_message(INBOUND | {"NumMedia": said}, "")
    assert message is not None
    assert message.attachments == counted


def test_a_message_may_have_no_body_and_name_no_attachments() -> None:
    message = inbound_message({name: INBOUND[name] for name in ("MessageSid", "From", "To")}, "")
    assert message is not None
    assert (message.body, message.attachments) == ("", 0)


@pytest.mark.parametrize(
    ("code", "read"), [("30008", 30008), ("", None), ("x", None), ("9" * 9, 999999999), ("9" * 10, None)]
)
def test_the_code_of_a_report_is_a_number_or_none(code: str, read: int | None) -> None:
    assert error_code(REPORT | ({"ErrorCode": code} if code else {})) == read


def test_a_report_is_read_whole() -> None:
    reason = FailureReason.REJECTED
    assert delivery_receipt(REPORT, Status.FAILED, reason, f"message={LINE}") == DeliveryReceipt(
        REPORT["From"], SID, LINE, Status.FAILED, reason  # type: ignore[arg-type]  # they compare equal
    )  # fmt: skip


@pytest.mark.parametrize("query", ["", "MESSAGE=x", "message=", "line=1"])
def test_a_report_that_names_no_message_of_ours_goes_by_its_reference(query: str) -> None:
    receipt = delivery_receipt(REPORT, Status.SENT, None, query)
    assert receipt is not None
    assert (receipt.message_id, receipt.failure) == (None, None)


def test_a_report_about_what_is_no_id_is_about_nobody() -> None:
    assert delivery_receipt(REPORT, Status.SENT, None, "message=x") is None


def handled(path: str, form: dict[str, str], query: str) -> list[Any]:
    seen: list[Any] = []

    async def note(what: InboundMessage | DeliveryReceipt) -> None:
        seen.append(what)

    handler: Callable[[Any, str], Awaitable[Any]] = TwilioMessages(
        note, note, lambda word, _code: (Status(word), None)
    ).handlers()[path]
    asyncio.run(handler(form, query))  # type: ignore[arg-type]  # a coroutine
    return seen


def test_handlers_hand_the_address_on() -> None:
    assert handled(SMS, INBOUND, f"line={LINE}")[0].line_id == LINE
    assert handled(MESSAGE_STATUS, REPORT, f"message={LINE}")[0].message_id == LINE


@pytest.mark.parametrize("lacking", ["MessageSid", "From", "To"])
def test_a_message_that_lacks_a_field_is_not_taken(lacking: str) -> None:
    assert handled(SMS, {name: value for name, value in INBOUND.items() if name != lacking}, "") == []


@pytest.mark.parametrize("lacking", ["MessageSid", "From", "MessageStatus"])
def test_a_report_that_lacks_a_field_is_not_taken(lacking: str) -> None:
    assert (
        handled(MESSAGE_STATUS, {name: value for name, value in REPORT.items() if name != lacking}, "") == []
    )


# ------------------------------------------------------------------------------------------------- forms


@pytest.mark.parametrize(
    "pairs",
    [
        [("MessageSid", SID), ("MessageSid", SID)], [("Message\nSid", SID)], [("Note", "MessageSid")],
        [("Note", "SmsSid")], [("1a", "x")], [("a" * 65, "x")], [("Note", "xSmsSidx"), ("Body", "")],
    ],
    ids=range(7),
)  # fmt: skip
def test_a_form_that_somebody_else_cut_is_none(pairs: list[tuple[str, str]]) -> None:
    assert well_formed(pairs) is None


def test_values_side_by_side_spell_nothing() -> None:
    pairs = [("A", "Message"), ("B", "Sid"), ("C", "Sms"), ("D", "Sid")]
    assert well_formed(pairs) == dict(pairs)


def test_a_form_without_id_has_none() -> None:
    assert message_sid({}) is None
    assert message_sid({"SmsSid": ""}) is None
    assert message_sid({"MessageSid": SID}) == SID


@pytest.mark.parametrize(
    ("answer", "status", "kind", "body"),
    [
        (empty_twiml, 200, "text/xml; charset=utf-8", b"<Response/>"), (noted, 204, None, None),
        (forbidden, 403, "text/plain; charset=utf-8", b"forbidden\n"),
        (partial(refused, 413), 413, "text/plain; charset=utf-8", b"refused\n"),
        (malformed, 400, "text/plain; charset=utf-8", b"malformed\n"),
        (not_now, 503, "text/plain; charset=utf-8", b"not now\n"),
    ],
)  # fmt: skip
def test_answers_say_little_and_are_kept_by_nobody(
    answer: Callable[[], Any], status: int, kind: str | None, body: bytes | None
) -> None:
    said = answer()
    assert (said.status, said.headers.get("Content-Type"), said.body) == (status, kind, body)
    assert said.headers["Cache-Control"] == "no-store"


# -------------------------------------------------------------------------------------------- signatures


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ("", "HMAC_SHA1"), ("key=1,algorithm=other", "OTHER"), ("algorithm= a=b ", "A=B"), ("algorithm=", "HMAC_SHA1"),
        ("algorithms=x", "HMAC_SHA1"), (" algorithm =x", "X"),
    ],
)  # fmt: skip
def test_the_algorithm_is_read(settings: str, name: str) -> None:
    assert algorithm(settings) == name


@pytest.mark.parametrize(
    ("url", "other"),
    [
        ("https://pico.example/a", "https://pico.example:443/a"), ("http://pico.example/a", "http://pico.example:80/a"),
        ("https://pico.example:8443/a", "https://pico.example/a"), ("ftp://pico.example/", "ftp://pico.example:443/"),
        ("https://[::1]:8443/a", "https://[::1]/a"), ("https://pico.example:/", "https://pico.example::443/"),
    ],
)  # fmt: skip
def test_an_address_has_two_spellings(url: str, other: str) -> None:
    assert respelled(url) == other


def test_either_spelling_and_either_token_may_have_been_signed() -> None:
    signature = TwilioSignature(["new", "old"])
    for token in ("new", "old"):
        for url in (URL, respelled(URL)):
            assert signature.verify(URL, [("a", "b")], signature_of(token, url, [("a", "b")]))
    assert not signature.verify(URL, [("a", "b")], signature_of("other", URL, [("a", "b")]))
    assert not signature.verify(URL, [("a", "b")], "\udc80")


def test_another_algorithm_is_refused_for_json_too() -> None:
    body = b"{}"
    url = f"{URL}?bodySHA256=44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    signature = TwilioSignature([TOKEN])
    assert signature.verify_json(url, body, signature_of(TOKEN, url))
    assert not signature.verify_json(url, body, signature_of(TOKEN, url), "algorithm=other")


@pytest.mark.parametrize("tokens", [[], [""], ["a", ""]])
def test_no_token_signs_for_anybody(tokens: list[str]) -> None:
    with pytest.raises(ValueError, match="missing"):
        TwilioSignature(tokens)


PIECES = st.sampled_from(
    ["a", "Body", "=", "&", "%", "+", "%2B", "%C3%A9", "%ff", "é", "\x00", "%0", "\u2028", ";"]
)
FORMS = st.lists(PIECES, max_size=30).map("".join).map(str.encode) | st.binary(max_size=40)


@settings(max_examples=500)
@given(FORMS)
@example(b"&".join([b"a=b"] * MOST_FIELDS))
@example(b"&".join([b"a=b"] * (MOST_FIELDS + 1)))
def test_pairs_are_those_of_parse_qsl(raw: bytes) -> None:
    def by_the_library() -> list[tuple[str, str]]:
        return parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)

    def read(how: object) -> object:
        try:
            return how()  # type: ignore[operator]
        except ValueError:
            return "refused"

    assert read(lambda: pairs_of(raw)) == read(by_the_library)
