"""What may come in: one model per body or query. Domain parse functions decide; the models point at flaws."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    JsonValue,
    Strict,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from adapters.inbound.http import wire
from adapters.inbound.http.problems import Flaw, InvalidInput
from domain import values
from domain.kernel import ConversationId, DomainError, LineId, MessageId
from domain.values import Capability, Country, Email, Label, Locale, MessageBody, Password, Peer, PhoneNumber

ID = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\Z")
COUNTRY = re.compile(r"[A-Z]{2}\Z")
AREA_CODE = re.compile(r"[0-9]{3}\Z")
CONTAINS = re.compile(r"[0-9A-Z*]{2,16}\Z")
SHORT_CODE = re.compile(r"[0-9]{3,8}\Z")
DURATION = re.compile(r"P(?=[0-9T])([0-9]{1,3}D)?(T(?=[0-9])([0-9]{1,4}H)?([0-9]{1,4}M)?([0-9]{1,5}S)?)?\Z")
TOKEN = re.compile(r"[!-~]{1,512}\Z")
PAGE_LIMIT = re.compile(r"([1-9][0-9]?|100)\Z")
DEFAULT_LIMIT = 50


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """How text becomes a value: `parse` raises DomainError, or ValueError for "malformed"; `says` is for the document.

    It decides alone, whatever the annotated type: a field `Annotated[Label | None, Text(…)] = None` may be left
    out, but refuses null.
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
        except DomainError as refusal:
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


def reachable(text: str) -> Peer:
    """Return whom a text can be sent to: an E.164 number or a short code. Raises NotPhoneNumber."""
    return Peer(text) if SHORT_CODE.match(text) else Peer(PhoneNumber.parse(text))


def capability_set(text: str) -> frozenset[Capability]:
    """Read a comma-separated list. Raises ValueError."""
    return frozenset(Capability(word) for word in text.split(","))


def duration(text: str) -> timedelta:
    """Read an ISO 8601 duration in days, hours, minutes and seconds. Raises ValueError."""
    if not (match := DURATION.match(text)):
        raise ValueError
    days, hours, minutes, seconds = (int((part or "0 ")[:-1]) for part in match.group(1, 3, 4, 5))
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


NOT_BLANK = {
    "minLength": 1,
    "maxLength": 64,
    "pattern": r"^[^\x00-\x1f\x7f]*[^\x00-\x1f\x7f\s][^\x00-\x1f\x7f]*$",
}
A_LABEL = Text(Label.parse, NOT_BLANK)
A_LOCALE = Text(Locale.parse, pattern(values.LOCALE_SHAPE))
NO_NUL = {"pattern": r"^[^\x00]*$"}
LONGEST_PASSWORD = 256
"""In characters."""
ANY_PASSWORD = {"minLength": 1, "maxLength": LONGEST_PASSWORD, **NO_NUL}


def presented(text: str) -> Password:
    """Take a password to be checked, not judged: today's rules for new ones may be stricter. Raises ValueError."""
    if not 1 <= len(text) <= LONGEST_PASSWORD:
        raise ValueError
    return Password(text)


AnEmail = Annotated[Email, Text(Email.parse, {"maxLength": 254, **pattern(values.EMAIL_SHAPE)})]
ALocale = Annotated[Locale, A_LOCALE]
ALabel = Annotated[Label, A_LABEL]
APhoneNumber = Annotated[PhoneNumber, Text(PhoneNumber.parse, pattern(values.E164_LENGTH))]
NewPassword = Annotated[Password, Text(Password.parse, {**ANY_PASSWORD, "minLength": 12})]
KnownPassword = Annotated[Password, Text(presented, ANY_PASSWORD)]
ABody = Annotated[
    MessageBody, Text(MessageBody.parse, {"minLength": 1, "maxLength": MessageBody.LIMIT, **NO_NUL})
]


def yes(answer: bool) -> bool:  # noqa: FBT001 - it is what was answered
    """Take nothing but true: pydantic's `Literal[True]` takes 1 as well. Raises PydanticCustomError."""
    if not answer:
        raise PydanticCustomError("must_be_true", "refused")
    return answer


Accepted = Annotated[bool, Strict(), AfterValidator(yes), WithJsonSchema({"const": True})]


class Input(BaseModel):
    """What a client sends. Unknown fields are refused, and no error shows what came in."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Acceptance(Input):
    """The person has read and accepted both documents."""

    terms: Accepted
    privacy: Accepted


class SignUp(Input):
    """A new account."""

    email: AnEmail
    password: NewPassword
    display_name: ALabel
    locale: ALocale
    accepted: Acceptance


class Verification(Input):
    """The token from the mail."""

    token: Annotated[str, exactly(TOKEN, str)]


class Credentials(Input):
    """Who signs in, or comes back."""

    email: AnEmail
    password: KnownPassword


class ProfileChange(Input):
    """What to correct; a field left out stays as it is."""

    display_name: Annotated[Label | None, A_LABEL] = None
    locale: Annotated[Locale | None, A_LOCALE] = None


class Goodbye(Input):
    """The password, typed once more before everything goes."""

    password: KnownPassword


class NumberSearch(Input):
    """What kind of number to look for."""

    country: Annotated[Country, exactly(COUNTRY, Country)]
    area_code: Annotated[str | None, exactly(AREA_CODE, str)] = None
    contains: Annotated[str | None, exactly(CONTAINS, str)] = None
    capabilities: Annotated[
        frozenset[Capability],
        Text(capability_set, {"type": "array", "items": {"enum": list(Capability)}, "minItems": 1}),
    ] = Field(default_factory=frozenset)


class Purchase(Input):
    """The number to lease."""

    number: APhoneNumber
    country: Annotated[Country, exactly(COUNTRY, Country)]
    label: ALabel | None = None


class Relabelling(Input):
    """The line's new label; null takes it away."""

    label: ALabel | None


class OutgoingText(Input):
    """A text to send. `to` is an E.164 number or a short code."""

    to: Annotated[Peer, Text(reachable, {"pattern": r"^(\+[1-9][0-9]{6,14}|[0-9]{3,8})$"})]
    body: ABody


class Paged(Input):
    """How many, and from where on: `cursor` is a page's `next_cursor`."""

    limit: Annotated[
        int, Text(exactly(PAGE_LIMIT, int).parse, {"type": "integer", "minimum": 1, "maximum": 100})
    ] = DEFAULT_LIMIT


class ConversationPage(Paged):
    """A page of conversations, of one line or of all."""

    line: Annotated[LineId | None, Text(exactly(ID, UUID).parse, {"format": "uuid", **pattern(ID)})] = None
    cursor: Annotated[
        tuple[datetime, ConversationId] | None, Text(wire.read_time_cursor, {"maxLength": 32})
    ] = None


class MessagePage(Paged):
    """A page of messages."""

    cursor: Annotated[MessageId | None, Text(wire.read_id_cursor, {"maxLength": 22})] = None


class ClockAdvance(Input):
    """How far to move the Sandbox's clock."""

    advance: Annotated[timedelta, Text(duration, pattern(DURATION))]


class IncomingText(Input):
    """A text that somebody sends to one of our numbers."""

    sender: Annotated[Peer, Text(Peer.parse, NOT_BLANK)] = Field(alias="from")
    to: APhoneNumber
    body: Annotated[str, Text(str, {"maxLength": MessageBody.LIMIT, **NO_NUL})]


class Faults(Input):
    """How the simulated providers shall misbehave, by knob."""

    model_config = ConfigDict(extra="allow")

    __pydantic_extra__: dict[str, JsonValue]


M = TypeVar("M", bound=Input)


def accept(model: type[M], value: object) -> M:
    """Make the model of what came in. Raises InvalidInput, which says where and why, never what."""
    try:
        return model.model_validate(value)
    except ValidationError as refusal:
        flaws = dict.fromkeys(
            Flaw(_pointer(error["loc"], error["type"]), _code(error["type"]))
            for error in refusal.errors(include_input=False, include_context=False, include_url=False)
        )
    raise InvalidInput(*flaws)


def _code(kind: str) -> str:
    # A domain rule's own code, and "missing", pass as they are.
    if kind == "extra_forbidden":
        return "unknown_field"
    return "wrong_type" if kind.endswith("_type") else kind


def _pointer(location: tuple[int | str, ...], kind: str) -> str:
    # An unknown field's name came from outside and may itself be personal: point at what holds it.
    known = location[:-1] if kind == "extra_forbidden" else location
    return "".join(f"/{part}" for part in known)
