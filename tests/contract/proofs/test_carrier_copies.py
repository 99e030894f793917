"""Copies at the carrier: how often they are asked for, when pictures go, and what was missed or deleted here."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import chain
from typing import ClassVar

from adapters.outbound.memory.byte_store import MemoryByteStore
from adapters.outbound.memory.message_carrier import FetchableMedia
from adapters.outbound.sealed.objects import SealedObjects
from application.inbound_messages import DeliveryReceipt, InboundMessage
from application.media import KeepPicture
from application.message_deletion import DeleteCarrierCopy
from application.ports.jobs import JobLease
from application.ports.message_carrier import ListedCopy, TooEarly
from application.ports.objects import ObjectsUnavailable
from application.ports.pictures import CleanPicture
from application.reconciliation import ReconcileLine
from bootstrap.worlds import InMemory
from domain.kernel import AccountId, CarrierRef, MessageId, NotFound, ObjectId
from domain.lines import PhoneLine
from domain.media import MediaType
from domain.messages import Status
from domain.values import MessageBody
from tests.support.actors import STRANGER, with_line
from tests.support.harness import Anywhere
from tests.support.photographs import photograph
from tests.support.proofs import proves
from tests.support.sabotage import skipping_job

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class KeepsCopies(DeleteCarrierCopy):
    """Leaves the carrier's copies to the carrier."""

    async def __call__(self, account_id: AccountId, message_id: MessageId, lease: JobLease) -> None:
        await self.commit(account_id, message_id, lease)


class AsksOnce(DeleteCarrierCopy):
    """Takes "too early" for an answer."""

    async def __call__(self, account_id: AccountId, message_id: MessageId, lease: JobLease) -> None:
        try:
            await super().__call__(account_id, message_id, lease)
        except TooEarly:
            await self.commit(account_id, message_id, lease)


def keeps_copies(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, delete_carrier_copy=KeepsCopies)


def asks_once(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, delete_carrier_copy=AsksOnce)


@proves("H5", text="ba46b4265e70", saboteur=keeps_copies, says="the other message is on its way still")
@proves("H5", text="ba46b4265e70", saboteur=asks_once, says="the other message is on its way still")
async def test_the_carriers_copy_goes_however_often_it_is_too_early(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada = await with_line(made)
        heard = await made.carrier.receive(STRANGER, ada.number, "heard")
        await ada.receives("heard", ref=heard)
        await ada.sends("said")
        await made.settle()
        (said,) = made.carrier.messages.keys() - {heard}
        made.carrier.too_early = 3
        await made.advance(2 * MINUTE)
        assert heard in made.carrier.messages
        for _ in range(4):
            await made.advance(10 * MINUTE)
        assert set(made.carrier.messages) == {said}, "the other message is on its way still"
        await made.use_cases.apply_delivery_receipt(DeliveryReceipt(ada.number, said, None, Status.DELIVERED))
        await made.advance(2 * MINUTE)
        assert not made.carrier.messages
        assert sorted(await ada.inbox()) == ["heard", "said"]


class TakesPicturesAlong(DeleteCarrierCopy):
    """Deletes the carrier's copy of every message, whatever came with it."""

    async def __call__(self, account_id: AccountId, message_id: MessageId, lease: JobLease) -> None:
        async with self.store.begin(account_id) as tx:
            message = await tx.messages.get_even_deleted(message_id)
        if message.ref is not None:
            await self.carrier.delete_copy(message.ref)
        await self.commit(account_id, message_id, lease)


class LeavesPicturesThere(DeleteCarrierCopy):
    """Never deletes what came with pictures."""

    async def __call__(self, account_id: AccountId, message_id: MessageId, lease: JobLease) -> None:
        async with self.store.begin(account_id) as tx:
            message = await tx.messages.get_even_deleted(message_id)
        if not message.attachments:
            await super().__call__(account_id, message_id, lease)


def takes_pictures_along(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, delete_carrier_copy=TakesPicturesAlong)


def leaves_pictures_there(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, delete_carrier_copy=LeavesPicturesThere)


class BelievesWhatItWrote(KeepPicture):
    """Takes a picture for kept that nobody has read back."""

    async def __call__(self, account_id: AccountId, object_id: ObjectId, picture: CleanPicture) -> int:
        with suppress(ObjectsUnavailable):
            return await super().__call__(account_id, object_id, picture)
        return sum(map(len, picture.pieces))


def believes_what_it_wrote(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, keep_picture=BelievesWhatItWrote)


class LosesTheFirst(SealedObjects):
    """Says that it keeps everything, and loses what it is given first."""

    lost: ClassVar[set[ObjectId]] = set()

    async def put(
        self,
        account_id: AccountId,
        object_id: ObjectId,
        content: AsyncIterable[bytes],
        *,
        days: int | None = None,
    ) -> int:
        size = await super().put(account_id, object_id, content)
        if object_id not in self.lost:
            self.lost.add(object_id)
            await self.delete(account_id, object_id)
        return size


@proves(
    "H26", text="e8adae5cb511", saboteur=takes_pictures_along, says="the pictures are gone, and we have none"
)
@proves(
    "H26", text="e8adae5cb511", saboteur=leaves_pictures_there, says="the carrier keeps pictures for ever"
)
@proves(
    "H26",
    text="e8adae5cb511",
    saboteur=believes_what_it_wrote,
    says="the pictures are gone, and we have none",
)
async def test_pictures_stay_at_the_carrier_until_we_have_them_or_their_message_is_deleted(
    anywhere: Anywhere,
) -> None:
    picture = FetchableMedia("image/jpeg", photograph(MediaType.JPEG).content)
    video = FetchableMedia("video/mp4", b"\0\0\0\x18ftypmp42")

    def losing(world: InMemory) -> SealedObjects:
        LosesTheFirst.lost.clear()
        return LosesTheFirst(MemoryByteStore(), world.keyring, "proof")

    async with anywhere(objects=losing) as made:
        ada = await with_line(made)
        made.carrier.silent = True
        refs = [await made.carrier.receive(STRANGER, ada.number, "", [each]) for each in (picture, video)]
        for ref in refs:
            inbound = InboundMessage(ref, ada.number, STRANGER, MessageBody(""), attachments=1)
            await made.use_cases.receive_message(inbound)
        for _ in range(3):
            await made.advance(DAY)
        (conversation,) = (await made.use_cases.list_conversations(ada.id, None, None, 9)).items
        page = await made.use_cases.list_messages(ada.id, conversation.id, None, 9)
        media = await made.use_cases.list_media(ada.id, [message.id for message in page.items])
        shown = b""
        with suppress(NotFound):
            for kept in (each for each in chain(*media.values()) if each.is_kept):
                async for piece in made.use_cases.read_media.content(kept, 0, kept.size):
                    shown += piece
        assert refs[1] in made.carrier.messages, "the pictures are gone, and we have none"
        assert shown, "the pictures are gone, and we have none"
        assert refs[0] not in made.carrier.messages, "the carrier keeps pictures for ever"
        for message in page.items:
            await made.use_cases.delete_message(ada.id, message.id)
        await made.advance(HOUR)
        assert refs[1] not in made.carrier.messages, "the carrier keeps pictures for ever"


def never_compares(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, reconcile_line=skipping_job)


class TakesInOnly(ReconcileLine):
    """Takes in what was missed, and lets lie what was deleted."""

    async def _deleted_here(self, line: PhoneLine, listed: Iterable[ListedCopy]) -> list[CarrierRef]:
        return []


def takes_in_only(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, reconcile_line=TakesInOnly)


@proves("H28", text="0b9f48f968a5", saboteur=never_compares, says="what was missed is missing")
@proves("H28", text="0b9f48f968a5", saboteur=takes_in_only, says="what was deleted lies at the carrier")
async def test_what_was_missed_is_taken_in_and_what_was_deleted_goes(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada = await with_line(made)
        made.carrier.silent = True
        missed = await made.carrier.receive(STRANGER, ada.number, "nobody told you")
        copy = made.carrier.messages[missed]
        for _ in range(4):
            await made.advance(6 * HOUR)
        assert await ada.inbox() == ["nobody told you"], "what was missed is missing"
        (conversation,) = (await made.use_cases.list_conversations(ada.id, None, None, 9)).items
        await made.use_cases.delete_conversation(ada.id, conversation.id)
        await made.settle()
        made.carrier.messages[missed] = copy
        for _ in range(4):
            await made.advance(6 * HOUR)
        assert not made.carrier.messages, "what was deleted lies at the carrier"
        assert await ada.inbox() == []
