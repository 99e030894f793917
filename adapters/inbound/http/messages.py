"""Handlers of conversations and the texts in them."""

from __future__ import annotations

from adapters.inbound.http import bodies
from adapters.inbound.http.request import Json, Request
from adapters.inbound.http.wire import id_cursor, time_cursor
from application.messages import Accepted
from domain.kernel import ConversationId, LineId, MessageId
from domain.messages import Conversation, Message


def conversation(of: Conversation) -> Json:
    """Show a conversation."""
    return {
        "id": str(of.id),
        "line_id": str(of.line_id),
        "peer": str(of.peer),
        "last_at": of.last_at,
        "unread": of.unread,
        "opted_out_at": of.opted_out_at,
        "created_at": of.created_at,
    }


def message(of: Message) -> Json:
    """Show a text."""
    return {
        "id": str(of.id),
        "conversation_id": str(of.conversation_id),
        "line_id": str(of.line_id),
        "direction": str(of.direction),
        "status": str(of.status),
        "body": str(of.body),
        "created_at": of.created_at,
        "error": of.error,
    }


def accepted(of: Accepted) -> Json:
    """Show a text as it was when accepted, byte for byte the same whenever the request is repeated."""
    return {
        "id": str(of.id),
        "conversation_id": str(of.conversation_id),
        "line_id": str(of.line_id),
        "direction": "outbound",
        "status": "queued",
        "body": str(of.body),
        "created_at": of.created_at,
        "error": None,
    }


async def send_message(request: Request[bodies.OutgoingText]) -> Json:
    """Send a text."""
    text = request.input
    return accepted(
        await request.use_cases.send_message(
            request.account_id, LineId(request.id), text.to, text.body, request.key
        )
    )


async def read_message(request: Request[None]) -> Json:
    """Read one text."""
    return message(await request.use_cases.read_message(request.account_id, MessageId(request.id)))


async def delete_message(request: Request[None]) -> None:
    """Delete one text."""
    await request.use_cases.delete_message(request.account_id, MessageId(request.id))


async def list_conversations(request: Request[bodies.ConversationPage]) -> Json:
    """List conversations, the liveliest first."""
    wanted = request.input
    page = await request.use_cases.list_conversations(
        request.account_id, wanted.line, wanted.cursor, wanted.limit
    )
    return {
        "items": [conversation(one) for one in page.items],
        "next_cursor": time_cursor(*page.next) if page.next else None,
    }


async def read_conversation(request: Request[None]) -> Json:
    """Read one conversation."""
    return conversation(
        await request.use_cases.read_conversation(request.account_id, ConversationId(request.id))
    )


async def mark_read(request: Request[None]) -> None:
    """Note that everything in a conversation has been seen."""
    await request.use_cases.mark_read(request.account_id, ConversationId(request.id))


async def delete_conversation(request: Request[None]) -> None:
    """Delete a conversation with all its texts."""
    await request.use_cases.delete_conversation(request.account_id, ConversationId(request.id))


async def list_messages(request: Request[bodies.MessagePage]) -> Json:
    """List a conversation's texts, newest first."""
    wanted = request.input
    page = await request.use_cases.list_messages(
        request.account_id, ConversationId(request.id), wanted.cursor, wanted.limit
    )
    return {
        "items": [message(one) for one in page.items],
        "next_cursor": id_cursor(page.next) if page.next else None,
    }
