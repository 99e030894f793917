"""How text from outside becomes values: domain parse functions decide, and the document says what they accept."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AfterValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    Strict,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from adapters.inbound.email_addresses import LONGEST, email_address
from adapters.inbound.http import json_format
from domain import language_tags, money, quiet_hours, values
from domain.billing import PlanName
from domain.kernel import AuditId, ConversationId, ExportId, LineId, MediaId, MessageId, PicoError
from domain.lines import LineState
from domain.push import SHAPE, DeviceToken, Platform
from domain.values import (
    Capability,
    ClientReference,
    Country,
    Email,
    Label,
    Locale,
    MessageBody,
    Password,
    Peer,
    PhoneNumber,
    WeakPassword,
)

ID = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\Z")
COUNTRY = re.compile(r"[A-Z]{2}\Z")
AREA_CODE = re.compile(r"[0-9]{3}\Z")
CONTAINS = re.compile(r"[0-9A-Z*]{2,16}\Z")
DURATION = re.compile(r"P(?=[0-9T])([0-9]{1,3}D)?(T(?=[0-9])([0-9]{1,4}H)?([0-9]{1,4}M)?([0-9]{1,5}S)?)?\Z")
TOKEN = re.compile(r"[!-~]{1,512}\Z")
LATEST_VERSION = 9999
SECONDS = re.compile(r"(0|[1-9][0-9]{0,2}|[1-2][0-9]{3}|3[0-5][0-9]{2}|3600)\Z")
LIMIT = re.compile(r"([1-9][0-9]?|100)\Z")


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """How text becomes a value: `parse` raises PicoError, or ValueError for "malformed"; `says` is for the document.

    It decides alone, whatever the annotated type: a field `MaybeLabel = None` may be left out, but refuses null.
    """

    parse: Callable[[str], Any]
    says: dict[str, Any]

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._value, core_schema.str_schema(strict=True))

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", **self.says}

    def _value(self, text: str) -> object:
        try:
            return self.parse(text)
        except PicoError as refusal:
            code = refusal.code
        except ValueError:
            code = "malformed"
        raise PydanticCustomError(code, "refused")


def pattern(shape: re.Pattern[str]) -> dict[str, Any]:
    """Say in the document (ECMA-262) what a Python pattern says here."""
    return {"pattern": f"^{shape.pattern}".replace(r"\Z", "$")}


def exactly(shape: re.Pattern[str], kind: Callable[[str], Any]) -> Text:
    """Take text of just this shape."""

    def parse(text: str) -> object:
        if not shape.match(text):
            raise ValueError
        return kind(text)

    return Text(parse, pattern(shape))


def capability_set(text: str) -> frozenset[Capability]:
    """Read a comma-separated list. Raises ValueError."""
    return frozenset(Capability(word) for word in text.split(","))


def truth(value: object) -> bool:
    """Take true or false, and nothing that is as good as either. Raises PydanticCustomError."""
    if not isinstance(value, bool):
        raise PydanticCustomError("wrong_type", "refused")
    return value


def duration(text: str) -> timedelta:
    """Read an ISO 8601 duration in days, hours, minutes and seconds. Raises ValueError."""
    if not (match := DURATION.match(text)):
        raise ValueError
    days, hours, minutes, seconds = (int((part or "0 ")[:-1]) for part in match.group(1, 3, 4, 5))
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def instant(text: str) -> datetime:
    """Read a time of RFC 3339. Raises ValueError, also for one without an offset."""
    if (at := datetime.fromisoformat(text)).tzinfo is None:
        raise ValueError
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError from None


UNSEEN = r"\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
"""What a pattern can say of `domain.text`."""
NOT_BLANK = {"minLength": 1, "maxLength": 64, "pattern": rf"^[^{UNSEEN}]*[^{UNSEEN}\s][^{UNSEEN}]*$"}
AN_ADDRESS = {
    "format": "idn-email",
    "minLength": 3,
    "maxLength": LONGEST,
    "pattern": r"^[^\x00-\x1f\x7f]+@[^\x00-\x20\x7f@]+$",
}
NO_NUL = {"pattern": r"^[^\x00]*$"}
ANY_BODY = {"maxLength": MessageBody.LIMIT, **NO_NUL}
ANY_PASSWORD = {"minLength": 1, "maxLength": Password.LONGEST_SPELLING, **NO_NUL}
A_NEW_PASSWORD = {
    **ANY_PASSWORD,
    "minLength": Password.SHORTEST,
    "description": f"At most {Password.LONGEST} characters once it is composed (Unicode NFC).",
}


def presented(text: str) -> Password:
    """Take a password to be checked, not judged: today's rules for new ones may be stricter. Raises ValueError."""
    try:
        return Password.presented(text)
    except WeakPassword:
        pass
    raise ValueError


def incoming_body(text: str) -> str:
    """Take what a carrier may deliver: it may be blank. Raises ValueError."""
    if len(text) > MessageBody.LIMIT:
        raise ValueError
    return text


def yes(answer: bool) -> bool:  # noqa: FBT001 - it is what was answered
    """Take nothing but true: pydantic's `Literal[True]` takes 1 as well. Raises PydanticCustomError."""
    if not answer:
        raise PydanticCustomError("must_be_true", "refused")
    return answer


LAST = UUID("01931f3a-6c00-7000-8000-00000000a0da")
"""Where the pages of examples go on."""
AN_ID = Text(exactly(ID, UUID).parse, {"format": "uuid", **pattern(ID)})
A_NUMBER = Text(PhoneNumber.parse, pattern(values.E164_LENGTH))


def version(value: object) -> int:
    """Take the number of a document's version. Raises PydanticCustomError."""
    if type(value) is not int:
        raise PydanticCustomError("wrong_type", "refused")
    if not 1 <= value <= LATEST_VERSION:
        raise PydanticCustomError("malformed", "refused")
    return value


A_TIME = Text(instant, {"format": "date-time", "maxLength": 40})
A_LABEL = Text(Label.parse, NOT_BLANK)
A_PLACE = Text(json_format.read_id_cursor, {"maxLength": 22, "examples": [json_format.id_cursor(LAST)]})
A_PLACE_IN_TIME = Text(
    json_format.read_time_cursor,
    {"maxLength": 32, "examples": [json_format.time_cursor(json_format.EPOCH, LAST)]},
)
A_LOCALE = Text(Locale.parse, {"maxLength": language_tags.LONGEST, **pattern(language_tags.SHAPE)})

AnEmail = Annotated[Email, Text(email_address, AN_ADDRESS)]
NewPassword = Annotated[Password, Text(Password.parse, A_NEW_PASSWORD)]
KnownPassword = Annotated[Password, Text(presented, ANY_PASSWORD)]
ALabel = Annotated[Label, A_LABEL]
ALocale = Annotated[Locale, A_LOCALE]
MaybeLabel = Annotated[Label | None, A_LABEL]
MaybeLocale = Annotated[Locale | None, A_LOCALE]
ACountry = Annotated[Country, exactly(COUNTRY, Country)]
AnAreaCode = Annotated[str | None, exactly(AREA_CODE, str)]
APattern = Annotated[str | None, exactly(CONTAINS, str)]
SomeCapabilities = Annotated[
    frozenset[Capability],
    Text(capability_set, {"type": "array", "items": {"enum": list(Capability)}, "minItems": 1}),
]
ACurrency = Annotated[str, exactly(money.CURRENCY, str)]
AnAmount = Annotated[int, Strict(), Field(ge=0, le=10**9)]
ATimeOfDay = Annotated[str, exactly(quiet_hours.TIME_OF_DAY, str)]
AnEndOfHours = Annotated[str, exactly(quiet_hours.END_OF_HOURS, str)]
ATimeZone = Annotated[str, Text(quiet_hours.zone_name, {"maxLength": quiet_hours.LONGEST_ZONE})]
APhoneNumber = Annotated[PhoneNumber, A_NUMBER]
APeer = Annotated[Peer, Text(Peer.parse, NOT_BLANK)]
ADestination = Annotated[Peer, Text(Peer.destination, {"pattern": r"^(\+[1-9][0-9]{6,14}|[0-9]{3,8})$"})]
ABody = Annotated[MessageBody, Text(MessageBody.parse, {"minLength": 1, **ANY_BODY})]
AnIncomingBody = Annotated[str, Text(incoming_body, ANY_BODY)]
AToken = Annotated[str, exactly(TOKEN, str)]
MaybeToken = Annotated[str | None, exactly(TOKEN, str)]
ALimit = Annotated[int, Text(exactly(LIMIT, int).parse, {"type": "integer", "minimum": 1, "maximum": 100})]
SomeSeconds = Annotated[
    int, Text(exactly(SECONDS, int).parse, {"type": "integer", "minimum": 0, "maximum": 3600})
]
APlan = Annotated[PlanName, Text(PlanName, {"enum": list(PlanName)})]
APlatform = Annotated[Platform, Text(Platform, {"enum": list(Platform)})]
ADeviceToken = Annotated[DeviceToken, Text(DeviceToken.parse, pattern(SHAPE))]
AMediaId = Annotated[MediaId, AN_ID]
MaybeReference = Annotated[ClientReference | None, Text(ClientReference.parse, NOT_BLANK)]
MaybeTime = Annotated[datetime | None, A_TIME]
MaybeLine = Annotated[LineId | None, AN_ID]
MaybePlace = Annotated[tuple[datetime, ConversationId] | None, A_PLACE_IN_TIME]
MaybeMessage = Annotated[MessageId | None, A_PLACE]
MaybeTrue = Annotated[bool | None, PlainValidator(truth), WithJsonSchema({"type": "boolean"})]
MaybeId = Annotated[UUID | None, A_PLACE]
MaybeLinePlace = Annotated[LineId | None, A_PLACE]
MaybeAuditEntry = Annotated[AuditId | None, A_PLACE]
MaybeExport = Annotated[ExportId | None, A_PLACE]
MaybeState = Annotated[LineState | None, Text(LineState, {"enum": list(LineState)})]
ADuration = Annotated[timedelta, Text(duration, pattern(DURATION))]
MaybeVersion = Annotated[
    int | None,
    PlainValidator(version),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": LATEST_VERSION}),
]
Accepted = Annotated[bool, Strict(), AfterValidator(yes), WithJsonSchema({"const": True})]
