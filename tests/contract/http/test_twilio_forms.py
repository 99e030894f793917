"""Twilio's forms about messages and what callers leave, one by one: all that Pico keeps of them, to the last field."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from adapters.inbound.webhooks.twilio.messages import MESSAGE_STATUS, SMS, TwilioMessages
from adapters.inbound.webhooks.twilio.voicemail import (
    RECORD_ACTION,
    RECORDING,
    TRANSCRIPTION,
    TwilioVoicemail,
)
from adapters.outbound.twilio.recordings import caller_of, transcription_of
from adapters.outbound.twilio.vocabulary import outcome_of
from application.inbound_messages import DeliveryReceipt, InboundMessage
from application.ports.transcriber import Transcription
from application.voicemail_receiving import InboundVoicemail
from application.voicemail_transcripts import InboundTranscript
from domain.kernel import CarrierRef, LineId, MessageId
from domain.keywords import OptOut
from domain.messages import Status
from domain.values import MessageBody, Peer, PhoneNumber
from domain.voicemail import Transcript

OURS, THEIRS = PhoneNumber("+12025550143"), PhoneNumber("+13105550178")
ID = UUID(int=7)
SM, RE, TR = (CarrierRef(f"{kind}{1:032x}") for kind in ("SM", "RE", "TR"))
CAME_IN = {"MessageSid": SM, "SmsSid": SM, "From": THEIRS, "To": OURS, "Body": "hello", "NumMedia": "2"}
REPORTED = {
    "MessageSid": SM,
    "From": OURS,
    "To": THEIRS,
    "MessageStatus": "undelivered",
    "ErrorCode": "30003",
}
LEFT = {"RecordingSid": RE, "From": THEIRS, "To": OURS, "RecordingDuration": "13"}
READY = {"RecordingSid": RE, "RecordingSource": "RecordVerb", "RecordingStatus": "completed"}
WRITTEN = {
    "RecordingSid": RE, "TranscriptionSid": TR, "From": THEIRS, "To": OURS, "TranscriptionStatus": "completed",
    "TranscriptionText": "Hi, it is Noa.",
}  # fmt: skip
DONE = 204, None
EMPTY, HANG_UP = (200, b"<Response/>"), (200, b"<Response><Hangup/></Response>")
MALFORMED = [(400, b"malformed\n")]


async def sent(path: str, form: dict[str, Any], query: str = "") -> list[object]:
    """Hand in a form without the fields that are None; return what was handed on, and then the answer."""
    told: list[object] = []

    async def take(what: object) -> None:
        told.append(what)

    messages = TwilioMessages(take, take, outcome_of)
    voicemail = TwilioVoicemail(take, take, take, caller_of, transcription_of)
    handlers = messages.handlers() | voicemail.handlers()
    answer = await handlers[path]({key: value for key, value in form.items() if value is not None}, query)
    if answer.status == 200:
        assert answer.content_type == "text/xml"
    return [*told, (answer.status, answer.body)]


async def test_all_that_is_kept_of_a_message_that_came_in() -> None:
    body, sender = MessageBody("hello"), Peer(THEIRS)
    kept = InboundMessage(SM, OURS, sender, body, attachments=2, line_id=LineId(ID))
    assert await sent(SMS, CAME_IN, f"line={ID}") == [kept, EMPTY]
    for word, opt_out in (("STOP", OptOut.STOP), ("START", OptOut.START), ("HELP", None)):
        told = InboundMessage(SM, OURS, sender, body, opt_out, 2)
        assert await sent(SMS, CAME_IN | {"OptOutType": word}) == [told, EMPTY]
    for odd in (None, "", "x", "100", "-1"):
        assert await sent(SMS, CAME_IN | {"NumMedia": odd}) == [InboundMessage(SM, OURS, sender, body), EMPTY]
    assert await sent(SMS, CAME_IN | {"Body": None, "NumMedia": "0"}) == [
        InboundMessage(SM, OURS, sender, MessageBody("")), EMPTY,
    ]  # fmt: skip
    assert await sent(SMS, CAME_IN, "line=x") == await sent(SMS, CAME_IN | {"To": "sip:x"}) == [EMPTY]
    for odd_sid in (None, "", "SM1", f"CA{1:032x}"):
        assert await sent(SMS, CAME_IN | {"MessageSid": odd_sid, "SmsSid": odd_sid}) == MALFORMED
    for field in ("SmsSid", "SmsMessageSid"):
        assert await sent(SMS, CAME_IN | {field: f"SM{2:032x}"}) == MALFORMED, "two ids"
    for missing in ("From", "To"):
        assert await sent(SMS, CAME_IN | {missing: None}) == MALFORMED


async def test_all_that_is_kept_of_what_became_of_a_message() -> None:
    outcome = outcome_of("undelivered", 30003)
    assert outcome is not None
    kept = DeliveryReceipt(OURS, SM, MessageId(ID), *outcome)
    assert await sent(MESSAGE_STATUS, REPORTED, f"message={ID}") == [kept, DONE]
    of_no_code = outcome_of("undelivered", None)
    assert of_no_code is not None
    assert of_no_code != outcome
    for odd in (None, "", "x", "3" * 10, "-1"):
        told = DeliveryReceipt(OURS, SM, None, *of_no_code)
        assert await sent(MESSAGE_STATUS, REPORTED | {"ErrorCode": odd}) == [told, DONE]
    delivered = REPORTED | {"MessageStatus": "delivered", "ErrorCode": None}
    assert await sent(MESSAGE_STATUS, delivered) == [DeliveryReceipt(OURS, SM, None, Status.DELIVERED), DONE]
    for nothing in ({"MessageStatus": "new"}, {"From": "sip:x"}):
        assert await sent(MESSAGE_STATUS, REPORTED | nothing) == [DONE]
    assert await sent(MESSAGE_STATUS, REPORTED, "message=x") == [DONE]
    for missing in ("MessageSid", "From", "MessageStatus"):
        assert await sent(MESSAGE_STATUS, REPORTED | {missing: None}) == MALFORMED


async def test_all_that_is_kept_of_what_a_caller_left() -> None:
    length = timedelta(seconds=13)
    kept = InboundVoicemail(RE, OURS, Peer(THEIRS), length, finished=False)
    assert await sent(RECORD_ACTION, LEFT) == [kept, HANG_UP]
    addressed = LEFT | {"RecordingSid": None, "RecordingUrl": f"https://api.example/Recordings/{RE}"}
    assert await sent(RECORD_ACTION, addressed) == [kept, HANG_UP]
    withheld = InboundVoicemail(RE, OURS, None, length, finished=False)
    assert await sent(RECORD_ACTION, LEFT | {"From": "anonymous"}) == [withheld, HANG_UP]
    for odd in (None, "", "x", "9" * 7):
        unsaid = InboundVoicemail(RE, OURS, Peer(THEIRS), finished=False)
        assert await sent(RECORD_ACTION, LEFT | {"RecordingDuration": odd}) == [unsaid, HANG_UP]
    for nothing in ({"RecordingSid": None}, {"RecordingSid": "RE1"}, {"To": "sip:x"}):
        assert await sent(RECORD_ACTION, LEFT | nothing) == [HANG_UP]
    for missing in ("From", "To"):
        assert await sent(RECORD_ACTION, LEFT | {missing: None}) == MALFORMED


async def test_audio_that_is_ready_is_taken_in_and_what_is_no_message_refused() -> None:
    assert await sent(RECORDING, READY) == [InboundVoicemail(RE), DONE]
    for source in ("DialVerb", "StartCallRecordingAPI", ""):
        for status in ("completed", "absent"):
            form = READY | {"RecordingSource": source, "RecordingStatus": status}
            assert await sent(RECORDING, form) == [RE, DONE]
    assert await sent(RECORDING, READY | {"RecordingStatus": "absent"}) == [DONE]
    for missing in READY:
        assert await sent(RECORDING, READY | {missing: None}) == MALFORMED


async def test_all_that_is_kept_of_a_transcript() -> None:
    made = Transcription(TR, Transcript("Hi, it is Noa."))
    assert await sent(TRANSCRIPTION, WRITTEN) == [InboundTranscript(RE, OURS, Peer(THEIRS), made), DONE]
    failed = InboundTranscript(RE, OURS, None, Transcription(TR, None))
    form = WRITTEN | {"From": "", "TranscriptionStatus": "failed", "TranscriptionText": None}
    assert await sent(TRANSCRIPTION, form) == [failed, DONE]
    for nothing in ({"TranscriptionStatus": "in-progress"}, {"To": "sip:x"}):
        assert await sent(TRANSCRIPTION, WRITTEN | nothing) == [DONE]
    for missing in ("RecordingSid", "TranscriptionSid", "From", "To"):
        assert await sent(TRANSCRIPTION, WRITTEN | {missing: None}) == MALFORMED
    assert await sent(TRANSCRIPTION, WRITTEN | {"TranscriptionSid": RE}) == MALFORMED


@pytest.mark.parametrize("status", ["queued", "sent", "delivered", "failed"])
async def test_a_word_for_a_message_is_what_the_carriers_own_adapter_says(status: str) -> None:
    outcome = outcome_of(status, None)
    assert outcome is not None
    told = DeliveryReceipt(OURS, SM, None, *outcome)
    assert await sent(MESSAGE_STATUS, REPORTED | {"MessageStatus": status, "ErrorCode": None}) == [told, DONE]
