"""The erasure ledger in S3 under the contract of every ledger, over moto, and what only a shared one can suffer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from adapters.outbound.aws.calls import AwsCalls
from adapters.outbound.aws.ledger import S3Ledger
from application.ports.ledger import LedgerBroken
from pico_testkit.contracts.ledger import ANNE, BEN, CLEO, FACTS, KEY, LedgerContract, intent
from tests.contract.aws.conftest import Aws

RECORDS = 24


class TestS3Ledger(LedgerContract):
    @pytest.fixture
    def client(self, aws: Aws) -> Any:
        return aws.client("s3")

    @pytest.fixture
    def bucket(self, aws: Aws, client: Any) -> str:
        name = aws.bucket(ObjectLockEnabledForBucket=True)
        rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 40}}
        client.put_object_lock_configuration(
            Bucket=name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
        )
        return name

    @pytest.fixture
    def ledger(self, client: Any, calls: AwsCalls, bucket: str) -> S3Ledger:
        return S3Ledger(client, calls, bucket, KEY)

    @pytest.fixture
    def outage(self, client: Any, unplugged: Callable[[Any], None]) -> Callable[[], None]:
        return lambda: unplugged(client)

    async def test_writers_that_meet_take_a_number_each(
        self, client: Any, calls: AwsCalls, bucket: str
    ) -> None:
        writers = [S3Ledger(client, calls, bucket, KEY) for _ in range(4)]
        named = [intent(f"somebody {at}") for at in range(RECORDS)]
        marks = await asyncio.gather(*(writers[at % 4].open_intent(each) for at, each in enumerate(named)))
        assert sorted(marks) == list(range(1, RECORDS + 1))
        for each in (*writers, S3Ledger(client, calls, bucket, KEY)):
            assert await each.high_water() == RECORDS
            assert {one.fingerprint for one in await each.pending()} == {one.fingerprint for one in named}
        heads = {(await each.position()).head for each in writers}
        assert len(heads) == 1, "they are one chain"

    async def test_who_loses_a_number_reads_only_what_took_it(
        self, ledger: S3Ledger, aws: Aws, calls: AwsCalls, bucket: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for at in range(RECORDS):
            await ledger.open_intent(intent(f"somebody {at}"))
        client, read = aws.client("s3"), list[str]()
        loser = S3Ledger(client, calls, bucket, KEY)
        assert await loser.high_water() == RECORDS
        client.meta.events.register("before-call.s3.GetObject", lambda **_: read.append("a record"))
        put = loser._put

        async def too_late(number: int, line: bytes) -> bool:
            monkeypatch.setattr(loser, "_put", put)
            await ledger.open_intent(ANNE)
            return await put(number, line)

        monkeypatch.setattr(loser, "_put", too_late)
        assert await loser.open_intent(BEN) == RECORDS + 2
        assert read == ["a record"]

    async def test_what_another_process_wrote_is_seen_at_once(
        self, ledger: S3Ledger, client: Any, calls: AwsCalls, bucket: str
    ) -> None:
        other = S3Ledger(client, calls, bucket, KEY)
        assert await other.high_water() == 0
        await ledger.open_intent(ANNE)
        assert await other.intent(ANNE.fingerprint) == ANNE
        await other.complete(ANNE.fingerprint, FACTS)
        assert await ledger.receipt(ANNE.fingerprint) is not None

    async def test_nobody_deletes_a_record(self, ledger: S3Ledger, client: Any, bucket: str) -> None:
        await ledger.open_intent(ANNE)
        (version,) = client.list_object_versions(Bucket=bucket)["Versions"]
        kept = client.head_object(Bucket=bucket, Key=version["Key"])
        assert kept["ObjectLockMode"] == "COMPLIANCE"
        assert kept["ObjectLockRetainUntilDate"] > datetime.now(UTC) + timedelta(days=39)
        with pytest.raises(ClientError, match="AccessDenied"):
            client.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])

    @pytest.mark.parametrize("change", ["altered", "dropped", "swapped", "put in"])
    async def test_a_record_that_somebody_changed_is_told_by_whoever_reads_anew(
        self, ledger: S3Ledger, client: Any, calls: AwsCalls, bucket: str, change: str
    ) -> None:
        for each in (ANNE, BEN, CLEO):
            await ledger.open_intent(each)
        first, second, third = (each["Key"] for each in client.list_objects_v2(Bucket=bucket)["Contents"])

        def said(name: str) -> bytes:
            body: bytes = client.get_object(Bucket=bucket, Key=name)["Body"].read()
            return body

        def put(name: str, body: bytes) -> None:
            client.put_object(Bucket=bucket, Key=name, Body=body, ChecksumAlgorithm="SHA256")

        match change:
            case "altered":
                put(second, said(second).replace(b'"keys":2', b'"keys":3'))
            case "dropped":
                client.delete_object(Bucket=bucket, Key=second)  # a marker: what lies below stays
            case "swapped":
                one, other = said(second), said(third)
                put(second, other)
                put(third, one)
            case _:
                put(f"{first}x", said(first))
        with pytest.raises(LedgerBroken):
            await S3Ledger(client, calls, bucket, KEY).high_water()
