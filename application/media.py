"""Use cases of pictures that came with a message: fetch them from the carrier, show them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Collection
from dataclasses import dataclass
from datetime import timedelta

from application.job_type import NOW, JobType, Provider
from application.ports.carrier_errors import CarrierUnsupported
from application.ports.clock import Clock
from application.ports.jobs import JobLease
from application.ports.message_carrier import FetchedMedia, MediaGone, MediaUnfit, MessageCarrier
from application.ports.objects import Objects, ObjectsUnavailable
from application.ports.pictures import CleanPicture, NotAPicture, Pictures
from application.ports.store import Store, Tx
from domain.kernel import (
    AccountId,
    CarrierRef,
    ErrorKind,
    MediaId,
    MessageId,
    NotFound,
    ObjectId,
    PicoError,
    SealBroken,
)
from domain.media import (
    LARGEST,
    Media,
    MediaExpected,
    MediaRefusal,
    MediaTooLarge,
    MediaType,
)
from domain.messages import Message

PATIENCE = timedelta(days=1)
"""How long another answer is hoped for where something else came than the picture."""
PIECE = 64 << 10
NO_TYPE = frozenset({"text/html", "text/plain", "text/xml", "application/json", "application/xml", ""})
"""What comes in place of a picture when something went wrong: asking again may help."""


class NotYetThePicture(PicoError):
    """Something else came than the picture: it is asked for again later."""

    kind = ErrorKind.UNAVAILABLE
    code = "not_yet_the_picture"


@dataclass(frozen=True, slots=True)
class KeepPicture:
    """Keeps a picture as an object, and believes only what it has read back."""

    objects: Objects

    async def __call__(self, account_id: AccountId, object_id: ObjectId, picture: CleanPicture) -> int:
        """Return the size in bytes. Raises ObjectsUnavailable, KeyGone. Repeating replaces it."""
        size = await self.objects.put(account_id, object_id, _in_pieces(picture))
        wanted, found = hashlib.sha256(), hashlib.sha256()
        for piece in picture.pieces:
            wanted.update(piece)
        try:
            async with self.objects.open(account_id, object_id) as opened:
                async for piece in opened.read():
                    found.update(piece)
        except (NotFound, SealBroken):
            raise ObjectsUnavailable from None
        if found.digest() != wanted.digest():
            raise ObjectsUnavailable
        return size


async def _in_pieces(picture: CleanPicture) -> AsyncIterator[bytes]:
    for piece in picture.pieces:
        for at in range(0, len(piece), PIECE):
            yield bytes(piece[at : at + PIECE])


async def bounded(content: AsyncIterable[bytes]) -> bytearray:
    """Read content to its end. Raises MediaTooLarge as soon as it is larger than any picture that is taken in."""
    held = bytearray()
    async for piece in content:
        held += piece
        if len(held) > LARGEST:
            raise MediaTooLarge
    return held


@dataclass(frozen=True, slots=True)
class FetchMedia:
    """Fetches a picture from the carrier and keeps it, clean; the carrier's copy may go only after that."""

    store: Store
    carrier: MessageCarrier
    pictures: Pictures
    objects: Objects
    keep_picture: KeepPicture
    clock: Clock

    async def __call__(self, account_id: AccountId, media_id: MediaId, lease: JobLease) -> None:
        """Fetch it, unless it is here or its message was deleted. Repeating is harmless.

        Raises CarrierUnavailable, ObjectsUnavailable, NotYetThePicture: to be tried again.
        """
        try:
            media, ref = await self._wanted(account_id, media_id)
            if not media.is_expected:
                return
            kept = await self._kept(media, ref)
            await self._commit(account_id, media_id, kept, lease)
        except NotFound:
            # The row is there before the object and goes after it: so whatever this or an earlier try had put goes now.
            await self.objects.delete(account_id, ObjectId(media_id))
            raise

    async def _wanted(self, account_id: AccountId, media_id: MediaId) -> tuple[Media, CarrierRef | None]:
        """Return the picture, and the carrier's reference of its message. Raises NotFound when that was deleted."""
        async with self.store.begin(account_id) as tx:
            media = await tx.media.get(media_id)
            message = await _message_of(tx, media)
        media.must_be_whole()
        message.must_be_whole()
        return media, message.ref

    async def _kept(self, media: Media, ref: CarrierRef | None) -> tuple[MediaType, int] | MediaRefusal:
        """Keep the picture, and return its type and size; or why it is not taken in."""
        try:
            picture = await self._fetched(media, ref)
        except MediaTooLarge:
            return MediaRefusal.TOO_LARGE
        except (CarrierUnsupported, _Unsupported):
            return MediaRefusal.UNSUPPORTED
        except (MediaGone, MediaUnfit, NotAPicture) as error:
            if self.clock.now() < media.created_at + PATIENCE:
                raise NotYetThePicture from None
            return MediaRefusal.GONE if isinstance(error, MediaGone) else MediaRefusal.UNFIT
        return picture.type, await self.keep_picture(media.account_id, media.object_id, picture)

    async def _fetched(self, media: Media, ref: CarrierRef | None) -> CleanPicture:
        if ref is None or not self.carrier.message_abilities.carries_media:
            raise CarrierUnsupported
        async with self.carrier.fetch_media(ref, media.position) as fetched:
            said = _type_of(fetched)
            picture = self.pictures.clean(await bounded(fetched.content))
        if picture.type is not said:
            raise NotAPicture
        return picture

    async def _commit(
        self,
        account_id: AccountId,
        media_id: MediaId,
        kept: tuple[MediaType, int] | MediaRefusal,
        lease: JobLease,
    ) -> None:
        async def change(tx: Tx) -> None:
            media = await tx.media.get(media_id)
            tx.require_unchanged(await _message_of(tx, media))
            if isinstance(kept, MediaRefusal):
                media.refuse(kept)
            else:
                media.keep(*kept, self.clock.now())
            tx.save(media)

        await self.store.update(account_id, change, completing=lease)


async def _message_of(tx: Tx, media: Media) -> Message:
    """Return the message that a picture came with. Raises NotFound for an upload, and when it was deleted."""
    if media.message_id is None:
        raise NotFound
    message = await tx.messages.get_even_deleted(media.message_id)
    if message.is_deleted:
        raise NotFound
    return message


class _Unsupported(Exception):
    """The carrier says that it is something we do not take."""


def _type_of(fetched: FetchedMedia) -> MediaType:
    """Return what the carrier says it is. Raises NotAPicture for an error's page."""
    name = fetched.type.partition(";")[0].strip().lower()
    for known in MediaType:
        if name == known.mime:
            return known
    raise NotAPicture if name in NO_TYPE else _Unsupported


@dataclass(frozen=True, slots=True)
class ListMedia:
    """Shows which pictures belong to messages."""

    store: Store

    async def __call__(
        self, account_id: AccountId, message_ids: Collection[MessageId]
    ) -> dict[MessageId, list[Media]]:
        """Return those of each message that has some, in order. Repeating is harmless."""
        found: dict[MessageId, list[Media]] = {}
        if message_ids:
            async with self.store.begin(account_id) as tx:
                for media in await tx.media.of_messages(message_ids):
                    if media.message_id is not None:
                        found.setdefault(media.message_id, []).append(media)
        return found


@dataclass(frozen=True, slots=True)
class ReadMedia:
    """Hands a picture over."""

    store: Store
    objects: Objects

    async def __call__(self, account_id: AccountId, media_id: MediaId) -> Media:
        """Return what is known of it. Raises NotFound, also when its message was deleted. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            media = await tx.media.get(media_id)
            if media.message_id is not None:
                await tx.messages.get_even_broken(media.message_id)
        return media

    async def content(self, media: Media, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """Yield its bytes from `start` until before `stop`. Raises NotFound, SealBroken, ObjectsUnavailable."""
        async with self.objects.open(media.account_id, media.object_id) as opened:
            async for piece in opened.read(start, stop):
                yield piece


JOBS = (JobType("fetch_media", FetchMedia, after={MediaExpected: NOW}, attempts=None, asks=Provider.OBJECTS),)
