"""Pictures that are to be sent: uploaded clean, offered to the carrier for one message, purged if unused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from application.media_upload import OFFERED_FOR, UNUSED_FOR
from application.messages import Accepted
from application.ports.pictures import NotAPicture
from bootstrap.worlds import InMemory
from domain.kernel import MediaId, NotFound
from domain.media import (
    LARGEST,
    MOST_UNUSED,
    Media,
    MediaTooLarge,
    MediaType,
    MediaUsed,
    NotForPictures,
    TooManyUploads,
)
from domain.messages import Status
from domain.values import Capability, MessageBody
from tests.support.actors import STRANGER, Person, with_line
from tests.support.photographs import photograph

TAKEN = photograph(MediaType.JPEG)


async def stream(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def upload(ada: Person, content: bytes = TAKEN.content) -> Media:
    return await ada.world.use_cases.upload_media(ada.id, stream(content))


async def send(ada: Person, *media: Media, key: str = "key") -> Accepted:
    ids = [each.id for each in media]
    send_message = ada.world.use_cases.send_message
    return await send_message(ada.id, ada.line_id, STRANGER, MessageBody("look"), key, ids)


async def offered(world: InMemory) -> list[str]:
    """Return the last segment of every address that the carrier was given."""
    return [address.rpartition("/")[2] for each in world.carrier.offered.values() for address in each]


@pytest.fixture
def world() -> InMemory:
    return InMemory()


async def test_an_upload_is_kept_clean_and_goes_with_a_message(world: InMemory) -> None:
    ada = await with_line(world)
    first, second = await upload(ada), await upload(ada, photograph(MediaType.PNG).content)
    sent = await send(ada, first, second)
    assert sent.attachments == 2
    found = (await world.use_cases.list_media(ada.id, [sent.id]))[sent.id]
    assert [(media.id, media.position) for media in found] == [(first.id, 0), (second.id, 1)]
    shown = b"".join([piece async for piece in world.use_cases.read_media.content(found[0], 0, first.size)])
    assert not [word for word in TAKEN.hidden if word.encode() in shown]
    await world.settle()
    tokens = await offered(world)
    assert [(await world.use_cases.read_offered_media(token)).id for token in tokens] == [first.id, second.id]
    assert str(ada.id) not in str(world.carrier.offered)


async def test_sending_again_under_its_key_is_the_same_message(world: InMemory) -> None:
    ada = await with_line(world)
    media = await upload(ada)
    assert await send(ada, media) == await send(ada, media)
    with pytest.raises(MediaUsed):
        await send(ada, media, key="another")


async def test_an_offer_ends_after_its_time(world: InMemory) -> None:
    ada = await with_line(world)
    await send(ada, await upload(ada))
    await world.settle()
    (token,) = await offered(world)
    world.clock.advance(OFFERED_FOR - timedelta(seconds=2))
    assert (await world.use_cases.read_offered_media(token)).is_kept
    world.clock.advance(timedelta(seconds=2))
    with pytest.raises(NotFound):
        await world.use_cases.read_offered_media(token)


@pytest.mark.parametrize("end", ["deleted", "delivered", "account"])
async def test_an_offer_dies_with_its_message(world: InMemory, end: str) -> None:
    ada = await with_line(world)
    sent = await send(ada, await upload(ada))
    await world.settle()
    (token,) = await offered(world)
    if end == "deleted":
        await world.use_cases.delete_message(ada.id, sent.id)
    elif end == "delivered":
        await world.carrier.report(next(iter(world.carrier.messages)), Status.DELIVERED)
    else:
        await world.keyring.destroy(ada.id)
    with pytest.raises(NotFound):
        await world.use_cases.read_offered_media(token)


async def test_an_address_that_was_not_made_here_offers_nothing(world: InMemory) -> None:
    ada = await with_line(world)
    await send(ada, await upload(ada))
    await world.settle()
    (token,) = await offered(world)
    for forged in (
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        "A" * 96,
        token[4:] + token[:4],
        "",
        "\u00e4",
    ):
        with pytest.raises(NotFound):
            await world.use_cases.read_offered_media(forged)


async def test_an_unused_upload_is_purged_after_a_day_and_a_used_one_stays(world: InMemory) -> None:
    ada = await with_line(world)
    used, unused = await upload(ada), await upload(ada)
    sent = await send(ada, used)
    await world.advance(UNUSED_FOR - timedelta(minutes=1))
    assert await world.objects.count(ada.id) == 2
    await world.advance(timedelta(minutes=1))
    assert await world.objects.count(ada.id) == 1
    with pytest.raises(NotFound):
        await world.use_cases.read_media(ada.id, unused.id)
    await world.use_cases.delete_message(ada.id, sent.id)
    await world.advance(timedelta(days=2))
    assert await world.objects.count(ada.id) == 0


async def test_what_is_no_picture_or_too_much_is_refused_and_leaves_nothing(world: InMemory) -> None:
    ada = await with_line(world)
    with pytest.raises(NotAPicture):
        await upload(ada, b"<html></html>")
    with pytest.raises(MediaTooLarge):
        await upload(ada, TAKEN.content + bytes(LARGEST))
    assert await world.objects.count(ada.id) == 0
    for _ in range(MOST_UNUSED):
        await upload(ada)
    with pytest.raises(TooManyUploads):
        await upload(ada)
    assert await world.objects.count(ada.id) == MOST_UNUSED


async def test_a_line_without_pictures_and_somebody_elses_picture_are_refused(world: InMemory) -> None:
    ada, ben = await with_line(world), await with_line(world, "ben", "+12025550199")
    theirs = await upload(ben)
    with pytest.raises(NotFound):
        await send(ada, theirs)
    with pytest.raises(NotFound):
        await send(ada, Media(account_id=ada.id, id=MediaId(world.ids.new()), created_at=world.clock.now()))
    mine = await upload(ada)
    async with world.store.begin(ada.id) as tx:
        line = await tx.lines.get(ada.line_id)
        line.capabilities = frozenset({Capability.SMS})
        tx.save(line)
    with pytest.raises(NotForPictures):
        await send(ada, mine)
