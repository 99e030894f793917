"""Objects in any store of bytes: sealed before they get there, opened afterwards, under names that tell nothing."""

from __future__ import annotations

import hmac
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from typing_extensions import override

from adapters.outbound.sealed.frames import FRAME, HEADER, FrameCipher, Layout, sealed, version_of
from application.ports.byte_store import ByteStore, OpenBytes
from application.ports.keyring import Keyring
from application.ports.objects import Objects, OpenObject
from domain.kernel import AccountId, ObjectId


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one account's objects, under a system key: they say neither whose they are nor when they were made.

    The prefix is a keyed hash of the account. The rest is the object's id, sealed deterministically (AES-SIV, RFC 5297)
    for that account, so that whoever lists the names gets the ids back without a row.
    """

    account_id: AccountId
    prefix: str
    cipher: AESSIV

    @classmethod
    def under(cls, key: bytes, account_id: AccountId) -> Names:
        """Return the account's names under this system key."""
        prefix = hmac.digest(key, account_id.bytes, "sha256").hex()
        return cls(account_id, prefix, AESSIV(HKDF(SHA256(), 64, None, b"pico object names").derive(key)))

    def name(self, object_id: ObjectId) -> str:
        """Return an object's whole name."""
        return f"{self.prefix}/{self.cipher.encrypt(object_id.bytes, [self.account_id.bytes]).hex()}"

    def object_id(self, name: str) -> ObjectId | None:
        """Return whose name this is, or None for one that was not made here."""
        try:
            rest = bytes.fromhex(name.removeprefix(f"{self.prefix}/"))
            return ObjectId(UUID(bytes=self.cipher.decrypt(rest, [self.account_id.bytes])))
        except (ValueError, InvalidTag):
            return None


@dataclass(frozen=True, slots=True)
class SealedObject(OpenObject):
    """`OpenObject` over bytes at rest. Its last frame has been opened: so the size is as it was sealed."""

    at_rest: OpenBytes
    layout: Layout
    cipher: FrameCipher

    @property
    @override
    def size(self) -> int:
        return self.layout.size

    @override
    async def read(self, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        stop = self.size if stop is None else min(stop, self.size)
        for index in range(start // FRAME, -(-stop // FRAME)):
            begin = index * FRAME
            yield (await self.frame(index))[max(start - begin, 0) : stop - begin]

    async def frame(self, index: int) -> bytes:
        """Return the content of one frame. Raises SealBroken, ObjectsUnavailable."""
        frame = await self.at_rest.read(self.layout.begin(index), self.layout.length(index))
        return self.cipher.open(index, frame, final=self.layout.is_final(index))


@dataclass(frozen=True, slots=True)
class SealedObjects(Objects):
    """`Objects` over any `ByteStore`. `environment` keeps the Sandbox's objects out of Production, and vice versa."""

    store: ByteStore
    keyring: Keyring
    environment: str

    @override
    async def reseal(self, account_id: AccountId, object_id: ObjectId, *, days: int | None = None) -> bool:
        newest = (await self.keyring.open(account_id)).version
        async with self.open(account_id, object_id) as opened:
            if opened.cipher.version == newest:
                return False
            await self.put(account_id, object_id, opened.read(), days=days)
        return True

    @override
    async def put(
        self,
        account_id: AccountId,
        object_id: ObjectId,
        content: AsyncIterable[bytes],
        *,
        days: int | None = None,
    ) -> int:
        names = await self._names(account_id)
        key = await self.keyring.open(account_id)
        cipher = FrameCipher.new(self.environment, account_id, object_id, key)
        written = 0

        async def counted() -> AsyncIterator[bytes]:
            nonlocal written
            async for frame in sealed(content, cipher):
                written += len(frame)
                yield frame

        await self.store.write(names.name(object_id), counted(), days=days)
        return Layout.of(written).size

    @override
    @asynccontextmanager
    async def open(self, account_id: AccountId, object_id: ObjectId) -> AsyncIterator[SealedObject]:
        names = await self._names(account_id)
        async with self.store.open(names.name(object_id)) as at_rest:
            layout = Layout.of(at_rest.size)
            header = await at_rest.read(0, HEADER)
            key = await self.keyring.open(account_id)
            if version_of(header) > key.version:  # another process was told of a newer key before us
                key = await self.keyring.reopen(account_id)
            if key.former is not None and version_of(header) == key.former.version:
                key = key.former
            cipher = FrameCipher.reading(self.environment, account_id, object_id, key, header)
            opened = SealedObject(at_rest, layout, cipher)
            await opened.frame(layout.frames - 1)
            yield opened

    @override
    async def delete(self, account_id: AccountId, object_id: ObjectId) -> None:
        await self.store.delete((await self._names(account_id)).name(object_id))

    @override
    async def list_all(self, account_id: AccountId) -> AsyncIterator[ObjectId]:
        names = await self._names(account_id)
        async for name in self.store.names(names.prefix):
            if (object_id := names.object_id(name)) is not None:
                yield object_id

    @override
    async def count(self, account_id: AccountId) -> int:
        names = await self._names(account_id)
        return len([name async for name in self.store.names(names.prefix)])

    @override
    async def delete_all(self, account_id: AccountId) -> None:
        names = await self._names(account_id)
        async for name in self.store.names(names.prefix):
            await self.store.delete(name)

    async def _names(self, account_id: AccountId) -> Names:
        return Names.under(await self.keyring.system("objects"), account_id)
