"""Conversations and the messages in them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from adapters.inbound.http.guards import Bearer, Idempotent
from adapters.inbound.http.input import Input, Paged
from adapters.inbound.http.json_format import id_cursor, time_cursor
from adapters.inbound.http.params import (
    ABody,
    ADestination,
    AMediaId,
    MaybeLine,
    MaybeMessage,
    MaybePlace,
    MaybeReference,
    MaybeTime,
)
from adapters.inbound.http.reply import Id, SpelledOut
from adapters.inbound.http.request import Request
from adapters.inbound.http.resources.media import Picture, picture
from adapters.inbound.http.route import Route
from application.messages import Accepted
from application.ports.limits import LimitsUnavailable
from application.ports.repositories import conversations as row
from application.ports.repositories.conversations import ConversationRow
from application.ports.repositories.messages import MessageRow
from domain.blocked_numbers import NumberBlocked
from domain.destinations import EmergencyNumber, UnreachableNumber
from domain.failures import FailureReason
from domain.idempotency import IdempotencyMismatch
from domain.kernel import ConversationId, LineId, MessageId
from domain.lines import LineNotActive, NotForMessages
from domain.media import MOST, MediaNotReady, MediaTooLarge, MediaUsed, NotForPictures
from domain.messages import Direction, NotInTime, NotScheduled, PeerOptedOut, Status
from domain.segments import Encoding, segments_of
from domain.spend import DestinationNotAllowed, SpendLimited
from domain.values import MessageBody


class OutgoingMessage(Input):
    """A message to send, now or at `send_at`. `to` is an E.164 number or a short code that the line can reach."""

    to: ADestination
    body: ABody
    media: list[AMediaId] = Field(default_factory=list, max_length=MOST, examples=[[]])
    client_reference: MaybeReference = None
    send_at: MaybeTime = Field(default=None, examples=["2026-01-05T12:00:00Z"])


class ConversationPage(Paged):
    """A page of conversations, of one line or of all."""

    line_id: MaybeLine = None
    cursor: MaybePlace = None


class MessagePage(Paged):
    """A page of messages."""

    cursor: MaybeMessage = None


class LastMessage(TypedDict):
    """The newest message of a conversation. `body` is null when it was damaged and cannot be read."""

    id: Id
    direction: Annotated[str, SpelledOut(Direction)]
    status: Annotated[str, SpelledOut(Status)]
    body: str | None
    created_at: datetime
    attachments: int


class Conversation(TypedDict):
    """All messages between one line and one other side. `opted_out_at`: since when that side refuses ours.

    `peer` is null when it was damaged and cannot be read, `name` where no contact has that number. `last_message` is null when every message was deleted.
    """

    id: Id
    line_id: Id
    peer: str | None
    name: str | None
    last_at: datetime
    unread: int
    total: int
    opted_out_at: datetime | None
    created_at: datetime
    last_message: LastMessage | None


class Conversations(TypedDict):
    """A page of conversations; `next_cursor` leads to the rest, null at the end."""

    items: list[Conversation]
    next_cursor: str | None


AnEncoding = Annotated[str, SpelledOut(Encoding)]
Sender = Annotated[str | None, Field(examples=["+12025550143"])]
Ends = TypedDict("Ends", {"from": Sender, "to": str | None})
"""Who sent a message, and whom it is for."""


class Cut(TypedDict):
    """How a message travels."""

    encoding: AnEncoding | None
    segments: int | None


class Message(Ends):
    """One message. `attachments` counts pictures that came with it; `failure` is why it failed.

    `body`, `from` and `to` are null when they were damaged and cannot be read; `encoding` and `segments`, too, and where
    there are pictures: such a message is not cut.
    """

    id: Id
    conversation_id: Id
    line_id: Id
    direction: Annotated[str, SpelledOut(Direction)]
    status: Annotated[str, SpelledOut(Status)]
    body: str | None
    created_at: datetime
    attachments: int
    failure: Annotated[str, SpelledOut(FailureReason)] | None
    client_reference: str | None
    send_at: datetime | None
    encoding: AnEncoding | None
    segments: int | None


class Receipt(TypedDict):
    """A status that was told of a message, and when it first was."""

    status: Annotated[str, SpelledOut(Status)]
    at: Annotated[datetime, Field(description="When we first heard of it.")]


class WholeMessage(Message):
    """One message, with what is known of its pictures, in their order, and of its way, in the order it was heard."""

    media: list[Picture]
    receipts: list[Receipt]


class Messages(TypedDict):
    """A page of messages; `next_cursor` leads to the rest, null at the end."""

    items: list[Message]
    next_cursor: str | None


def conversation(of: ConversationRow) -> Conversation:
    """Show a conversation."""
    conversation_id, line_id, peer, last_at, unread, total, opted_out_at, created_at, last, name = of
    return {
        "id": str(conversation_id),
        "line_id": str(line_id),
        "peer": peer,
        "name": name,
        "last_at": last_at,
        "unread": unread,
        "total": total,
        "opted_out_at": opted_out_at,
        "created_at": created_at,
        "last_message": None if last is None else last_message(last),
    }


def last_message(of: row.LastMessage) -> LastMessage:
    """Show the newest message of a conversation."""
    message_id, direction, status, body, created_at, attachments = of
    return {
        "id": str(message_id),
        "direction": direction,
        "status": status,
        "body": body,
        "created_at": created_at,
        "attachments": attachments,
    }


def message(of: MessageRow) -> Message:
    """Show a message."""
    (
        message_id,
        conversation_id,
        line_id,
        direction,
        status,
        body,
        created_at,
        attachments,
        failure,
        client_reference,
        send_at,
        peer,
        number,
    ) = of
    sender, recipient = (peer, number) if direction is Direction.INBOUND else (number, peer)
    encoding, segments = _cut(body, attachments)
    return {
        "id": str(message_id),
        "conversation_id": str(conversation_id),
        "line_id": str(line_id),
        "from": sender,
        "to": recipient,
        "direction": direction,
        "status": status,
        "body": body,
        "created_at": created_at,
        "attachments": attachments,
        "failure": failure,
        "client_reference": client_reference,
        "send_at": send_at,
        "encoding": encoding,
        "segments": segments,
    }


def accepted(of: Accepted) -> Message:
    """Show a message as it was when accepted, byte for byte the same whenever the request is repeated."""
    encoding, segments = _cut(of.body, of.attachments)
    return {
        "id": str(of.id),
        "conversation_id": str(of.conversation_id),
        "line_id": str(of.line_id),
        "from": str(of.sender),
        "to": str(of.to),
        "direction": "outbound",
        "status": "queued" if of.send_at is None else "scheduled",
        "body": str(of.body),
        "created_at": of.created_at,
        "attachments": of.attachments,
        "failure": None,
        "client_reference": of.client_reference,
        "send_at": of.send_at,
        "encoding": encoding,
        "segments": segments,
    }


def _cut(body: MessageBody | None, attachments: int) -> tuple[Encoding | None, int | None]:
    """Return a message's alphabet and how many segments it has."""
    if body is None or attachments:
        return None, None
    encoding, _, count, _ = segments_of(body)
    return encoding, count


async def send_message(request: Request[OutgoingMessage], line_id: LineId) -> Message:
    """Send a message, now or at a time that is 15 minutes to 90 days ahead.

    When its time comes it is looked at anew: what may not be sent by then fails, and `failure` says why.
    """
    new = request.input
    sent = await request.use_cases.send_message(
        request.account_id,
        line_id,
        new.to,
        new.body,
        request.key,
        new.media,
        new.client_reference,
        new.send_at,
    )
    request.replayed(yes=sent.repeated)
    return accepted(sent)


async def read_message(request: Request[None], message_id: MessageId) -> WholeMessage:
    """Read one message."""
    shown = message(await request.use_cases.read_message(request.account_id, message_id))
    found = await request.use_cases.list_media(
        request.account_id, [message_id] if shown["attachments"] else []
    )
    told = await request.use_cases.list_receipts(request.account_id, message_id)
    return {
        **shown,
        "media": [picture(media) for media in found.get(message_id, ())],
        "receipts": [{"status": status, "at": at} for status, at in told],
    }


async def cancel_message(request: Request[None], message_id: MessageId) -> Message:
    """Take a scheduled message back before its time. It stays, `canceled`; deleting it takes it back as well."""
    return message(await request.use_cases.cancel_message(request.account_id, message_id))


async def delete_message(request: Request[None], message_id: MessageId) -> None:
    """Delete one message."""
    await request.use_cases.delete_message(request.account_id, message_id)


async def list_conversations(request: Request[ConversationPage]) -> Conversations:
    """List conversations, the liveliest first."""
    wanted = request.input
    page = await request.use_cases.list_conversations(
        request.account_id, wanted.line_id, wanted.cursor, wanted.limit
    )
    return {
        "items": [conversation(one) for one in page.items],
        "next_cursor": time_cursor(*page.next) if page.next else None,
    }


async def read_conversation(request: Request[None], conversation_id: ConversationId) -> Conversation:
    """Read one conversation."""
    return conversation(await request.use_cases.read_conversation(request.account_id, conversation_id))


async def mark_read(request: Request[None], conversation_id: ConversationId) -> None:
    """Note that everything in a conversation has been seen."""
    await request.use_cases.mark_read(request.account_id, conversation_id)


async def delete_conversation(request: Request[None], conversation_id: ConversationId) -> None:
    """Delete a conversation with all its messages."""
    await request.use_cases.delete_conversation(request.account_id, conversation_id)


async def list_messages(request: Request[MessagePage], conversation_id: ConversationId) -> Messages:
    """List a conversation's messages, newest first."""
    wanted = request.input
    page = await request.use_cases.list_messages(
        request.account_id, conversation_id, wanted.cursor, wanted.limit
    )
    return {
        "items": [message(one) for one in page.items],
        "next_cursor": id_cursor(page.next) if page.next else None,
    }


ONCE = (Bearer(), Idempotent())
SENDING = (
    DestinationNotAllowed, EmergencyNumber, IdempotencyMismatch, LimitsUnavailable, LineNotActive, MediaNotReady,
    MediaTooLarge, MediaUsed, NotForMessages, NotForPictures, NotInTime, NumberBlocked, PeerOptedOut, SpendLimited,
    UnreachableNumber,
)  # fmt: skip

# ruff: noqa: E501 - a route is a line, however long
# fmt: off
ROUTES = (
    Route("POST", "/v1/lines/{line_id:uuid}/messages", send_message, 202, body=OutgoingMessage, guards=ONCE, raises=SENDING, location="/v1/messages/{id}"),
    Route("GET", "/v1/messages/{message_id:uuid}", read_message, 200),
    Route("DELETE", "/v1/messages/{message_id:uuid}/schedule", cancel_message, 200, raises=(NotScheduled,)),
    Route("DELETE", "/v1/messages/{message_id:uuid}", delete_message, 204),
    Route("GET", "/v1/conversations", list_conversations, 200, query=ConversationPage),
    Route("GET", "/v1/conversations/{conversation_id:uuid}", read_conversation, 200),
    Route("DELETE", "/v1/conversations/{conversation_id:uuid}", delete_conversation, 204),
    Route("GET", "/v1/conversations/{conversation_id:uuid}/messages", list_messages, 200, query=MessagePage),
    Route("POST", "/v1/conversations/{conversation_id:uuid}/read", mark_read, 204),
)
# fmt: on
