"""Pictures: what lies there of them, and what never does."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import pytest
import structlog

from adapters.outbound.local.byte_store import LocalByteStore
from adapters.outbound.memory.message_carrier import FetchableMedia
from adapters.outbound.pictures.cleaning import AllowListedPictures
from adapters.outbound.sealed.objects import SealedObjects
from application.inbound_messages import InboundMessage
from application.media_upload import ReadOfferedMedia
from application.ports.byte_store import OpenBytes
from application.ports.objects import OpenObject
from application.ports.pictures import CleanPicture
from domain.kernel import AccountId, NotFound, ObjectId
from domain.media import Media, MediaType
from domain.messages import Status
from domain.values import MessageBody, Peer
from tests.support.actors import STRANGER, Person, with_line
from tests.support.harness import ENVIRONMENT, Anywhere, Databases, OnPostgres
from tests.support.photographs import Photograph, a_picture, photograph
from tests.support.proofs import proves, refused
from tests.support.sabotage import skipping_job


@dataclass(frozen=True)
class Clear(OpenObject):
    """An object as it lies there: in clear."""

    at_rest: OpenBytes

    @property
    def size(self) -> int:
        return self.at_rest.size

    async def read(self, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        yield await self.at_rest.read(start, (self.size if stop is None else stop) - start)


class SealsNothing(SealedObjects):
    """Keeps objects in clear."""

    async def put(
        self,
        account_id: AccountId,
        object_id: ObjectId,
        content: AsyncIterable[bytes],
        *,
        days: int | None = None,
    ) -> int:
        whole = b"".join([piece async for piece in content])

        async def pieces() -> AsyncIterator[bytes]:
            yield whole

        await self.store.write((await self._names(account_id)).name(object_id), pieces())
        return len(whole)

    @asynccontextmanager
    async def open(self, account_id: AccountId, object_id: ObjectId) -> AsyncIterator[Clear]:  # type: ignore[override]
        async with self.store.open((await self._names(account_id)).name(object_id)) as at_rest:
            yield Clear(at_rest)


def seals_no_pictures(stored: Databases) -> Databases:
    def objects(world: OnPostgres) -> SealsNothing:
        return SealsNothing(LocalByteStore(world.folder / "objects"), world.keyring, ENVIRONMENT)

    return partial(stored, objects=objects)


async def taken_in(world: OnPostgres, ada: Person, *taken: tuple[MediaType, Photograph]) -> bytes:
    """Have a message with these pictures come in; return all that is shown of them."""
    media = [FetchableMedia(kind.mime, each.content) for kind, each in taken]
    ref = await world.carrier.receive(STRANGER, ada.number, "look", media)
    inbound = InboundMessage(ref, ada.number, STRANGER, MessageBody("look"), attachments=len(media))
    await world.use_cases.receive_message(inbound)
    await world.settle()
    async with world.store.begin(ada.id) as tx:
        message = await tx.messages.by_ref(ref)
    assert message is not None
    found = (await world.use_cases.list_media(ada.id, [message.id]))[message.id]
    assert all(each.is_kept for each in found)
    return b"".join(
        [piece for each in found async for piece in world.use_cases.read_media.content(each, 0, each.size)]
    )


@proves("C15", text="e9288a47f31b", saboteur=seals_no_pictures, says="a picture lies there in clear")
async def test_pictures_lie_there_as_ciphertext_only(stored: Databases) -> None:
    async with stored() as world:
        ada = await with_line(world)
        shown = await taken_in(world, ada, *((kind, photograph(kind)) for kind in MediaType))
        files = [path.read_bytes() for path in world.folder.rglob("*") if path.is_file()]
        assert await world.objects.count(ada.id) == len(MediaType)
        pieces = [shown[at : at + 24] for at in range(0, len(shown) - 24, 101)]
        assert not any(piece in file for piece in pieces for file in files), "a picture lies there in clear"
        key = (await world.keyring.open(ada.id)).material
        assert not any(key in file for file in files)


class KeepsEverything(AllowListedPictures):
    """Keeps pictures as they came."""

    def clean(self, content: bytes | bytearray) -> CleanPicture:
        return CleanPicture(super().clean(content).type, [bytes(content)])


def keeps_everything(stored: Databases) -> Databases:
    return partial(stored, pictures=lambda _: KeepsEverything())


@proves("N6", text="eca236409a74", saboteur=keeps_everything, says="where a picture was taken was kept")
async def test_where_a_picture_was_taken_is_nowhere(
    stored: Databases, caplog: pytest.LogCaptureFixture
) -> None:
    taken = [(kind, photograph(kind, orientation=6)) for kind in MediaType]
    hidden = [word for _, each in taken for word in each.hidden]
    with caplog.at_level(logging.DEBUG), structlog.testing.capture_logs() as logs:
        async with stored() as world:
            ada = await with_line(world)
            shown = await taken_in(world, ada, *taken)
            await world.use_cases.start_export(ada.id)
            await world.settle()
            assert not [word for word in hidden if word.encode() in shown], (
                "where a picture was taken was kept"
            )
            assert shown.count(b"MM\0*") == 3, "which way is up was lost"
            assert b"GPS" not in shown
            opened = await world.opened(ada.id)
            assert "look" in opened
            assert not [word for word in hidden if word in opened]
            assert await world.traces(*hidden) == set()
    assert not [word for word in hidden if word in caplog.text + str(logs)]


def keeps_uploads(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, purge_upload=skipping_job)


@proves("T10", text="e8a15369dcb3", saboteur=keeps_uploads, says="an upload that nobody sent is kept")
async def test_an_upload_that_is_not_sent_goes_after_a_day(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada = await with_line(made)
        for _ in range(2):
            await made.use_cases.upload_media(ada.id, a_picture())
        await made.advance(timedelta(hours=23))
        assert await made.objects.count(ada.id) == 2
        await made.advance(timedelta(hours=2))
        assert await made.objects.count(ada.id) == 0, "an upload that nobody sent is kept"
        assert (await made.store.count_rows(ada.id))["media"] == 0


class OffersForEver(ReadOfferedMedia):
    """Hands a picture to whoever once had its address."""

    async def __call__(self, token: str) -> Media:
        offer = await self.addresses.offered(token)
        if offer is None:
            raise NotFound
        async with self.store.begin(offer.account_id) as tx:
            return await tx.media.get(offer.media_id)


def offers_for_ever(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, read_offered_media=OffersForEver)


@proves(
    "H42", text="57a7a627862f", saboteur=offers_for_ever, says="the address of a picture is good for longer"
)
async def test_an_address_is_good_for_one_message_and_an_hour(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada = await with_line(made)
        tokens = []
        for key in ("delivered", "deleted", "late"):
            media = await made.use_cases.upload_media(ada.id, a_picture())
            sent = await made.use_cases.send_message(
                ada.id, ada.line_id, Peer.parse(STRANGER), MessageBody(key), key, [media.id]
            )
            await made.settle()
            ref, (address,) = list(made.carrier.offered.items())[-1]
            for name in (ada.id, ada.line_id, media.id, sent.id):
                assert name.hex not in address.replace("-", "")
            tokens.append(address.rpartition("/")[2])
            assert (await made.use_cases.read_offered_media(tokens[-1])).id == media.id
            if key == "delivered":
                await made.carrier.report(ref, Status.DELIVERED)
            elif key == "deleted":
                await made.use_cases.delete_message(ada.id, sent.id)
        made.clock.advance(timedelta(hours=1))
        for token in tokens:
            with refused(NotFound, "the address of a picture is good for longer"):
                await made.use_cases.read_offered_media(token)
