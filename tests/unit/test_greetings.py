"""Greetings: written or uploaded, heard by callers, replaced whole, and handed out for minutes only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest

from adapters.tones import tone
from application.greetings import UPLOAD_TAKES
from application.mailbox import LONGEST, OFFERED_FOR, TRANSCRIBED
from application.recorded_audio import AudioTooLarge, NotAudio, UnsupportedAudio
from bootstrap.worlds import InMemory
from domain.call_instructions import TakeMessage
from domain.greetings import LARGEST_GREETING, Greeting, GreetingText, InvalidGreeting
from domain.kernel import LineId, NotFound
from domain.values import Locale
from tests.support.actors import Person, with_line

SOUND = tone(2)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def world() -> InMemory:
    return InMemory()


async def stream(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def upload(ada: Person, content: bytes = SOUND, said: str = "audio/wav") -> Greeting:
    return await ada.world.use_cases.upload_greeting(ada.id, ada.line_id, stream(content), said)


async def instruction(ada: Person) -> TakeMessage:
    """Return what is done with somebody who calls and is to leave a message."""
    mailbox = ada.world.use_cases.answer_call.route.mailbox
    async with ada.world.store.begin(ada.id) as tx:
        return await mailbox.instruction(tx, await tx.lines.get(ada.line_id))


def token_in(heard: TakeMessage) -> str:
    assert heard.audio is not None
    assert "/v1/offered-greetings/" in heard.audio
    return heard.audio.rpartition("/")[2]


async def sound(world: InMemory, greeting: Greeting) -> bytes:
    content = world.use_cases.read_greeting.content(greeting, 0, greeting.size)
    return b"".join([piece async for piece in content])


async def test_callers_hear_the_usual_greeting_then_words_then_a_recording_then_the_usual(
    world: InMemory,
) -> None:
    ada = await with_line(world)
    assert (await instruction(ada)).words is None
    await world.use_cases.write_greeting(ada.id, ada.line_id, GreetingText("This is Ada."))
    heard = await instruction(ada)
    assert (heard.words, heard.audio) == ("This is Ada.", None)
    await upload(ada)
    heard = await instruction(ada)
    assert heard.words is None
    assert await sound(world, await world.use_cases.read_offered_greeting(token_in(heard))) == SOUND
    await world.use_cases.remove_greeting(ada.id, ada.line_id)
    await world.settle()
    heard = await instruction(ada)
    assert (heard.words, heard.audio) == (None, None)
    assert await world.objects.count(ada.id) == 0
    assert (await world.store.count_rows(ada.id))["greetings"] == 0


async def test_a_recording_that_is_replaced_goes_and_so_does_one_that_broke_off(world: InMemory) -> None:
    ada = await with_line(world)
    await upload(ada)
    token = token_in(await instruction(ada))
    await upload(ada, tone(1))
    with pytest.raises(NotFound):
        await world.use_cases.read_offered_greeting(token)
    for content, said, no in (
        (b"<html></html>" * 9, "audio/wav", NotAudio),
        (SOUND, "audio/mpeg", NotAudio),
        (SOUND, "audio/ogg", UnsupportedAudio),
        (SOUND + bytes(LARGEST_GREETING), "audio/wav", AudioTooLarge),
    ):
        with pytest.raises(no):
            await upload(ada, content, said)
    await world.advance(UPLOAD_TAKES + MINUTE)
    found = await world.use_cases.read_greeting(ada.id, ada.line_id)
    assert found is not None
    assert await sound(world, found) == tone(1)
    assert await world.objects.count(ada.id) == 1
    assert (await world.store.count_rows(ada.id))["greetings"] == 1


async def test_an_address_is_good_for_minutes_and_for_its_greeting_only(world: InMemory) -> None:
    ada = await with_line(world)
    await upload(ada)
    heard = await instruction(ada)
    token = token_in(heard)
    for name in (ada.id, ada.line_id):
        assert name.hex not in str(heard.audio).replace("-", "")
    world.clock.advance(OFFERED_FOR - timedelta(seconds=2))
    assert (await world.use_cases.read_offered_greeting(token)).is_heard
    world.clock.advance(timedelta(seconds=2))
    for forged in (token, token[::-1], "A" * 96, ""):
        with pytest.raises(NotFound):
            await world.use_cases.read_offered_greeting(forged)
    with pytest.raises(NotFound):
        await world.use_cases.read_offered_media(token_in(await instruction(ada)))
    token = token_in(await instruction(ada))
    await world.keyring.destroy(ada.id)
    with pytest.raises(NotFound):
        await world.use_cases.read_offered_greeting(token)


async def test_a_message_is_put_into_writing_where_the_language_is_known(world: InMemory) -> None:
    ada = await with_line(world)
    heard = await instruction(ada)
    assert (heard.transcribed, heard.longest) == (True, TRANSCRIBED)
    await world.use_cases.change_profile(ada.id, None, Locale("he-IL"))
    heard = await instruction(ada)
    assert (heard.transcribed, heard.longest) == (False, LONGEST)


async def test_nobody_greets_for_another_line(world: InMemory) -> None:
    ada, ben = await with_line(world), await with_line(world, "ben", "+12025550199")
    for line in (ben.line_id, LineId(uuid4())):
        with pytest.raises(NotFound):
            await world.use_cases.write_greeting(ada.id, line, GreetingText("Hi."))
        with pytest.raises(NotFound):
            await world.use_cases.upload_greeting(ada.id, line, stream(SOUND), "audio/wav")
        with pytest.raises(NotFound):
            await world.use_cases.read_greeting(ada.id, line)
    assert await world.objects.count(ada.id) == 0


@pytest.mark.parametrize("words", ["", " ", " Hi", "a\nb", "x" * 501, "\u202eAda"])
def test_words_are_seen(words: str) -> None:
    with pytest.raises(InvalidGreeting):
        GreetingText.parse(words)
