"""Conversations, and the messages in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from pico_client.calls import Calls, new_key, part
from pico_client.results import Result


@dataclass(frozen=True, slots=True, repr=False)
class LastMessage(Result):
    """The newest message of a conversation. `body` is None where it was damaged."""

    id: str
    direction: str
    status: str
    body: str | None
    created_at: datetime
    attachments: int


@dataclass(frozen=True, slots=True, repr=False)
class Conversation(Result):
    """All messages between one line and one other side. `opted_out_at`: since when that side refuses ours.

    `last_message` is None when every message was deleted.
    """

    id: str
    line_id: str
    peer: str | None
    name: str | None
    last_at: datetime
    unread: int
    total: int
    opted_out_at: datetime | None
    created_at: datetime
    last_message: LastMessage | None


@dataclass(frozen=True, slots=True, repr=False)
class Message(Result):
    """One message, in or out. `body` is None where it was damaged; `failure` is why it was not delivered.

    `encoding` and `segments` are None for a damaged one, and for one with pictures: it is not cut.
    """

    id: str
    conversation_id: str
    line_id: str
    from_: str | None
    to: str | None
    direction: str
    status: str
    body: str | None
    created_at: datetime
    attachments: int
    failure: str | None
    client_reference: str | None
    send_at: datetime | None
    encoding: str | None
    segments: int | None


@dataclass(frozen=True, slots=True, repr=False)
class MessageEstimate(Result):
    """How a message would travel. It is sent if it is not empty and `fits`."""

    encoding: str
    segments: int
    units: int
    units_left: int
    characters: int
    characters_at_most: int
    fits: bool


@dataclass(frozen=True, slots=True, repr=False)
class Picture(Result):
    """A picture of a message, to be downloaded once it is `kept`; `refusal` is why it is not taken in."""

    id: str
    state: str
    type: str | None
    size: int
    refusal: str | None


@dataclass(frozen=True, slots=True, repr=False)
class Receipt(Result):
    """A status that was told of a message, and when it first was."""

    status: str
    at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class WholeMessage(Message):
    """One message, with its pictures in their order, and what was told of it in the order it was heard."""

    media: list[Picture]
    receipts: list[Receipt]


class Messages(Calls):
    """What one does with messages."""

    def send_message(
        self,
        line_id: str,
        to: str,
        body: str,
        media: Sequence[str] = (),
        client_reference: str | None = None,
        send_at: datetime | str | None = None,
        *,
        key: str | None = None,
    ) -> Message:
        """Send a message. Under the same `key`, made unless given, it is sent once however often this is called.

        `client_reference` is what the app calls it: it comes back with the message. `send_at` has it wait for a time.
        """
        at = send_at.isoformat() if isinstance(send_at, datetime) else send_at
        message = {
            "to": to,
            "body": body,
            "media": list(media),
            "client_reference": client_reference,
            "send_at": at,
        }
        return self._ask(
            Message,
            "POST",
            f"/v1/lines/{part(line_id)}/messages",
            body={name: value for name, value in message.items() if value is not None},
            key=key or new_key(),
        )

    def estimate_message(self, body: str) -> MessageEstimate:
        """Count the segments of a message before it is sent."""
        return self._ask(MessageEstimate, "POST", "/v1/message-estimates", body={"body": body})

    def read_message(self, message_id: str) -> WholeMessage:
        """Read one message, with its pictures."""
        return self._ask(WholeMessage, "GET", f"/v1/messages/{part(message_id)}")

    def upload_picture(self, file: IO[bytes], kind: str) -> Picture:
        """Upload a picture to be sent; `kind` is its media type: `image/jpeg`, say."""
        return self._ask(Picture, "POST", "/v1/media", file=file, file_type=kind)

    def download_picture(self, media_id: str, into: IO[bytes]) -> None:
        """Write what a picture shows into a file, piece by piece."""
        with self._stream("GET", f"/v1/media/{part(media_id)}") as answer:
            for piece in answer.iter_bytes():
                into.write(piece)

    def cancel_message(self, message_id: str) -> Message:
        """Take a scheduled message back before its time."""
        return self._ask(Message, "DELETE", f"/v1/messages/{part(message_id)}/schedule")

    def delete_message(self, message_id: str) -> None:
        """Delete one message."""
        self._send("DELETE", f"/v1/messages/{part(message_id)}")

    def list_conversations(self, line_id: str | None = None) -> Iterator[Conversation]:
        """List conversations, of one line or of all, the liveliest first."""
        return self._list(Conversation, "/v1/conversations", line_id=line_id)

    def read_conversation(self, conversation_id: str) -> Conversation:
        """Read one conversation."""
        return self._ask(Conversation, "GET", f"/v1/conversations/{part(conversation_id)}")

    def delete_conversation(self, conversation_id: str) -> None:
        """Delete a conversation with all its messages."""
        self._send("DELETE", f"/v1/conversations/{part(conversation_id)}")

    def list_messages(self, conversation_id: str) -> Iterator[Message]:
        """List a conversation's messages, newest first."""
        return self._list(Message, f"/v1/conversations/{part(conversation_id)}/messages")

    def mark_read(self, conversation_id: str) -> None:
        """Note that everything in a conversation has been seen."""
        self._send("POST", f"/v1/conversations/{part(conversation_id)}/read")
