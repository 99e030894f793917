"""What our tests ask about a person's messages."""

from __future__ import annotations

from application.ports.repositories.conversations import ConversationRow
from application.ports.repositories.messages import MessageRow
from domain.kernel import CarrierRef, MessageId
from tests.support.actors import Person


async def ref_of(ada: Person, message_id: MessageId) -> CarrierRef:
    """Return how the carrier calls a message."""
    ref = (await ada.keeps(message_id)).ref
    assert ref is not None
    return ref


async def only_message(ada: Person) -> tuple[ConversationRow, MessageRow]:
    """Return the one conversation there is, and its one message."""
    (conversation,) = (await ada.world.use_cases.list_conversations(ada.id, None, None, 9)).items
    (message,) = (await ada.world.use_cases.list_messages(ada.id, conversation.id, None, 9)).items
    return conversation, message
