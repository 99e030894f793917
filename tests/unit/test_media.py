"""Pictures that come with a message: taken in clean, or left with the carrier; never lost between the two."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Never

import pytest

from adapters.outbound.memory.message_carrier import FetchableMedia
from adapters.outbound.memory.system import CountingIds
from adapters.outbound.sealed.objects import SealedObject, SealedObjects
from application.message_deletion import COPY_KEPT
from application.ports.message_carrier import MediaUnfit
from bootstrap.worlds import InMemory
from domain.kernel import AccountId, CarrierRef, MediaId, MessageId, NotFound, ObjectId
from domain.media import LARGEST, MOST, Media, MediaRefusal, MediaState, MediaType
from tests.support.actors import PASSWORD, STRANGER, Person, with_line
from tests.support.photographs import photograph

DAY = timedelta(days=1)
JPEG = photograph(MediaType.JPEG).content
HTML = b"<html><body>502 Bad Gateway</body></html>"


def as_said(content: bytes = JPEG, said: str = "image/jpeg") -> FetchableMedia:
    return FetchableMedia(said, content)


async def arrival(ada: Person, *media: FetchableMedia, body: str = "look") -> CarrierRef:
    """Have a message come in with these, and everything done that is due at once."""
    ref = await ada.world.carrier.receive(STRANGER, ada.number, body, media)
    await ada.world.settle()
    return ref


async def only_message(ada: Person) -> MessageId:
    (conversation,) = (await ada.world.use_cases.list_conversations(ada.id, None, None, 9)).items
    (message,) = (await ada.world.use_cases.list_messages(ada.id, conversation.id, None, 9)).items
    return message.id


async def pictures(ada: Person) -> list[Media]:
    message_id = await only_message(ada)
    return (await ada.world.use_cases.list_media(ada.id, [message_id])).get(message_id, [])


async def content(ada: Person, media: Media) -> bytes:
    known = await ada.world.use_cases.read_media(ada.id, media.id)
    return b"".join([piece async for piece in ada.world.use_cases.read_media.content(known, 0, known.size)])


@pytest.fixture
def world() -> InMemory:
    return InMemory()


async def test_a_picture_is_kept_clean_and_then_goes_at_the_carrier(world: InMemory) -> None:
    ada = await with_line(world)
    taken = [photograph(kind) for kind in MediaType]
    ref = await arrival(ada, *(as_said(t.content, k.mime) for t, k in zip(taken, MediaType, strict=True)))
    found = await pictures(ada)
    assert [(media.position, media.state, media.type) for media in found] == [
        (at, MediaState.KEPT, kind) for at, kind in enumerate(MediaType)
    ]
    for media, raw in zip(found, taken, strict=True):
        kept = await content(ada, media)
        assert len(kept) == media.size
        assert not [word for word in raw.hidden if word.encode() in kept]
    assert ref in world.carrier.messages, "deliveries of one message may come twice within moments"
    await world.advance(COPY_KEPT)
    assert ref not in world.carrier.messages
    assert not world.carrier.media


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (as_said(b"\0\0\0\x18ftypmp42", "video/mp4"), MediaRefusal.UNSUPPORTED),
        (as_said(b"\0\0\0\x18ftypheic", "image/heic"), MediaRefusal.UNSUPPORTED),
        (as_said(b"BEGIN:VCARD", "text/x-vcard"), MediaRefusal.UNSUPPORTED),
        (as_said(JPEG + bytes(LARGEST)), MediaRefusal.TOO_LARGE),
    ],
    ids=["video", "HEIC", "contact", "too large"],
)
async def test_what_is_not_taken_in_stays_at_the_carrier_until_its_message_is_deleted(
    world: InMemory, answer: FetchableMedia, why: MediaRefusal
) -> None:
    ada = await with_line(world)
    ref = await arrival(ada, as_said(), answer)
    await world.advance(2 * DAY)
    kept, refused = await pictures(ada)
    assert (kept.state, refused.state, refused.refusal) == (MediaState.KEPT, MediaState.REFUSED, why)
    assert await world.objects.count(ada.id) == 1
    assert ref in world.carrier.messages, "what we do not have is lost"
    await world.use_cases.delete_message(ada.id, await only_message(ada))
    await world.settle()
    assert ref not in world.carrier.messages
    assert await world.objects.count(ada.id) == 0


@pytest.mark.parametrize(
    "answer",
    [
        as_said(HTML, "text/html; charset=utf-8"),
        as_said(HTML),
        as_said(JPEG, "image/png"),
        as_said(JPEG[:99]),
    ],
    ids=["an error's page", "one that lies", "another kind", "half of it"],
)
async def test_something_else_is_asked_for_again_for_a_day(world: InMemory, answer: FetchableMedia) -> None:
    ada = await with_line(world)
    ref = await arrival(ada, answer)
    for _ in range(3):
        await world.advance(timedelta(hours=7))
        assert [media.state for media in await pictures(ada)] == [MediaState.EXPECTED]
        assert not world.byte_store.kept
    world.carrier.media[ref] = [as_said()]
    await world.advance(timedelta(hours=7))
    assert [media.state for media in await pictures(ada)] == [MediaState.KEPT]


async def test_after_a_day_it_is_given_up_and_the_carrier_keeps_it(world: InMemory) -> None:
    ada = await with_line(world)
    ref = await arrival(ada, as_said(HTML))
    for _ in range(8):
        await world.advance(timedelta(hours=7))
    assert [media.refusal for media in await pictures(ada)] == [MediaRefusal.UNFIT]
    assert not world.byte_store.kept
    assert ref in world.carrier.messages


async def test_no_more_pictures_are_expected_than_a_message_can_have(world: InMemory) -> None:
    ada = await with_line(world)
    await arrival(ada, *[as_said()] * (MOST + 1))
    assert len(await pictures(ada)) == MOST


async def test_where_the_carrier_brings_none_they_are_only_counted(world: InMemory) -> None:
    ada = await with_line(world)
    world.carrier.message_abilities = type(world.carrier.message_abilities)(can_delete_copies=True)
    await arrival(ada, as_said())
    assert [media.refusal for media in await pictures(ada)] == [MediaRefusal.UNSUPPORTED]


@pytest.mark.parametrize("outage", ["carrier", "byte_store", "keyring"])
async def test_an_outage_delays_and_loses_nothing(world: InMemory, outage: str) -> None:
    ada = await with_line(world)
    ref = await world.carrier.receive(STRANGER, ada.number, "look", [as_said()])
    getattr(world, outage).outage = True
    await world.settle()
    await world.advance(DAY * 3)
    getattr(world, outage).outage = False
    assert ref in world.carrier.messages
    await world.advance(DAY)
    await world.advance(DAY)
    assert [media.state for media in await pictures(ada)] == [MediaState.KEPT]
    assert ref not in world.carrier.messages


class Forgetful(SealedObjects):
    """Says that it keeps everything, and keeps nothing."""

    async def put(
        self,
        account_id: AccountId,
        object_id: ObjectId,
        content: AsyncIterable[bytes],
        *,
        days: int | None = None,
    ) -> int:
        return sum([len(piece) async for piece in content])


class Careless(SealedObjects):
    """Hands out something else."""

    @asynccontextmanager
    async def open(self, account_id: AccountId, object_id: ObjectId) -> AsyncIterator[SealedObject]:
        await self.put(account_id, object_id, _other())
        async with super().open(account_id, object_id) as opened:
            yield opened


async def _other() -> AsyncIterator[bytes]:
    yield b"other"


@pytest.mark.parametrize("store", [Forgetful, Careless])
async def test_only_what_was_read_back_counts_as_kept(world: InMemory, store: type[SealedObjects]) -> None:
    honest, world.objects = world.objects, store(world.byte_store, world.keyring, "memory")
    world.wire()
    ada = await with_line(world)
    ref = await arrival(ada, as_said())
    await world.advance(DAY)
    assert [media.state for media in await pictures(ada)] == [MediaState.EXPECTED]
    assert ref in world.carrier.messages
    world.objects = honest
    world.wire()
    await world.advance(DAY)
    assert [media.state for media in await pictures(ada)] == [MediaState.KEPT]


class Killed(BaseException):
    """The process is no more."""


class Killing(SealedObjects):
    """Is killed right after a picture is there, and before anybody puts that on record."""

    async def put(
        self,
        account_id: AccountId,
        object_id: ObjectId,
        content: AsyncIterable[bytes],
        *,
        days: int | None = None,
    ) -> int:
        await super().put(account_id, object_id, content)
        raise Killed


@pytest.mark.parametrize("deleted", [False, True], ids=["kept", "deleted meanwhile"])
async def test_killed_between_fetching_and_record_leaves_no_orphan_and_loses_nothing(
    world: InMemory, *, deleted: bool
) -> None:
    ada = await with_line(world)
    honest, world.objects = world.objects, Killing(world.byte_store, world.keyring, "memory")
    world.wire()
    ref = await world.carrier.receive(STRANGER, ada.number, "look", [as_said()])
    with pytest.raises(Killed):
        await world.settle()
    assert len(world.byte_store.kept) == 1
    assert ref in world.carrier.messages
    world.objects = honest
    world.wire()
    if deleted:
        await world.use_cases.delete_message(ada.id, await only_message(ada))
    for _ in range(3):
        await world.advance(DAY)
    assert len(world.byte_store.kept) == (0 if deleted else 1)
    assert ref not in world.carrier.messages
    assert not world.carrier.media


async def test_deleting_the_message_while_its_picture_is_under_way_leaves_no_object(world: InMemory) -> None:
    ada = await with_line(world)

    class DeletedMeanwhile(SealedObjects):
        async def put(
            self,
            account_id: AccountId,
            object_id: ObjectId,
            content: AsyncIterable[bytes],
            *,
            days: int | None = None,
        ) -> int:
            size = await super().put(account_id, object_id, content)
            await world.use_cases.delete_message(ada.id, await only_message(ada))
            return size

    world.objects = DeletedMeanwhile(world.byte_store, world.keyring, "memory")
    world.wire()
    await arrival(ada, as_said())
    await world.advance(DAY)
    assert not world.byte_store.kept
    assert not world.carrier.media
    assert (await world.store.count_rows(ada.id))["media"] == 0


async def test_a_conversation_takes_its_pictures_along(world: InMemory) -> None:
    ada = await with_line(world)
    await arrival(ada, as_said())
    await world.advance(COPY_KEPT)
    (media,) = await pictures(ada)
    (conversation,) = (await world.use_cases.list_conversations(ada.id, None, None, 9)).items
    await world.use_cases.delete_conversation(ada.id, conversation.id)
    with pytest.raises(NotFound):
        await world.use_cases.read_media(ada.id, media.id)
    await world.advance(DAY)
    assert not world.byte_store.kept
    assert (await world.store.count_rows(ada.id))["media"] == 0


async def test_nobody_elses_picture_is_found(world: InMemory) -> None:
    ada, ben = await with_line(world), await with_line(world, "ben", "+12025550199")
    await arrival(ada, as_said())
    (media,) = await pictures(ada)
    for wanted in (media.id, MediaId(CountingIds(world.clock).new())):
        with pytest.raises(NotFound):
            await world.use_cases.read_media(ben.id, wanted)


async def test_an_erasure_takes_every_object_also_those_that_no_row_knows(world: InMemory) -> None:
    ada, ben = await with_line(world), await with_line(world, "ben", "+12025550199")
    await arrival(ada, as_said(), as_said())
    await arrival(ben, as_said())
    await world.objects.put(ada.id, ObjectId(world.ids.new()), _other())
    await world.use_cases.delete_account(ada.id, PASSWORD)
    for _ in range(32):
        await world.advance(DAY)
    receipt = await world.ledger.receipt(await world.fingerprint(ada.id))
    assert receipt is not None
    assert (receipt.facts["objects_deleted"], receipt.facts["objects_left"]) == (3, 0)
    assert await world.objects.count(ada.id) == 0
    assert await world.objects.count(ben.id) == 1


async def test_a_carrier_that_sends_us_elsewhere_is_not_followed(world: InMemory) -> None:
    ada = await with_line(world)

    def elsewhere(_ref: CarrierRef, _position: int) -> Never:
        raise MediaUnfit

    honest, world.carrier.fetch_media = world.carrier.fetch_media, elsewhere  # type: ignore[method-assign,assignment]
    await arrival(ada, as_said())
    await world.advance(timedelta(hours=3))
    assert [media.state for media in await pictures(ada)] == [MediaState.EXPECTED]
    world.carrier.fetch_media = honest  # type: ignore[method-assign]
    await world.advance(timedelta(hours=7))
    assert [media.state for media in await pictures(ada)] == [MediaState.KEPT]
