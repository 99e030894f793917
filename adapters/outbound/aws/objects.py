"""Sealed objects in an S3 bucket, with every version of them, and what uploads that were cut off left behind."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from typing_extensions import override

from adapters.outbound.aws.calls import AwsCalls, TooManyCalls
from application.ports.byte_store import ByteStore, OpenBytes
from application.ports.objects import ObjectsUnavailable
from domain.kernel import NotFound

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PART = 8 << 20
"""Bytes of one part of an upload; what is smaller goes up at once. S3 takes 5 MiB and more."""

TAG = "pico-days"
"""Says after how many days a rule of the bucket deletes an object that we have not; deploy/aws/objects.yaml has it."""

_MISSING = {"404", "NoSuchKey", "NoSuchVersion", "NoSuchUpload", "NotFound"}

T = TypeVar("T")


class _Missing(Exception):
    """S3 has no such thing."""


@dataclass(frozen=True, slots=True)
class _Asking:
    """One bucket, asked in threads; what goes wrong there is told in our words."""

    client: S3Client
    calls: AwsCalls
    bucket: str

    async def __call__(self, act: Callable[[], T]) -> T:
        try:
            return await self.calls(act)
        except ClientError as error:
            missing = error.response.get("Error", {}).get("Code", "") in _MISSING
        except (BotoCoreError, TooManyCalls, OSError):
            missing = False
        raise _Missing if missing else ObjectsUnavailable


@dataclass(frozen=True, slots=True)
class S3Bytes(OpenBytes):
    """`OpenBytes` of one version of an object: a later one does not take its place; deletion takes it away."""

    ask: _Asking
    which: dict[str, Any]
    length: int

    @property
    @override
    def size(self) -> int:
        return self.length

    @override
    async def read(self, start: int, length: int) -> bytes:
        end = min(start + length, self.length)
        if end <= start:
            return b""
        client = self.ask.client

        def act() -> bytes:
            got = client.get_object(**self.which, Range=f"bytes={start}-{end - 1}")
            with got["Body"] as body:
                return body.read()

        try:
            return await self.ask(act)
        except _Missing:
            raise ObjectsUnavailable from None


class S3ByteStore(ByteStore):
    """`ByteStore` in a bucket with versioning. What is deleted goes with every version and delete marker.

    An upload that was cut off has a name as well until it is aborted, so that an account's are found by its prefix.
    """

    def __init__(self, client: S3Client, calls: AwsCalls, bucket: str) -> None:
        """Nothing is asked yet."""
        self._ask = _Asking(client, calls, bucket)
        self._client = client
        self._bucket = bucket

    @override
    async def write(self, name: str, pieces: AsyncIterable[bytes], *, days: int | None = None) -> None:
        upload, parts, held = None, list[dict[str, Any]](), bytearray()
        tagged = {} if days is None else {"Tagging": f"{TAG}={days}"}
        try:
            async for piece in pieces:
                held += piece
                while len(held) >= PART:
                    if upload is None:
                        upload = await self._begin(name, tagged)
                    parts.append(await self._put_part(name, upload, len(parts) + 1, bytes(held[:PART])))
                    del held[:PART]
            await self._finish(name, upload, parts, bytes(held), tagged)
        except _Missing:
            raise ObjectsUnavailable from None  # the bucket, or an upload that was deleted meanwhile
        except BaseException:
            if upload is not None:
                with suppress(_Missing, ObjectsUnavailable):
                    await self._abort(name, upload)
            raise

    @override
    @asynccontextmanager
    async def open(self, name: str) -> AsyncIterator[S3Bytes]:
        try:
            head = await self._ask(lambda: self._client.head_object(Bucket=self._bucket, Key=name))
        except _Missing:
            raise NotFound from None
        which: dict[str, Any] = {"Bucket": self._bucket, "Key": name}
        version: str | None = head.get("VersionId")  # none in a bucket that never had versions
        which |= {"IfMatch": head["ETag"]} if version is None else {"VersionId": version}
        yield S3Bytes(self._ask, which, head["ContentLength"])

    @override
    async def delete(self, name: str) -> None:
        """Delete it with every version, delete marker and upload; it is looked for again."""
        with suppress(_Missing):
            for upload in [found async for key, found in self._uploads(name) if key == name]:
                with suppress(_Missing):
                    await self._abort(name, upload)
            while versions := [each async for each in self._versions(name) if each["Key"] == name][:1000]:
                gone: Any = {"Objects": versions, "Quiet": True}
                said = await self._ask(partial(self._client.delete_objects, Bucket=self._bucket, Delete=gone))
                if said.get("Errors"):
                    raise ObjectsUnavailable  # such as a version under a lock

    @override
    async def names(self, prefix: str) -> AsyncIterator[str]:
        seen = set[str]()
        try:
            async for version in self._versions(f"{prefix}/"):
                if version["Key"] not in seen:
                    seen.add(version["Key"])
                    yield version["Key"]
            async for name, _ in self._uploads(f"{prefix}/"):
                if name not in seen:
                    seen.add(name)
                    yield name
        except _Missing:
            raise ObjectsUnavailable from None

    async def _begin(self, name: str, tagged: dict[str, Any]) -> str:
        made = await self._ask(
            lambda: self._client.create_multipart_upload(Bucket=self._bucket, Key=name, **tagged)
        )
        return made["UploadId"]

    async def _put_part(self, name: str, upload: str, number: int, content: bytes) -> dict[str, Any]:
        done = await self._ask(
            lambda: self._client.upload_part(
                Bucket=self._bucket, Key=name, UploadId=upload, PartNumber=number, Body=content
            )
        )
        return {"ETag": done["ETag"], "PartNumber": number}

    async def _finish(
        self,
        name: str,
        upload: str | None,
        parts: list[dict[str, Any]],
        rest: bytes,
        tagged: dict[str, Any],
    ) -> None:
        if upload is None:
            await self._ask(
                lambda: self._client.put_object(Bucket=self._bucket, Key=name, Body=rest, **tagged)
            )
            return
        if rest:
            parts.append(await self._put_part(name, upload, len(parts) + 1, rest))
        whole: Any = {"Parts": parts}
        await self._ask(
            lambda: self._client.complete_multipart_upload(
                Bucket=self._bucket, Key=name, UploadId=upload, MultipartUpload=whole
            )
        )

    async def _abort(self, name: str, upload: str) -> None:
        await self._ask(
            lambda: self._client.abort_multipart_upload(Bucket=self._bucket, Key=name, UploadId=upload)
        )

    async def _versions(self, prefix: str) -> AsyncIterator[dict[str, str]]:
        """Yield every version and delete marker of what begins with a prefix."""
        more: dict[str, Any] = {}
        while True:
            page = await self._ask(
                partial(self._client.list_object_versions, Bucket=self._bucket, Prefix=prefix, **more)
            )
            for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                yield {"Key": each["Key"], "VersionId": each["VersionId"]}
            if not page.get("IsTruncated"):
                return
            more = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}

    async def _uploads(self, prefix: str) -> AsyncIterator[tuple[str, str]]:
        """Yield name and id of every upload that was begun and not finished."""
        more: dict[str, Any] = {}
        while True:
            page = await self._ask(
                partial(self._client.list_multipart_uploads, Bucket=self._bucket, Prefix=prefix, **more)
            )
            for each in page.get("Uploads", ()):
                if each["Key"].startswith(prefix):
                    yield each["Key"], each["UploadId"]
            if not page.get("IsTruncated"):
                return
            more = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}
