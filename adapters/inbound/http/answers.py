"""What goes out, for the OpenAPI document and for tests. At run time handlers write plain dictionaries."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, JsonValue

from domain.exports import ExportState
from domain.lines import LineState
from domain.messages import Direction, Status
from domain.values import Capability


class Answer(BaseModel):
    """What a client gets; every field is always there."""

    model_config = ConfigDict(extra="forbid")


class Health(Answer):
    """Pico lives."""

    status: str


class Account(Answer):
    """What an account says about its person."""

    id: UUID
    email: str
    display_name: str
    locale: str
    terms_accepted_at: datetime
    privacy_accepted_at: datetime
    created_at: datetime
    verified_at: datetime | None


class DeletionPreview(Answer):
    """What goes when the account goes, and when it goes for good."""

    due_at: datetime
    lines: int
    conversations: int
    messages: int


class Session(Answer):
    """One signed-in device; `current` is the one that asks."""

    id: UUID
    created_at: datetime
    current: bool


class SignedIn(Answer):
    """A new session with its bearer token, which is shown once."""

    token: str
    session: Session


class AvailableNumber(Answer):
    """A number on offer; it is not held until it is bought."""

    number: str
    country: str
    capabilities: list[Capability]


class Line(Answer):
    """A lease on a number."""

    id: UUID
    number: str
    country: str
    capabilities: list[Capability]
    label: str | None
    state: LineState
    created_at: datetime
    released_at: datetime | None


class Conversation(Answer):
    """All texts between one line and one other side. `opted_out_at`: since when that side refuses our texts."""

    id: UUID
    line_id: UUID
    peer: str
    last_at: datetime
    unread: int
    opted_out_at: datetime | None
    created_at: datetime


class Message(Answer):
    """One text. `error` is the carrier's code when it failed."""

    id: UUID
    conversation_id: UUID
    line_id: UUID
    direction: Direction
    status: Status
    body: str
    created_at: datetime
    error: int | None


class Export(Answer):
    """How far an export is; ready ones can be downloaded once, until `expires_at`."""

    id: UUID
    state: ExportState
    requested_at: datetime
    rows_done: int
    rows_total: int
    expires_at: datetime | None


class Sessions(Answer):
    """All sessions that are open."""

    items: list[Session]
    next_cursor: None


class AvailableNumbers(Answer):
    """Some numbers on offer."""

    items: list[AvailableNumber]
    next_cursor: None


class Lines(Answer):
    """All lines."""

    items: list[Line]
    next_cursor: None


class Conversations(Answer):
    """A page of conversations; `next_cursor` leads to the rest, null at the end."""

    items: list[Conversation]
    next_cursor: str | None


class Messages(Answer):
    """A page of messages; `next_cursor` leads to the rest, null at the end."""

    items: list[Message]
    next_cursor: str | None


class Clock(Answer):
    """The Sandbox's present."""

    now: datetime


class Mails(Answer):
    """The mails that the Sandbox did not send."""

    items: list[dict[str, JsonValue]]
    next_cursor: None


class TextAccepted(Answer):
    """The simulated carrier's reference of the text."""

    ref: str


class Document(BaseModel):
    """A JSON object."""

    model_config = ConfigDict(extra="allow")
