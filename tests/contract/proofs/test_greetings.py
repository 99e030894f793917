"""Greetings: sealed where they lie, and handed out for minutes under an address that names nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

from adapters.tones import tone
from application.greetings import ReadOfferedGreeting
from domain.greetings import Greeting, GreetingId, GreetingText
from domain.kernel import NotFound
from tests.contract.proofs.test_voicemail import seals_no_audio
from tests.support.actors import with_line
from tests.support.harness import Databases, in_clear
from tests.support.proofs import proves, refused

WORDS = "This is Ada of the lighthouse."
SOUND = tone(2)


class OffersForEver(ReadOfferedGreeting):
    """Hands a greeting to whoever once had its address."""

    async def __call__(self, token: str) -> Greeting:
        offer = await self.addresses.offered(token)
        if offer is None:
            raise NotFound
        async with self.store.begin(offer.account_id) as tx:
            return await tx.greetings.get(GreetingId(offer.media_id))


def offers_for_ever(stored: Databases) -> Databases:
    return partial(stored, read_offered_greeting=OffersForEver)


async def stream(content: bytes) -> AsyncIterator[bytes]:
    yield content


@proves("C21", text="f5a66c60fd27", saboteur=in_clear("greetings.words"), says="its words lie in clear")
@proves("C21", text="f5a66c60fd27", saboteur=seals_no_audio, says="its recording lies in clear")
@proves("C21", text="f5a66c60fd27", saboteur=offers_for_ever, says="its address is good for longer")
async def test_a_greeting_lies_sealed_and_is_offered_for_minutes(stored: Databases) -> None:
    async with stored() as world:
        ada = await with_line(world)
        await world.use_cases.write_greeting(ada.id, ada.line_id, GreetingText(WORDS))
        assert await world.traces(WORDS, "lighthouse") == set(), "its words lie in clear"
        assert WORDS in await world.opened(ada.id)
        await world.use_cases.upload_greeting(ada.id, ada.line_id, stream(SOUND), "audio/wav")
        files = [path.read_bytes() for path in world.folder.rglob("*") if path.is_file()]
        pieces = [SOUND[at : at + 24] for at in range(0, len(SOUND) - 24, 997)]
        assert not any(piece in file for piece in pieces for file in files), "its recording lies in clear"
        async with world.store.begin(ada.id) as tx:
            mailbox = world.use_cases.answer_call.route.mailbox
            address = (await mailbox.instruction(tx, await tx.lines.get(ada.line_id))).audio
        assert address is not None
        assert not [each for each in (ada.id, ada.line_id) if each.hex in address.replace("-", "")]
        token = address.rpartition("/")[2]
        assert (await world.use_cases.read_offered_greeting(token)).is_heard
        world.clock.advance(timedelta(minutes=5))
        with refused(NotFound, "its address is good for longer"):
            await world.use_cases.read_offered_greeting(token)
