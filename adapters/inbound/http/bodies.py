"""What may come in: one model per body or query. Unknown fields are refused, flaws are pointed at, never shown."""

from __future__ import annotations

from typing import TypeVar

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from adapters.inbound.http.fields import (
    ABody,
    Accepted,
    ACountry,
    ADestination,
    ADuration,
    ALabel,
    ALimit,
    ALocale,
    AnAreaCode,
    AnEmail,
    AnIncomingBody,
    APattern,
    APeer,
    APhoneNumber,
    AToken,
    KnownPassword,
    MaybeLabel,
    MaybeLine,
    MaybeLocale,
    MaybeMessage,
    MaybePlace,
    NewPassword,
    SomeCapabilities,
)
from adapters.inbound.http.problems import Flaw, InvalidInput
from domain.values import Country

DEFAULT_LIMIT = 50
"""Items on a page."""


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

    token: AToken


class Credentials(Input):
    """Who signs in, or comes back."""

    email: AnEmail
    password: KnownPassword


class ProfileChange(Input):
    """What to correct; a field left out stays as it is."""

    display_name: MaybeLabel = None
    locale: MaybeLocale = None


class DeletionConfirmation(Input):
    """The password, typed once more before everything goes."""

    password: KnownPassword


class NumberSearch(Input):
    """What kind of number to look for."""

    country: ACountry
    area_code: AnAreaCode = None
    contains: APattern = None
    capabilities: SomeCapabilities = Field(default_factory=frozenset)


class Purchase(Input):
    """The number to lease."""

    number: APhoneNumber
    country: ACountry
    label: ALabel | None = None

    @field_validator("country")
    @classmethod
    def _of_the_number(cls, country: Country, given: ValidationInfo) -> Country:
        """Refuse a country whose numbers do not begin like this one."""
        number = given.data.get("number", "")
        prefixes = (number[1:end] for end in range(2, 5))
        if not any(country in COUNTRY_CODE_TO_REGION_CODE.get(int(prefix or 0), ()) for prefix in prefixes):
            raise PydanticCustomError("other_country", "not a number of this country")
        return country


class Relabelling(Input):
    """The line's new label; null takes it away."""

    label: ALabel | None


class OutgoingText(Input):
    """A text to send. `to` is an E.164 number or a short code."""

    to: ADestination
    body: ABody


class Paged(Input):
    """How many, and from where on: `cursor` is a page's `next_cursor`."""

    limit: ALimit = DEFAULT_LIMIT


class ConversationPage(Paged):
    """A page of conversations, of one line or of all."""

    line: MaybeLine = None
    cursor: MaybePlace = None


class MessagePage(Paged):
    """A page of messages."""

    cursor: MaybeMessage = None


class ClockAdvance(Input):
    """How far to move the Sandbox's clock."""

    advance: ADuration


class IncomingText(Input):
    """A text that somebody sends to one of our numbers."""

    sender: APeer = Field(alias="from")
    to: APhoneNumber
    body: AnIncomingBody


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
