"""Use cases of pictures to be sent: upload, offer to the carrier, and purge what goes with no message."""

from __future__ import annotations

from collections.abc import AsyncIterable
from dataclasses import dataclass
from datetime import timedelta

from application.job_type import JobType, Provider
from application.media import KeepPicture, bounded
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.jobs import JobLease
from application.ports.keyring import KeyGone
from application.ports.media_addresses import MediaAddresses, Offer
from application.ports.objects import Objects
from application.ports.pictures import Pictures
from application.ports.store import Store, Tx
from domain.kernel import AccountId, MediaId, NotFound, ObjectId
from domain.media import MOST_UNUSED, Media, MediaUploaded, TooManyUploads
from domain.messages import Message

OFFERED_FOR = timedelta(hours=1)
"""How long the carrier can fetch a picture; it does so when it takes the message."""
UNUSED_FOR = timedelta(hours=24)
"""How long an upload waits to go with a message (clause T10)."""


@dataclass(frozen=True, slots=True)
class UploadMedia:
    """Takes a picture in that is to go with a message, cleaned as one that came."""

    store: Store
    pictures: Pictures
    keep_picture: KeepPicture
    clock: Clock
    ids: Ids

    async def __call__(self, account_id: AccountId, content: AsyncIterable[bytes]) -> Media:
        """Return the picture, kept. Raises NotAPicture, MediaTooLarge, TooManyUploads, ObjectsUnavailable."""
        picture = self.pictures.clean(await bounded(content))
        media_id = MediaId(self.ids.new())

        async def begin(tx: Tx) -> None:
            if len(await tx.media.unused()) >= MOST_UNUSED:
                raise TooManyUploads
            tx.save(Media.upload(account_id, media_id, self.clock.now()))

        async def keep(tx: Tx) -> Media:
            media = await tx.media.get(media_id)
            media.keep(picture.type, size, self.clock.now())
            tx.save(media)
            return media

        await self.store.update(account_id, begin)
        size = await self.keep_picture(account_id, ObjectId(media_id), picture)
        return await self.store.update(account_id, keep)


@dataclass(frozen=True, slots=True)
class OfferMedia:
    """Offers the pictures of a message that is being sent to the carrier."""

    store: Store
    addresses: MediaAddresses
    clock: Clock

    async def __call__(self, message: Message) -> list[str]:
        """Return an address for each, in their order. Repeating is harmless."""
        if not message.attachments:
            return []
        async with self.store.begin(message.account_id) as tx:
            media = await tx.media.of_messages([message.id])
        ends_at = self.clock.now() + OFFERED_FOR
        return [
            await self.addresses.address(Offer(message.account_id, each.id, message.id, ends_at))
            for each in media
        ]


@dataclass(frozen=True, slots=True)
class ReadOfferedMedia:
    """Hands a picture to whoever has its address: while it is offered, and its message is on its way."""

    store: Store
    addresses: MediaAddresses
    clock: Clock

    async def __call__(self, token: str) -> Media:
        """Return what is known of it. Raises NotFound. Repeating is harmless."""
        offer = await self.addresses.offered(token)
        if offer is None or self.clock.now() >= offer.ends_at:
            raise NotFound
        try:
            async with self.store.begin(offer.account_id) as tx:
                media = await tx.media.get(offer.media_id)
                message = await tx.messages.get(offer.message_id)
        except KeyGone:
            raise NotFound from None
        if media.message_id != message.id or message.is_settled:
            raise NotFound
        return media


@dataclass(frozen=True, slots=True)
class PurgeUpload:
    """Purges an upload that went with no message."""

    store: Store
    objects: Objects

    async def __call__(self, account_id: AccountId, media_id: MediaId, lease: JobLease) -> None:
        """Purge it, unless it is used. Repeating is harmless. Raises ObjectsUnavailable."""

        async def withdraw(tx: Tx) -> bool:
            media = await tx.media.get(media_id)
            if not media.is_unused:
                return False
            media.withdraw()  # first: a message that takes it now would go without it
            tx.save(media)
            return True

        async def remove(tx: Tx) -> None:
            tx.remove(await tx.media.get(media_id))

        if await self.store.update(account_id, withdraw):
            await self.objects.delete(account_id, ObjectId(media_id))
            await self.store.update(account_id, remove, completing=lease)


JOBS = (
    JobType(
        "purge_upload", PurgeUpload, after={MediaUploaded: UNUSED_FOR}, attempts=None, asks=Provider.OBJECTS
    ),
)
