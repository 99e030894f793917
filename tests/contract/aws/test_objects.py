"""Objects in S3 under the contracts of every store of objects and of bytes, over moto."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adapters.outbound.aws import objects
from adapters.outbound.aws.calls import AwsCalls
from adapters.outbound.aws.objects import S3ByteStore
from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.sealed.objects import SealedObjects
from application.ports.byte_store import ByteStore
from application.ports.objects import ObjectsUnavailable
from tests.contract.aws.conftest import Aws
from tests.contract.objects.contract import (
    ANN,
    BrokenOff,
    ByteStoreContract,
    ObjectsContract,
    an_id,
    breaking_off,
    content,
    read,
    stream,
)

SUSPENDED = pytest.mark.xfail(strict=True, reason="moto: a marker cannot be disposed of")


@pytest.fixture
def client(aws: Aws) -> Any:
    return aws.client("s3")


@pytest.fixture
def bucket(aws: Aws, client: Any) -> str:
    name = aws.bucket()
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


@pytest.fixture
def store(client: Any, calls: AwsCalls, bucket: str) -> S3ByteStore:
    return S3ByteStore(client, calls, bucket)


class TestInABucket(ObjectsContract):
    @pytest.fixture
    def keyring(self) -> MemoryKeyring:
        return MemoryKeyring()

    @pytest.fixture
    def objects(self, store: S3ByteStore, keyring: MemoryKeyring) -> SealedObjects:
        return SealedObjects(store, keyring, "test")

    @pytest.fixture
    def outage(self, client: Any, unplugged: Callable[[Any], None]) -> Callable[[], None]:
        return lambda: unplugged(client)

    @pytest.mark.parametrize(
        "versioned",
        [
            "Enabled",
            pytest.param(
                "Suspended",
                marks=pytest.mark.xfail(strict=True, reason="moto: a marker cannot be disposed of"),
            ),
        ],
    )
    async def test_nothing_of_an_account_is_left_in_any_version(
        self, objects: SealedObjects, client: Any, bucket: str, versioned: str
    ) -> None:
        """Whatever the bucket did: earlier versions, delete markers, uploads that were cut off, and no row."""
        of = an_id()
        for each in (b"first", b"second"):
            await objects.put(ANN, of, stream(each))
        (name,) = [each["Key"] for each in client.list_objects_v2(Bucket=bucket)["Contents"]]
        client.delete_object(Bucket=bucket, Key=name)  # by somebody's hand: it is hidden, and there
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": versioned})
        prefix = name.partition("/")[0]
        cut_off = client.create_multipart_upload(Bucket=bucket, Key=f"{prefix}/ab")
        client.upload_part(
            Bucket=bucket, Key=f"{prefix}/ab", UploadId=cut_off["UploadId"], PartNumber=1, Body=b"half"
        )
        client.put_object(Bucket=bucket, Key=f"{prefix}/not-ours", Body=b"x")
        assert await objects.count(ANN) == 3
        await objects.delete_all(ANN)
        assert await objects.count(ANN) == 0
        left = client.list_object_versions(Bucket=bucket)
        assert not left.get("Versions")
        assert not left.get("DeleteMarkers")
        assert not client.list_multipart_uploads(Bucket=bucket).get("Uploads")

    async def test_what_is_larger_than_a_part_goes_up_in_parts(
        self, objects: SealedObjects, client: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("adapters.outbound.aws.objects.PART", 5 << 20)
        whole, of = content(11 << 20), an_id()
        assert await objects.put(
            ANN, of, stream(*(whole[at : at + 70_000] for at in range(0, len(whole), 70_000)))
        )
        assert await read(objects, ANN, of, 6 << 20, (6 << 20) + 9) == whole[6 << 20 : (6 << 20) + 9]
        with pytest.raises(BrokenOff):
            await objects.put(ANN, an_id(), breaking_off(whole))
        assert not client.list_multipart_uploads(Bucket=bucket).get("Uploads")
        assert await objects.count(ANN) == 1

    @pytest.mark.parametrize("size", [3, 11 << 20], ids=["at once", "in parts"])
    async def test_what_the_bucket_may_delete_by_itself_bears_a_tag_and_nothing_else_does(
        self, store: S3ByteStore, client: Any, bucket: str, size: int
    ) -> None:
        await store.write("ab/01", stream(content(size)), days=90)
        await store.write("ab/02", stream(content(size)))
        tagged = [client.get_object_tagging(Bucket=bucket, Key=name)["TagSet"] for name in ("ab/01", "ab/02")]
        assert tagged == [[{"Key": "pico-days", "Value": "90"}], []]

    async def test_a_version_under_a_lock_is_not_called_deleted(
        self, store: S3ByteStore, client: Any, bucket: str
    ) -> None:
        await store.write("ab/01", stream(b"x"))

        def refused(parsed: dict[str, Any], **_: object) -> None:
            parsed["Errors"] = [{"Key": "ab/01", "Code": "AccessDenied"}]

        client.meta.events.register("after-call.s3.DeleteObjects", refused)
        with pytest.raises(ObjectsUnavailable):
            await store.delete("ab/01")


class TestBytesInABucket(ByteStoreContract):
    @pytest.fixture
    def store(self, client: Any, calls: AwsCalls, bucket: str) -> S3ByteStore:
        return S3ByteStore(client, calls, bucket)

    async def test_what_is_open_outlives_its_name(self, store: ByteStore) -> None:
        """It outlives its replacement. Of what is deleted, S3 has no bytes to give, and that is how it should be."""
        await store.write("ab/01", stream(b"old"))
        async with store.open("ab/01") as replaced:
            await store.write("ab/01", stream(b"newer"))
            assert (replaced.size, await replaced.read(0, 9)) == (3, b"old")
            await store.delete("ab/01")
            with pytest.raises(ObjectsUnavailable):
                await replaced.read(0, 9)
        assert [name async for name in store.names("ab")] == []


def test_a_part_is_as_large_as_s3_asks_for() -> None:
    assert objects.PART >= 5 << 20
