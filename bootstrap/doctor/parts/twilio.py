"""Twilio: every number leads to us and to nobody else, no call is recorded, and nothing stays there."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from adapters.outbound.twilio.answers import certain, instant_of, words_of
from adapters.outbound.twilio.api import TwilioApi
from adapters.outbound.twilio.numbers import LONGEST_INVENTORY, line_of
from adapters.outbound.twilio.recordings import MESSAGE
from adapters.outbound.twilio.vocabulary import Gone
from bootstrap.doctor.checks import Check, Part, unless
from bootstrap.doctor.examined import Examined
from bootstrap.settings import ProductionSettings
from domain.kernel import LineId

PATIENCE = timedelta(days=14)
"""How long Twilio may call a copy too young: what is older should have gone."""
MOST = 1_000
CLIENT = "/voice/client"


@dataclass(frozen=True, slots=True)
class AtTwilio:
    """What Twilio lists. Numbers are told by their SIDs, and messages and calls only counted."""

    webhooks: str
    numbers: list[Any]
    recordings: list[Any]
    messages: int
    calls: int
    application: str | None
    """Where the voice of apps leads; None where Twilio knows of no such application."""
    wanted: bool
    """Whether apps call at all."""
    now: datetime


@certain
async def _lists(api: TwilioApi, examined: Examined) -> AtTwilio:
    client, before = api.client, examined.now() - PATIENCE
    sid = (
        examined.settings.twilio_application_sid if isinstance(examined.settings, ProductionSettings) else ""
    )
    numbers = await client.incoming_phone_numbers.list_async(limit=LONGEST_INVENTORY, page_size=api.page_size)
    recordings = await client.recordings.list_async(limit=MOST, page_size=api.page_size)
    messages = await client.messages.list_async(date_sent_before=before, limit=MOST, page_size=api.page_size)
    calls = await client.calls.list_async(start_time_before=before, limit=MOST, page_size=api.page_size)
    application = None
    if sid:
        with suppress(Gone):
            application = words_of((await client.applications(sid).fetch_async()).voice_url or "")
    return AtTwilio(
        webhooks=api.webhooks,
        numbers=[each for each in numbers if line_of(each) is not None],
        recordings=recordings,
        messages=len([each for each in messages if (each.date_sent or each.date_created) < before]),
        calls=len([each for each in calls if each.start_time is not None and each.start_time < before]),
        application=application,
        wanted=bool(sid),
        now=examined.now(),
    )


async def _read(examined: Examined) -> AtTwilio:
    return await _lists(examined.twilio, examined)


def _leads(of: AtTwilio, attribute: str, path: str) -> str | None:
    wrong = [
        words_of(each.sid)
        for each in of.numbers
        if not _is(getattr(each, attribute), f"{of.webhooks}{path}", line_of(each))
    ]
    return unless(not wrong, f"{attribute} of {_named(wrong)} leads elsewhere.")


def _is(said: object, address: str, line: LineId | None) -> bool:
    """Tell whether an address is the one that the line's number was bought with; how Twilio tries again may differ."""
    return isinstance(said, str) and urlsplit(said)._replace(fragment="").geturl() == f"{address}?line={line}"


def _named(sids: list[str]) -> str:
    return f"{len(sids)} numbers, such as {sids[0]}," if len(sids) > 1 else "".join(sids)


def _no_other(of: AtTwilio) -> str | None:
    kept = (
        "sms_fallback_url",
        "voice_fallback_url",
        "sms_application_sid",
        "voice_application_sid",
        "trunk_sid",
    )
    wrong = [
        words_of(each.sid)
        for each in of.numbers
        for name in kept
        if (said := getattr(each, name)) and not str(said).startswith(f"{of.webhooks}/")
    ]
    return unless(not wrong, f"What comes in for {_named(wrong)} may be told to somebody else.")


def _no_names(of: AtTwilio) -> str | None:
    wrong = [words_of(each.sid) for each in of.numbers if each.voice_caller_id_lookup]
    return unless(not wrong, f"Twilio looks up who calls {_named(wrong)}.")


def _not_recorded(of: AtTwilio) -> str | None:
    found = [each for each in of.recordings if each.source != MESSAGE]
    return unless(not found, f"{len(found)} recordings are no voicemail: calls are being recorded.")


def _recordings_go(of: AtTwilio) -> str | None:
    old = [each for each in of.recordings if instant_of(each.date_created) < of.now - PATIENCE]
    return unless(not old, f"{len(old)} recordings are older than {PATIENCE.days} days.")


def _application(of: AtTwilio) -> str | None:
    if not of.wanted:
        return None
    said = (of.application or "").partition("#")[0]
    return unless(said == of.webhooks + CLIENT, "The voice address of the application leads elsewhere.")


PART = Part(
    name="twilio",
    read=_read,
    in_sandbox=True,
    checks=(
        Check(
            "sms",
            ("S1", "H28"),
            "Every number's messages come to us.",
            lambda of: _leads(of, "sms_url", "/sms"),
        ),
        Check(
            "voice", ("S1",), "Every number's calls come to us.", lambda of: _leads(of, "voice_url", "/voice")
        ),
        Check(
            "call-status",
            ("C9",),
            "What becomes of a call is told to us.",
            lambda of: _leads(of, "status_callback", "/voice/status"),
        ),
        Check("nobody-else", ("O1",), "Nothing that comes in is told to anybody else.", _no_other),
        Check("no-look-up", ("C9",), "Twilio does not look up who calls.", _no_names),
        Check("application", ("S1",), "What apps call comes to us.", _application, in_sandbox=False),
        Check("not-recorded", ("N3",), "No call is recorded.", _not_recorded),
        Check(
            "recordings",
            ("H46",),
            f"No recording stays there for more than {PATIENCE.days} days.",
            _recordings_go,
        ),
        Check(
            "messages",
            ("H5",),
            f"No message stays there for more than {PATIENCE.days} days.",
            lambda of: unless(
                not of.messages,
                f"{of.messages} messages are older: some may wait for pictures that we do not take in (H26).",
            ),
        ),
        Check(
            "calls",
            ("H71",),
            f"No record of a call stays there for more than {PATIENCE.days} days.",
            lambda of: unless(not of.calls, f"{of.calls} records of calls are older."),
        ),
    ),
)
