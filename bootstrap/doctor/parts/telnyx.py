"""Telnyx: every number leads to us and to nobody else, in the shape that we read, signed by the key that we know."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from adapters.outbound.telnyx.answers import Resource, certain, opaque, words_of
from adapters.outbound.telnyx.api import TelnyxApi
from adapters.outbound.telnyx.numbers import HELD, LONGEST_INVENTORY, line_of
from adapters.outbound.telnyx.vocabulary import Gone
from bootstrap.doctor.checks import Check, Part, unless
from bootstrap.doctor.examined import Examined
from domain.kernel import LineId

SHAPE = "2"
"""The version of events that we read."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a line's, told by its id."""

    id: str
    line: LineId
    profile: Resource
    """Of messages. Empty where it has none."""
    connection: str
    """What takes its calls; empty where nothing does."""


@dataclass(frozen=True, slots=True)
class AtTelnyx:
    """What Telnyx lists, and what the settings say of it."""

    webhooks: str
    numbers: list[Number]
    connection: str
    application: Resource | None
    """What takes calls; None where there is none of that id."""
    signs_by: str
    verified_by: frozenset[str]


def _key(examined: Examined) -> str:
    return examined.secret(lambda settings: settings.telnyx_api_key)


@certain
async def _lists(api: TelnyxApi, examined: Examined) -> AtTelnyx:
    settings, http = examined.production, api.http
    profiles = {
        opaque(each.get("id")): each
        async for each in http.items("/messaging_profiles", most=LONGEST_INVENTORY, whole=True)
    }
    listed = [each async for each in http.items("/phone_numbers", most=LONGEST_INVENTORY, whole=True)]
    application = None
    if settings.telnyx_connection_id:
        with suppress(Gone):
            application = await http.get(f"/call_control_applications/{settings.telnyx_connection_id}")
    return AtTelnyx(
        webhooks=api.webhooks,
        numbers=[found for each in listed if (found := _number(each, profiles)) is not None],
        connection=settings.telnyx_connection_id,
        application=application,
        signs_by=words_of((await http.get("/public_key")).get("public")),
        verified_by=frozenset(settings.telnyx_public_keys.split(",")),
    )


def _number(listed: Resource, profiles: Mapping[str, Resource]) -> Number | None:
    """Return a number that is a line's; None for any other of the account's."""
    profile = profiles.get(listed.get("messaging_profile_id") or "", {})
    line = line_of(listed.get("customer_reference")) or line_of(profile.get("name"))
    if line is None or words_of(listed.get("status")) not in HELD:
        return None
    return Number(opaque(listed.get("id")), line, profile, listed.get("connection_id") or "")


async def _read(examined: Examined) -> AtTelnyx:
    api = TelnyxApi.over(
        examined.session,
        api_key=_key(examined),
        public_url=examined.public_url,
        now=examined.now,
        api_url=examined.production.telnyx_api_url,
    )
    return await _lists(api, examined)


def _messages(of: AtTelnyx) -> str | None:
    wrong = [
        each.id for each in of.numbers if each.profile.get("webhook_url") != f"{of.webhooks}?line={each.line}"
    ]
    return unless(not wrong, f"The messaging profile of {_named(wrong)} leads elsewhere.")


def _named(ids: list[str]) -> str:
    return f"{len(ids)} numbers, such as {ids[0]}," if len(ids) > 1 else "".join(ids)


def _version(of: AtTelnyx) -> str | None:
    wrong = [each.id for each in of.numbers if each.profile.get("webhook_api_version") != SHAPE]
    if wrong:
        return f"Events of the messaging profile of {_named(wrong)} have another shape than API v{SHAPE}'s."
    said = SHAPE if of.application is None else of.application.get("webhook_api_version")
    return unless(said == SHAPE, f"Events of calls have another shape than API v{SHAPE}'s.")


def _nobody_else(of: AtTelnyx) -> str | None:
    said = {each.id: each.profile.get("webhook_failover_url") for each in of.numbers}
    wrong = [name for name, address in said.items() if address]
    if wrong:
        return f"What comes in for {_named(wrong)} may be told to somebody else."
    also = (of.application or {}).get("webhook_event_failover_url")
    return unless(not also, "Calls may be told to somebody else.")


def _application(of: AtTelnyx) -> str | None:
    if not of.connection:
        return None
    said = (of.application or {}).get("webhook_event_url")
    return unless(said == of.webhooks, "The application that takes calls leads elsewhere.")


def _voice(of: AtTelnyx) -> str | None:
    wrong = [each.id for each in of.numbers if each.connection not in {"", of.connection}]
    return unless(not wrong, f"Calls of {_named(wrong)} lead elsewhere.")


PART = Part(
    name="telnyx",
    read=_read,
    configured=lambda examined: bool(_key(examined)),
    checks=(
        Check("messages", ("S6",), "Every number's messages come to us.", _messages),
        Check("voice", ("S6",), "No number's calls lead to anything of others.", _voice),
        Check("application", ("S6",), "What takes calls tells us of them.", _application),
        Check("nobody-else", ("O1",), "Nothing that comes in is told to anybody else.", _nobody_else),
        Check("version", ("S6",), f"Events have the shape of API v{SHAPE}.", _version),
        Check(
            "public-key",
            ("S6",),
            "What it signs with is what we verify by.",
            lambda of: unless(
                of.signs_by in of.verified_by, "It signs by a key that PICO_TELNYX_PUBLIC_KEYS does not name."
            ),
        ),
    ),
)
