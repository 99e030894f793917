"""What a caller meets who is to leave a message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from application.greetings import heard
from application.ports.clock import Clock
from application.ports.media_addresses import MediaAddresses, Offer
from application.ports.store import Tx
from application.ports.transcriber import Transcriber
from domain.call_instructions import TakeMessage
from domain.kernel import MediaId, MessageId
from domain.lines import PhoneLine

TRANSCRIBED, LONGEST = timedelta(seconds=119), timedelta(minutes=5)
"""How long a caller may speak where what they say is put into writing, and where it is not."""
OFFERED_FOR = timedelta(minutes=5)
"""A greeting is fetched the moment a caller is to hear it."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Says how a message is taken for a line. It has no menu: nothing that a caller presses leads anywhere."""

    transcriber: Transcriber
    addresses: MediaAddresses
    clock: Clock

    async def instruction(self, tx: Tx, line: PhoneLine) -> TakeMessage:
        """Return how a caller is greeted, and how long they may speak. Repeating is harmless.

        A message is put into writing where the transcriber knows the person's language, which is what we know of the
        caller's.
        """
        account = await tx.accounts.get_even_broken()
        language = None if "locale" in account.unreadable else account.locale
        transcribed = not line.is_restricted and self.transcriber.declines(language, TRANSCRIBED) is None
        greeting, audio = await heard(tx, line.id), None
        if greeting is not None and greeting.sound is not None:
            ends_at = self.clock.now() + OFFERED_FOR
            offer = Offer(line.account_id, MediaId(greeting.id), MessageId(line.id), ends_at)
            audio = await self.addresses.address(offer, "offered-greetings")
        return TakeMessage(
            longest=TRANSCRIBED if transcribed else LONGEST,
            words=None if greeting is None else greeting.words,
            audio=audio,
            transcribed=transcribed,
        )
